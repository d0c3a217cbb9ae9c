"""Enlarging pictures: plain resampling and ESRGAN networks."""
