"""`python -m dli` is the command `dli`."""

from dli.main import app

app()
