"""A server's capability record, as planning and the pages read it."""

from __future__ import annotations

from studio.planning.plan import ServerFacts
from webui_client.capabilities import Capabilities


def facts_of(record: Capabilities) -> ServerFacts:
    """What planning must know. Upscalers without weights on the server are left out: they fail in silence."""
    return ServerFacts(
        url=record.server,
        checkpoint=record.checkpoint,
        native_size=record.native_size,
        demonstration=record.demonstration,
        samplers=tuple(sampler.name for sampler in record.samplers),
        schedulers=tuple(scheduler.label for scheduler in record.schedulers),
        upscalers=tuple(upscaler.name for upscaler in record.upscalers if upscaler.is_installed),
        loras=tuple(lora.name for lora in record.loras),
        scripts=record.scripts_img2img,
        detectors=record.adetailer.models if record.adetailer else (),
        controlnet_models=record.controlnet.models if record.controlnet else (),
        controlnet_modules=record.controlnet.modules if record.controlnet else (),
        face_swappers=record.able_swappers,
        face_restorers=record.face_restorers,
        animates=record.animates,
        motion_modules=record.motion_modules,
        easyphoto=record.easyphoto,
        checkpoints=tuple(checkpoint.title for checkpoint in record.checkpoints),
    )
