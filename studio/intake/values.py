"""The values of verdicts on photos: codes that never change, with the numbers behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from studio.faces.values import PhotoFindings

NEEDED_PHOTOS = 3

Number = int | float | str


class ReasonCode(StrEnum):
    """Why a photo is not, or not quite, fit."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = "face_too_small"
    FACE_CUT_OFF = "face_cut_off"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    COMPRESSED = "compressed"
    TURNED = "turned"
    NEAR_DUPLICATE = "near_duplicate"
    OTHER_PERSON = "other_person"


class Remedy(StrEnum):
    """What a person can do about a reason; the border words it."""

    SHOW_THE_FACE = "show_the_face"
    ONE_PERSON_ONLY = "one_person_only"
    COME_CLOSER = "come_closer"
    WHOLE_FACE_IN_FRAME = "whole_face_in_frame"
    HOLD_STILL = "hold_still"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    SEND_THE_ORIGINAL = "send_the_original"
    TURN_UPRIGHT = "turn_upright"
    ANOTHER_SHOT = "another_shot"
    PHOTOS_OF_ONE_PERSON = "photos_of_one_person"


REMEDIES: Mapping[ReasonCode, Remedy] = {
    ReasonCode.NO_FACE: Remedy.SHOW_THE_FACE,
    ReasonCode.SEVERAL_FACES: Remedy.ONE_PERSON_ONLY,
    ReasonCode.FACE_TOO_SMALL: Remedy.COME_CLOSER,
    ReasonCode.FACE_CUT_OFF: Remedy.WHOLE_FACE_IN_FRAME,
    ReasonCode.BLURRED: Remedy.HOLD_STILL,
    ReasonCode.TOO_DARK: Remedy.MORE_LIGHT,
    ReasonCode.TOO_BRIGHT: Remedy.LESS_LIGHT,
    ReasonCode.COMPRESSED: Remedy.SEND_THE_ORIGINAL,
    ReasonCode.TURNED: Remedy.TURN_UPRIGHT,
    ReasonCode.NEAR_DUPLICATE: Remedy.ANOTHER_SHOT,
    ReasonCode.OTHER_PERSON: Remedy.PHOTOS_OF_ONE_PERSON,
}


class Status(StrEnum):
    """fit: good to learn from. warning: usable, better ones exist. unfit: left out of the learning."""

    FIT = "fit"
    WARNING = "warning"
    UNFIT = "unfit"


class SetCode(StrEnum):
    """What the set needs next."""

    ENOUGH = "enough"
    ADD_PHOTOS = "add_photos"
    ADD_VARIETY = "add_variety"
    ONE_PERSON_ONLY = "one_person_only"


class Reason(BaseModel):
    """One reason with its numbers. blocking: whether it alone makes the photo unfit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: ReasonCode
    remedy: Remedy
    blocking: bool
    data: dict[str, Number] = {}


class Verdict(BaseModel):
    """What a photo is good for, the gravest reason first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedPhoto:
    """A photo of a set: its id and what was found in it."""

    id: str
    findings: PhotoFindings


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVerdict:
    """The verdict on a set. fit: photos that can be learned from, warnings included.

    verdicts: of every photo by id, near-duplicates and other people counted in, in the order given.
    """

    enough: bool
    fit: int
    needed: int
    code: SetCode
    verdicts: Mapping[str, Verdict]
