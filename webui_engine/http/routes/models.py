"""What there is to make pictures with, looking again, and dropping the checkpoint from memory."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, jsonify

from webui_engine.diffusion.embeddings import EmbeddingInfo
from webui_engine.diffusion.hires import LATENT_MODES
from webui_engine.http.memory import ram
from webui_engine.http.routes.table import get, post
from webui_engine.http.services import services

blueprint = Blueprint("models", __name__)


@get(blueprint, "/sdapi/v1/samplers")
def samplers() -> Response:
    """The samplers with their aliases."""
    items = services().engine.samplers()
    return jsonify(
        [{"name": item.name, "aliases": list(item.aliases), "options": dict(item.options)} for item in items]
    )


@get(blueprint, "/sdapi/v1/schedulers")
def schedulers() -> Response:
    """The noise schedules."""
    return jsonify(
        [
            {
                "name": item.name,
                "label": item.label,
                "aliases": list(item.aliases) or None,
                "default_rho": item.default_rho,
                "need_inner_model": item.need_inner_model,
            }
            for item in services().engine.schedulers()
        ]
    )


@get(blueprint, "/sdapi/v1/upscalers")
def upscalers() -> Response:
    """The upscalers; their order is the index that scripts take."""
    return jsonify(
        [
            {
                "name": item.name,
                "model_name": item.model_name,
                "model_path": item.model_path,
                "model_url": None,
                "scale": item.scale,
            }
            for item in services().engine.upscalers()
        ]
    )


@get(blueprint, "/sdapi/v1/latent-upscale-modes")
def latent_upscale_modes() -> Response:
    """The further upscalers that hires fix alone knows."""
    return jsonify([{"name": name} for name in LATENT_MODES])


@get(blueprint, "/sdapi/v1/sd-models")
def checkpoints() -> Response:
    """The checkpoints."""
    return jsonify(
        [
            {
                "title": item.title,
                "model_name": item.model_name,
                "hash": item.hash,
                "sha256": item.sha256,
                "filename": item.filename,
                "config": item.config,
            }
            for item in services().engine.checkpoints()
        ]
    )


@get(blueprint, "/sdapi/v1/sd-vae")
def vaes() -> Response:
    """The separate VAE files."""
    return jsonify(
        [{"model_name": item.model_name, "filename": item.filename} for item in services().engine.vaes()]
    )


@get(blueprint, "/sdapi/v1/loras")
def loras() -> Response:
    """The LoRA files with the metadata their trainer wrote."""
    return jsonify(
        [
            {"name": item.name, "alias": item.alias, "path": item.path, "metadata": dict(item.metadata)}
            for item in services().engine.loras()
        ]
    )


@get(blueprint, "/sdapi/v1/embeddings")
def embeddings() -> Response:
    """The textual-inversion embeddings that fit the checkpoint, and those that do not."""
    engine = services().engine
    return jsonify(
        {"loaded": _embeddings(engine.embeddings()), "skipped": _embeddings(engine.skipped_embeddings())}
    )


def _embeddings(found: Iterable[EmbeddingInfo]) -> dict[str, dict[str, object]]:
    return {
        item.name: {
            "step": item.step,
            "sd_checkpoint": item.sd_checkpoint,
            "sd_checkpoint_name": item.sd_checkpoint_name,
            "shape": item.shape,
            "vectors": item.vectors,
        }
        for item in found
    }


@get(blueprint, "/sdapi/v1/prompt-styles")
def prompt_styles() -> Response:
    """The styles of styles.csv in the data folder."""
    return jsonify(
        [
            {"name": style.name, "prompt": style.prompt, "negative_prompt": style.negative_prompt}
            for style in services().styles()
        ]
    )


@get(blueprint, "/sdapi/v1/hypernetworks")
@get(blueprint, "/sdapi/v1/face-restorers")
@get(blueprint, "/sdapi/v1/realesrgan-models")
@get(blueprint, "/sdapi/v1/extensions")
def nothing_of_the_kind() -> Response:
    """An empty list: this server has none."""
    return jsonify([])


@get(blueprint, "/sdapi/v1/memory")
def memory() -> Response:
    """Memory of the machine and of the card."""
    return jsonify({"ram": ram(), "cuda": services().engine.memory() or {"error": "unavailable"}})


@post(blueprint, "/sdapi/v1/refresh-checkpoints")
def refresh_checkpoints() -> Response:
    """Look for checkpoints again."""
    with services().queue.turn():
        services().engine.refresh_checkpoints()
    return jsonify(None)


@post(blueprint, "/sdapi/v1/refresh-vae")
def refresh_vae() -> Response:
    """Look for VAE files again; the listing always does."""
    return jsonify(None)


@post(blueprint, "/sdapi/v1/refresh-loras")
def refresh_loras() -> Response:
    """Look for LoRA files again."""
    services().engine.refresh_loras()
    return jsonify(None)


@post(blueprint, "/sdapi/v1/refresh-embeddings")
def refresh_embeddings() -> Response:
    """Look for embeddings again."""
    with services().queue.turn():
        services().engine.refresh_embeddings()
    return jsonify(None)


@post(blueprint, "/sdapi/v1/unload-checkpoint")
def unload_checkpoint() -> Response:
    """Drop the checkpoint from memory; the next picture loads it again."""
    with services().queue.turn():
        services().engine.unload()
    return jsonify({})


@post(blueprint, "/sdapi/v1/reload-checkpoint")
def reload_checkpoint() -> Response:
    """Bring the checkpoint back."""
    with services().queue.turn():
        services().engine.reload()
    return jsonify({})
