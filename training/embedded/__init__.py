"""Teaching an identity with no other server: LoRA on diffusers and peft, in a child process that holds torch.

Importing this package loads nothing heavy; ``python -m training.embedded REQUEST.json`` is the child.
"""

from training.embedded.trainer import EmbeddedTrainer

__all__ = ["EmbeddedTrainer"]
