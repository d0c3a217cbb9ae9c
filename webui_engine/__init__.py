"""The embedded engine: a WebUI-compatible HTTP server on diffusers."""

__version__ = "0.1.0"
