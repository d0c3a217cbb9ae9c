"""What the studio relies on, true of every WebUI: our engine, and any real one named by SAJIN_TEST_WEBUI."""

from __future__ import annotations

import base64
import contextlib
import io
import itertools
import json
import os
import threading
import time
from typing import Any

import numpy as np
import pytest
import requests
from PIL import Image
from skimage import data

from tests.persons import astronaut, hopper
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient, new_task_id
from webui_client.errors import (
    FaceNotSwapped,
    FeatureDidNotRun,
    Interrupted,
    MissingCapability,
    RequestRefused,
    ServerFailed,
)
from webui_client.infotext import parse
from webui_client.pictures import Picture
from webui_client.preflight import resolve
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit
from webui_client.units.identity import InstantId, IpAdapter, recipe_of
from webui_client.units.upscale import SdUpscale, UltimateSdUpscale
from webui_client.values import (
    Extras,
    ExtrasBatch,
    FaceSwap,
    Hires,
    Img2Img,
    Inpaint,
    Progress,
    Timeouts,
    Txt2Img,
)

LONG_STEPS = 80
FACE_DETECTOR = "mediapipe_face_full"


@pytest.fixture(scope="session")
def side(server: Capabilities) -> int:
    """A picture side in pixels that the server does quickly; SAJIN_TEST_SIDE names another for a slow one."""
    return int(os.environ.get("SAJIN_TEST_SIDE", "0")) or min(server.native_size, 128)


@pytest.fixture(scope="session")
def base(side: int) -> dict[str, Any]:
    return {
        "prompt": "a portrait of a woman, brown hair, blue background",
        "negative_prompt": "blurry",
        "width": side,
        "height": side,
        "steps": 4,
        "seed": 42,
        "sampler_name": "Euler a",
    }


@pytest.fixture(scope="session")
def face(side: int) -> bytes:
    """A real portrait photograph, square, side x side."""
    return as_png(Image.fromarray(data.astronaut()[0:256, 96:352]).resize((side, side)))


@pytest.fixture(scope="session")
def plain(client: WebuiClient, base: dict[str, Any]) -> Picture:
    """One picture made from text."""
    return client.txt2img(Txt2Img(**base)).pictures[0]


def as_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def pixels(picture: Picture) -> np.ndarray:
    return np.asarray(picture.open(), dtype=np.int16)


def needs_adetailer(server: Capabilities) -> None:
    if server.adetailer is None or FACE_DETECTOR not in server.adetailer.models:
        pytest.skip(f"{server.server} has no ADetailer with {FACE_DETECTOR}")


def motion_module(url: str, server: Capabilities) -> str:
    """The motion module to try: the one named by SAJIN_TEST_MOTION_MODULE, or the script's own default."""
    listed = requests.get(f"{url}/sdapi/v1/script-info", timeout=30).json()
    scripts = [entry for entry in listed if entry["name"].lower() == "animatediff"]
    if not scripts:
        pytest.skip(f"{server.server} has no AnimateDiff")
    return os.environ.get("SAJIN_TEST_MOTION_MODULE") or str(scripts[0]["args"][0]["value"]["model"])


def needs_controlnet(server: Capabilities, module: str) -> None:
    if server.controlnet is None or module not in server.controlnet.modules or not server.controlnet.models:
        pytest.skip(f"{server.server} has no ControlNet with {module}")


def needs(server: Capabilities, request: Txt2Img) -> None:
    """Skip, and say what is missing, where the server cannot serve request."""
    try:
        resolve(request, server)
    except MissingCapability as lack:
        pytest.skip(f"{server.server} has no {lack.kind} {lack.name}")


def needs_annotator(client: WebuiClient, server: Capabilities, module: str, photo: bytes) -> None:
    """Skip where the preprocessor is listed without the weights that it would have to download first."""
    if module.startswith(("reference", "inpaint")):
        return
    try:
        client.controlnet_detect(photo, module, resolution=256)
    except (ServerFailed, RequestRefused) as error:
        pytest.skip(f"{server.server} lists {module} but cannot run it: {error}")


def test_the_server_says_what_it_can_do(server: Capabilities) -> None:
    assert server.current_checkpoint is not None
    assert "Euler a" in {sampler.name for sampler in server.samplers}
    assert "Karras" in {scheduler.label for scheduler in server.schedulers}
    assert [upscaler.name for upscaler in server.upscalers[:2]] == ["None", "Lanczos"]
    assert server.native_size >= 64


