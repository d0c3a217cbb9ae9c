"""Judging learned adapters: what validation pictures are asked for, and what they say. No server, no files."""
