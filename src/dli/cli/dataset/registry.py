"""`dli dataset register|diff|history`."""

from dli.cli.registry import diff_command, history_command, register_command

register = register_command("dataset")
diff = diff_command("dataset")
history = history_command("dataset")
