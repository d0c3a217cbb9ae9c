"""The embedded engine: a WebUI-compatible HTTP server on diffusers."""
