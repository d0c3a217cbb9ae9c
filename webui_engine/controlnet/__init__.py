"""ControlNet: the models, the drawings they read, and how a unit steers the denoiser."""
