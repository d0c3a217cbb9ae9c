from __future__ import annotations

import pytest

from tests.replay import ReplayServer, Reply
from tests.unit.webui_client.conftest import QUICK
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.errors import AuthenticationRequired, BadAnswer, NotAWebui


def test_the_record_of_a_real_server_is_read_whole(recorded: Capabilities) -> None:
    assert recorded.flavour == "a1111"
    assert recorded.version == "v1.10.1"
    assert recorded.current_checkpoint is not None
    assert recorded.current_checkpoint.model_name == "tiny-random-a"
    assert [sampler.name for sampler in recorded.samplers][:2] == ["DPM++ 2M", "DPM++ SDE"]
    assert [upscaler.name for upscaler in recorded.upscalers][:3] == ["None", "Lanczos", "Nearest"]
    assert [lora.name for lora in recorded.loras] == ["tinylora"]
    assert recorded.embeddings == ("tinyemb",)
    assert "ultimate sd upscale" in recorded.scripts_img2img
    assert recorded.native_size == 512
    assert not recorded.demonstration


def test_extensions_are_read_with_their_limits(recorded: Capabilities) -> None:
    assert recorded.adetailer is not None
    assert recorded.adetailer.max_tabs == 4
    assert recorded.adetailer.version == "25.3.0"
    assert "mediapipe_face_full" in recorded.adetailer.models
    assert "ad_mask_k" in recorded.adetailer.fields
    assert recorded.controlnet is not None
    assert recorded.controlnet.dialect == "mikubill"
    assert recorded.controlnet.max_units == 3
    assert "canny" in recorded.controlnet.modules


def test_an_upscaler_that_must_be_downloaded_first_is_known_as_such(recorded: Capabilities) -> None:
    installed = {upscaler.name for upscaler in recorded.upscalers if upscaler.is_installed}
    assert "Lanczos" in installed
    assert "R-ESRGAN 4x+" not in installed


def test_easyphoto_is_known_by_a_route_that_takes_post_alone(
    server: ReplayServer, client: WebuiClient
) -> None:
    assert not client.probe().easyphoto
    server.on("GET", "/easyphoto/easyphoto_train_forward", Reply(405, {"detail": "Method Not Allowed"}))
    assert client.probe().easyphoto


def test_a_server_without_pages_has_no_progress_by_task(server: ReplayServer, client: WebuiClient) -> None:
    server.without("/internal/ping", "/internal/progress", "/internal/sysinfo")
    record = client.probe()
    assert not record.has_internal_progress
    assert record.version is None


def test_forge_is_told_by_its_own_listing(server: ReplayServer, client: WebuiClient) -> None:
    server.on("GET", "/sdapi/v1/sd-modules", Reply(body=[]))
    server.without("/controlnet/version", "/controlnet/settings", "/sdapi/v1/sd-vae")
    record = client.probe()
    assert record.flavour == "forge"
    assert record.controlnet is not None
    assert record.controlnet.dialect == "forge"


def test_sd_next_is_told_by_its_platform(server: ReplayServer, client: WebuiClient) -> None:
    server.on("GET", "/sdapi/v1/platform", Reply(body={"arch": "x86_64"}))
    assert client.probe().flavour == "sdnext"


def test_our_engine_says_itself_what_it_is(server: ReplayServer, client: WebuiClient) -> None:
    own = {
        "name": "sajin",
        "version": "0.1.0",
        "checkpoint": "tiny-random-b",
        "native_size": 128,
        "demonstration": True,
    }
    server.on("GET", "/internal/sajin", Reply(body=own))
    record = client.probe()
    assert (record.flavour, record.version, record.native_size) == ("sajin", "0.1.0", 128)
    assert record.demonstration
    assert record.checkpoint == "tiny-random-b.safetensors"


def test_an_sdxl_checkpoint_is_told_by_the_width_of_its_embeddings(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.on(
        "GET", "/sdapi/v1/embeddings", Reply(body={"loaded": {"style": {"shape": 2048}}, "skipped": {}})
    )
    assert client.probe().native_size == 1024


def test_the_version_is_asked_for_once_only(server: ReplayServer, client: WebuiClient) -> None:
    client.probe()
    client.probe()
    assert len(server.calls("/internal/sysinfo")) == 1


def test_a_record_is_kept_for_a_while(server: ReplayServer, client: WebuiClient) -> None:
    assert client.capabilities() is client.capabilities()
    assert client.capabilities(max_age_seconds=0) is not client.capabilities(max_age_seconds=0)


def test_a_web_site_is_no_webui(server: ReplayServer, client: WebuiClient) -> None:
    server.routes.clear()
    with pytest.raises(NotAWebui, match="--api"):
        client.probe()


def test_a_page_where_the_api_should_be_is_no_webui(server: ReplayServer, client: WebuiClient) -> None:
    page = Reply(200, b"<html>hello</html>", (("Content-Type", "text/html"),))
    server.on("GET", "/sdapi/v1/options", page)
    with pytest.raises(NotAWebui):
        client.probe()


def test_a_redirect_is_not_followed_but_named(server: ReplayServer, client: WebuiClient) -> None:
    there = "https://example.org/login"
    server.on("GET", "/sdapi/v1/options", Reply(302, b"", (("Location", there),)))
    with pytest.raises(NotAWebui, match=there) as caught:
        client.probe()
    assert caught.value.location == there


def test_a_guarded_server_asks_for_a_password(server: ReplayServer, client: WebuiClient) -> None:
    server.on("GET", "/sdapi/v1/options", Reply(401, {"detail": "Not authenticated"}))
    with pytest.raises(AuthenticationRequired, match="asks for") as caught:
        client.probe()
    assert not caught.value.given
    assert not caught.value.retryable


def test_a_wrong_password_is_told_apart_from_none(server: ReplayServer) -> None:
    server.on("GET", "/sdapi/v1/options", Reply(401, {"detail": "Incorrect username or password"}))
    with pytest.raises(AuthenticationRequired, match="refuses"):
        WebuiClient(server.url, auth=("user", "nope"), timeouts=QUICK).probe()


def test_the_password_is_sent_as_basic_authentication(server: ReplayServer) -> None:
    WebuiClient(server.url, auth=("user", "pass"), timeouts=QUICK).probe()
    assert server.asked[0].headers["Authorization"] == "Basic dXNlcjpwYXNz"


def test_a_garbled_listing_is_a_bad_answer(server: ReplayServer, client: WebuiClient) -> None:
    server.on("GET", "/sdapi/v1/samplers", Reply(body=[{"nome": "Euler"}]))
    with pytest.raises(BadAnswer, match="samplers"):
        client.probe()
