"""How a job's stages run: each takes and returns frozen values; the runner does everything around them."""