def test_a_picture_of_the_size_asked_for_comes_back(plain: Picture, side: int) -> None:
    assert (plain.width, plain.height) == (side, side)
    assert pixels(plain).std() > 1


def test_its_infotext_says_how_it_was_made(plain: Picture, base: dict[str, Any], side: int) -> None:
    infotext = parse(plain.infotext or "")
    assert infotext.prompt == base["prompt"]
    assert infotext.negative_prompt == "blurry"
    assert infotext.get("Sampler") == "Euler a"
    assert infotext.get("Steps") == "4"
    assert infotext.get("Seed") == "42"
    assert infotext.size == (side, side)
    assert infotext.get("Model hash") is not None


def test_the_same_seed_makes_the_same_picture(
    client: WebuiClient, plain: Picture, base: dict[str, Any]
) -> None:
    again = client.txt2img(Txt2Img(**base)).pictures[0]
    assert np.abs(pixels(again) - pixels(plain)).max() <= 1


def test_another_seed_makes_another_picture(
    client: WebuiClient, plain: Picture, base: dict[str, Any]
) -> None:
    other = client.txt2img(Txt2Img(**base | {"seed": 43})).pictures[0]
    assert np.abs(pixels(other) - pixels(plain)).mean() > 1


def test_a_batch_counts_its_seeds_up(client: WebuiClient, plain: Picture, base: dict[str, Any]) -> None:
    result = client.txt2img(Txt2Img(**base | {"batch_size": 2, "n_iter": 2}))
    assert result.info.all_seeds == (42, 43, 44, 45)
    assert len(result.pictures) == 4
    seeds = [parse(picture.infotext or "").get("Seed") for picture in result.pictures]
    assert seeds == ["42", "43", "44", "45"]
    assert np.abs(pixels(result.pictures[0]) - pixels(plain)).max() <= 3


def test_seed_minus_one_draws_one(client: WebuiClient, base: dict[str, Any]) -> None:
    assert client.txt2img(Txt2Img(**base | {"seed": -1, "steps": 1})).info.seed >= 0


def test_a_variation_at_full_strength_is_the_picture_of_its_seed(
    client: WebuiClient, base: dict[str, Any]
) -> None:
    plain = base | {"sampler_name": "Euler"}
    varied = client.txt2img(Txt2Img(**plain | {"subseed": 7, "subseed_strength": 1.0, "batch_size": 2}))
    assert varied.info.all_subseeds == (7, 8)
    own = client.txt2img(Txt2Img(**plain | {"seed": 7})).pictures[0]
    assert np.abs(pixels(varied.pictures[0]) - pixels(own)).max() <= 3


def test_every_listed_sampler_runs_under_its_name(
    client: WebuiClient, server: Capabilities, base: dict[str, Any]
) -> None:
    assert {"DPM++ 2M", "DPM++ SDE", "Euler", "DDIM", "UniPC"} <= {item.name for item in server.samplers}
    for sampler in server.samplers:
        result = client.txt2img(Txt2Img(**base | {"sampler_name": sampler.name}))
        assert result.info.sampler_name == sampler.name


def test_every_listed_schedule_runs_under_its_name(
    client: WebuiClient, server: Capabilities, base: dict[str, Any]
) -> None:
    pictures = set()
    for scheduler in server.schedulers:
        request = Txt2Img(**base | {"sampler_name": "Euler", "scheduler": scheduler.label})
        picture = client.txt2img(request).pictures[0]
        assert parse(picture.infotext or "").get("Schedule type") == scheduler.label
        pictures.add(pixels(picture).tobytes())
    assert len(pictures) >= len(server.schedulers) - 4, "too many schedules draw the same picture"


@pytest.mark.parametrize(
    "prompt",
    [
        "a portrait of a woman, (brown hair:1.2), blue background",
        "a portrait of a woman, [brown hair], blue background",
        "a portrait of a woman, brown hair BREAK blue background",
        "a portrait of a woman, [brown:red:0.5] hair, blue background",
        "a portrait of a woman, [brown|red] hair, blue background",
        "a portrait of a woman, brown hair AND blue background :0.5",
    ],
)
def test_the_prompt_is_read_as_a1111_writes_it(
    client: WebuiClient, base: dict[str, Any], prompt: str
) -> None:
    """The words change more than a repeat does, with strong guidance: a test server's weights may be random."""
    strong = Txt2Img(**base | {"cfg_scale": 30.0})
    plain, repeated = (pixels(client.txt2img(strong).pictures[0]) for _ in range(2))
    result = client.txt2img(strong.model_copy(update={"prompt": prompt}))
    assert np.abs(pixels(result.pictures[0]) - plain).sum() > np.abs(repeated - plain).sum()
    assert parse(result.pictures[0].infotext or "").prompt == prompt


