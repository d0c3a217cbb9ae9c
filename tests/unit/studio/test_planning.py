"""Plans: the same order on the same server gives the same plan, and nothing is replaced in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import InvalidRequest, LearnedElsewhere, MissingCapability
from studio.library.reading import Library, read_library
from studio.planning.overrides import check_options, preset_options
from studio.planning.plan import Identity, Order, Plan, ServerFacts
from studio.planning.planning import make_plan, picture_seed
from studio.planning.sizes import adapted_size
from studio.settings import REPOSITORY
from studio.values import JobOptions

TINY = ServerFacts(
    url="http://tiny",
    checkpoint="sajin-tiny [1]",
    native_size=128,
    demonstration=True,
    samplers=("Euler a", "DPM++ 2M"),
    schedulers=("Automatic", "Karras"),
    upscalers=("None", "Lanczos", "Nearest"),
    loras=("sajin-abc",),
    scripts=("sd upscale", "ultimate sd upscale"),
    detectors=("mediapipe_face_full",),
    controlnet_models=("sajin-tiny-openpose [1]", "sajin-tiny-tile [2]"),
    controlnet_modules=("none", "openpose", "tile_resample"),
)
REAL = TINY.model_copy(
    update={
        "url": "http://real",
        "checkpoint": "realistic [2]",
        "native_size": 512,
        "demonstration": False,
        "upscalers": ("None", "Lanczos", "R-ESRGAN 4x+", "4x-UltraSharp"),
        "detectors": ("face_yolov8n.pt", "hand_yolov8n.pt"),
        "controlnet_models": (
            "control_v11f1e_sd15_tile [3]",
            "control_v11p_sd15_openpose [4]",
            "xl_tile [5]",
        ),
        "controlnet_modules": ("none", "openpose_full", "openpose", "tile_resample"),
        "loras": ("sajin-abc", "film"),
    }
)
ANNA = Identity(trigger="sks", class_noun="woman", lora="sajin-abc", checkpoint="sajin-tiny")
ANNA_AT_HER_BEST = ANNA.model_copy(update={"weight": 0.7})
ANNA_FOR_REAL = ANNA.model_copy(update={"lora": "sajin-def", "checkpoint": "realistic"})


def order(library: Library, preset: str = "studio-profile", **changes: Any) -> Order:
    plain = Order(
        preset=preset,
        spec=library.products[preset].spec,
        options=JobOptions(),
        count=1,
        seed=7,
        identities=(ANNA_FOR_REAL, ANNA),
        class_noun="woman",
        pose=None,
    )
    return plain.model_copy(update=changes)


def planned(
    library: Library, facts: ServerFacts = TINY, preset: str = "studio-profile", **changes: Any
) -> Plan:
    return make_plan(order(library, preset, **changes), facts, library.prompts)


SHIPPED = read_library(REPOSITORY / "presets", REPOSITORY / "prompts")


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), preset=st.sampled_from(sorted(SHIPPED.products)))
def test_the_same_order_gives_the_same_plan(seed: int, preset: str) -> None:
    assert planned(SHIPPED, preset=preset, seed=seed) == planned(SHIPPED, preset=preset, seed=seed)


def test_pictures_of_a_job_count_their_seeds_up_and_wrap(library: Library) -> None:
    plan = planned(library, count=3, seed=2**32 - 2)
    assert [picture.seed for picture in plan.pictures] == [2**32 - 2, 2**32 - 1, 0]
    assert picture_seed(5, 2) == 7


@pytest.mark.parametrize(
    ("native", "size"), [(128, (128, 192)), (512, (512, 768)), (768, (768, 1152)), (1024, (832, 1216))]
)
def test_sizes_adapt_to_the_checkpoint(native: int, size: tuple[int, int]) -> None:
    assert adapted_size(512, 768, native) == size


def test_lengths_in_pixels_shrink_with_the_picture(library: Library) -> None:
    tab = planned(library).pictures[0].stages[0].adetailer[0]
    assert (tab.mask_blur, tab.padding) == (1, 8)


def test_every_text_that_names_the_subject_calls_the_subjects_lora(library: Library) -> None:
    first = planned(library).pictures[0].stages[0]
    assert "sks woman" in first.prompt
    assert first.prompt.endswith("<lora:sajin-abc:0.8>")
    assert first.adetailer[0].prompt.endswith("<lora:sajin-abc:0.8>")


def test_of_all_that_was_learned_the_one_for_the_servers_checkpoint_is_called(library: Library) -> None:
    assert planned(library, TINY).identity == ANNA
    real = planned(library, REAL.model_copy(update={"checkpoint": "people/realistic.safetensors [2]"}))
    assert real.identity == ANNA_FOR_REAL
    assert "<lora:sajin-def:" in real.pictures[0].stages[0].prompt


def test_a_person_is_called_at_their_own_best_weight_unless_the_preset_sets_one(library: Library) -> None:
    own = planned(library, identities=(ANNA_AT_HER_BEST,))
    assert "<lora:sajin-abc:0.7>" in own.pictures[0].stages[0].prompt
    spec = library.products["studio-profile"].spec.model_copy(update={"lora_weight": 0.9})
    fixed = planned(library, identities=(ANNA_AT_HER_BEST,), spec=spec)
    assert "<lora:sajin-abc:0.9>" in fixed.pictures[0].stages[0].prompt


def test_a_person_learned_on_another_checkpoint_only_is_refused(library: Library) -> None:
    with pytest.raises(LearnedElsewhere, match=r"learned on the checkpoint 'sajin-tiny'.*'realistic'"):
        planned(library, REAL, identities=(ANNA,))


def test_without_an_identity_no_lora_is_called(library: Library) -> None:
    plan = planned(library, identities=(), class_noun="person")
    assert plan.loras == ()
    assert "<lora" not in plan.model_dump_json()
    assert "photo of a person" in plan.pictures[0].stages[0].prompt


def test_a_declared_alternative_is_taken_and_written_down(library: Library) -> None:
    plan = planned(library)
    taken = {(choice.stage, choice.kind): (choice.wanted, choice.taken) for choice in plan.choices}
    assert taken["upscale", "upscaler"] == ("4x-UltraSharp", "Lanczos")
    assert ("face_yolov8n.pt", "mediapipe_face_full") in taken.values()


def test_an_optional_part_is_left_out_and_written_down(library: Library) -> None:
    left_out = [choice.wanted for choice in planned(library).choices if choice.taken is None]
    assert left_out == ["hand_yolov8n.pt"]


def test_nothing_is_written_down_where_the_server_has_the_first_names(library: Library) -> None:
    assert planned(library, REAL).choices == ()


def test_a_real_checkpoint_gets_controlnets_of_its_own_family(library: Library) -> None:
    unit = planned(library, REAL).pictures[0].stages[2].controlnet[0]
    assert unit.model == "control_v11f1e_sd15_tile [3]"


def test_a_name_nobody_declared_an_alternative_for_is_missing(library: Library) -> None:
    bare = TINY.model_copy(update={"scripts": ()})
    with pytest.raises(
        MissingCapability, match=r"http://tiny has no script 'Ultimate SD upscale / SD upscale'"
    ):
        planned(library, bare)


def test_a_missing_detector_is_named_with_all_that_would_do(library: Library) -> None:
    with pytest.raises(MissingCapability, match=r"face_yolov8n\.pt / mediapipe_face_full"):
        planned(library, TINY.model_copy(update={"detectors": ()}))


def test_the_pose_unit_is_there_only_when_a_pose_is_chosen(library: Library) -> None:
    assert planned(library).pictures[0].stages[0].controlnet == ()
    with_pose = planned(library, pose="poses/abc.jpg").pictures[0].stages[0].controlnet
    assert [(unit.unit, unit.picture) for unit in with_pose] == [("openpose", "poses/abc.jpg")]


def test_a_drawn_skeleton_is_not_looked_at_by_a_preprocessor(library: Library) -> None:
    plan = planned(library, pose="poses/abc.png", pose_is_skeleton=True)
    assert plan.pictures[0].stages[0].controlnet[0].module == "none"


def test_a_style_lora_is_called_in_every_stage_when_the_server_has_it(library: Library) -> None:
    plan = planned(library, REAL, preset="film")
    assert all("<lora:film:0.5>" in stage.prompt for stage in plan.pictures[0].stages)
    assert plan.loras == ("sajin-def", "film")


def test_words_added_by_the_owner_are_drawn_alike_in_every_stage(library: Library) -> None:
    options = JobOptions(prompt="{hat|scarf|bow|tie|ring|flower} here")
    stages = planned(library, options=options).pictures[0].stages
    assert len({stage.prompt.split(", ")[-1].split(" here")[0] for stage in stages}) == 1


def test_two_pictures_of_a_job_may_draw_different_words(library: Library) -> None:
    plan = planned(library, preset="casual", count=8)
    assert len({picture.stages[0].prompt for picture in plan.pictures}) > 1


def test_an_override_reaches_its_stage_only(library: Library) -> None:
    options = JobOptions(stages={"tone": {"denoising_strength": 0.6, "steps": 9}})
    stages = planned(library, options=options).pictures[0].stages
    assert (stages[1].denoising_strength, stages[1].steps) == (0.6, 9)
    assert stages[0].steps == 30


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        ({"nowhere": {"steps": 3}}, "options.stages.nowhere"),
        ({"tone": {"adetailer": 1}}, "options.stages.tone.adetailer"),
        ({"skeleton": {"denoising_strength": 0.5}}, "options.stages.skeleton.denoising_strength"),
        ({"tone": {"denoising_strength": 3}}, "options.stages.tone.denoising_strength"),
    ],
)
def test_an_override_the_preset_does_not_take_is_refused_by_name(
    library: Library, stages: dict[str, dict[str, Any]], place: str
) -> None:
    spec = library.products["studio-profile"].spec
    with pytest.raises(InvalidRequest) as refused:
        check_options(spec, JobOptions(stages=stages), library.prompts)
    assert refused.value.problems[0][0] == place


def test_a_prompt_that_is_no_template_is_refused(library: Library) -> None:
    spec = library.products["studio-profile"].spec
    with pytest.raises(InvalidRequest, match=r"options\.prompt"):
        check_options(spec, JobOptions(prompt="a {red|blue"), library.prompts)


def test_the_catalogue_of_options_has_ranges_and_defaults(library: Library) -> None:
    options = {
        (option.stage, option.key): option
        for option in preset_options(library.products["studio-profile"].spec)
    }
    strength = options["tone", "denoising_strength"]
    assert (strength.minimum, strength.maximum, strength.default) == (0.0, 1.0, 0.35)
    assert options[None, "pose"].kind == "picture"
    assert ("skeleton", "denoising_strength") not in options
