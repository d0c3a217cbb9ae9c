"""The engine's application on the bundled model, without a socket."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from webui_engine.app import create_app
from webui_engine.diffusion.engine import Engine
from webui_engine.http.access import Access
from webui_engine.http.options import OptionsStore
from webui_engine.http.services import Services, assemble

Post = Callable[..., dict[str, Any]]


@pytest.fixture
def services(bundled_engine: Engine, bundled_models: Path, tmp_path: Path) -> Services:
    return assemble(
        bundled_engine,
        OptionsStore(tmp_path / "options.json"),
        data=tmp_path,
        models_dirs=(bundled_models,),
        access=Access(),
        flags={"api_auth": None},
    )


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services).test_client()


@pytest.fixture
def guarded(services: Services) -> FlaskClient:
    """A client of the same server started with --api-auth user:pass."""
    return create_app(replace(services, access=Access.parse("user:pass"))).test_client()


@pytest.fixture
def generate(client: FlaskClient) -> Post:
    """Ask for a small quick picture; returns the answer with info parsed."""

    def ask(path: str = "txt2img", status: int = 200, **fields: Any) -> dict[str, Any]:
        body = {
            "prompt": "a woman",
            "steps": 2,
            "width": 128,
            "height": 128,
            "seed": 7,
            "sampler_name": "Euler",
        }
        answer = client.post(f"/sdapi/v1/{path}", json=body | fields)
        assert answer.status_code == status, answer.text
        given: dict[str, Any] = answer.get_json()
        return given | {"info": json.loads(given["info"])} if status == 200 else given

    return ask


def encoded(picture: Image.Image, kind: str = "PNG") -> str:
    out = io.BytesIO()
    picture.save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def decoded(text: str) -> Image.Image:
    picture = Image.open(io.BytesIO(base64.b64decode(text)))
    picture.load()
    return picture
