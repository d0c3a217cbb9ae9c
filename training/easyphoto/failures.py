"""From what EasyPhoto or the client said to words for a person."""

from __future__ import annotations

from training.errors import TrainerObstacle, TrainerUnusable, TrainingFailed
from webui_client.errors import FeatureDidNotRun, MissingCapability, WebuiError

AGAIN = "Start the training again."
LORA_FOLDER = "LoRA folder"

_KNOWN = (
    (
        "User id non-repeatability",
        "EasyPhoto knows this training's id already.",
        f"{AGAIN} It takes another id.",
    ),
    ("Please upload training photos", "EasyPhoto got no photos.", "Add photos and start the training again."),
    (
        "Failed to obtain preprocessed",
        "EasyPhoto found no face to learn in the photos, or could not load what it finds faces with.",
        "Use sharp photos of the head and shoulders; look at the server's console.",
    ),
    (
        "Failed to obtain Lora after training",
        "EasyPhoto's training ended without a LoRA.",
        "The server's console says why: often memory of the card, a download, or another training at the same time.",
    ),
    (
        "does not support the SD2 checkpoint",
        "EasyPhoto does not learn on Stable Diffusion 2.",
        "Choose a checkpoint of Stable Diffusion 1.5 or SDXL.",
    ),
    (
        "SDXL",
        "EasyPhoto took the checkpoint for SDXL and refused the settings.",
        "Choose another checkpoint.",
    ),
)


def explain(error: WebuiError) -> TrainingFailed:
    """The reason and the remedy; what was said literally goes along as details."""
    if isinstance(error, FeatureDidNotRun):
        return _said(error.reason)
    if isinstance(error, MissingCapability) and error.kind == "extension":
        return TrainerUnusable(
            TrainerObstacle.SERVER_WITHOUT,
            "None of the servers has the extension EasyPhoto.",
            "Install it on a WebUI server, or choose another trainer.",
        )
    if isinstance(error, MissingCapability) and error.kind == LORA_FOLDER:
        return TrainingFailed(
            "The LoRA folder of no server that has EasyPhoto is known here.",
            "Name it in SAJIN_LORA_DIR or SAJIN_LORA_DIRS.",
        )
    if isinstance(error, MissingCapability):
        return TrainingFailed(str(error), "Set SAJIN_CHECKPOINT to a checkpoint that the server has.")
    return TrainingFailed(str(error), AGAIN)


def _said(message: str) -> TrainingFailed:
    for sign, reason, remedy in _KNOWN:
        if sign in message:
            return TrainingFailed(reason, remedy, message)
    return TrainingFailed(
        f"EasyPhoto did not finish: {message}", "Look at the server's console, then start again.", message
    )


def restarted(server: str) -> TrainingFailed:
    """The server was started anew, which ends every training it had."""
    return TrainingFailed(f"The WebUI at {server} was started anew during the training.", AGAIN)


def gone(server: str, seconds: float) -> TrainingFailed:
    """The server has not answered for so long."""
    return TrainingFailed(
        f"The WebUI at {server} has not answered for {seconds:.0f} s during the training.",
        "See whether it runs, then start the training again.",
    )


def too_long(server: str, seconds: float) -> TrainingFailed:
    """The time limit has passed."""
    return TrainingFailed(
        f"EasyPhoto at {server} was not done after {seconds / 60:.0f} minutes, and may still be at work.",
        "Wait until the server is idle; raise SAJIN_EASYPHOTO_LIMIT_MINUTES if it needs longer.",
    )


def elsewhere(user_id: str, folder: str) -> TrainingFailed:
    """EasyPhoto says that it is done, and the folder does not have the file."""
    return TrainingFailed(
        f"EasyPhoto says that it is done, but {folder} has no whole {user_id}.safetensors.",
        "Set SAJIN_LORA_DIR to the LoRA folder of the server, or name it in SAJIN_LORA_DIRS.",
    )
