"""Teaching an identity with kohya's sd-scripts, a program of its own that is run and supervised.

Nothing of sd-scripts is imported; importing this package loads nothing heavy.
"""

from training.kohya.checkpoint import family_of
from training.kohya.installation import Installation
from training.kohya.trainer import KohyaTrainer

__all__ = ["Installation", "KohyaTrainer", "family_of"]
