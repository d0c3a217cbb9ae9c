"""Reading the settings back from a picture that the studio or an A1111 WebUI made."""

from __future__ import annotations

from typing import BinaryIO

from pydantic import ValidationError

from studio.errors import BadUpload, NothingToRestore
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.recipes import INFOTEXT_CHUNK, recipe_in, texts_in
from studio.values import MAX_SEED, JobOptions, JobRequest, Restored
from webui_client import infotext

PROMPT_LENGTH = 2000


def restored(picture: BinaryIO) -> Restored:
    """What a picture tells of its making. Raises BadUpload, NothingToRestore."""
    data = picture.read(LARGEST_FILE_BYTES + 1)
    if len(data) > LARGEST_FILE_BYTES:
        raise BadUpload("too_large", "", "The file is too large.")
    settings = _settings(texts_in(data).get(INFOTEXT_CHUNK, ""))
    request = _request(data)
    if request is not None:
        return Restored(
            source="sajin",
            preset=request.preset,
            subject=request.subject,
            options=request.options,
            settings=settings,
        )
    if not settings:
        raise NothingToRestore
    return Restored(source="a1111", preset=None, subject=None, options=_options(settings), settings=settings)


def _request(picture: bytes) -> JobRequest | None:
    """The order in a picture's recipe, with the picture's own seed; None when there is none that holds."""
    recipe = recipe_in(picture)
    if recipe is None:
        return None
    try:
        request = JobRequest.model_validate(recipe.get("request"))
        options = request.options.model_dump() | {"seed": recipe.get("seed")}
        return request.model_copy(update={"options": JobOptions.model_validate(options)})
    except ValidationError:
        return None


def _settings(text: str) -> dict[str, str]:
    if not text.strip():
        return {}
    parsed = infotext.parse(text)
    words = {"Prompt": parsed.prompt, "Negative prompt": parsed.negative_prompt}
    return {key: value for key, value in words.items() if value} | {
        key: str(value) for key, value in parsed.settings
    }


def _seed(text: str) -> int | None:
    """The seed, None for what is none of ours."""
    if not text.isdecimal() or len(text) > len(str(MAX_SEED)):
        return None
    return seed if (seed := int(text)) <= MAX_SEED else None


def _prompt(text: str) -> str:
    return text.replace("\0", "")[:PROMPT_LENGTH]


def _options(settings: dict[str, str]) -> JobOptions:
    return JobOptions(
        seed=_seed(settings.get("Seed", "")),
        prompt=_prompt(settings.get("Prompt", "")),
        negative_prompt=_prompt(settings.get("Negative prompt", "")),
    )
