"""Products, presets, tones and pose pictures: what can be ordered."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response

from flask_api.answers import (
    PoseAnswer,
    PosesAnswer,
    PresetAnswer,
    PresetCheckAnswer,
    PresetProblemAnswer,
    PresetsAnswer,
    ProductsAnswer,
    TonesAnswer,
)
from flask_api.contents import PICTURE_RESPONSES
from flask_api.context import presenter, studio
from flask_api.files import picture_file
from flask_api.forms import PictureForm, PresetTextForm
from flask_api.routes.photos import uploaded

presets = APIBlueprint("presets", __name__, url_prefix="/api/v1/presets", tag="Presets")
products = APIBlueprint("products", __name__, url_prefix="/api/v1/products", tag="Presets")
tones = APIBlueprint("tones", __name__, url_prefix="/api/v1/tones", tag="Presets")
poses = APIBlueprint("poses", __name__, url_prefix="/api/v1/poses", tag="Poses")


@presets.get("")
@presets.output(PresetsAnswer)
def list_presets() -> PresetsAnswer:
    """The catalogue, with what is missing for each preset on the servers."""
    return PresetsAnswer(items=[presenter().preset(preset) for preset in studio().presets()], next=None)


@presets.get("/<identifier:name>")
@presets.output(PresetAnswer)
def read_preset(name: str) -> PresetAnswer:
    """One preset."""
    return presenter().preset(studio().preset(name))


@presets.get("/<identifier:name>/thumbnail")
@presets.doc(responses=PICTURE_RESPONSES)
def read_preset_thumbnail(name: str) -> Response:
    """A small picture that shows the preset."""
    return picture_file(studio().preset_thumbnail(name))


@presets.post("/validate")
@presets.input(PresetTextForm, arg_name="form")
@presets.output(PresetCheckAnswer)
def validate_preset(form: PresetTextForm) -> PresetCheckAnswer:
    """Check a preset's YAML without keeping it."""
    check = studio().validate_preset(form.yaml)
    problems = [
        PresetProblemAnswer(line=problem.line, key=problem.key, message=problem.reason)
        for problem in check.problems
    ]
    return PresetCheckAnswer(ok=check.ok, problems=problems)


@products.get("")
@products.output(ProductsAnswer)
def list_products() -> ProductsAnswer:
    """What the studio offers, each with the presets that make it, or why it cannot be made."""
    return ProductsAnswer(items=[presenter().product(offer) for offer in studio().offers()], next=None)


@products.get("/<name>/thumbnail")
@products.doc(responses=PICTURE_RESPONSES)
def read_product_thumbnail(name: str) -> Response:
    """A small picture that shows the product."""
    return picture_file(studio().offer_thumbnail(name))


@tones.get("")
@tones.output(TonesAnswer)
def list_tones() -> TonesAnswer:
    """The film looks that a job may choose (option "tone")."""
    return TonesAnswer(
        items=[presenter().tone(name, tone) for name, tone in studio().tones().items()], next=None
    )


@poses.get("")
@poses.output(PosesAnswer)
def list_poses() -> PosesAnswer:
    """The pose pictures: those shipped, then one's own."""
    return PosesAnswer(items=[presenter().pose(pose) for pose in studio().poses()], next=None)


@poses.post("")
@poses.input(PictureForm, location="files", arg_name="form")
@poses.output(PoseAnswer, status_code=201)
def add_pose(form: PictureForm) -> PoseAnswer:
    """Keep a pose picture."""
    return presenter().pose(studio().add_pose(uploaded(form.picture)))


@poses.get("/<pose_id>/file")
@poses.doc(responses=PICTURE_RESPONSES)
def read_pose(pose_id: str) -> Response:
    """The pose picture."""
    return picture_file(studio().pose_file(pose_id))
