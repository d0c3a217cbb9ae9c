"""`python -m command_line` is the `sajin` command."""

from command_line.main import app

app()
