"""What is asked and proven differently on Forge, reForge and SD.Next; their answers follow the contract notes."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from tests.replay import ReplayServer, Reply, png
from tests.unit.webui_client.answers import answer_to, asked
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.errors import FeatureDidNotRun, MissingCapability, RequestRefused
from webui_client.flavours import WAYS, Flavour
from webui_client.postflight import check
from webui_client.preflight import resolve
from webui_client.units.controlnet import ControlNetUnit
from webui_client.values import Hires
from webui_client.wire import txt2img_body

MODULES = [{"model_name": "fine.safetensors", "filename": "/models/VAE/fine.safetensors"}]
FORGE_MODELS = ["None", "control_v11p_sd15_canny [44444444]"]


@pytest.fixture
def forge(server: ReplayServer) -> ReplayServer:
    """A server as Forge's: its own listing of VAEs and text encoders, ControlNet built in."""
    server.on("GET", "/sdapi/v1/sd-modules", Reply(body=MODULES))
    server.on("GET", "/controlnet/model_list", Reply(body={"model_list": FORGE_MODELS}))
    server.on("GET", "/controlnet/module_list", Reply(body={"module_list": ["None", "canny", "depth_midas"]}))
    server.without("/controlnet/version", "/controlnet/settings", "/sdapi/v1/sd-vae")
    return server


@pytest.fixture
def sdnext(server: ReplayServer) -> ReplayServer:
    """A server as SD.Next's: no schedulers, no ControlNet extension, no task ids."""
    server.on("GET", "/sdapi/v1/platform", Reply(body={"arch": "x86_64"}))
    server.without(
        "/sdapi/v1/schedulers",
        "/controlnet/version",
        "/controlnet/model_list",
        "/internal/ping",
        "/internal/progress",
        "/internal/sysinfo",
    )
    return server


def body(server: Capabilities, **changes: Any) -> dict[str, Any]:
    request = asked(**changes)
    return txt2img_body(request, resolve(request, server), server, "task(x)")


def test_every_flavour_has_its_ways() -> None:
    assert set(WAYS) == set(get_args(Flavour))


def test_forge_names_its_vaes_by_an_option_of_its_own(forge: ReplayServer, client: WebuiClient) -> None:
    record = client.probe()
    assert [vae.model_name for vae in record.vaes] == ["fine.safetensors"]
    assert body(record, vae="fine")["override_settings"] == {"forge_additional_modules": ["fine.safetensors"]}
    assert body(record, vae="Automatic")["override_settings"] == {"forge_additional_modules": []}
    with pytest.raises(MissingCapability, match=r"VAE named 'other'.*fine\.safetensors"):
        body(record, vae="other")


@pytest.mark.parametrize(("told", "passes"), [("fine", True), ("another", False), (None, False)])
def test_forges_infotext_proves_the_vae(
    forge: ReplayServer, client: WebuiClient, told: str | None, passes: bool
) -> None:
    request = asked(vae="fine")
    parameters = {"Module 1": told} if told else {}
    answer = answer_to(request, 55, client.probe(), all_seeds=[1], extra_generation_params=parameters)
    if passes:
        check(answer)
    else:
        with pytest.raises(FeatureDidNotRun, match="the VAE"):
            check(answer)


def test_forge_is_told_to_keep_its_modules_in_hires_fix(forge: ReplayServer, client: WebuiClient) -> None:
    assert body(client.probe(), hires=Hires())["hr_additional_modules"] == ["Use same choices"]


def test_other_servers_are_not_sent_what_is_forges(recorded: Capabilities) -> None:
    assert "hr_additional_modules" not in body(recorded, hires=Hires())


def test_forge_gets_listed_names_of_units_and_their_whole_model(
    forge: ReplayServer, client: WebuiClient
) -> None:
    unit = ControlNetUnit(module="canny", model="control_v11p_sd15_canny", image=png())
    (sent,) = body(client.probe(), controlnet=(unit,))["alwayson_scripts"]["ControlNet"]["args"]
    assert (sent["module"], sent["model"]) == ("canny", "control_v11p_sd15_canny [44444444]")
    assert "mask" not in sent


def test_reforges_maps_are_not_counted_on(server: ReplayServer, client: WebuiClient) -> None:
    server.on("GET", "/sdapi/v1/cmd-flags", Reply(body={"forge_ref_a1111_home": None}))
    server.without("/controlnet/version", "/controlnet/settings")
    record = client.probe()
    assert record.flavour == "reforge"
    assert record.controlnet is not None
    assert not record.controlnet.returns_maps


def test_sd_next_is_asked_for_no_scheduler(sdnext: ReplayServer, client: WebuiClient) -> None:
    record = client.probe()
    assert record.schedulers == ()
    assert not record.has_internal_progress
    assert "scheduler" not in body(record)
    with pytest.raises(MissingCapability, match="scheduler"):
        body(record, scheduler="Karras")


def test_sd_next_has_no_controlnet_extension(sdnext: ReplayServer, client: WebuiClient) -> None:
    with pytest.raises(MissingCapability, match="ControlNet"):
        body(client.probe(), controlnet=(ControlNetUnit(module="canny", image=png()),))


def test_sd_nexts_silence_on_loras_and_schedules_proves_nothing(
    sdnext: ReplayServer, client: WebuiClient
) -> None:
    record = client.probe()
    request = asked(prompt="<lora:tinylora:1>", tiling=True)
    check(answer_to(request, 55, record, resolve(request, record), all_seeds=[1]))


def test_sd_next_refuses_an_unknown_sampler_by_its_status(sdnext: ReplayServer, client: WebuiClient) -> None:
    sdnext.on("POST", "/sdapi/v1/txt2img", Reply(404, {"detail": "Sampler not found"}))
    with pytest.raises(RequestRefused, match="Sampler not found"):
        client.txt2img(asked())
