"""Plans of instant portraits: what they take from a reference, and how a photo's face is carried over."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from studio.errors import MissingCapability
from studio.library.reading import Library
from studio.pipeline.stages import StageInput, txt2img_request
from studio.planning.overrides import preset_options
from studio.planning.plan import Plan, PlannedDescription, PlannedStage, ServerFacts, with_description
from studio.planning.planning import lacks_of
from studio.values import JobOptions
from tests.persons import astronaut
from tests.unit.studio.test_planning import ANNA_FOR_REAL, REAL, SDXL, SWAPPING, order, planned
from webui_client.units.identity import InstantId, IpAdapter

TEMPLATE, PHOTO = "outputs/liked.png", "photos/abc.jpg"
ADAPTED = SWAPPING.model_copy(
    update={
        "controlnet_models": (*SWAPPING.controlnet_models, "ip-adapter-plus-face_sd15 [6]"),
        "controlnet_modules": (*SWAPPING.controlnet_modules, "ip-adapter_clip_sd15"),
    }
)
PRESET = """\
title: {en: Instant, ko: 바로}
identity: instant
prompt: photo of a {subject}, {described}
stages:
  reference: {use: reference, prompt: "photo of a person"}
  describe: {use: describe}
  skeleton: {use: txt2img}
  face: {use: face_swap}
