"""Face swapping on servers with each of the three extensions, as the contract notes say that they answer."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.replay import ReplayServer, Reply
from webui_client.client import WebuiClient
from webui_client.errors import BadAnswer, FaceNotSwapped, FeatureDidNotRun, MissingCapability, ServerFailed
from webui_client.units.faceswap import INSWAPPER, Swapper
from webui_client.values import FaceSwap

ROUTES: dict[Swapper, str] = {
    "faceswaplab": "/faceswaplab/swap_face",
    "reactor": "/reactor/image",
    "roop": "/roop/image",
}


def picture(kind: str = "PNG", face: str | None = "peru", size: tuple[int, int] = (96, 128)) -> bytes:
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    if face is not None:
        ImageDraw.Draw(image).ellipse((32, 40, 60, 76), fill=face)
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def answering(swapper: Swapper, data: bytes) -> Reply:
    text = base64.b64encode(data).decode()
    return Reply(body={"images": [text], "infos": []} if swapper == "faceswaplab" else {"image": text})


@pytest.fixture
def equipped(server: ReplayServer) -> ReplayServer:
    """A server with all three extensions."""
    for swapper in ("reactor", "roop"):
        server.on("GET", f"/{swapper}/models", Reply(body={"models": ["None", INSWAPPER]}))
    return server


def request(swapper: Swapper) -> FaceSwap:
    return FaceSwap(image=picture(), source=picture(face="tan"), swapper=swapper)


@pytest.mark.parametrize("swapper", ROUTES)
def test_a_changed_picture_is_the_swapped_one(
    equipped: ReplayServer, client: WebuiClient, swapper: Swapper
) -> None:
    equipped.on("POST", ROUTES[swapper], answering(swapper, picture(face="tan")))
    assert client.swap_face(request(swapper)).data == picture(face="tan")
    assert len(equipped.calls(ROUTES[swapper])) == 1


def body_sent(server: ReplayServer, client: WebuiClient, swapper: Swapper) -> Any:
    server.on("POST", ROUTES[swapper], answering(swapper, picture(face="tan")))
    client.swap_face(request(swapper))
    return server.calls(ROUTES[swapper])[-1].json


def test_faceswaplab_is_given_one_unit_and_no_restorer(equipped: ReplayServer, client: WebuiClient) -> None:
    body = body_sent(equipped, client, "faceswaplab")
    assert base64.b64decode(body["image"]) == picture()
    (unit,) = body["units"]
    assert base64.b64decode(unit["source_img"]) == picture(face="tan")
    assert (unit["faces_index"], unit["sort_by_size"], body["postprocessing"]) == ([0], True, None)


@pytest.mark.parametrize("swapper", ["reactor", "roop"])
def test_the_others_are_given_two_pictures_and_the_model(
    equipped: ReplayServer, client: WebuiClient, swapper: Swapper
) -> None:
    body = body_sent(equipped, client, swapper)
    assert base64.b64decode(body["target_image"]) == picture()
    assert base64.b64decode(body["source_image"]) == picture(face="tan")
    assert body["model"] == INSWAPPER
    assert "face_restorer" not in body


@pytest.mark.parametrize("swapper", ROUTES)
@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_the_picture_as_it_was_is_no_swap(
    equipped: ReplayServer, client: WebuiClient, swapper: Swapper, kind: str
) -> None:
    equipped.on("POST", ROUTES[swapper], answering(swapper, picture(kind)))
    with pytest.raises(FaceNotSwapped, match="unchanged"):
        client.swap_face(request(swapper))


def test_a_picture_of_another_size_is_no_swap(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.on("POST", ROUTES["roop"], answering("roop", picture(face="tan", size=(48, 64))))
    with pytest.raises(FeatureDidNotRun, match="96x128 was due"):
        client.swap_face(request("roop"))


def test_an_answer_without_a_picture_is_a_bad_one(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.on("POST", ROUTES["faceswaplab"], Reply(body={"images": [], "infos": []}))
    with pytest.raises(BadAnswer):
        client.swap_face(request("faceswaplab"))


def test_the_recorded_servers_failure_is_one(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.replay(356)
    with pytest.raises(ServerFailed, match="NoneType"):
        client.swap_face(request("faceswaplab"))


def test_the_record_names_the_swappers_of_a_server(equipped: ReplayServer, client: WebuiClient) -> None:
    assert client.probe().able_swappers == ("faceswaplab", "reactor", "roop")


def test_a_swapper_without_its_model_is_not_able(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.on("GET", "/reactor/models", Reply(body={"models": ["None"]}))
    record = client.probe()
    assert [found.swapper for found in record.face_swappers] == ["faceswaplab", "reactor", "roop"]
    assert record.able_swappers == ("faceswaplab", "roop")


def test_roop_on_windows_is_asked_by_the_name_it_lists(equipped: ReplayServer, client: WebuiClient) -> None:
    listed = "C:\\webui\\models\\roop\\inswapper_128.onnx"
    equipped.on("GET", "/roop/models", Reply(body={"models": [listed]}))
    assert body_sent(equipped, client, "roop")["model"] == listed


def test_faces_are_compared_by_faceswaplab(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.on("POST", "/faceswaplab/compare", Reply(body=0.62))
    assert client.compare_faces(picture(), picture(face="tan")) == 0.62
    assert sorted(equipped.asked[-1].json) == ["image1", "image2"]


@pytest.mark.parametrize("answer", [None, True, "0.6"])
def test_a_comparison_without_a_number_is_a_bad_answer(
    equipped: ReplayServer, client: WebuiClient, answer: object
) -> None:
    equipped.on("POST", "/faceswaplab/compare", Reply(body=answer))
    with pytest.raises(BadAnswer, match="no number"):
        client.compare_faces(picture(), picture())


def test_faces_cannot_be_compared_without_faceswaplab(equipped: ReplayServer, client: WebuiClient) -> None:
    equipped.without("/faceswaplab/version")
    with pytest.raises(MissingCapability, match="faceswaplab"):
        client.compare_faces(picture(), picture())


def test_a_source_without_a_face_is_the_swappers_own_error(
    equipped: ReplayServer, client: WebuiClient
) -> None:
    refusal = {
        "error": "FaceNotFoundException",
        "detail": "",
        "body": "",
        "errors": "No face found in reference",
    }
    equipped.on("POST", ROUTES["faceswaplab"], Reply(500, refusal))
    with pytest.raises(ServerFailed, match="No face found"):
        client.swap_face(request("faceswaplab"))


def test_reactor_is_sent_no_booleans_for_its_numbers(equipped: ReplayServer, client: WebuiClient) -> None:
    body = body_sent(equipped, client, "reactor")
    assert not [key for key, value in body.items() if isinstance(value, bool)]
    assert (body["source_faces_index"], body["save_to_file"]) == ([0], 0)


def test_a_missing_swapper_is_refused_before_anything_is_sent(
    server: ReplayServer, client: WebuiClient
) -> None:
    with pytest.raises(MissingCapability, match=r"face swapper named 'reactor'.*faceswaplab"):
        client.swap_face(request("reactor"))
    assert server.calls(ROUTES["reactor"]) == []
