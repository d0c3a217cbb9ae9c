"""The body of a training as EasyPhoto reads it, and the words in which it refuses one."""

from __future__ import annotations

import re

from pydantic.v1 import BaseModel

PLAIN_NAME = re.compile(r"[^/\\\0.][^/\\\0]{0,200}")

COMPLETED = "The training has been completed."
NO_ID, ID_NONE = "User id cannot be set to empty.", "User id cannot be set to none."
ID_TAKEN = "User id non-repeatability."
NO_PHOTOS = "Please upload training photos."
NO_FACES = "Failed to obtain preprocessed images, please check the preprocessing process."
NO_LORA = "Failed to obtain Lora after training, please check the training process."


class EasyPhotoFields(BaseModel):
    """What of a body the engine's trainer can heed; EasyPhoto knows no schema and ignores other keys.

    learning_rate, rank, train_batch_size: None leaves them to the engine's trainer, where EasyPhoto has numbers that
    are made for large models.
    """

    user_id: str = "tmp"
    sd_model_checkpoint: str = "Chilloutmix-Ni-pruned-fp16-fix.safetensors"
    train_mode_choose: str = "Train Human Lora"
    max_train_steps: int = 800
    steps_per_photos: int = 200
    train_batch_size: int | None = None
    gradient_accumulation_steps: int = 4
    learning_rate: float | None = None
    rank: int | None = None
    network_alpha: int | None = None
    enable_rl: bool = False

    def batch_size(self) -> int | None:
        """Samples that make one step."""
        return (
            None
            if self.train_batch_size is None
            else self.train_batch_size * self.gradient_accumulation_steps
        )

    def steps(self, photos: int) -> int:
        """How many steps so many photos are learned for."""
        return min(photos * self.steps_per_photos, self.max_train_steps)


class Refusal(Exception):
    """A training that ends without a LoRA; its text is EasyPhoto's answer."""


def check(fields: EasyPhotoFields, photos: int, *, taken: bool) -> None:
    """Raise Refusal for what EasyPhoto refuses, ValueError for what the engine alone cannot do.

    taken: whether there is a LoRA of that id.
    """
    if not fields.user_id:
        raise Refusal(NO_ID)
    if fields.user_id == "none":
        raise Refusal(ID_NONE)
    if not PLAIN_NAME.fullmatch(fields.user_id):
        raise ValueError("the user id has to be a plain name")
    if taken:
        raise Refusal(ID_TAKEN)
    if not photos:
        raise Refusal(NO_PHOTOS)
    rank, alpha = fields.rank or 128, fields.network_alpha or 64
    if alpha > rank:
        raise Refusal(f"The network alpha {alpha} must not exceed rank {rank}.")
    if fields.train_mode_choose != "Train Human Lora" or fields.enable_rl:
        raise ValueError("the embedded engine learns persons only, and without reinforcement learning")
