"""`dli metric register|diff|history`."""

from dli.cli.registry import diff_command, history_command, register_command

register = register_command("metric")
diff = diff_command("metric")
history = history_command("metric")
