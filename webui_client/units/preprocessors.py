"""ControlNet's preprocessors: what each is called where, what model it draws for, and what comes back of it.

Written to the A1111 contract notes on ControlNet (sections 3, 5 and 6). Names and ranges are those of Mikubill's
extension 1.1.455, Forge's names those of its ``module_list``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Range = tuple[float, float]
MaskUse = Literal["no", "region", "needed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlType:
    """What the preprocessors of one kind have in common.

    starts: how their names begin. words: what file names of their models have, the best first; none where one must
    be named. model_free: they work without a model. union: what a ControlNet for everything is told of them, in
    ``union_control_type``. draws: whether they draw a map, or else read features of the picture, which then itself
    comes back as the map. finds: whether a black map means that there was nothing to find. mask: whether a unit's mask
    is the region that counts, what is repainted, or would be taken for the drawing.
    """

    starts: tuple[str, ...]
    words: tuple[str, ...] = ()
    model_free: bool = False
    union: str | None = None
    draws: bool = True
    finds: bool = False
    mask: MaskUse = "no"


CONTROL_TYPES = (
    ControlType(
        starts=("openpose", "dw_openpose", "densepose", "animal_openpose"),
        words=("openpose", "pose"),
        union="OpenPose",
        finds=True,
    ),
    ControlType(starts=("tile", "blur"), words=("tile",), union="Tile"),
    ControlType(starts=("canny",), words=("canny",), union="Hard Edge"),
    ControlType(starts=("depth",), words=("depth",), union="Depth"),
    ControlType(starts=("hed", "pidinet", "softedge"), words=("softedge", "hed"), union="Soft Edge"),
    ControlType(starts=("lineart",), words=("lineart",), union="Hard Edge"),
    ControlType(starts=("mediapipe_face",), words=("mediapipe_face", "mediapipe", "face"), finds=True),
    ControlType(starts=("inpaint",), words=("inpaint",), union="Inpaint", mask="needed"),
    ControlType(starts=("normal",), words=("normal",), union="Normal Map"),
    ControlType(starts=("scribble",), words=("scribble",), union="Soft Edge"),
    ControlType(starts=("seg",), words=("seg",), union="Segmentation"),
    ControlType(starts=("mlsd",), words=("mlsd",), union="Hard Edge"),
    ControlType(starts=("reference",), model_free=True),
    ControlType(
        starts=("ip-adapter", "clip-vit", "insightface", "instant_id_face_embedding"),
        draws=False,
        mask="region",
    ),
    ControlType(
        starts=("instant_id_face_keypoints",), words=("control_instant_id",), finds=True, mask="region"
    ),
)
UNTYPED = ControlType(starts=())
"""What is taken for granted of any other preprocessor: it draws a map for a model that must be named."""

CLIP_H, CLIP_G = "ip-adapter_clip_sd15", "ip-adapter_clip_sdxl"
FACE_ID, FACE_ID_PLUS = "ip-adapter_face_id", "ip-adapter_face_id_plus"
INSTANT_ID_FACE, INSTANT_ID_POINTS = "instant_id_face_embedding", "instant_id_face_keypoints"

SPELLINGS = (
    ("depth", "depth_midas"),
    ("hed", "softedge_hed"),
    ("hed_safe", "softedge_hedsafe"),
    ("pidinet", "softedge_pidinet"),
    ("pidinet_safe", "softedge_pidisafe"),
    ("lineart", "lineart_realistic"),
    ("inpaint", "inpaint_global_harmonious"),
    ("normal_bae", "normalbae"),
    ("normal_map", "normal_midas"),
    (CLIP_H, "ip-adapter_clip_h", "CLIP-ViT-H (IPAdapter)"),
    (CLIP_G, "ip-adapter_clip_g", "CLIP-ViT-bigG (IPAdapter)"),
    (FACE_ID, "InsightFace+CLIP-H (IPAdapter)"),
    (FACE_ID_PLUS, "InsightFace+CLIP-H (IPAdapter)"),
    (INSTANT_ID_FACE, "InsightFace (InstantID)"),
)
"""Names of one preprocessor: Mikubill's own, the one on its page, and Forge's."""

THRESHOLDS: dict[str, tuple[Range, ...]] = {
    "canny": ((1, 255), (1, 255)),
    "mediapipe_face": ((1, 10), (0.01, 1)),
    "tile_resample": ((1, 8),),
    "tile_colorfix": ((3, 32),),
    "tile_colorfix+sharp": ((3, 32), (0, 2)),
    "blur_gaussian": ((0.01, 64),),
    "reference_only": ((0, 1),),
    "reference_adain": ((0, 1),),
    "reference_adain+attn": ((0, 1),),
    "depth_leres": ((0, 100), (0, 100)),
    "depth_leres++": ((0, 100), (0, 100)),
    "softedge_teed": ((0, 10),),
    "softedge_anyline": ((0, 10),),
    "normal_dsine": ((0, 360), (1, 20)),
}
"""What threshold_a and threshold_b may be; the server takes its own number, in silence, for one that is outside."""


def control_type(module: str) -> ControlType:
    """Return what kind of preprocessor module is, by any of its names."""
    name = module.lower()
    return next((found for found in CONTROL_TYPES if name.startswith(found.starts)), UNTYPED)


def listed_module(module: str, listed: Sequence[str]) -> str | None:
    """Return the preprocessor that module means in the server's own spelling, or None if it is not listed."""
    spellings = next((names for names in SPELLINGS if module in names), (module,))
    return next((name for name in (module, *spellings) if name in listed), None)