"""


def instant(library: Library, facts: ServerFacts = SWAPPING, preset: str = "instant", **changes: Any) -> Plan:
    return planned(library, facts, preset, **{"identities": (), "photo": PHOTO, **changes})


def stage_of(plan: Plan, name: str) -> PlannedStage:
    (found,) = (stage for stage in plan.pictures[0].sampled if stage.name == name)
    return found


def test_the_composition_reads_the_pose_of_its_reference_by_the_best_there_is(library: Library) -> None:
    (unit,) = stage_of(instant(library), "skeleton").controlnet
    assert (unit.module, unit.picture) == ("openpose_full", None)
    with_dwpose = SWAPPING.model_copy(
        update={"controlnet_modules": (*SWAPPING.controlnet_modules, "dw_openpose_full")}
    )
    (unit,) = stage_of(instant(library, with_dwpose), "skeleton").controlnet
    assert unit.module == "dw_openpose_full"


def test_a_chosen_pose_goes_before_the_references(library: Library) -> None:
    plan = instant(library, pose="poses/front.png", pose_is_skeleton=True)
    (unit,) = stage_of(plan, "skeleton").controlnet
    assert (unit.module, unit.picture) == ("none", "poses/front.png")


def test_a_chosen_reference_is_described_and_composed_after_in_place_of_a_made_one(library: Library) -> None:
    plan = instant(library, reference=TEMPLATE)
    uses = [stage.use for stage in plan.pictures[0].stages]
    assert uses == ["describe", "txt2img", "img2img", "upscale", "face_swap"]
    described = plan.pictures[0].stages[0]
    assert isinstance(described, PlannedDescription)
    assert (described.picture, described.describers) == (TEMPLATE, ("interrogate", "sajin"))
    assert stage_of(plan, "skeleton").picture == TEMPLATE
    assert stage_of(plan, "tone").picture is None


def test_the_picture_of_the_reference_is_what_the_pose_is_read_from(library: Library) -> None:
    stage = stage_of(instant(library), "skeleton")
    given = StageInput(request=stage, picture=b"the reference", files={}, checkpoint="realistic")
    (unit,) = txt2img_request(given).controlnet
    assert getattr(unit, "image") == b"the reference"  # noqa: B009 (one of three kinds of units)


def test_words_that_are_still_to_be_read_keep_their_place_in_every_stage_that_says_them(
    library: Library,
) -> None:
    plan = instant(library)
    for name in ("skeleton", "tone"):
        assert "{described}" in stage_of(plan, name).prompt
    assert "{described}" not in stage_of(plan, "reference").prompt
    told = with_description(stage_of(plan, "skeleton"), "smiling, wearing red clothes")
    assert told.prompt.startswith("photo of a woman, smiling, wearing red clothes, soft light")
    assert with_description(stage_of(plan, "skeleton"), "").prompt.startswith("photo of a woman, soft light")


def test_ones_own_words_are_in_the_plan_at_once(library: Library) -> None:
    plan = instant(library, options=JobOptions(description="laughing"))
    assert "describe" not in [stage.use for stage in plan.pictures[0].stages]
    assert "photo of a woman, laughing, soft light" in stage_of(plan, "skeleton").prompt


def test_the_reference_is_the_same_picture_once_the_person_is_learned(library: Library) -> None:
    before, after = instant(library), instant(library, identities=(ANNA_FOR_REAL,))
    assert stage_of(before, "reference") == stage_of(after, "reference")
    assert "sks woman" in stage_of(after, "skeleton").prompt


def test_reference_and_description_are_choices_of_looks_that_take_one_only(library: Library) -> None:
    offered = {name: {option.key for option in preset_options(product.spec, library)}
               for name, product in library.products.items()}  # fmt: skip
    assert {"reference", "description"} <= offered["instant"]
    assert not {"reference", "description"} & offered["instant-quick"]


@pytest.mark.parametrize(
    ("wrong", "right", "place"),
    [
        ("  describe: {use: describe}\n", "", "prompt"),
        (', prompt: "photo of a person"', "", "prompt"),
        ("photo of a person", "photo of a person, {described}", "stages.reference.prompt"),
    ],
)
def test_words_that_nobody_reads_before_are_refused(
    library: Library, wrong: str, right: str, place: str
) -> None:
    assert library.check(PRESET)[1] == []
    _, (problem, *_) = library.check(PRESET.replace(wrong, right))
    assert (problem.key, problem.reason) == (place, "names {described}, and no stage before it describes")


def test_a_description_without_a_reference_is_refused(library: Library) -> None:
    _, problems = library.check(
        PRESET.replace('  reference: {use: reference, prompt: "photo of a person"}\n', "")
    )
    assert any("first stage" in problem.reason for problem in problems)


def test_an_ip_adapter_carries_the_face_over_where_there_is_one(library: Library) -> None:
    stage = stage_of(instant(library, ADAPTED), "skeleton")
    assert [unit.unit for unit in stage.controlnet] == ["openpose", "ip_adapter_face"]
    given = StageInput(request=stage, picture=b"ref", files={PHOTO: b"me"}, checkpoint="realistic")
    adapter = txt2img_request(given).controlnet[1]
    assert isinstance(adapter, IpAdapter)
    assert (adapter.images, adapter.variants, adapter.weight) == ((b"me",), ("plus-face",), 0.7)


def test_an_ip_adapter_is_shown_the_head_alone_where_more_is_in_the_photo(library: Library) -> None:
    stage = stage_of(instant(library, ADAPTED, head=(100, 20, 300, 220)), "skeleton")
    given = StageInput(request=stage, picture=b"ref", files={PHOTO: astronaut(1)[0]}, checkpoint="realistic")
    adapter = txt2img_request(given).controlnet[1]
    assert isinstance(adapter, IpAdapter)
    assert Image.open(io.BytesIO(adapter.images[0])).size == (200, 200)


def test_without_one_it_is_left_out_and_that_is_noted(library: Library) -> None:
    left_out = [choice for choice in instant(library).choices if choice.wanted == "ip_adapter_face"]
    assert [(choice.stage, choice.taken) for choice in left_out] == [("skeleton", None)]
    lacks = lacks_of(order(library, "instant"), SWAPPING, library.prompts)
    assert [lack.optional for lack in lacks if "ip-adapter-plus-face_sd15" in lack.wanted] == [True]


def test_an_ip_adapter_whose_lora_is_missing_is_no_help(library: Library) -> None:
    face_id = SWAPPING.model_copy(
        update={
            "controlnet_models": (*SWAPPING.controlnet_models, "ip-adapter-faceid_sd15 [6]"),
            "controlnet_modules": (*SWAPPING.controlnet_modules, "ip-adapter_face_id"),
        }
    )
    units = stage_of(instant(library, face_id), "skeleton").controlnet
    assert "ip_adapter_face" not in [unit.unit for unit in units]
    whole = face_id.model_copy(update={"loras": (*face_id.loras, "ip-adapter-faceid_sd15_lora")})
    units = stage_of(instant(library, whole), "skeleton").controlnet
    assert "ip_adapter_face" in [unit.unit for unit in units]


def test_whoever_is_learned_needs_no_adapter(library: Library) -> None:
    plan = instant(library, ADAPTED, identities=(ANNA_FOR_REAL,))
    assert [unit.unit for unit in stage_of(plan, "skeleton").controlnet] == ["openpose"]


def test_instant_id_takes_the_face_of_the_photo_and_its_place_from_the_reference(library: Library) -> None:
    stage = stage_of(instant(library, SDXL, "instant-id"), "skeleton")
    given = StageInput(request=stage, picture=b"ref", files={PHOTO: b"me"}, checkpoint="xl")
    face = txt2img_request(given).controlnet[0]
    assert isinstance(face, InstantId)
    assert (face.image, face.points) == (b"me", b"ref")


@pytest.mark.parametrize(
    ("facts", "kind", "name"),
    [
        (REAL, "checkpoint family", "SDXL"),
        (
            SDXL.model_copy(update={"controlnet_models": SDXL.controlnet_models[:1]}),
            "instant-id",
            "control_instant_id_sdxl",
        ),
        (
            SDXL.model_copy(update={"controlnet_modules": REAL.controlnet_modules}),
            "controlnet module",
            "instant_id_face_embedding",
        ),
    ],
)
def test_what_instant_id_lacks_is_named_before_anything_runs(
    library: Library, facts: ServerFacts, kind: str, name: str
) -> None:
    with pytest.raises(MissingCapability) as caught:
        instant(library, facts, "instant-id")
    assert (caught.value.data["kind"], caught.value.data["name"]) == (kind, name)


def test_an_adapter_reads_a_photo_and_nothing_else(library: Library) -> None:
    unit = "{use: txt2img, controlnet: [{unit: ip_adapter_face}]}"
    _, (problem,) = library.check(PRESET.replace("{use: txt2img}", unit))
    assert "takes picture: photo" in problem.reason
