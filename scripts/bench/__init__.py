"""Measurements side by side: what the studio adds to the plain calls a script would make. Run by `make bench`."""
