"""The two enlarging scripts, "SD upscale" and "Ultimate SD upscale": img2img in overlapping tiles."""
