"""The server's OpenAPI description, made from its routes and the models of :mod:`schema`."""

from __future__ import annotations

from typing import Any

from pydantic.v1 import BaseModel
from pydantic.v1.schema import schema
from werkzeug.routing import Map, Rule

from webui_engine import __version__
from webui_engine.http import schema as bodies

REFERENCE = "#/components/schemas/"
BODIES: dict[str, type[BaseModel]] = {
    "/sdapi/v1/txt2img": bodies.Txt2ImgRequest,
    "/sdapi/v1/img2img": bodies.Img2ImgRequest,
    "/sdapi/v1/extra-single-image": bodies.ExtrasSingleRequest,
    "/sdapi/v1/extra-batch-images": bodies.ExtrasBatchRequest,
    "/sdapi/v1/png-info": bodies.PngInfoRequest,
    "/sdapi/v1/interrogate": bodies.InterrogateRequest,
    "/internal/progress": bodies.ProgressRequest,
    "/controlnet/detect": bodies.DetectRequest,
    "/faceswaplab/swap_face": bodies.FaceSwapRequest,
}


def document(routes: Map) -> dict[str, Any]:
    """OpenAPI 3.0 of every route."""
    models = schema(list(BODIES.values()), ref_prefix=REFERENCE)["definitions"]
    paths: dict[str, dict[str, Any]] = {}
    for rule in routes.iter_rules():
        paths.setdefault(rule.rule, {}).update(_path(rule))
    return {
        "openapi": "3.0.2",
        "info": {"title": "Sajin engine", "version": __version__},
        "paths": paths,
        "components": {"schemas": models},
    }


def _path(rule: Rule) -> dict[str, Any]:
    return {
        verb.lower(): _operation(rule)
        for verb in sorted(rule.methods or ())
        if verb not in ("HEAD", "OPTIONS")
    }


def _operation(rule: Rule) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.replace(".", "_"),
        "responses": {"200": {"description": "Successful Response", "content": {"application/json": {}}}},
    }
    model = BODIES.get(rule.rule)
    if model is not None:
        content = {"application/json": {"schema": {"$ref": f"{REFERENCE}{model.__name__}"}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
