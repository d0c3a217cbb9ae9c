"""Every name that a server would silently ignore is refused before it is asked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.replay import png
from tests.unit.webui_client.answers import CANNY, asked, asked_img2img, with_adetailer, with_canny
from webui_client.capabilities import Capabilities
from webui_client.errors import MissingCapability
from webui_client.preflight import check_extras, resolve
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit, model_for
from webui_client.units.upscale import SdUpscale
from webui_client.values import Extras, Hires, Img2Img, Txt2Img
from webui_client.wire import txt2img_body

FACE = "mediapipe_face_full"


def unit(**changes: Any) -> tuple[ControlNetUnit, ...]:
    return (ControlNetUnit.model_validate({"module": "canny", "image": png(), **changes}),)


def tab(**changes: Any) -> ADetailer:
    return ADetailer(tabs=(ADetailerTab.model_validate({"model": FACE, **changes}),))


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (asked(sampler_name="euler a"), "sampler"),
        (asked(scheduler="Foo"), "scheduler"),
        (asked(checkpoint="foo"), "checkpoint"),
        (asked(refiner_checkpoint="foo"), "checkpoint"),
        (asked(vae="foo"), "VAE"),
        (asked(styles=("foo",)), "style"),
        (asked(prompt="<lora:foo:1>"), "LoRA"),
        (asked(alwayson_scripts={"Foo": ()}), "script"),
        (asked(hires=Hires(upscaler="foo")), "upscaler"),
        (asked(hires=Hires(upscaler="R-ESRGAN 4x+")), "upscaler"),
        (asked(hires=Hires(prompt="<lora:foo:1>")), "LoRA"),
        (asked(hires=Hires(checkpoint="foo")), "checkpoint"),
        (asked(hires=Hires(sampler_name="foo")), "sampler"),
        (with_adetailer("face_yolov8n.pt"), "ADetailer detector"),
        (with_adetailer(*[FACE] * 5), "ADetailer tab"),
        (asked(adetailer=tab(prompt="<lora:foo:0.8>")), "LoRA"),
        (asked(adetailer=tab(sampler="foo")), "sampler"),
        (asked(adetailer=tab(checkpoint="foo")), "checkpoint"),
        (asked(controlnet=unit(module="foo")), "ControlNet preprocessor"),
        (asked(controlnet=unit(model="foo")), "ControlNet"),
        (asked(controlnet=unit(module="depth_zoe")), "ControlNet"),
        (with_canny(4), "ControlNet unit"),
        (asked_img2img(upscale=SdUpscale(upscaler="foo", overlap=8)), "upscaler"),
    ],
)
def test_what_the_server_lacks_is_named(
    recorded: Capabilities, request_: Txt2Img | Img2Img, kind: str
) -> None:
    with pytest.raises(MissingCapability) as caught:
        resolve(request_, recorded)
    assert caught.value.kind == kind
    assert caught.value.server == recorded.server
    assert caught.value.retryable


def test_extensions_that_are_not_there_are_named(recorded: Capabilities) -> None:
    bare = recorded.model_copy(update={"adetailer": None, "controlnet": None, "scripts_img2img": ()})
    for request, name in (
        (with_adetailer(FACE), "ADetailer"),
        (with_canny(), "ControlNet"),
        (asked_img2img(upscale=SdUpscale(upscaler="Lanczos", overlap=8)), "SD upscale"),
    ):
        with pytest.raises(MissingCapability) as caught:
            resolve(request, bare)
        assert caught.value.name == name


def test_an_adetailer_field_that_an_older_version_lacks_is_named(recorded: Capabilities) -> None:
    assert recorded.adetailer is not None
    fields = tuple(field for field in recorded.adetailer.fields if field != "ad_mask_k")
    older = recorded.model_copy(
        update={"adetailer": recorded.adetailer.model_copy(update={"fields": fields})}
    )
    resolve(asked(adetailer=tab()), older)
    with pytest.raises(MissingCapability, match="ad_mask_k"):
        resolve(asked(adetailer=tab(mask_k=1)), older)


@pytest.mark.parametrize(
    ("sampler", "scheduler", "resolved"),
    [
        ("DPM++ 2M", "karras", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M", "Karras", ("DPM++ 2M", "Karras")),
        ("DPM++ 2M Karras", None, ("DPM++ 2M", "Karras")),
        ("k_euler_a", "SGMUniform", ("Euler a", "SGM Uniform")),
        ("Euler a", None, ("Euler a", None)),
        (None, None, (None, None)),
    ],
)
def test_names_are_resolved_to_the_servers_spelling(
    recorded: Capabilities,
    sampler: str | None,
    scheduler: str | None,
    resolved: tuple[str | None, str | None],
) -> None:
    names = resolve(asked(sampler_name=sampler, scheduler=scheduler), recorded)
    assert (names.sampler, names.scheduler) == resolved


@pytest.mark.parametrize(
    "spelling",
    ["tiny-random-a", "tiny-random-a.safetensors", "tiny-random-a.safetensors [5688aceb8f]", "5688aceb8f"],
)
def test_a_checkpoint_is_found_by_any_of_its_names(recorded: Capabilities, spelling: str) -> None:
    checkpoint = resolve(asked(checkpoint=spelling), recorded).checkpoint
    assert checkpoint is not None
    assert checkpoint.model_name == "tiny-random-a"


@pytest.mark.parametrize(
    "spelling", [None, "control_v11p_sd15_canny", CANNY, "control_v11p_sd15_canny [00000000]"]
)
def test_a_controlnet_is_found_whatever_its_hash(recorded: Capabilities, spelling: str | None) -> None:
    assert resolve(asked(controlnet=unit(model=spelling)), recorded).control_units[0].model == CANNY


def test_a_reference_unit_needs_no_controlnet(recorded: Capabilities) -> None:
    assert resolve(asked(controlnet=unit(module="reference_only")), recorded).control_units[0].model == "None"


def test_a_controlnet_of_the_other_family_is_never_chosen() -> None:
    listed = ("control_v11p_sd15_openpose [1]", "thibaud_xl_openpose [2]")
    assert model_for("openpose_full", listed, sdxl=False) == listed[0]
    assert model_for("openpose_full", listed, sdxl=True) == listed[1]
    assert model_for("canny", listed, sdxl=True) is None


def test_loras_of_the_prompt_are_kept_for_the_proof(recorded: Capabilities) -> None:
    assert resolve(asked(prompt="<lora:tinylora:0.8> x <lora:tinylora:1>"), recorded).loras == ("tinylora",)


def test_loras_of_the_hires_prompt_are_to_be_proven_as_well(recorded: Capabilities) -> None:
    assert resolve(asked(hires=Hires(prompt="<lora:tinylora:1>")), recorded).loras == ("tinylora",)


def test_the_checkpoint_of_hires_fix_is_sent_by_its_title(recorded: Capabilities) -> None:
    request = asked(hires=Hires(checkpoint="tiny-random-a"))
    body = txt2img_body(request, resolve(request, recorded), recorded, "task(x)")
    assert body["hr_checkpoint_name"] == "tiny-random-a.safetensors [5688aceb8f]"


@pytest.mark.parametrize("module", ["canny", "openpose_full", "none"])
def test_a_mask_that_would_be_taken_for_the_drawing_cannot_be_sent(module: str) -> None:
    with pytest.raises(ValidationError, match="for the drawing"):
        ControlNetUnit(module=module, image=png(), mask=png())
    assert ControlNetUnit(module="inpaint_only", image=png(), mask=png()).mask


def test_a_face_restorer_must_be_there(recorded: Capabilities) -> None:
    bare = recorded.model_copy(update={"face_restorers": ()})
    with pytest.raises(MissingCapability, match="face restorer"):
        resolve(asked(restore_faces=True), bare)
    with pytest.raises(MissingCapability, match="GFPGAN"):
        check_extras(Extras(image=png(), gfpgan_visibility=1), bare)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"seed": -2},
        {"seed": 2**32},
        {"steps": 0},
        {"width": 0},
        {"batch_size": 0},
        {"cfg_scale": -1},
        {"sampler": "Euler a"},
        {"controlnet": (ControlNetUnit(module="canny"),)},
    ],
)
def test_a_request_out_of_range_cannot_be_made(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asked(**nonsense)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"init_images": ()},
        {"init_images": (png(), png())},
        {"denoising_strength": 2},
        {"upscale": SdUpscale(upscaler="Lanczos"), "width": 64},
        {"upscale": SdUpscale(upscaler="Lanczos", overlap=8), "adetailer": tab()},
        {"upscale": SdUpscale(upscaler="Lanczos", overlap=8), "n_iter": 2},
    ],
)
def test_an_img2img_that_cannot_work_cannot_be_made(nonsense: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        asked_img2img(**nonsense)


def test_the_upscaler_that_never_scales_cannot_be_asked_to() -> None:
    with pytest.raises(ValidationError, match="Lanczos"):
        Extras(image=png(), upscaler="None", scale=2)
