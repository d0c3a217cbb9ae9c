"""Animated portraits once they are frames: kept, measured, repaired and written as files. No server, no model."""
