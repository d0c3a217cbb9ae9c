"""Each silent failure of a real server, as it was recorded, is caught."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from PIL import Image

from tests.replay import encoded, png
from tests.unit.webui_client.answers import answer_to, asked, asked_img2img, with_adetailer, with_canny
from webui_client.capabilities import Capabilities, find_checkpoint
from webui_client.errors import FeatureDidNotRun
from webui_client.pictures import Picture
from webui_client.postflight import Answer, check, check_extras, suffix
from webui_client.preflight import Resolved
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit
from webui_client.units.upscale import SdUpscale, UltimateSdUpscale
from webui_client.values import Extras, Hires, Inpaint


def refused(answer: Answer) -> FeatureDidNotRun:
    with pytest.raises(FeatureDidNotRun) as caught:
        check(answer)
    return caught.value


def test_an_honest_answer_passes(recorded: Capabilities) -> None:
    pictures, maps = check(answer_to(asked(seed=42), 55, recorded))
    assert len(pictures) == 1
    assert maps == ()


def test_a_substituted_sampler_is_caught(recorded: Capabilities) -> None:
    error = refused(answer_to(asked(sampler_name="Foo"), 119, recorded))
    assert error.feature == "the sampler"
    assert "DPM++ 2M" in error.reason


def test_an_ignored_scheduler_is_caught(recorded: Capabilities) -> None:
    request = asked(sampler_name="DPM++ 2M", scheduler="Exponential")
    assert refused(answer_to(request, 100, recorded)).feature == "the scheduler"


def test_a_scheduler_that_ran_passes(recorded: Capabilities) -> None:
    check(answer_to(asked(sampler_name="DPM++ 2M", scheduler="Karras"), 96, recorded))


def test_a_missing_lora_is_caught(recorded: Capabilities) -> None:
    names = Resolved(sampler="Euler a", scheduler=None, loras=("nosuchlora",))
    error = refused(answer_to(asked(), 60, recorded, names))
    assert error.feature == "the LoRA"
    assert "nosuchlora" in error.reason


def test_an_applied_lora_passes(recorded: Capabilities) -> None:
    check(answer_to(asked(), 61, recorded, Resolved(sampler="Euler a", scheduler=None, loras=("tinylora",))))


def test_an_ignored_checkpoint_is_caught(recorded: Capabilities) -> None:
    wanted = find_checkpoint("tiny-random-a", recorded.checkpoints)
    names = Resolved(sampler="Euler a", scheduler=None, checkpoint=wanted)
    assert refused(answer_to(asked(), 74, recorded, names)).feature == "the checkpoint"


def test_a_switched_checkpoint_passes(recorded: Capabilities) -> None:
    wanted = find_checkpoint("tiny-random-b", recorded.checkpoints)
    check(answer_to(asked(), 70, recorded, Resolved(sampler="Euler a", scheduler=None, checkpoint=wanted)))


def test_an_ignored_vae_is_caught(recorded: Capabilities) -> None:
    answer = answer_to(asked(vae="nosuchvae.safetensors"), 77, recorded)
    assert refused(answer).feature == "the VAE"


def test_an_ignored_clip_skip_is_caught(recorded: Capabilities) -> None:
    assert refused(answer_to(asked(clip_skip=2, seed=42), 55, recorded)).feature == "clip skip"


def test_other_seeds_than_asked_are_caught(recorded: Capabilities) -> None:
    assert refused(answer_to(asked(seed=7), 55, recorded)).feature == "the seed"


def test_the_seeds_of_a_batch_count_up(recorded: Capabilities) -> None:
    pictures, _ = check(answer_to(asked(seed=100, batch_size=2, n_iter=2), 58, recorded))
    assert len(pictures) == 4


def test_a_grid_is_none_of_the_pictures(recorded: Capabilities) -> None:
    pictures, _ = check(answer_to(asked(seed=100, batch_size=2, n_iter=2), 59, recorded))
    assert [(picture.width, picture.height) for picture in pictures] == [(64, 64)] * 4


def test_fewer_pictures_than_asked_are_caught(recorded: Capabilities) -> None:
    error = refused(answer_to(asked(n_iter=4), 435, recorded))
    assert error.feature == "the batch"
    assert "3 of 4" in error.reason


@pytest.mark.parametrize("number", [226, 227])
def test_rejected_adetailer_arguments_are_caught(recorded: Capabilities, number: int) -> None:
    assert refused(answer_to(with_adetailer("mediapipe_face_full"), number, recorded)).feature == "ADetailer"


def test_one_rejected_adetailer_tab_of_two_is_caught(recorded: Capabilities) -> None:
    request = with_adetailer("mediapipe_face_full", "mediapipe_face_mesh")
    assert "mediapipe_face_mesh" in refused(answer_to(request, 220, recorded)).reason


def test_accepted_adetailer_tabs_pass(recorded: Capabilities) -> None:
    check(answer_to(with_adetailer("mediapipe_face_full"), 220, recorded))
    two = with_adetailer("mediapipe_face_full", "mediapipe_face_mesh", width=256, height=256)
    check(answer_to(two, 223, recorded))


def test_adetailer_without_img2img_is_not_held_to_the_dummy_pass(recorded: Capabilities) -> None:
    adetailer = ADetailer(tabs=(ADetailerTab(model="mediapipe_face_full"),), skip_img2img=True)
    request = asked_img2img(init_images=(png(256, 256),), width=256, height=256, adetailer=adetailer)
    check(answer_to(request, 221, recorded))


@pytest.mark.parametrize("number", [239, 242, 243, 254])
def test_a_controlnet_that_claims_to_have_run_is_caught(recorded: Capabilities, number: int) -> None:
    error = refused(answer_to(with_canny(), number, recorded))
    assert error.feature == "ControlNet"
    assert "0 of 1" in error.reason


def test_a_rejected_control_unit_is_caught(recorded: Capabilities) -> None:
    assert "rejected" in refused(answer_to(with_canny(), 252, recorded)).reason


def test_control_units_beyond_the_servers_limit_are_caught(recorded: Capabilities) -> None:
    assert "unit 3" in refused(answer_to(with_canny(4), 251, recorded)).reason


@pytest.mark.parametrize(("number", "units", "maps"), [(232, 1, 1), (237, 2, 2), (257, 1, 2)])
def test_detected_maps_are_parted_from_the_pictures(
    recorded: Capabilities, number: int, units: int, maps: int
) -> None:
    hires = Hires(upscaler="Latent", scale=2) if number == 257 else None
    pictures, others = check(answer_to(with_canny(units, hires=hires), number, recorded))
    assert len(pictures) == 1
    assert len(others) == maps


def test_maps_of_a_batch_are_parted_from_its_pictures(recorded: Capabilities) -> None:
    pictures, maps = check(answer_to(with_canny(batch_size=2), 233, recorded))
    assert (len(pictures), len(maps)) == (2, 1)


def test_a_pose_finder_that_found_nobody_is_caught(recorded: Capabilities) -> None:
    request = asked(controlnet=(ControlNetUnit(module="openpose", image=png()),))
    answer = answer_to(request, 232, recorded)
    empty = Picture.read(png(colour="black"))
    assert "found nothing" in refused(replace(answer, images=(answer.images[0], empty))).reason


def test_masks_that_come_back_are_none_of_the_pictures(recorded: Capabilities) -> None:
    request = asked_img2img(inpaint=Inpaint(mask=png(colour="white"), only_masked=True))
    pictures, others = check(answer_to(request, 179, recorded))
    assert (len(pictures), len(others)) == (1, 2)


def test_a_blank_mask_that_made_a_plain_img2img_is_caught(recorded: Capabilities) -> None:
    request = asked_img2img(inpaint=Inpaint(mask=png(colour="black"), only_masked=True))
    assert refused(answer_to(request, 176, recorded)).feature == "inpainting"


def test_an_all_black_picture_is_caught(recorded: Capabilities) -> None:
    answer = answer_to(asked(seed=42), 55, recorded)
    black = base64.b64decode(encoded(Image.new("RGB", (64, 64)), infotext=answer.info.infotexts[0]))
    assert "black" in refused(replace(answer, images=(Picture.read(black),))).reason


def test_a_wrong_size_is_caught(recorded: Capabilities) -> None:
    error = refused(answer_to(asked(seed=42, width=128, height=64), 55, recorded))
    assert error.feature == "the size"
    assert "128x64" in error.reason


def test_a_size_rounded_down_to_whole_cells_passes(recorded: Capabilities) -> None:
    check(answer_to(asked(width=100), 135, recorded))


def test_hires_fix_has_its_own_size(recorded: Capabilities) -> None:
    check(answer_to(asked(hires=Hires(upscaler="Latent", scale=2)), 63, recorded))
    check(answer_to(asked(hires=Hires(upscaler="tiny_x4", width=96, height=128)), 65, recorded))


def test_another_hires_upscaler_is_caught(recorded: Capabilities) -> None:
    request = asked(hires=Hires(upscaler="Lanczos", scale=2))
    assert refused(answer_to(request, 63, recorded)).feature == "hires fix"


def test_another_hires_schedule_is_caught(recorded: Capabilities) -> None:
    hires = Hires(upscaler="Latent", scale=2, denoising_strength=0.5)
    names = Resolved(sampler="Euler a", scheduler=None, hires_scheduler="Karras")
    error = refused(answer_to(asked(hires=hires), 63, recorded, names))
    assert error.feature == "hires fix"
    assert "'Karras' was asked for" in error.reason


def test_another_hires_checkpoint_is_caught(recorded: Capabilities) -> None:
    hires = Hires(upscaler="Latent", scale=2, denoising_strength=0.5)
    wanted = find_checkpoint("tiny-random-b", recorded.checkpoints)
    names = Resolved(sampler="Euler a", scheduler=None, hires_checkpoint=wanted)
    error = refused(answer_to(asked(hires=hires), 63, recorded, names))
    assert "tiny-random-b" in error.reason
    told = {"Hires upscaler": "Latent", "Hires checkpoint": "tiny-random-b [e70901dea9]"}
    check(answer_to(asked(hires=hires), 63, recorded, names, extra_generation_params=told))


@pytest.mark.parametrize(
    ("changes", "number", "feature"),
    [
        ({"tiling": True}, 94, "tiling"),
        ({"seed": 5, "subseed": 77, "subseed_strength": 0.3}, 57, "variation seed strength"),
        ({"refiner_checkpoint": "tiny-random-b"}, 92, "refiner"),
    ],
)
def test_a_switch_that_left_no_trace_is_caught(
    recorded: Capabilities, changes: dict[str, object], number: int, feature: str
) -> None:
    check(answer_to(asked(**changes), number, recorded))
    seeds = [changes.get("seed", 1)]
    assert refused(answer_to(asked(**changes), 55, recorded, all_seeds=seeds)).feature == feature


def test_a_refiner_that_is_the_first_checkpoint_leaves_no_trace(recorded: Capabilities) -> None:
    check(answer_to(asked(refiner_checkpoint=recorded.checkpoint, seed=42), 55, recorded))


@pytest.mark.parametrize("number", [115, 116, 117])
def test_jpeg_webp_and_bare_pictures_pass_too(recorded: Capabilities, number: int) -> None:
    check(answer_to(asked(), number, recorded))


def test_sd_upscale_is_proven_by_its_keys_and_size(recorded: Capabilities) -> None:
    pictures, _ = check(
        answer_to(asked_img2img(upscale=SdUpscale(upscaler="Lanczos", overlap=32)), 218, recorded)
    )
    assert (pictures[0].width, pictures[0].height) == (128, 128)


def test_another_upscaler_in_the_script_is_caught(recorded: Capabilities) -> None:
    request = asked_img2img(upscale=SdUpscale(upscaler="tiny_x4", overlap=32))
    assert refused(answer_to(request, 218, recorded)).feature == "SD upscale"


def test_the_last_picture_of_ultimate_sd_upscale_is_the_mended_one(recorded: Capabilities) -> None:
    request = asked_img2img(upscale=UltimateSdUpscale(upscaler="Lanczos", seams="half tile"))
    answer = answer_to(request, 212, recorded)
    pictures, _ = check(answer)
    assert pictures == answer.images[1:]


def test_an_upscaler_without_its_weights_is_caught() -> None:
    source = png(64, 64)
    request = Extras(image=source, upscaler="R-ESRGAN 4x+", scale=2)
    plain = Picture.read(png(128, 128))
    with pytest.raises(FeatureDidNotRun, match="weights"):
        check_extras(request, plain, "http://server")
    check_extras(Extras(image=source, upscaler="Lanczos", scale=2), plain, "http://server")


def test_extras_of_another_size_are_caught() -> None:
    with pytest.raises(FeatureDidNotRun, match="128x128 was due"):
        check_extras(Extras(image=png(), upscaler="Lanczos", scale=2), Picture.read(png()), "http://server")


def test_adetailer_counts_its_tabs_in_english() -> None:
    assert [suffix(number) for number in (1, 2, 3, 4, 11, 12)] == [
        "",
        " 2nd",
        " 3rd",
        " 4th",
        " 11th",
        " 12th",
    ]
