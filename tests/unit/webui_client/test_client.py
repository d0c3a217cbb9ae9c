from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

from tests.replay import ReplayServer, Reply, answer_json, answer_status, png
from tests.unit.webui_client.answers import asked, asked_img2img, with_adetailer, with_canny
from webui_client.client import WebuiClient
from webui_client.errors import FeatureDidNotRun, Interrupted, MissingCapability, RequestRefused
from webui_client.infotext import parse
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit, PlacedUnit
from webui_client.units.upscale import SdUpscale, UltimateSdUpscale
from webui_client.values import Extras, ExtrasBatch, Progress

TXT2IMG, IMG2IMG = "/sdapi/v1/txt2img", "/sdapi/v1/img2img"


def sent(server: ReplayServer, path: str = TXT2IMG) -> dict[str, Any]:
    body = server.calls(path)[-1].json
    assert isinstance(body, dict)
    return body


def test_a_picture_comes_back_with_its_bytes_and_infotext(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(55)
    result = client.txt2img(asked(seed=42, prompt="a cat, (photo:1.2)"))
    picture = result.pictures[0]
    assert (picture.format, picture.width, picture.height) == ("PNG", 64, 64)
    assert picture.open().size == (64, 64)
    assert parse(picture.infotext or "").get("Sampler") == "Euler a"
    assert result.info.all_seeds == (42,)
    assert result.seconds > 0


def test_nothing_is_saved_on_the_server_and_nothing_null_is_sent(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.replay(55)
    client.txt2img(asked(seed=42))
    body = sent(server)
    assert body["save_images"] is False
    assert None not in body.values()
    assert body["force_task_id"].startswith("task(")


def test_an_unknown_sampler_is_refused_before_gpu_time_is_spent(
    server: ReplayServer, client: WebuiClient
) -> None:
    with pytest.raises(MissingCapability) as caught:
        client.txt2img(asked(sampler_name="Foo"))
    assert (caught.value.kind, caught.value.name) == ("sampler", "Foo")
    assert "Euler a" in caught.value.available
    assert server.calls(TXT2IMG) == []


def test_a_fresh_lora_is_looked_for_once_more(server: ReplayServer, client: WebuiClient) -> None:
    client.probe()
    fresh = Reply(body=[{"name": "jane", "alias": "jane", "path": "", "metadata": {}}])

    def refresh(_: object) -> Reply:
        server.on("GET", "/sdapi/v1/loras", fresh)
        return Reply(body=None)

    server.on("POST", "/sdapi/v1/refresh-loras", refresh)
    server.replay(55)
    with pytest.raises(FeatureDidNotRun, match="jane"):
        client.txt2img(asked(seed=42, prompt="<lora:jane:1> portrait"))
    assert len(server.calls(TXT2IMG)) == 1


def test_adetailer_goes_out_as_the_extension_wants_it(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(220)
    client.txt2img(with_adetailer("mediapipe_face_full"))
    assert sent(server)["alwayson_scripts"]["ADetailer"] == {
        "args": [True, False, {"ad_model": "mediapipe_face_full"}]
    }


def test_an_adetailer_switch_goes_with_its_value() -> None:
    tab = ADetailerTab(model="m", prompt="face", steps=12, inpaint_size=(256, 320), sampler="Euler a")
    assert ADetailer(tabs=(tab,), skip_img2img=True).spell() == [
        True,
        True,
        {
            "ad_model": "m",
            "ad_prompt": "face",
            "ad_use_steps": True,
            "ad_steps": 12,
            "ad_use_inpaint_width_height": True,
            "ad_inpaint_width": 256,
            "ad_inpaint_height": 320,
            "ad_use_sampler": True,
            "ad_sampler": "Euler a",
            "ad_scheduler": "Use same scheduler",
        },
    ]


def test_every_adetailer_field_is_one_the_real_extension_knows(
    server: ReplayServer, client: WebuiClient
) -> None:
    has = client.probe().adetailer
    assert has is not None
    tab = ADetailerTab(
        model="m",
        model_classes="cup",
        negative_prompt="n",
        confidence=0.5,
        mask_filter_method="Confidence",
        mask_k=1,
        mask_min_ratio=0.1,
        mask_max_ratio=0.9,
        dilate_erode=8,
        x_offset=1,
        y_offset=1,
        mask_merge_invert="Merge",
        mask_blur=8,
        denoising_strength=0.5,
        inpaint_only_masked=False,
        inpaint_only_masked_padding=16,
        inpaint_size=(64, 64),
        steps=1,
        cfg_scale=1,
        checkpoint="c",
        vae="v",
        sampler="s",
        scheduler="k",
        noise_multiplier=1.1,
        clip_skip=2,
        restore_face=True,
        controlnet_model="Passthrough",
        controlnet_module="canny",
        controlnet_weight=0.5,
        controlnet_guidance_start=0.1,
        controlnet_guidance_end=0.9,
    )
    assert set(tab.spell(has.fields)) <= set(has.fields)


def test_a_control_unit_asks_its_map_back(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(232)
    result = client.txt2img(with_canny())
    unit = sent(server)["alwayson_scripts"]["ControlNet"]["args"][0]
    assert unit["enabled"] is True
    assert unit["save_detected_map"] is True
    assert unit["model"] == "control_v11p_sd15_canny [7c896420]"
    assert (len(result.pictures), len(result.maps)) == (1, 1)


def test_a_unit_without_a_picture_leaves_it_out() -> None:
    plain = ControlNetUnit(module="tile_resample")
    unit = PlacedUnit(unit=plain, module="tile_resample", model="tile").spell("mikubill")
    assert "image" not in unit
    assert "mask_image" not in unit


def test_forge_is_told_none_in_its_own_spelling() -> None:
    unit = PlacedUnit(unit=ControlNetUnit(image=png()), module="none", model="m")
    assert unit.spell("forge")["module"] == "None"
    assert unit.spell("mikubill")["module"] == "none"


def test_ultimate_sd_upscale_gets_the_index_of_this_server(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(210)
    client.img2img(asked_img2img(upscale=UltimateSdUpscale(upscaler="Lanczos")))
    body = sent(server, IMG2IMG)
    assert body["script_name"] == "Ultimate SD upscale"
    assert len(body["script_args"]) == 18
    assert body["script_args"][8] == 1
    assert body["script_args"][14] == 2


def test_sd_upscale_gets_the_name(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(218)
    client.img2img(asked_img2img(upscale=SdUpscale(upscaler="Lanczos", overlap=32)))
    assert sent(server, IMG2IMG)["script_args"] == ["", 32, "Lanczos", 2.0]


def test_extras_enlarge(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(276)
    result = client.extras(Extras(image=png(), upscaler="Lanczos", scale=2))
    assert (result.width, result.height) == (128, 128)


def enlarged(*sides: int) -> Reply:
    return Reply(
        body={"html_info": "", "images": [base64.b64encode(png(side, side)).decode() for side in sides]}
    )


BATCH = ExtrasBatch(images=(png(), png(colour="red")), upscaler="Lanczos", scale=2)


def test_extras_enlarge_several_pictures_in_one_call(server: ReplayServer, client: WebuiClient) -> None:
    server.on("POST", "/sdapi/v1/extra-batch-images", enlarged(128, 128))
    assert [picture.width for picture in client.extras_batch(BATCH)] == [128, 128]
    body = server.asked[-1].json
    assert [base64.b64decode(item["data"]) for item in body["imageList"]] == list(BATCH.images)
    assert (body["upscaler_1"], body["upscaling_resize"], "image" in body) == ("Lanczos", 2, False)


@pytest.mark.parametrize(("sides", "reason"), [((128,), "1 of 2 pictures"), ((128, 64), "64x64 came")])
def test_a_batch_that_is_not_whole_is_no_result(
    server: ReplayServer, client: WebuiClient, sides: tuple[int, ...], reason: str
) -> None:
    server.on("POST", "/sdapi/v1/extra-batch-images", enlarged(*sides))
    with pytest.raises(FeatureDidNotRun, match=reason):
        client.extras_batch(BATCH)


def test_an_unknown_upscaler_is_refused_before_it_is_tried(server: ReplayServer, client: WebuiClient) -> None:
    with pytest.raises(MissingCapability, match="4x-UltraSharp"):
        client.extras(Extras(image=png(), upscaler="4x-UltraSharp", scale=2))


def test_a_caption_that_is_an_error_is_no_caption(server: ReplayServer, client: WebuiClient) -> None:
    with pytest.raises(FeatureDidNotRun, match="<error>"):
        client.interrogate(png())


def test_a_caption_is_told_by_the_model_asked_for(server: ReplayServer, client: WebuiClient) -> None:
    caption = "a portrait of a woman"
    server.on("POST", "/sdapi/v1/interrogate", Reply(body={"caption": caption}))
    assert client.interrogate(png(), model="deepdanbooru") == caption
    assert server.asked[-1].json["model"] == "deepdanbooru"


def test_a_server_without_a_captioner_says_so(server: ReplayServer, client: WebuiClient) -> None:
    server.replay(317)
    with pytest.raises(RequestRefused, match="Model not found"):
        client.interrogate(png(), model="deepdanbooru")


def test_every_listing_is_read(server: ReplayServer, client: WebuiClient) -> None:
    assert "Euler a" in [sampler.name for sampler in client.samplers()]
    assert "Karras" in [scheduler.label for scheduler in client.schedulers()]
    assert [upscaler.name for upscaler in client.upscalers()][:3] == ["None", "Lanczos", "Nearest"]
    assert [lora.name for lora in client.loras()] == ["tinylora"]
    assert [vae.model_name for vae in client.vaes()] == ["tinyvae.safetensors"]
    assert client.embeddings() == ("tinyemb",)
    assert client.options()["samples_format"] == "png"


def test_the_infotext_in_a_picture_is_read_by_the_server(server: ReplayServer, client: WebuiClient) -> None:
    told = client.png_info(png())
    assert told.infotext.startswith("a portrait")
    assert told.parameters["Sampler"] == "Euler"


def test_small_calls_answer(server: ReplayServer, client: WebuiClient) -> None:
    assert client.models()[0].model_name == "tiny-random-a"
    assert client.memory().ram_total == pytest.approx(25276502016)
    assert client.memory().gpu_total is None
    assert "sd upscale" in client.scripts().img2img
    assert client.script_info()[0]["name"] == "prompt matrix"
    assert client.controlnet_models()[0].startswith("control_v11f1e_sd15_tile")
    assert "canny" in client.controlnet_modules()
    assert client.adetailer_models()[0] == "mediapipe_face_full"
    assert client.progress().fraction == 0


def test_settings_are_changed_for_good_by_name(server: ReplayServer, client: WebuiClient) -> None:
    server.on("POST", "/sdapi/v1/options", Reply(body=None))
    client.set_options({"CLIP_stop_at_last_layers": 2})
    assert server.asked[-1].json == {"CLIP_stop_at_last_layers": 2}


def test_a_detected_map_comes_back(server: ReplayServer, client: WebuiClient) -> None:
    answer = answer_json(323)
    answer["images"] = [answer_json(55)["images"][0]]
    server.on("POST", "/controlnet/detect", Reply(answer_status(323), answer))
    assert client.controlnet_detect(png(), "canny").width == 64
    assert server.asked[-1].json["controlnet_input_images"]


def test_progress_is_told_by_our_own_task(server: ReplayServer, client: WebuiClient) -> None:
    told: list[Progress] = []
    seen = threading.Event()

    def slow(asked_for: Any) -> Reply:
        server.active_task = asked_for.json["force_task_id"]
        seen.wait(30)
        return Reply(200, answer_json(55))

    def on_progress(progress: Progress) -> None:
        told.append(progress)
        seen.set()

    server.on("POST", TXT2IMG, slow)
    client.txt2img(asked(seed=42), on_progress=on_progress)
    assert told[0].fraction == 0.5
    assert told[0].eta_seconds == 3.0
    assert not told[0].queued


def test_an_error_of_the_callers_own_is_not_swallowed(server: ReplayServer, client: WebuiClient) -> None:
    raised = threading.Event()

    def slow(_: object) -> Reply:
        raised.wait(30)
        return Reply(200, answer_json(55))

    def on_progress(_: Progress) -> None:
        raised.set()
        raise LookupError("the caller's")

    server.on("POST", TXT2IMG, slow)
    with pytest.raises(LookupError):
        client.txt2img(asked(seed=42), on_progress=on_progress)


def test_an_option_that_sticks_is_put_back(server: ReplayServer, client: WebuiClient) -> None:
    options = dict(answer_json(1))
    server.on("GET", "/sdapi/v1/options", lambda _: Reply(body=options))

    def stick(_: object) -> Reply:
        options["CLIP_stop_at_last_layers"] = 2
        answer = answer_json(55)
        answer["info"] = answer["info"].replace('"clip_skip": 1', '"clip_skip": 2')
        return Reply(200, answer)

    server.on("POST", TXT2IMG, stick)
    server.on("POST", "/sdapi/v1/options", Reply(body=None))
    client.txt2img(asked(seed=42, clip_skip=2))
    assert server.calls("/sdapi/v1/options")[-1].json == {"CLIP_stop_at_last_layers": 1}


def test_a_request_cancelled_beforehand_is_not_sent(server: ReplayServer, client: WebuiClient) -> None:
    with pytest.raises(Interrupted) as caught:
        client.txt2img(asked(), cancelled=lambda: True)
    assert caught.value.ours
    assert server.calls(TXT2IMG) == []
