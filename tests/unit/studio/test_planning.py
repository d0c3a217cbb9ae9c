"""Plans: the same order on the same server gives the same plan, and nothing is replaced in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import InvalidRequest, LearnedElsewhere, MissingCapability
from studio.library.reading import Library, read_library
from studio.pipeline.stages import StageInput, extras_request, img2img_request, txt2img_request
from studio.planning.overrides import check_options, preset_options
from studio.planning.plan import Identity, Order, Plan, PlannedExtras, PlannedFaceSwap, ServerFacts
from studio.planning.planning import lacks_of, make_plan, picture_seed
from studio.planning.sizes import adapted_size
from studio.settings import REPOSITORY
from studio.values import JobOptions
from webui_client.units.controlnet import ControlNetUnit

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
FULL = REAL.model_copy(
    update={
        "samplers": (*REAL.samplers, "DPM++ 2S a", "DDIM"),
        "animates": True,
        "controlnet_models": (
            *REAL.controlnet_models,
            "control_v2p_sd15_mediapipe_face [6]",
            "ip-adapter-plus-face_sd15 [11]",
        ),
        "controlnet_modules": (*REAL.controlnet_modules, "mediapipe_face", "ip-adapter_clip_h"),
    }
)
SDXL = REAL.model_copy(
    update={
        "native_size": 1024,
        "controlnet_models": (
            "ip-adapter_instant_id_sdxl [7]",
            "control_instant_id_sdxl [8]",
            "openpose_sdxl [9]",
            "ip-adapter-plus-face_sdxl_vit-h [10]",
        ),
        "controlnet_modules": (
            *REAL.controlnet_modules,
            "instant_id_face_embedding",
            "instant_id_face_keypoints",
            "ip-adapter_clip_h",
        ),
    }
)
"""What InstantID needs, and an IP-Adapter for faces."""
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
    server = SDXL if preset == "instant-id" else FULL
    assert planned(SHIPPED, server, preset, seed=seed) == planned(SHIPPED, server, preset, seed=seed)


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
    tab = planned(library).pictures[0].sampled[0].adetailer[0]
    assert (tab.mask_blur, tab.padding) == (1, 8)


def test_every_text_that_names_the_subject_calls_the_subjects_lora(library: Library) -> None:
    first = planned(library).pictures[0].sampled[0]
    assert "sks woman" in first.prompt
    assert first.prompt.endswith("<lora:sajin-abc:0.8>")
    assert first.adetailer[0].prompt.endswith("<lora:sajin-abc:0.8>")


def test_of_all_that_was_learned_the_one_for_the_servers_checkpoint_is_called(library: Library) -> None:
    assert planned(library, TINY).identity == ANNA
    real = planned(library, REAL.model_copy(update={"checkpoint": "people/realistic.safetensors [2]"}))
    assert real.identity == ANNA_FOR_REAL
    assert "<lora:sajin-def:" in real.pictures[0].sampled[0].prompt


def test_a_learnt_word_is_called_by_its_name_and_by_no_lora(library: Library) -> None:
    word = ANNA.model_copy(update={"trigger": "sajin-abc", "form": "embedding"})
    plan = planned(library, identities=(word,))
    assert "sajin-abc woman" in plan.pictures[0].sampled[0].prompt
    assert "<lora:sajin-abc" not in plan.pictures[0].sampled[0].prompt
    assert "sajin-abc" not in plan.loras


def test_a_learned_checkpoint_takes_the_place_of_the_one_it_was_learned_on(library: Library) -> None:
    whole = ANNA_FOR_REAL.model_copy(update={"form": "checkpoint"})
    with_it = REAL.model_copy(update={"checkpoints": (REAL.checkpoint, "sajin-def.safetensors")})
    plan = planned(library, with_it, identities=(whole,))
    assert plan.checkpoint == "sajin-def.safetensors"
    assert "<lora:" not in plan.pictures[0].sampled[0].prompt
    with pytest.raises(LearnedElsewhere):
        planned(library, REAL, identities=(whole,))


def test_a_person_is_called_at_their_own_best_weight_unless_the_preset_sets_one(library: Library) -> None:
    own = planned(library, identities=(ANNA_AT_HER_BEST,))
    assert "<lora:sajin-abc:0.7>" in own.pictures[0].sampled[0].prompt
    spec = library.products["studio-profile"].spec.model_copy(update={"lora_weight": 0.9})
    fixed = planned(library, identities=(ANNA_AT_HER_BEST,), spec=spec)
    assert "<lora:sajin-abc:0.9>" in fixed.pictures[0].sampled[0].prompt


def test_a_person_learned_on_another_checkpoint_only_is_refused(library: Library) -> None:
    with pytest.raises(LearnedElsewhere, match=r"learned on the checkpoint 'sajin-tiny'.*'realistic'"):
        planned(library, REAL, identities=(ANNA,))


def test_without_an_identity_no_lora_is_called(library: Library) -> None:
    plan = planned(library, identities=(), class_noun="person")
    assert plan.loras == ()
    assert "<lora" not in plan.model_dump_json()
    assert "photo of a person" in plan.pictures[0].sampled[0].prompt


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
    unit = planned(library, REAL).pictures[0].sampled[2].controlnet[0]
    assert unit.model == "control_v11f1e_sd15_tile [3]"


def test_a_name_nobody_declared_an_alternative_for_is_missing(library: Library) -> None:
    bare = TINY.model_copy(update={"upscalers": ()})
    with pytest.raises(
        MissingCapability, match=r"http://tiny has no upscaler '4x-UltraSharp / R-ESRGAN 4x\+ / Lanczos'"
    ):
        planned(library, bare)


def test_without_a_script_that_repaints_the_picture_is_enlarged_by_the_upscaler_alone_and_that_is_noted(
    library: Library,
) -> None:
    plan = planned(library, REAL.model_copy(update={"scripts": (), "controlnet_models": ()}))
    last = plan.pictures[0].stages[-1]
    assert isinstance(last, PlannedExtras)
    assert (last.upscaler, last.scale, last.width, last.height) == ("4x-UltraSharp", 2, 1024, 1536)
    taken = {choice.kind: (choice.wanted, choice.taken) for choice in plan.choices}
    assert taken == {"script": ("Ultimate SD upscale", "extras")}
    asked = extras_request(StageInput(request=last, picture=b"before", files={}, checkpoint="realistic"))
    assert (asked.image, asked.upscaler, asked.scale) == (b"before", "4x-UltraSharp", 2)


def test_only_a_server_that_has_dwpose_looks_at_a_pose_picture_with_it(library: Library) -> None:
    pose = {"pose": "poses/abc.jpg"}
    plain = planned(library, REAL, **pose)
    assert plain.pictures[0].sampled[0].controlnet[0].module == "openpose_full"
    able = REAL.model_copy(update={"controlnet_modules": (*REAL.controlnet_modules, "dw_openpose_full")})
    assert planned(library, able, **pose).pictures[0].sampled[0].controlnet[0].module == "dw_openpose_full"


def test_a_missing_detector_is_named_with_all_that_would_do(library: Library) -> None:
    with pytest.raises(MissingCapability, match=r"face_yolov8n\.pt / mediapipe_face_full"):
        planned(library, TINY.model_copy(update={"detectors": ()}))


def test_a_survey_names_everything_that_is_missing_not_only_the_first(library: Library) -> None:
    bare = REAL.model_copy(update={"upscalers": (), "detectors": (), "controlnet_models": ()})
    asked = order(library, pose="poses/p.png", pose_is_skeleton=True)
    lacks = [
        (lack.stage, lack.kind, lack.wanted[0], lack.optional)
        for lack in lacks_of(asked, bare, library.prompts)
    ]
    assert lacks == [
        ("skeleton", "adetailer model", "face_yolov8n.pt", False),
        ("skeleton", "adetailer model", "hand_yolov8n.pt", True),
        ("skeleton", "controlnet model", "openpose", False),
        ("tone", "adetailer model", "face_yolov8n.pt", False),
        ("upscale", "upscaler", "4x-UltraSharp", False),
        ("upscale", "controlnet model", "tile", False),
    ]


def test_a_survey_of_a_server_that_has_everything_is_empty(library: Library) -> None:
    more = {
        "face_swappers": ("roop",),
        "face_restorers": ("GFPGAN",),
        "detectors": ("face_yolov8n.pt", "hand_yolov8n.pt"),
        "loras": ("FilmVelvia3",),
    }
    for preset in library.products:
        facts = (SDXL if preset == "instant-id" else FULL).model_copy(update=more)
        assert lacks_of(order(library, preset), facts, library.prompts) == ()


def test_the_pose_unit_is_there_only_when_a_pose_is_chosen(library: Library) -> None:
    assert planned(library).pictures[0].sampled[0].controlnet == ()
    with_pose = planned(library, pose="poses/abc.jpg").pictures[0].sampled[0].controlnet
    assert [(unit.unit, unit.picture) for unit in with_pose] == [("openpose", "poses/abc.jpg")]


def test_a_drawn_skeleton_is_not_looked_at_by_a_preprocessor(library: Library) -> None:
    plan = planned(library, pose="poses/abc.png", pose_is_skeleton=True)
    assert plan.pictures[0].sampled[0].controlnet[0].module == "none"


def test_a_style_lora_is_called_in_every_stage_when_the_server_has_it(library: Library) -> None:
    plan = planned(library, REAL, preset="film")
    assert all("<lora:film:0.5>" in stage.prompt for stage in plan.pictures[0].sampled)
    assert plan.loras == ("sajin-def", "film")


def test_words_added_by_the_owner_are_drawn_alike_in_every_stage(library: Library) -> None:
    options = JobOptions(prompt="{hat|scarf|bow|tie|ring|flower} here")
    stages = planned(library, options=options).pictures[0].sampled
    assert len({stage.prompt.split(", ")[-1].split(" here")[0] for stage in stages}) == 1


def test_two_pictures_of_a_job_may_draw_different_words(library: Library) -> None:
    plan = planned(library, preset="casual", count=8)
    assert len({picture.sampled[0].prompt for picture in plan.pictures}) > 1


def test_an_override_reaches_its_stage_only(library: Library) -> None:
    options = JobOptions(stages={"tone": {"denoising_strength": 0.6, "steps": 9}})
    stages = planned(library, options=options).pictures[0].sampled
    assert (stages[1].denoising_strength, stages[1].steps) == (0.6, 9)
    assert stages[0].steps == 30


@pytest.mark.parametrize(
    ("stages", "place"),
    [
        ({"nowhere": {"steps": 3}}, "options.stages.nowhere"),
        ({"tone": {"adetailer": 1}}, "options.stages.tone.adetailer"),
        ({"skeleton": {"denoising_strength": 0.5}}, "options.stages.skeleton.denoising_strength"),
        ({"tone": {"denoising_strength": 3}}, "options.stages.tone.denoising_strength"),
        ({"tone": {"loras": "film:9"}}, "options.stages.tone.loras.0.weight"),
    ],
)
def test_an_override_the_preset_does_not_take_is_refused_by_name(
    library: Library, stages: dict[str, dict[str, Any]], place: str
) -> None:
    spec = library.products["studio-profile"].spec
    with pytest.raises(InvalidRequest) as refused:
        check_options(spec, JobOptions(stages=stages), library)
    assert refused.value.problems[0][0] == place


def test_a_prompt_that_is_no_template_is_refused(library: Library) -> None:
    spec = library.products["studio-profile"].spec
    with pytest.raises(InvalidRequest, match=r"options\.prompt"):
        check_options(spec, JobOptions(prompt="a {red|blue"), library)


def test_the_catalogue_of_options_has_ranges_and_defaults(library: Library) -> None:
    options = {
        (option.stage, option.key): option
        for option in preset_options(library.products["studio-profile"].spec, library)
    }
    strength = options["tone", "denoising_strength"]
    assert (strength.minimum, strength.maximum, strength.default) == (0.0, 1.0, 0.35)
    assert options[None, "pose"].kind == "picture"
    assert ("skeleton", "denoising_strength") not in options


def test_every_text_of_a_stage_can_be_changed_and_is_offered_with_its_own_words(library: Library) -> None:
    spec = library.products["film"].spec
    options = {(option.stage, option.key): option.default for option in preset_options(spec, library)}
    assert options["tone", "prompt"] == spec.stages["tone"].prompt  # type: ignore[union-attr]
    assert options["upscale", "loras"] == "FilmVelvia3:0.5"
    assert options[None, "loras"] == ""
    words = JobOptions(stages={"tone": {"prompt": "a {subject} by the sea", "negative_prompt": "rain"}})
    tone = planned(library, options=words).pictures[0].sampled[1]
    assert (tone.prompt, tone.negative_prompt) == ("a sks woman by the sea <lora:sajin-abc:0.8>", "rain")


def test_a_jobs_own_loras_are_called_in_every_stage_and_a_stages_only_there(library: Library) -> None:
    options = JobOptions(loras="film:0.3", stages={"tone": {"loras": "skin, detail : -0.5"}})
    facts = REAL.model_copy(update={"loras": (*REAL.loras, "skin", "detail")})
    plan = planned(library, facts, options=options)
    first, tone, last = plan.pictures[0].sampled
    assert first.prompt.endswith("<lora:sajin-def:0.8><lora:film:0.3>")
    assert tone.prompt.endswith("<lora:sajin-def:0.8><lora:skin:0.6><lora:detail:-0.5><lora:film:0.3>")
    assert last.prompt.endswith("<lora:sajin-def:0.8><lora:film:0.3>")
    assert plan.loras == ("sajin-def", "film", "skin", "detail")


def test_a_lora_that_the_server_lacks_is_named(library: Library) -> None:
    with pytest.raises(MissingCapability, match="http://real has no lora 'velvet'"):
        planned(library, REAL, options=JobOptions(loras="velvet:0.4"))


def test_loras_that_cannot_be_read_are_refused(library: Library) -> None:
    with pytest.raises(InvalidRequest, match=r"options\.loras"):
        check_options(library.products["film"].spec, JobOptions(loras="film:much"), library)


def test_what_adetailer_repaints_calls_the_subject_and_the_styles_again(library: Library) -> None:
    options = JobOptions(loras="film:0.3")
    tabs = planned(library, REAL, options=options).pictures[0].sampled[0].adetailer
    assert [tab.model for tab in tabs] == ["face_yolov8n.pt", "hand_yolov8n.pt"]
    assert all(tab.prompt.endswith("<lora:sajin-def:0.8><lora:film:0.3>") for tab in tabs)
    assert "hands of a sks woman" in tabs[1].prompt


def test_a_tone_changes_the_stage_that_takes_it_and_no_other(library: Library) -> None:
    tone = library.tones["grainy-black-and-white"]
    without, toned = (planned(library, REAL, tone=chosen).pictures[0].sampled for chosen in (None, tone))
    assert toned[0] == without[0]
    assert toned[2] == without[2]
    words = without[1].prompt.removesuffix(" <lora:sajin-def:0.8>")
    assert toned[1].prompt == f"{words}, {tone.prompt} <lora:sajin-def:0.8>"
    assert toned[1].negative_prompt == f"{without[1].negative_prompt}, {tone.negative_prompt}"
    assert (without[1].denoising_strength, toned[1].denoising_strength) == (0.35, 0.5)
    assert tone.prompt in toned[1].adetailer[0].prompt


def test_a_tones_lora_is_used_where_the_server_has_it_and_its_absence_is_noted(library: Library) -> None:
    tone = library.tones["vivid-slide"]
    able = REAL.model_copy(update={"loras": (*REAL.loras, "slide_film")})
    assert "<lora:slide_film:0.5>" in planned(library, able, tone=tone).pictures[0].sampled[1].prompt
    noted = [
        (choice.stage, choice.wanted, choice.taken) for choice in planned(library, REAL, tone=tone).choices
    ]
    assert ("tone", "FilmVelvia3", None) in noted


def test_a_jobs_own_strength_outranks_the_tones(library: Library) -> None:
    options = JobOptions(stages={"tone": {"denoising_strength": 0.2}})
    plan = planned(library, options=options, tone=library.tones["pastel"])
    assert plan.pictures[0].sampled[1].denoising_strength == 0.2


@pytest.mark.parametrize(("preset", "tone"), [("studio-profile", "sepia"), ("instant-quick", "pastel")])
def test_a_tone_must_be_known_and_have_a_stage_to_go_to(library: Library, preset: str, tone: str) -> None:
    with pytest.raises(InvalidRequest, match=r"options\.tone"):
        check_options(library.products[preset].spec, JobOptions(tone=tone), library)


CAT = {"photo": "face-photos/abc.jpg", "animal": "cat", "identities": ()}


def test_an_animal_follows_the_face_mesh_of_the_photo_with_the_numbers_of_its_source(
    library: Library,
) -> None:
    plan = planned(library, FULL, "animal", **CAT)
    stage, unit = plan.pictures[0].sampled[0], plan.pictures[0].sampled[0].controlnet[0]
    assert stage.prompt == "cat, close up, (face portrait:1.1), front face"
    assert (stage.use, stage.steps, stage.sampler, stage.cfg_scale) == ("txt2img", 20, "DPM++ 2S a", 7)
    assert (stage.width, stage.height, stage.picture) == (512, 512, None)
    assert (unit.module, unit.model, unit.picture) == (
        "mediapipe_face",
        "control_v2p_sd15_mediapipe_face [6]",
        "face-photos/abc.jpg",
    )
    assert (unit.weight, unit.resolution, unit.threshold_a, unit.threshold_b) == (1.25, 512, 1, 0.5)
    assert (unit.guidance_start, unit.guidance_end, unit.control_mode) == (0, 1, "Balanced")
    assert plan.choices == ()


def test_an_animal_by_the_pose_lets_the_pose_outrank_the_prompt(library: Library) -> None:
    unit = planned(library, FULL, "animal-pose", **CAT).pictures[0].sampled[0].controlnet[0]
    assert (unit.module, unit.picture, unit.weight) == ("openpose_full", "face-photos/abc.jpg", 1)
    assert unit.control_mode == "ControlNet is more important"
    assert (unit.resolution, unit.threshold_a) == (-1, -1)


def test_a_first_stage_that_paints_over_begins_with_the_photo(library: Library) -> None:
    stage = planned(library, REAL, "animal-repaint", **CAT).pictures[0].sampled[0]
    assert (stage.use, stage.picture, stage.denoising_strength) == ("img2img", "face-photos/abc.jpg", 0.65)
    assert stage.controlnet == ()


def test_a_photo_decides_the_request_that_is_sent(library: Library) -> None:
    stage = planned(library, FULL, "animal", **CAT).pictures[0].sampled[0]
    given = StageInput(
        request=stage, picture=None, files={"face-photos/abc.jpg": b"face"}, checkpoint="realistic"
    )
    unit = txt2img_request(given).controlnet[0]
    assert isinstance(unit, ControlNetUnit)
    assert (unit.image, unit.processor_res, unit.threshold_a, unit.threshold_b) == (b"face", 512, 1, 0.5)
    over = planned(library, FULL, "animal-repaint", **CAT).pictures[0].sampled[0]
    painted = img2img_request(StageInput(request=over, picture=b"face", files={}, checkpoint="realistic"))
    assert (painted.init_images, painted.resize_mode) == ((b"face",), "crop")


@pytest.mark.parametrize("preset", ["animal-pose", "animal-repaint"])
def test_the_demonstration_model_draws_animals_by_the_lora_it_learnt_them_in(
    library: Library, preset: str
) -> None:
    learnt = library.animals.demonstration
    assert learnt is not None
    modules = (*TINY.controlnet_modules, "openpose_full")
    taught = TINY.model_copy(update={"loras": (*TINY.loras, learnt.lora), "controlnet_modules": modules})
    plan = planned(library, taught, preset, **CAT, demonstration=learnt)
    assert plan.loras == (learnt.lora,)
    assert plan.pictures[0].sampled[0].prompt.endswith(f"<lora:{learnt.lora}:1>")
    assert learnt.lora not in {choice.wanted for choice in plan.choices}


def test_where_the_demonstration_model_lacks_that_lora_it_is_left_out_and_written_down(
    library: Library,
) -> None:
    learnt = library.animals.demonstration
    assert learnt is not None
    plan = planned(library, TINY, "animal-repaint", **CAT, demonstration=learnt)
    assert plan.loras == ()
    assert (learnt.lora, None) in {(choice.wanted, choice.taken) for choice in plan.choices}


def test_a_real_checkpoint_is_never_asked_for_the_lora_of_the_demonstration_model(library: Library) -> None:
    with_demonstration = {**CAT, "demonstration": library.animals.demonstration}
    assert planned(library, FULL, "animal", **with_demonstration) == planned(library, FULL, "animal", **CAT)
    asked = order(library, "animal", **with_demonstration)
    assert lacks_of(asked, FULL, library.prompts) == ()


def test_without_the_controlnet_of_faces_an_animal_is_refused_by_its_name(library: Library) -> None:
    with pytest.raises(MissingCapability, match="mediapipe_face"):
        planned(library, REAL, "animal", **CAT)


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (JobOptions(), "options.photo"),
        (JobOptions(photo="abc", animal="unicorn"), "options.animal"),
    ],
)
def test_an_animal_needs_a_photo_and_a_known_name(library: Library, options: JobOptions, place: str) -> None:
    spec = library.products["animal"].spec
    with pytest.raises(InvalidRequest) as refused:
        check_options(spec, options, library)
    assert [where for where, _ in refused.value.problems] == [place]


def test_photo_and_animal_are_choices_of_presets_that_take_them_only(library: Library) -> None:
    animals = tuple(library.animals.animals)
    offered = {
        name: {option.key: option for option in preset_options(product.spec, library)}
        for name, product in library.products.items()
    }
    assert offered["animal-repaint"]["photo"].kind == "picture"
    assert offered["animal-repaint"]["animal"].choices == animals
    assert not {"photo", "animal"} & set(offered["studio-profile"])


SWAPPING = REAL.model_copy(update={"face_swappers": ("roop", "reactor"), "face_restorers": ("GFPGAN",)})


def instant(library: Library, facts: ServerFacts, **changes: Any) -> Plan:
    given = {"identities": (), "photo": "photos/abc.jpg", **changes}
    return planned(library, facts, "instant", **given)


def test_an_instant_picture_ends_with_the_face_by_the_swapper_that_is_there(library: Library) -> None:
    plan = instant(library, SWAPPING)
    stages = plan.pictures[0].stages
    assert [stage.use for stage in stages] == [
        "reference",
        "describe",
        "txt2img",
        "img2img",
        "upscale",
        "face_swap",
    ]
    swap = stages[-1]
    assert isinstance(swap, PlannedFaceSwap)
    assert (swap.swapper, swap.face_restorer, swap.photo) == ("reactor", "GFPGAN", "photos/abc.jpg")
    assert (swap.width, swap.height) == (stages[-2].width, stages[-2].height)
    taken = {choice.kind: (choice.wanted, choice.taken) for choice in plan.choices if choice.stage == "face"}
    assert taken == {"face swapper": ("faceswaplab", "reactor")}


def test_without_a_restorer_the_face_stays_as_it_was_swapped_and_that_is_noted(library: Library) -> None:
    plan = instant(library, SWAPPING.model_copy(update={"face_restorers": ()}))
    swap = plan.pictures[0].stages[-1]
    assert isinstance(swap, PlannedFaceSwap)
    assert swap.face_restorer is None
    assert any(choice.kind == "face restorer" and choice.taken is None for choice in plan.choices)


def test_a_server_without_a_swapper_is_refused_by_name_of_what_is_missing(library: Library) -> None:
    with pytest.raises(MissingCapability) as caught:
        instant(library, REAL)
    data = caught.value.data
    assert (data["kind"], data["name"], data["stage"]) == (
        "face swapper",
        "faceswaplab / reactor / roop",
        "face",
    )


def test_whoever_is_learned_gets_the_same_look_without_a_swap(library: Library) -> None:
    plan = instant(library, REAL, identities=(ANNA_FOR_REAL,))
    assert "face_swap" not in [stage.use for stage in plan.pictures[0].stages]
    assert plan.loras == ("sajin-def",)


def test_whoever_was_learned_on_another_checkpoint_gets_the_face_of_the_photo(library: Library) -> None:
    plan = instant(library, SWAPPING, identities=(ANNA,))
    assert plan.identity is None
    assert plan.pictures[0].stages[-1].use == "face_swap"


def test_nothing_of_a_face_swap_can_be_changed_by_a_job(library: Library) -> None:
    spec = library.products["instant"].spec
    with pytest.raises(InvalidRequest) as caught:
        check_options(spec, JobOptions(stages={"face": {"steps": 3}}), library)
    assert caught.value.problems == (("options.stages.face", "nothing of this stage may be changed"),)


def test_an_instant_look_takes_the_persons_photo_or_one_that_is_sent(library: Library) -> None:
    spec = library.products["instant"].spec
    check_options(spec, JobOptions(), library)
    assert "photo" in [option.key for option in preset_options(spec, library)]
