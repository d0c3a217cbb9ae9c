"""The plan of an animation: 002's settings, the module that fits, words over time, and what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from studio.errors import MissingCapability
from studio.library.product import PresetSpec
from studio.library.reading import Library
from studio.planning.plan import PlannedStage, ServerFacts
from tests.unit.studio.test_planning import ANNA_FOR_REAL, FULL, TINY, planned

ALL_MODULES = ("mm_sd_v15_v2.ckpt", "mm_sdxl_v10_beta.ckpt", "sajin-tiny-motion")


def stages(library: Library, facts: ServerFacts = FULL, **changes: Any) -> tuple[PlannedStage, ...]:
    return planned(library, facts, "animated", **changes).pictures[0].sampled


def module_of(library: Library, facts: ServerFacts) -> str:
    motion = stages(library, facts)[0].motion
    assert motion is not None
    return motion.module


def with_modules(*modules: str, facts: ServerFacts = FULL, **changes: Any) -> ServerFacts:
    return facts.model_copy(update={"animates": True, "motion_modules": modules, **changes})


def test_the_preset_is_that_of_the_founding_document(library: Library) -> None:
    motion, face = stages(library)
    assert (motion.sampler, motion.steps, motion.cfg_scale, motion.clip_skip) == ("DDIM", 45, 15, 2)
    assert motion.motion is not None
    assert (motion.motion.module, motion.motion.closed_loop) == ("mm_sd_v14.ckpt", "A")
    assert (face.use, face.crop, face.denoising_strength) == ("repair_frames", 512, 0.25)


def test_both_stages_call_the_persons_lora_once_and_in_the_head_of_the_prompt(library: Library) -> None:
    motion, face = stages(library)
    head, *travel = motion.prompt.splitlines()
    assert head.count("<lora:") == face.prompt.count("<lora:") == 1
    assert f"<lora:{ANNA_FOR_REAL.lora}:" in head
    assert [line.partition(":")[0] for line in travel] == ["0", "6", "12"]
    assert "<lora:" not in "".join(travel)


def test_the_module_is_the_first_wanted_that_the_server_has_for_its_checkpoint(library: Library) -> None:
    assert module_of(library, with_modules(*ALL_MODULES)) == "mm_sd_v15_v2.ckpt"
    assert module_of(library, with_modules(*ALL_MODULES, native_size=1024)) == "mm_sdxl_v10_beta.ckpt"


def test_a_server_that_does_not_tell_its_modules_is_asked_for_the_first_that_fits(library: Library) -> None:
    tiny = TINY.model_copy(update={"animates": True, "samplers": ("DDIM",)})
    assert module_of(library, tiny) == "sajin-tiny-motion"
    assert module_of(library, FULL) == "mm_sd_v14.ckpt"


@pytest.mark.parametrize(
    ("lacking", "kind", "name"),
    [
        ({"animates": False}, "script", "AnimateDiff"),
        ({"motion_modules": ()}, "motion module", "mm_sd_v14.ckpt"),
        ({"motion_modules": ("mm_sdxl_v10_beta.ckpt",)}, "motion module", "mm_sd_v14.ckpt"),
    ],
)
def test_what_is_missing_is_named(library: Library, lacking: dict[str, Any], kind: str, name: str) -> None:
    with pytest.raises(MissingCapability) as missing:
        stages(library, FULL.model_copy(update=lacking))
    assert missing.value.data["kind"] == kind
    assert str(missing.value.data["name"]).startswith(name)


def test_only_a_finished_picture_is_painted_over(library: Library) -> None:
    from_words, over_a_picture = stages(library)[0], stages(library, image="outputs/a.png")[0]
    assert (from_words.denoising_strength, from_words.picture) == (None, None)
    assert (over_a_picture.denoising_strength, over_a_picture.picture) == (0.75, "outputs/a.png")


def test_sizes_follow_the_checkpoint(library: Library) -> None:
    motion, face = stages(library, with_modules(*ALL_MODULES, facts=TINY, samplers=("DDIM",)))
    assert (motion.width, motion.height, face.crop) == (128, 128, 128)


ANIMATED: dict[str, Any] = {
    "title": {"en": "Moving", "ko": "움직임"},
    "product": "animated",
    "prompt": "a person",
    "stages": {"motion": {"use": "animate", "module": ["mm.ckpt"]}},
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"product": "look"}, 'belongs to product "animated"'),
        ({"stages": {**ANIMATED["stages"], "tone": {"use": "img2img"}}}, "stages that repair its frames"),
        ({"stages": {"first": {"use": "txt2img"}, "face": {"use": "repair_frames"}}}, "repair its frames"),
        (
            {
                "stages": {
                    "motion": {**ANIMATED["stages"]["motion"], "adetailer": [{"model": "face_yolov8n.pt"}]}
                }
            },
            "do not work on the frames",
        ),
        (
            {"stages": {"motion": {**ANIMATED["stages"]["motion"], "frames": 8}}},
            "context may be at most the 8 frames",
        ),
    ],
)
def test_a_preset_whose_stages_do_not_go_together_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        PresetSpec.model_validate(ANIMATED | changes)
