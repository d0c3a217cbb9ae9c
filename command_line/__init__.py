"""The `sajin` command: starts, watches and drives the studio from a terminal."""
