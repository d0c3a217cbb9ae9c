"""The training of the WebUI extension EasyPhoto: what is asked, whether it can run, and whether it ran.

Written to the A1111 contract notes, easyphoto: the answer is 200 whatever happened, and only one exact text means
success.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui_client.answers import mapping_of
from webui_client.capabilities import Capabilities, Checkpoint, Lora, find_checkpoint
from webui_client.errors import BadAnswer, FeatureDidNotRun, MissingCapability
from webui_client.pictures import upright_jpeg

PATH = "/easyphoto/easyphoto_train_forward"
COMPLETED = "The training has been completed."
TRIGGER = "easyphoto_face, easyphoto, 1person"
"""The words that call whom EasyPhoto learned, whoever it is."""

FEATURE = "EasyPhoto's training"
LONGEST_SIDE = 2048
SDXL_RESOLUTION = 1024
USUAL_RANK, USUAL_ALPHA = 128, 64
USUAL_STEPS, USUAL_STEPS_PER_PHOTO = 800, 200

Count = Annotated[int, Field(ge=1)]


class EasyPhotoTraining(BaseModel):
    """One person to learn; a field that is None is left to EasyPhoto.

    user_id: names the LoRA, and must never have been used on the server: an id can be neither retrained nor deleted.
    photos: encoded pictures. checkpoint: as the server may be asked for it. max_train_steps: no more are made than
    steps_per_photos for each photo. validation: the best states are chosen by likeness; not with SDXL. enable_rl: a
    stage of reinforcement learning follows, of max_rl_time hours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    photos: Annotated[tuple[bytes, ...], Field(min_length=1)]
    checkpoint: str
    resolution: Count | None = None
    max_train_steps: Count | None = None
    steps_per_photos: Count | None = None
    val_and_checkpointing_steps: Count | None = None
    train_batch_size: Count | None = None
    gradient_accumulation_steps: Count | None = None
    dataloader_num_workers: Annotated[int, Field(ge=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] | None = None
    rank: Count | None = None
    network_alpha: Count | None = None
    validation: bool | None = None
    skin_retouching_bool: bool | None = None
    enable_rl: bool | None = None
    max_rl_time: Annotated[float, Field(gt=0)] | None = None
    timestep_fraction: Annotated[float, Field(gt=0, le=1)] | None = None

    @model_validator(mode="after")
    def _easyphoto_takes_it(self) -> Self:
        if self.user_id == "none":
            raise ValueError("user_id must not be none")
        if (self.network_alpha or USUAL_ALPHA) > (self.rank or USUAL_RANK):
            raise ValueError("network_alpha must not exceed rank")
        return self

    @property
    def steps(self) -> int:
        """How many steps EasyPhoto will make."""
        per_photo = self.steps_per_photos or USUAL_STEPS_PER_PHOTO
        return min(len(self.photos) * per_photo, self.max_train_steps or USUAL_STEPS)


def require(server: Capabilities) -> None:
    """Raise MissingCapability unless the server has EasyPhoto's training; a need for the pool."""
    if not server.easyphoto:
        raise MissingCapability(server.server, "extension", "EasyPhoto")


def resolve(training: EasyPhotoTraining, server: Capabilities) -> Checkpoint:
    """Return the listed checkpoint to learn on; raises MissingCapability."""
    require(server)
    found = find_checkpoint(training.checkpoint, server.checkpoints)
    if found is None:
        titles = [checkpoint.title for checkpoint in server.checkpoints]
        raise MissingCapability(server.server, "checkpoint", training.checkpoint, titles)
    return found


def body(training: EasyPhotoTraining, checkpoint: Checkpoint, server: Capabilities) -> Mapping[str, Any]:
    """Return the request as JSON. Raises BadPicture.

    Photos go as upright JPEGs without alpha, which would fail there, and for SDXL what EasyPhoto demands is filled in.
    """
    fields = training.model_dump(exclude={"photos", "checkpoint"}, exclude_none=True)
    if server.takes_for_sdxl(checkpoint):
        fields["resolution"] = max(training.resolution or 0, SDXL_RESOLUTION)
        fields["validation"] = False
    photos = [
        base64.b64encode(upright_jpeg(photo, LONGEST_SIDE)).decode("ascii") for photo in training.photos
    ]
    return fields | {
        "train_mode_choose": "Train Human Lora",
        "sd_model_checkpoint": checkpoint.title.rsplit(" [", 1)[0],
        "instance_images": photos,
    }


def check_answer(answer: Any, server: str) -> None:
    """Raise FeatureDidNotRun with EasyPhoto's words unless they are those of success, BadAnswer if there are none."""
    message = mapping_of(answer).get("message")
    if not isinstance(message, str):
        raise BadAnswer(server, PATH, "it has no message")
    if message != COMPLETED:
        raise FeatureDidNotRun(server, FEATURE, message)


def check_listed(training: EasyPhotoTraining, loras: Sequence[Lora], server: str) -> None:
    """Raise FeatureDidNotRun unless the LoRA that was made is among those listed."""
    if not any(lora.name == training.user_id for lora in loras):
        raise FeatureDidNotRun(server, FEATURE, f"no LoRA {training.user_id!r} is listed afterwards")
