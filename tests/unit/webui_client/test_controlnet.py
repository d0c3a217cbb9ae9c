"""ControlNet units of every kind: how they are placed on a server, spelled, and proven to have run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from tests.recordings import recordings
from tests.replay import ReplayServer, Reply, answer_json, encoded, png
from tests.unit.webui_client.answers import answer_to, asked, asked_img2img
from webui_client.capabilities import Capabilities, Lora
from webui_client.client import WebuiClient
from webui_client.errors import FeatureDidNotRun, MissingCapability
from webui_client.pictures import Picture
from webui_client.postflight import check
from webui_client.preflight import resolve
from webui_client.units.controlnet import ControlNetUnit, model_for
from webui_client.units.identity import Control, InstantId, IpAdapter, Variant
from webui_client.units.preprocessors import INSTANT_ID_POINTS
from webui_client.values import Hires, Inpaint, Txt2Img
from webui_client.wire import img2img_body, txt2img_body

SD15 = (
    "control_v11e_sd15_inpaint [11111111]",
    "control_v11f1e_sd15_tile [22222222]",
    "control_v11f1p_sd15_depth [33333333]",
    "control_v11p_sd15_canny [44444444]",
    "control_v11p_sd15_openpose [55555555]",
    "control_v11p_sd15_softedge [66666666]",
    "control_v2p_sd15_mediapipe_face [77777777]",
    "ip-adapter-faceid-plusv2_sd15 [88888888]",
    "ip-adapter-faceid_sd15 [99999999]",
    "ip-adapter-full-face_sd15 [aaaaaaaa]",
    "ip-adapter-plus-face_sd15 [bbbbbbbb]",
    "ip-adapter-plus_sd15 [cccccccc]",
    "ip-adapter_sd15 [dddddddd]",
)
SDXL = (
    "control_instant_id_sdxl [c5c25a50]",
    "controlnet-union-sdxl-1.0 [eeeeeeee]",
    "ip-adapter-plus-face_sdxl_vit-h [ffffffff]",
    "ip-adapter_instant_id_sdxl [eb2d3ec0]",
    "thibaud_xl_openpose [c7b9cadd]",
)
FACEID_LORA = Lora(name="ip-adapter-faceid_sd15_lora")
FORGE_MODULES = (
    "None",
    "canny",
    "CLIP-ViT-H (IPAdapter)",
    "CLIP-ViT-bigG (IPAdapter)",
    "InsightFace+CLIP-H (IPAdapter)",
    "InsightFace (InstantID)",
    "instant_id_face_keypoints",
    "inpaint_global_harmonious",
    "depth_midas",
    "softedge_hed",
    "normalbae",
    "reference_only",
)


def record(recorded: Capabilities, *, models: tuple[str, ...] = SD15 + SDXL, **changes: Any) -> Capabilities:
    """The recorded server with more ControlNets; the changes are of the record or of its ControlNet."""
    assert recorded.controlnet is not None
    own: dict[str, Any] = {
        key: changes.pop(key) for key in ("dialect", "modules", "max_units") if key in changes
    }
    modules = recordings()[33]["response"]["json"]["module_list"]
    controlnet = recorded.controlnet.model_copy(update={"models": models, "modules": modules, **own})
    return recorded.model_copy(update={"controlnet": controlnet, **changes})


def placed(server: Capabilities, *controls: Control, **changes: Any) -> list[tuple[str, str]]:
    """The preprocessor and model that each unit gets on a server."""
    units = resolve(asked(controlnet=controls, **changes), server).control_units
    return [(unit.module, unit.model.partition(" [")[0]) for unit in units]


def drawn(module: str) -> ControlNetUnit:
    mask = png() if module.startswith("inpaint") else None
    return ControlNetUnit(module=module, image=png(), mask=mask)


def adapter(*variants: Variant, **changes: Any) -> IpAdapter:
    chosen = {"variants": variants} if variants else {}
    return IpAdapter.model_validate({"images": (png(),), **chosen, **changes})


@pytest.mark.parametrize(
    ("module", "model"),
    [
        ("openpose_full", "control_v11p_sd15_openpose"),
        ("dw_openpose_full", "control_v11p_sd15_openpose"),
        ("mediapipe_face", "control_v2p_sd15_mediapipe_face"),
        ("tile_resample", "control_v11f1e_sd15_tile"),
        ("tile_colorfix", "control_v11f1e_sd15_tile"),
        ("tile_colorfix+sharp", "control_v11f1e_sd15_tile"),
        ("blur_gaussian", "control_v11f1e_sd15_tile"),
        ("depth", "control_v11f1p_sd15_depth"),
        ("depth_anything_v2", "control_v11f1p_sd15_depth"),
        ("hed", "control_v11p_sd15_softedge"),
        ("softedge_teed", "control_v11p_sd15_softedge"),
        ("canny", "control_v11p_sd15_canny"),
        ("inpaint", "control_v11e_sd15_inpaint"),
        ("inpaint_only+lama", "control_v11e_sd15_inpaint"),
        ("reference_only", "None"),
        ("reference_adain+attn", "None"),
    ],
)
def test_every_preprocessor_finds_its_controlnet(recorded: Capabilities, module: str, model: str) -> None:
    assert placed(record(recorded), drawn(module)) == [(module, model)]


@pytest.mark.parametrize(
    ("module", "there"),
    [
        ("depth_midas", "depth"),
        ("softedge_hed", "hed"),
        ("softedge_pidinet", "pidinet"),
        ("inpaint_global_harmonious", "inpaint"),
    ],
)
def test_a_name_from_the_page_is_turned_into_the_listed_one(
    recorded: Capabilities, module: str, there: str
) -> None:
    ((name, _),) = placed(record(recorded), drawn(module))
    assert name == there


def test_a_face_mesh_is_never_given_to_an_ip_adapter() -> None:
    assert model_for("mediapipe_face", ("ip-adapter-plus-face_sd15 [bbbbbbbb]",), sdxl=False) is None


@pytest.mark.parametrize(
    ("module", "threshold"), [("canny", 0), ("canny", 256), ("tile_resample", 9), ("reference_only", 2)]
)
def test_a_threshold_that_the_server_would_replace_in_silence_cannot_be_sent(
    module: str, threshold: float
) -> None:
    with pytest.raises(ValidationError, match="threshold"):
        ControlNetUnit(module=module, image=png(), threshold_a=threshold)


def test_what_repaints_a_mask_must_have_one() -> None:
    with pytest.raises(ValidationError, match="needs a mask"):
        ControlNetUnit(module="inpaint_only", image=png())
    units = (ControlNetUnit(module="inpaint_only"),)
    with pytest.raises(ValidationError, match="needs a mask"):
        asked_img2img(controlnet=units)
    assert asked_img2img(controlnet=units, inpaint=Inpaint(mask=png())).controlnet == units


def test_an_sdxl_checkpoint_gets_a_controlnet_for_everything_where_it_has_none_of_the_kind(
    recorded: Capabilities,
) -> None:
    server = record(recorded, native_size=1024)
    request = asked(controlnet=(drawn("tile_resample"), drawn("openpose")))
    units = txt2img_body(request, resolve(request, server), server, "t")["alwayson_scripts"]["ControlNet"][
        "args"
    ]
    assert [unit["model"].partition(" [")[0] for unit in units] == [
        "controlnet-union-sdxl-1.0",
        "thibaud_xl_openpose",
    ]
    assert [unit.get("union_control_type") for unit in units] == ["Tile", None]


def test_forge_cannot_tell_such_a_controlnet_what_it_is_given(recorded: Capabilities) -> None:
    server = record(recorded, dialect="forge", modules=("None", "tile_resample"), native_size=1024)
    with pytest.raises(MissingCapability, match="for tile_resample"):
        placed(server, drawn("tile_resample"))


@pytest.mark.parametrize(
    ("variant", "module", "model"),
    [
        ("plain", "ip-adapter_clip_sd15", "ip-adapter_sd15"),
        ("plus", "ip-adapter_clip_sd15", "ip-adapter-plus_sd15"),
        ("plus-face", "ip-adapter_clip_sd15", "ip-adapter-plus-face_sd15"),
        ("full-face", "ip-adapter_clip_sd15", "ip-adapter-full-face_sd15"),
        ("faceid", "ip-adapter_face_id", "ip-adapter-faceid_sd15"),
    ],
)
def test_each_ip_adapter_is_read_by_its_own_preprocessor(
    recorded: Capabilities, variant: Variant, module: str, model: str
) -> None:
    assert placed(record(recorded, loras=(FACEID_LORA,)), adapter(variant)) == [(module, model)]


def test_the_best_ip_adapter_is_the_one_that_the_server_can_run(recorded: Capabilities) -> None:
    with_faceid_alone = record(
        recorded, models=("ip-adapter-faceid-plusv2_sd15", "ip-adapter-faceid_sd15"), loras=(FACEID_LORA,)
    )
    assert placed(record(recorded), adapter())[0][1] == "ip-adapter-plus-face_sd15"
    assert placed(with_faceid_alone, adapter())[0][1] == "ip-adapter-faceid_sd15"
    assert placed(record(recorded, native_size=1024), adapter())[0] == (
        "ip-adapter_clip_sd15",
        "ip-adapter-plus-face_sdxl_vit-h",
    )


def test_the_family_is_that_of_the_checkpoint_asked_for(recorded: Capabilities) -> None:
    xl = recorded.checkpoints[0].model_copy(update={"title": "some_xl.safetensors", "model_name": "some_xl"})
    server = record(recorded, checkpoints=(*recorded.checkpoints, xl))
    assert placed(server, adapter(), checkpoint="some_xl")[0][1] == "ip-adapter-plus-face_sdxl_vit-h"


def test_an_ip_adapter_is_known_by_the_longest_part_of_its_name(recorded: Capabilities) -> None:
    server = record(recorded, models=("my_ip-adapter-plus-face_sd15_fp16 [1]", "ip-adapter_sd15_vit-G [2]"))
    assert placed(server, adapter())[0][1] == "my_ip-adapter-plus-face_sd15_fp16"
    assert placed(server, adapter("plain")) == [("ip-adapter_clip_sdxl", "ip-adapter_sd15_vit-G")]


def test_a_missing_ip_adapter_is_named_by_its_files(recorded: Capabilities) -> None:
    with pytest.raises(
        MissingCapability, match=r"no IP-Adapter named 'ip-adapter-plus-face_sd15 or .*full-face"
    ):
        placed(record(recorded, models=SD15[:7]), adapter("plus-face", "full-face"))


def test_faceid_puts_its_lora_into_the_prompt_and_has_it_proven(recorded: Capabilities) -> None:
    server = record(recorded, loras=(FACEID_LORA,))
    request = asked(prompt="a king", controlnet=(adapter("faceid"),), hires=Hires(prompt="a queen"))
    names = resolve(request, server)
    body = txt2img_body(request, names, server, "t")
    assert body["prompt"] == "a king <lora:ip-adapter-faceid_sd15_lora:0.6>"
    assert body["hr_prompt"] == "a queen <lora:ip-adapter-faceid_sd15_lora:0.6>"
    assert names.loras == ("ip-adapter-faceid_sd15_lora",)


@pytest.mark.parametrize("changes", [{}, {"disable_extra_networks": True}])
def test_faceid_without_its_lora_is_refused(recorded: Capabilities, changes: dict[str, Any]) -> None:
    loras = (FACEID_LORA,) if changes else ()
    with pytest.raises(MissingCapability, match="LoRA named 'ip-adapter-faceid_sd15_lora'"):
        placed(record(recorded, loras=loras), adapter("faceid"), **changes)


def test_several_pictures_of_one_person_are_one_unit(recorded: Capabilities) -> None:
    server = record(recorded)
    request = asked(controlnet=(adapter(images=(png(), png(colour="red"))),))
    body = txt2img_body(request, resolve(request, server), server, "t")
    (unit,) = body["alwayson_scripts"]["ControlNet"]["args"]
    assert [sorted(picture) for picture in unit["image"]] == [["image", "mask"]] * 2


def test_instant_id_is_two_units_in_their_order(recorded: Capabilities) -> None:
    server = record(recorded, native_size=1024)
    assert placed(server, drawn("openpose"), InstantId(image=png())) == [
        ("openpose", "thibaud_xl_openpose"),
        ("instant_id_face_embedding", "ip-adapter_instant_id_sdxl"),
        ("instant_id_face_keypoints", "control_instant_id_sdxl"),
    ]


def test_instant_id_is_for_sdxl_and_counts_as_two_units(recorded: Capabilities) -> None:
    with pytest.raises(MissingCapability, match="SDXL"):
        placed(record(recorded), InstantId(image=png()))
    with pytest.raises(MissingCapability, match="ControlNet unit"):
        placed(record(recorded, native_size=1024, max_units=1), InstantId(image=png()))


def test_instant_ids_points_without_its_face_before_them_cannot_be_asked_for() -> None:
    points = ControlNetUnit(module=INSTANT_ID_POINTS, image=png())
    with pytest.raises(ValidationError, match="directly after"):
        asked(controlnet=(points,))


@pytest.mark.parametrize(
    ("control", "module"),
    [
        (adapter("plus"), "CLIP-ViT-H (IPAdapter)"),
        (adapter("faceid"), "InsightFace+CLIP-H (IPAdapter)"),
        (drawn("inpaint"), "inpaint_global_harmonious"),
        (drawn("depth"), "depth_midas"),
        (drawn("hed"), "softedge_hed"),
    ],
)
def test_forge_has_its_own_names(recorded: Capabilities, control: Control, module: str) -> None:
    server = record(recorded, dialect="forge", modules=FORGE_MODULES, loras=(FACEID_LORA,))
    ((name, _),) = placed(server, control)
    assert name == module


def test_forge_takes_one_picture_a_unit(recorded: Capabilities) -> None:
    server = record(recorded, dialect="forge", modules=FORGE_MODULES)
    with pytest.raises(MissingCapability, match="several pictures"):
        placed(server, adapter(images=(png(), png())))


def test_a_unit_of_img2img_without_a_picture_sends_none(recorded: Capabilities) -> None:
    server = record(recorded)
    request = asked_img2img(controlnet=(ControlNetUnit(module="tile_resample"),))
    body = img2img_body(request, resolve(request, server), server, "t")
    assert "image" not in body["alwayson_scripts"]["ControlNet"]["args"][0]


def outcome(request: Txt2Img, server: Capabilities, maps: int) -> Any:
    """What postflight says of a recorded run of ControlNet units when so many maps came back."""
    names = resolve(request, server)
    told = {f"ControlNet {number}": "Module: …" for number in range(len(names.control_units))}
    hashes = ", ".join(f"{name}: 0" for name in names.loras)
    told |= {"Hires upscaler": "Latent", "Lora hashes": hashes}
    answer = answer_to(request, 257 if request.hires else 232, server, names, extra_generation_params=told)
    pictures = [picture for picture in answer.images if picture.infotext]
    drawn_maps = tuple(Picture.read(png()) for _ in range(maps))
    return check(replace(answer, images=(*pictures, *drawn_maps)))


UNITS: list[tuple[Control, int]] = [
    (drawn("canny"), 1),
    (drawn("depth_anything"), 1),
    (drawn("hed"), 1),
    (drawn("tile_colorfix"), 1),
    (drawn("mediapipe_face"), 1),
    (drawn("inpaint_only"), 1),
    (drawn("reference_only"), 1),
    (adapter("plus"), 1),
    (adapter("faceid"), 1),
    (adapter("plus-face", images=(png(), png(), png())), 3),
]


@pytest.mark.parametrize(("control", "maps"), UNITS)
def test_a_unit_of_any_kind_is_proven_by_its_maps(
    recorded: Capabilities, control: Control, maps: int
) -> None:
    server = record(recorded, loras=(FACEID_LORA,))
    pictures, others = outcome(asked(controlnet=(control,)), server, maps)
    assert (len(pictures), len(others)) == (1, maps)


@pytest.mark.parametrize(("control", "maps"), UNITS)
def test_a_unit_of_any_kind_that_left_no_map_did_not_run(
    recorded: Capabilities, control: Control, maps: int
) -> None:
    server = record(recorded, loras=(FACEID_LORA,))
    with pytest.raises(FeatureDidNotRun, match=f"{maps - 1} of {maps} detected maps"):
        outcome(asked(controlnet=(control,)), server, maps - 1)


def test_instant_id_without_one_of_its_two_maps_did_not_run(recorded: Capabilities) -> None:
    server = record(recorded, native_size=1024)
    request = asked(controlnet=(InstantId(image=png()),))
    assert len(outcome(request, server, 2)[1]) == 2
    with pytest.raises(FeatureDidNotRun, match="1 of 2"):
        outcome(request, server, 1)


def test_hires_fix_brings_the_map_of_a_drawing_twice_and_of_features_once(recorded: Capabilities) -> None:
    request = asked(controlnet=(drawn("canny"), adapter("plus")), hires=Hires(upscaler="Latent", scale=2))
    server = record(recorded)
    assert len(outcome(request, server, 3)[1]) == 3
    with pytest.raises(FeatureDidNotRun, match="2 of 3"):
        outcome(request, server, 2)


def test_a_server_that_fails_in_silence_is_caught_on_the_way(
    server: ReplayServer, client: WebuiClient
) -> None:
    """The recorded answer to a unit whose model is missing: status 200, its infotext, and no map."""
    server.on("GET", "/controlnet/model_list", Reply(body={"model_list": list(SD15)}))
    server.replay(239)
    with pytest.raises(FeatureDidNotRun, match="0 of 1 detected maps"):
        client.txt2img(asked(controlnet=(adapter(),)))
    (sent,) = server.calls("/sdapi/v1/txt2img")[0].json["alwayson_scripts"]["ControlNet"]["args"]
    assert (sent["module"], sent["model"]) == ("ip-adapter_clip_h", "ip-adapter-plus-face_sd15 [bbbbbbbb]")


def test_the_pictures_that_an_adapter_read_are_none_of_the_results(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.on("GET", "/controlnet/model_list", Reply(body={"model_list": list(SD15)}))
    answer = answer_json(232)
    answer["images"] = [
        answer["images"][0],
        encoded(Picture.read(png()).open()),
        encoded(Picture.read(png()).open()),
    ]
    server.on("POST", "/sdapi/v1/txt2img", Reply(body=answer))
    made = client.txt2img(asked(controlnet=(adapter(images=(png(), png())),)))
    assert (len(made.pictures), len(made.maps)) == (1, 2)
    assert json.loads(answer["info"])["index_of_first_image"] == 0
