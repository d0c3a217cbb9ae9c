"""IP-Adapter units over HTTP, as the A1111 extension takes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_client import infotext
from webui_engine.app import create_app
from webui_engine.diffusion.engine import Engine
from webui_engine.http.access import Access
from webui_engine.http.options import OptionsStore
from webui_engine.http.services import assemble

RED, BLUE = (encoded(Image.new("RGB", (48, 40), colour)) for colour in ("red", "blue"))


@pytest.fixture
def client(adapter_engine: Engine, adapter_models: Path, tmp_path: Path) -> FlaskClient:
    """In place of the client on the bundled model."""
    services = assemble(
        adapter_engine,
        OptionsStore(tmp_path / "options.json"),
        data=tmp_path,
        models_dirs=(adapter_models,),
        access=Access(),
        flags={"api_auth": None},
    )
    return create_app(services).test_client()


def asked(image: Any, **fields: Any) -> dict[str, Any]:
    unit = {
        "enabled": True,
        "module": "ip-adapter_clip_h",
        "model": "ip-adapter_sd15",
        "image": image,
        **fields,
    }
    return {"width": 64, "height": 64, "alwayson_scripts": {"ControlNet": {"args": [unit]}}}


def test_its_picture_comes_back_as_the_map_and_its_entry_names_it(generate: Post) -> None:
    answer = generate(**asked(RED, weight=0.7))
    made, shown = map(decoded, answer["images"])
    assert (made.size, shown.size, shown.getpixel((0, 0))) == ((64, 64), (48, 40), (255, 0, 0))
    entry = infotext.parse(answer["info"]["infotexts"][0]).controlnet_units[0]
    assert (entry["Module"], entry["Model"], entry["Weight"]) == (
        "ip-adapter_clip_sd15",
        "ip-adapter_sd15",
        "0.7",
    )


def test_it_takes_several_pictures_and_gives_each_back_once(generate: Post) -> None:
    both = [{"image": RED, "mask": None}, {"image": BLUE, "mask": None}]
    answer = generate(
        enable_hr=True, hr_scale=1.5, hr_upscaler="Latent", denoising_strength=0.5, **asked(both)
    )
    assert [decoded(image).size for image in answer["images"]] == [(96, 96), (48, 40), (48, 40)]


def test_in_img2img_it_reads_the_initial_picture_if_it_has_none(generate: Post) -> None:
    assert len(generate("img2img", init_images=[RED], **asked(None))["images"]) == 2


def test_a_mask_is_refused(generate: Post) -> None:
    generate(status=422, **asked({"image": RED, "mask": BLUE}))


def test_there_is_no_drawing_to_detect(client: FlaskClient) -> None:
    body = {"controlnet_module": "ip-adapter_clip_h", "controlnet_input_images": [RED]}
    assert client.post("/controlnet/detect", json=body).status_code == 422


def test_control_types_show_it(client: FlaskClient) -> None:
    types = client.get("/controlnet/control_types").get_json()["control_types"]
    assert "ip-adapter_clip_h" in types["IP-Adapter"]["module_list"]