def test_a_prompt_that_changes_at_the_start_is_the_changed_one(
    client: WebuiClient, plain: Picture, base: dict[str, Any]
) -> None:
    changed = base["prompt"].replace("brown", "[red:brown:0]")
    picture = client.txt2img(Txt2Img(**base | {"prompt": changed})).pictures[0]
    assert np.abs(pixels(picture) - pixels(plain)).max() <= 1


def test_an_old_joined_sampler_name_is_understood(client: WebuiClient, base: dict[str, Any]) -> None:
    infotext = parse(client.txt2img(Txt2Img(**base | {"sampler_name": "DPM++ 2M Karras"})).info.infotexts[0])
    assert (infotext.get("Sampler"), infotext.get("Schedule type")) == ("DPM++ 2M", "Karras")


def test_sizes_are_rounded_down_to_whole_cells(client: WebuiClient, base: dict[str, Any], side: int) -> None:
    picture = client.txt2img(Txt2Img(**base | {"width": side + 20})).pictures[0]
    assert (picture.width, picture.height) == (side + 16, side)


def test_hires_fix_enlarges(client: WebuiClient, base: dict[str, Any], side: int) -> None:
    for upscaler in ("Latent", "Lanczos"):
        hires = Hires(upscaler=upscaler, scale=1.5, denoising_strength=0.5)
        picture = client.txt2img(Txt2Img(**base, hires=hires)).pictures[0]
        assert (picture.width, picture.height) == (side * 3 // 2, side * 3 // 2)


def test_clip_skip_counts_for_its_request_alone(
    client: WebuiClient, plain: Picture, base: dict[str, Any]
) -> None:
    skipped = client.txt2img(Txt2Img(**base | {"clip_skip": 2}))
    assert skipped.info.clip_skip == 2
    again = client.txt2img(Txt2Img(**base))
    assert again.info.clip_skip == 1
    assert np.abs(pixels(again.pictures[0]) - pixels(plain)).max() <= 1


def test_a_checkpoint_can_be_named_for_one_request(
    client: WebuiClient, server: Capabilities, base: dict[str, Any]
) -> None:
    for checkpoint in server.checkpoints[:2]:
        result = client.txt2img(Txt2Img(**base | {"checkpoint": checkpoint.title, "steps": 1}))
        assert result.info.sd_model_name == checkpoint.model_name
    unnamed = client.txt2img(Txt2Img(**base | {"steps": 1}))
    assert server.current_checkpoint is not None
    assert unnamed.info.sd_model_name == server.current_checkpoint.model_name


def test_a_lora_leaves_its_mark(
    client: WebuiClient, server: Capabilities, plain: Picture, base: dict[str, Any]
) -> None:
    if not server.loras:
        pytest.skip(f"{server.server} has no LoRA")
    prompt = f"<lora:{server.loras[0].name}:1> {base['prompt']}"
    result = client.txt2img(Txt2Img(**base | {"prompt": prompt}))
    assert server.loras[0].name in parse(result.info.infotexts[0]).lora_hashes
    assert np.abs(pixels(result.pictures[0]) - pixels(plain)).max() > 0


def test_a_lora_of_the_hires_prompt_leaves_its_mark(
    client: WebuiClient, server: Capabilities, base: dict[str, Any]
) -> None:
    if not server.loras:
        pytest.skip(f"{server.server} has no LoRA")
    name = server.loras[0].name
    prompts = ("a man", f"a man <lora:{name}:1>")
    plain, changed = (
        client.txt2img(Txt2Img(**base, hires=Hires(upscaler="Latent", scale=1.5, prompt=prompt)))
        for prompt in prompts
    )
    assert name in parse(changed.info.infotexts[0]).lora_hashes
    assert np.abs(pixels(plain.pictures[0]) - pixels(changed.pictures[0])).max() > 0


def test_unknown_names_are_refused_before_anything_runs(client: WebuiClient, base: dict[str, Any]) -> None:
    for changes in ({"sampler_name": "Foo"}, {"prompt": "<lora:nosuch:1>"}, {"checkpoint": "nosuch"}):
        with pytest.raises(MissingCapability):
            client.txt2img(Txt2Img(**base | changes))


def test_img2img_with_little_noise_keeps_to_its_picture_and_with_much_to_its_seed(
    client: WebuiClient, base: dict[str, Any], face: bytes
) -> None:
    def made(picture: bytes, seed: int, strength: float) -> np.ndarray:
        request = Img2Img(**base | {"seed": seed}, init_images=(picture,), denoising_strength=strength)
        return pixels(client.img2img(request).pictures[0])

    upside_down = as_png(Picture.read(face).open().transpose(Image.Transpose.FLIP_TOP_BOTTOM))
    gentle = made(face, 42, 0.05)
    by_seed = np.abs(gentle - made(face, 43, 0.05)).mean()
    by_picture = np.abs(gentle - made(upside_down, 42, 0.05)).mean()
    assert by_seed < by_picture
    assert by_seed < np.abs(made(face, 42, 0.95) - made(face, 43, 0.95)).mean()


def test_img2img_fits_a_picture_of_another_size(
    client: WebuiClient, base: dict[str, Any], side: int, face: bytes
) -> None:
    for mode in ("stretch", "crop", "fill"):
        request = Img2Img.model_validate(
            {**base, "width": side * 2, "init_images": (face,), "resize_mode": mode}
        )
        picture = client.img2img(request).pictures[0]
        assert (picture.width, picture.height) == (side * 2, side)


@pytest.mark.parametrize("only_masked", [False, True])
def test_inpainting_leaves_the_rest_alone(
    client: WebuiClient, base: dict[str, Any], side: int, face: bytes, only_masked: bool
) -> None:
    mask = Image.new("L", (side, side))
    mask.paste(255, (side // 4, side // 4, side // 2, side // 2))
    inpaint = Inpaint(mask=as_png(mask), only_masked=only_masked, blur=2, padding=8)
    request = Img2Img(**base, init_images=(face,), denoising_strength=0.9, inpaint=inpaint)
    change = np.abs(pixels(client.img2img(request).pictures[0]) - pixels(Picture.read(face))).mean(axis=2)
    outside = np.ones((side, side), dtype=bool)
    outside[side // 4 - 8 : side // 2 + 8, side // 4 - 8 : side // 2 + 8] = False
    inside = change[side // 4 + 4 : side // 2 - 4, side // 4 + 4 : side // 2 - 4]
    assert change[outside].max() <= 1
    assert inside.mean() > 2


def test_what_stands_under_a_mask_at_first_makes_a_difference(
    client: WebuiClient, base: dict[str, Any], side: int, face: bytes
) -> None:
    mask = Image.new("L", (side, side))
    mask.paste(255, (side // 4, side // 4, side * 3 // 4, side * 3 // 4))
    pictures = set()
    for fill in ("fill", "original", "latent noise", "latent nothing"):
        inpaint = Inpaint.model_validate({"mask": as_png(mask), "fill": fill})
        request = Img2Img(**base, init_images=(face,), denoising_strength=0.7, inpaint=inpaint)
        pictures.add(pixels(client.img2img(request).pictures[0]).tobytes())
    assert len(pictures) == 4


def test_an_inverted_mask_repaints_the_rest(
    client: WebuiClient, base: dict[str, Any], side: int, face: bytes
) -> None:
    mask = Image.new("L", (side, side))
    mask.paste(255, (side // 4, side // 4, side * 3 // 4, side * 3 // 4))
    inpaint = Inpaint(mask=as_png(mask), blur=0, invert=True)
    request = Img2Img(**base, init_images=(face,), denoising_strength=0.9, inpaint=inpaint)
    change = np.abs(pixels(client.img2img(request).pictures[0]) - pixels(Picture.read(face))).mean(axis=2)
    kept = slice(side // 4 + 8, side * 3 // 4 - 8)
    assert change[kept, kept].max() <= 1
    assert change[: side // 8].mean() > 2


def test_adetailer_repaints_the_face_and_nothing_else(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], side: int
) -> None:
    needs_adetailer(server)
    photo = Image.fromarray(data.astronaut()[0:384, 32:416])
    tab = ADetailerTab(model=FACE_DETECTOR, denoising_strength=0.6, steps=4, inpaint_size=(side, side))
    request = Img2Img(
        **base | {"width": 384, "height": 384},
        init_images=(as_png(photo),),
        adetailer=ADetailer(tabs=(tab,), skip_img2img=True),
    )
    result = client.img2img(request)
    change = np.abs(pixels(result.pictures[0]) - np.asarray(photo, dtype=np.int16)).mean(axis=2)
    rows, _ = np.nonzero(change > 3)
    assert rows.size, "no face was repainted"
    assert rows.max() < 300, "more than the face was repainted"
    assert parse(result.info.infotexts[0]).get("ADetailer model") == FACE_DETECTOR


def test_two_adetailer_tabs_run(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], face: bytes
) -> None:
    needs_adetailer(server)
    tabs = tuple(ADetailerTab(model=model, steps=2) for model in (FACE_DETECTOR, "mediapipe_face_mesh"))
    request = Img2Img(**base, init_images=(face,), denoising_strength=0.1, adetailer=ADetailer(tabs=tabs))
    assert (
        client.img2img(request).info.extra_generation_params["ADetailer model 2nd"] == "mediapipe_face_mesh"
    )


def test_a_controlnet_returns_the_map_it_drew(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], face: bytes, side: int
) -> None:
    needs_controlnet(server, "canny")
    assert server.controlnet is not None
    networks = [name for name in server.controlnet.models if recipe_of(name) is None]
    model = next((name for name in networks if "canny" in name), networks[0])
    unit = ControlNetUnit(module="canny", model=model, image=face, threshold_a=50, threshold_b=100)
    result = client.txt2img(Txt2Img(**base, controlnet=(unit,)))
    assert len(result.pictures) == 1
    assert len(result.maps) == 1
    assert set(np.unique(np.asarray(result.maps[0].open().convert("L")) > 127)) == {False, True}


@pytest.mark.parametrize(
    "module",
    [
        "openpose_full",
        "dw_openpose_full",
        "mediapipe_face",
        "tile_resample",
        "tile_colorfix",
        "blur_gaussian",
        "canny",
        "depth",
        "depth_anything_v2",
        "hed",
        "pidinet",
        "inpaint_only",
        "reference_only",
        "reference_adain",
    ],
)
def test_every_kind_of_unit_runs_and_leaves_its_map(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], side: int, module: str
) -> None:
    photo = as_png(Image.open(io.BytesIO(astronaut(1)[0])).convert("RGB").resize((side * 2, side * 2)))
    mask = as_png(Image.new("L", (side * 2, side * 2), 128)) if module == "inpaint_only" else None
    unit = ControlNetUnit(module=module, image=photo, mask=mask)
    request = Txt2Img(**base | {"steps": 2}, controlnet=(unit,))
    needs(server, request)
    needs_annotator(client, server, module, photo)
    result = client.txt2img(request)
    assert (len(result.pictures), len(result.maps)) == (1, 1)


def test_a_reference_changes_the_picture(
    client: WebuiClient, server: Capabilities, plain: Picture, base: dict[str, Any], face: bytes
) -> None:
    request = Txt2Img(**base, controlnet=(ControlNetUnit(module="reference_only", image=face),))
    needs(server, request)
    looked = client.txt2img(request).pictures[0]
    assert np.abs(pixels(looked) - pixels(plain)).mean() > 0.1


@pytest.mark.parametrize("pictures", [1, 2])
def test_an_ip_adapter_takes_over_what_its_pictures_show(
    client: WebuiClient,
    server: Capabilities,
    plain: Picture,
    base: dict[str, Any],
    face: bytes,
    pictures: int,
) -> None:
    variants = ("plus-face", "full-face", "plus", "plain")
    adapter = IpAdapter(images=(face,) * pictures, variants=variants)
    request = Txt2Img(**base, controlnet=(adapter,))
    needs(server, request)
    made = client.txt2img(request)
    assert len(made.maps) == pictures
    assert np.abs(pixels(made.pictures[0]) - pixels(plain)).mean() > 0.1


def test_instant_id_takes_over_a_face(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], face: bytes
) -> None:
    request = Txt2Img(**base, controlnet=(InstantId(image=face),))
    needs(server, request)
    assert len(client.txt2img(request).maps) == 2


def test_a_second_checkpoint_finishes_the_picture(
    client: WebuiClient, server: Capabilities, plain: Picture, base: dict[str, Any]
) -> None:
    others = [found for found in server.checkpoints if found != server.current_checkpoint]
    alike = [found for found in others if server.takes_for_sdxl(found) == server.is_sdxl]
    refined = None
    for other in alike:
        with contextlib.suppress(RequestRefused, ServerFailed):
            request = Txt2Img(**base, refiner_checkpoint=other.title, refiner_switch_at=0.5)
            refined = refined or client.txt2img(request)
    if refined is None:
        pytest.skip(f"{server.server} has no second checkpoint that could go on with the first's work")
    assert np.abs(pixels(refined.pictures[0]) - pixels(plain)).mean() > 0.1
    again = client.txt2img(Txt2Img(**base)).pictures[0]
    assert np.abs(pixels(again) - pixels(plain)).max() <= 1


def test_an_option_of_one_request_is_none_of_the_next(client: WebuiClient, base: dict[str, Any]) -> None:
    quick = base | {"steps": 1}
    made = client.txt2img(Txt2Img(**quick, override_settings={"samples_format": "jpg"}))
    assert made.pictures[0].format == "JPEG"
    assert client.txt2img(Txt2Img(**quick)).pictures[0].format == "PNG"


def test_a_preprocessor_can_be_asked_alone(client: WebuiClient, server: Capabilities, face: bytes) -> None:
    needs_controlnet(server, "canny")
    drawn = client.controlnet_detect(face, "canny", resolution=192, threshold_a=50, threshold_b=100)
    assert not drawn.is_black


def test_sd_upscale_enlarges_by_tiles(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], side: int
) -> None:
    small = as_png(Image.fromarray(data.astronaut()).resize((side, side)))
    upscale = SdUpscale(upscaler="Lanczos", scale=2, overlap=16)
    request = Img2Img(**base | {"steps": 2}, init_images=(small,), denoising_strength=0.1, upscale=upscale)
    picture = client.img2img(request).pictures[0]
    assert (picture.width, picture.height) == (side * 2, side * 2)


@pytest.mark.parametrize("seams", ["none", "half tile"])
def test_ultimate_sd_upscale_enlarges_by_tiles(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], side: int, seams: str
) -> None:
    if "ultimate sd upscale" not in server.scripts_img2img:
        pytest.skip(f"{server.server} has no Ultimate SD upscale")
    small = as_png(Image.fromarray(data.astronaut()).resize((side, side)))
    upscale = UltimateSdUpscale.model_validate(
        {"upscaler": "Lanczos", "scale": 2, "padding": 16, "seams": seams}
    )
    request = Img2Img(**base | {"steps": 1}, init_images=(small,), denoising_strength=0.1, upscale=upscale)
    picture = client.img2img(request).pictures[0]
    assert (picture.width, picture.height) == (side * 2, side * 2)


def test_extras_resize(client: WebuiClient, face: bytes, side: int) -> None:
    by_factor = client.extras(Extras(image=face, upscaler="Lanczos", scale=2))
    assert (by_factor.width, by_factor.height) == (side * 2, side * 2)
    to_size = client.extras(Extras(image=face, upscaler="Lanczos", size=(96, 160)))
    assert (to_size.width, to_size.height) == (96, 160)


def test_extras_enlarge_several_pictures_in_their_order(client: WebuiClient, face: bytes, side: int) -> None:
    black = as_png(Image.new("RGB", (side, side)))
    batch = ExtrasBatch(images=(face, black, face), upscaler="Lanczos", scale=2)
    results = client.extras_batch(batch)
    assert [(picture.width, picture.is_black) for picture in results] == [
        (side * 2, False),
        (side * 2, True),
        (side * 2, False),
    ]


def test_a_description_is_one_or_none_is_claimed(
    client: WebuiClient, server: Capabilities, face: bytes
) -> None:
    try:
        assert client.interrogate(face).strip()
    except (ServerFailed, RequestRefused, FeatureDidNotRun) as error:
        pytest.skip(f"{server.server} cannot describe pictures: {error}")


def test_faces_are_compared_where_faceswaplab_can(client: WebuiClient, server: Capabilities) -> None:
    if "faceswaplab" not in server.able_swappers:
        pytest.skip(f"{server.server} has no faceswaplab")
    person = astronaut(1)[0]
    try:
        alike = client.compare_faces(person, person)
    except (RequestRefused, ServerFailed) as error:
        pytest.skip(f"{server.server} cannot compare faces: {error}")
    assert alike > 0.9


def test_every_face_swapper_of_the_server_puts_the_face_in(client: WebuiClient, server: Capabilities) -> None:
    if not server.able_swappers:
        pytest.skip(f"{server.server} has no face swapper")
    picture, person = (photos(1, side=384)[0] for photos in (hopper, astronaut))
    for swapper in server.able_swappers:
        swapped = client.swap_face(FaceSwap(image=picture, source=person, swapper=swapper)).open()
        before = Image.open(io.BytesIO(picture)).convert("RGB")
        changed = np.abs(np.asarray(swapped, dtype=int) - np.asarray(before, dtype=int)).max(axis=2) > 20
        assert 0.01 < changed.mean() < 0.5, swapper


def test_a_picture_without_a_face_is_no_swap(client: WebuiClient, server: Capabilities) -> None:
    if not server.able_swappers:
        pytest.skip(f"{server.server} has no face swapper")
    empty = as_png(Image.linear_gradient("L").convert("RGB"))
    for swapper in server.able_swappers:
        with pytest.raises(FaceNotSwapped):
            client.swap_face(FaceSwap(image=empty, source=astronaut(1)[0], swapper=swapper))


def test_a_learned_upscaler_works_wherever_one_is_named(
    client: WebuiClient, server: Capabilities, base: dict[str, Any], side: int, face: bytes
) -> None:
    plain = ("None", "Lanczos", "Nearest")
    learned = [item.name for item in server.upscalers if item.is_installed and item.name not in plain]
    if not learned:
        pytest.skip(f"{server.server} has no learned upscaler")
    enlarged = client.extras(Extras(image=face, upscaler=learned[0], scale=2))
    assert (enlarged.width, enlarged.height) == (side * 2, side * 2)
    hires = Hires(upscaler=learned[0], scale=1.5, denoising_strength=0.3)
    assert client.txt2img(Txt2Img(**base, hires=hires)).pictures[0].width == side * 3 // 2
    for upscale in (SdUpscale(upscaler=learned[0], overlap=16), UltimateSdUpscale(upscaler=learned[0])):
        request = Img2Img(**base | {"steps": 1}, init_images=(face,), denoising_strength=0.1, upscale=upscale)
        assert client.img2img(request).pictures[0].width == side * 2


def test_the_server_reads_what_it_wrote(client: WebuiClient, plain: Picture) -> None:
    told = client.png_info(plain.data)
    assert told.infotext == plain.infotext
    assert str(told.parameters["Seed"]) == "42"


def test_a_picture_without_infotext_has_none(client: WebuiClient, face: bytes) -> None:
    assert client.png_info(face).infotext == ""


def test_small_calls_answer(client: WebuiClient) -> None:
    assert client.options()["sd_model_checkpoint"] is not None
    assert client.models()
    assert client.memory().ram_total
    assert {info["name"] for info in client.script_info()}
    client.refresh_loras()
    client.interrupt()
    client.skip()
    client.probe()


def test_progress_is_told_while_it_runs(client: WebuiClient, base: dict[str, Any]) -> None:
    told: list[Progress] = []
    client.txt2img(Txt2Img(**base | {"steps": LONG_STEPS}), on_progress=told.append)
    fractions = [progress.fraction for progress in told if not progress.queued]
    assert len(fractions) >= 2
    assert fractions == sorted(fractions)
    assert 0 < fractions[-1] <= 1
    assert max(progress.steps for progress in told) == LONG_STEPS


def test_a_cancel_stops_our_run(client: WebuiClient, base: dict[str, Any]) -> None:
    running = threading.Event()

    def on_progress(progress: Progress) -> None:
        if progress.step > 1:
            running.set()

    with pytest.raises(Interrupted) as caught:
        client.txt2img(Txt2Img(**base | {"steps": 150}), on_progress=on_progress, cancelled=running.is_set)
    assert caught.value.ours


def test_a_run_that_somebody_else_interrupts_gives_no_picture(
    client: WebuiClient, base: dict[str, Any], webui_url: str
) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.step > 1:
            requests.post(f"{webui_url}/sdapi/v1/interrupt", json={}, timeout=10)

    with pytest.raises(Interrupted) as caught:
        client.txt2img(Txt2Img(**base | {"steps": 150}), on_progress=on_progress)
    assert not caught.value.ours


def test_a_skipped_picture_is_no_picture(client: WebuiClient, base: dict[str, Any], webui_url: str) -> None:
    def on_progress(progress: Progress) -> None:
        if progress.step > 1:
            requests.post(f"{webui_url}/sdapi/v1/skip", timeout=10)

    with pytest.raises(Interrupted):
        client.txt2img(Txt2Img(**base | {"steps": 150}), on_progress=on_progress)


def test_after_an_interrupt_the_next_picture_is_whole(
    client: WebuiClient, plain: Picture, base: dict[str, Any]
) -> None:
    client.interrupt()
    again = client.txt2img(Txt2Img(**base)).pictures[0]
    assert np.abs(pixels(again) - pixels(plain)).max() <= 1


def test_a_finished_task_is_known_as_finished(
    client: WebuiClient, base: dict[str, Any], webui_url: str
) -> None:
    task = new_task_id()
    client.txt2img(Txt2Img(**base), task_id=task)
    told = requests.post(
        f"{webui_url}/internal/progress",
        json={"id_task": task, "id_live_preview": -1, "live_preview": False},
        timeout=10,
    ).json()
    assert (told["active"], told["queued"], told["completed"]) == (False, False, True)


def test_a_second_request_waits_for_the_first(
    client: WebuiClient, base: dict[str, Any], webui_url: str
) -> None:
    other = WebuiClient(webui_url, timeouts=Timeouts(connect=5, read=60, generation=300, poll=0.05))
    other.probe()
    queued = threading.Event()
    first = threading.Thread(target=client.txt2img, args=(Txt2Img(**base | {"steps": LONG_STEPS}),))
    first.start()
    wait_for(lambda: client.progress().fraction > 0)

    def on_progress(progress: Progress) -> None:
        if progress.queued:
            queued.set()

    other.txt2img(Txt2Img(**base), on_progress=on_progress)
    first.join()
    assert queued.is_set()


def test_animatediff_answers_with_an_animation_and_its_frames(
    webui_url: str, server: Capabilities, base: dict[str, Any], side: int
) -> None:
    script = {
        "enable": True,
        "model": motion_module(webui_url, server),
        "video_length": 4,
        "batch_size": 4,
        "fps": 8,
        "closed_loop": "R-P",
        "format": ["GIF", "Frame"],
    }
    body = base | {
        "override_settings": {"pad_cond_uncond": True},
        "alwayson_scripts": {"AnimateDiff": {"args": [script]}},
    }
    answer = requests.post(f"{webui_url}/sdapi/v1/txt2img", json=body, timeout=600).json()
    animation, *frames = (Image.open(io.BytesIO(base64.b64decode(text))) for text in answer["images"])
    assert (animation.format, animation.size) == ("GIF", (side, side))
    assert animation.n_frames == len(frames) == 4  # type: ignore[attr-defined]
    info = json.loads(answer["info"])
    assert info["all_seeds"] == [42, 43, 44, 45]
    assert "video_length: 4," in (parse(info["infotexts"][0]).get("AnimateDiff") or "")
    levels = [np.asarray(frame.convert("RGB"), dtype=np.int16) for frame in frames]
    assert all(np.abs(one - other).mean() > 0 for one, other in itertools.pairwise(levels))


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/sdapi/v1/txt2img", {"script_name": "nosuch"}, 422),
        ("/sdapi/v1/txt2img", {"alwayson_scripts": {"nosuch": {"args": []}}}, 422),
        ("/sdapi/v1/txt2img", {"steps": "many"}, 422),
        ("/sdapi/v1/img2img", {}, 404),
        ("/sdapi/v1/img2img", {"init_images": ["aGVsbG8="]}, 500),
        ("/sdapi/v1/interrogate", {"image": "aGVsbG8="}, 500),
        ("/controlnet/detect", {"controlnet_module": "nosuch", "controlnet_input_images": ["aGVsbG8="]}, 422),
    ],
)
def test_wrong_requests_are_answered_as_a1111_does(
    client: WebuiClient, path: str, body: dict[str, Any], status: int
) -> None:
    with pytest.raises((RequestRefused, ServerFailed)) as caught:
        client._transport.post(path, body)
    refusal = caught.value
    assert isinstance(refusal, RequestRefused | ServerFailed)
    assert refusal.status == status
    assert refusal.detail


def wait_for(condition: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
