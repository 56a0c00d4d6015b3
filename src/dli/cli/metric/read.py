"""`dli metric list|get|validate`."""

from dli.cli.spec import get_command, list_command
from dli.cli.validation import validate_command

list_metrics = list_command("metric")
get = get_command("metric")
validate = validate_command("metric")
