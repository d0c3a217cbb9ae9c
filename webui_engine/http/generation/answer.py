"""The answer's pictures in A1111's order, and saving them where that was asked for.

Source: the A1111 contract notes, webui-core section 4.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from PIL import Image

from webui_engine.http.generation.animation import Animated, finished, save
from webui_engine.http.generation.describe import Description
from webui_engine.http.generation.plan import Plan
from webui_engine.http.generation.run import Made
from webui_engine.http.options import Effective, write_atomically
from webui_engine.http.pictures import FileForm, encode, file_bytes
from webui_engine.http.schema import Img2ImgRequest


def file_form(options: Effective) -> FileForm:
    """How the options want pictures written; raises BadValue for an unknown samples_format."""
    return FileForm(
        kind=options.samples_format,
        quality=options.jpeg_quality,
        lossless_webp=options.webp_lossless,
        with_infotext=options.enable_pnginfo,
    )


def answer(plan: Plan, made: Made, description: Description, data: Path) -> dict[str, Any]:
    """images, parameters and info; pictures are saved below data where the request says so.

    The files of animations stand in the place of their frames, which come behind them where they were asked for.
    """
    form = file_form(plan.options)
    texts = [{"parameters": text} for text in description.infotexts]
    info = dict(description.info)
    images: list[tuple[Image.Image, dict[str, str]]] = []
    if plan.request.save_images and plan.options.return_grid and len(made.pictures) > 1:
        sheet = grid([picture.image for picture in made.pictures])
        images.append((sheet, texts[0]))
        info |= {"index_of_first_image": 1, "infotexts": [description.infotexts[0], *info["infotexts"]]}
    for picture, text, extras in zip(made.pictures, texts, made.masks, strict=True):
        images.append((picture.image, text))
        images.extend((extra, {}) for extra in extras)
    animations = (
        finished(plan.animation, made.pictures, description.infotexts, form) if plan.animation else []
    )
    if plan.request.save_images:
        _save(plan, made, images[: info["index_of_first_image"]], texts, form, data)
        _save_animations(plan, animations, form, data)
    files = [content for one in animations for content in one.files.values()]
    if files:
        frames = animations[-1].frames if plan.animation and plan.animation.sends_frames else ()
        images = [(image, {"parameters": text}) for image, text in frames]
    images.extend((image, {}) for image in made.maps)
    sent = [
        *(base64.b64encode(content).decode("ascii") for content in files),
        *(encode(image, form, text) for image, text in images),
    ]
    return {
        "images": sent if plan.request.send_images else [],
        "parameters": _echo(plan),
        "info": json.dumps(info, ensure_ascii=False),
    }


def grid(images: Sequence[Image.Image]) -> Image.Image:
    """One sheet of the pictures, as square as it gets, row by row; RGB on black."""
    rows = round(math.sqrt(len(images)))
    columns = math.ceil(len(images) / rows)
    width, height = max(image.width for image in images), max(image.height for image in images)
    sheet = Image.new("RGB", (columns * width, rows * height))
    for index, image in enumerate(images):
        sheet.paste(image, (index % columns * width, index // columns * height))
    return sheet


def _echo(plan: Plan) -> dict[str, Any]:
    """The request as it was understood, its pictures left out unless they were asked back."""
    echo: dict[str, Any] = plan.request.dict()
    if isinstance(plan.request, Img2ImgRequest) and not plan.request.include_init_images:
        echo |= {"init_images": None, "mask": None}
    return echo


def _save(
    plan: Plan,
    made: Made,
    grids: Sequence[tuple[Image.Image, dict[str, str]]],
    texts: Sequence[dict[str, str]],
    form: FileForm,
    data: Path,
) -> None:
    folder = _outputs(plan, data) / date.today().isoformat()
    for picture, text in zip(made.pictures, texts, strict=True) if plan.animation is None else ():
        _write(folder, f"{picture.seed}", file_bytes(picture.image, form, text), form)
    for sheet, text in grids:
        _write(
            data / "outputs" / f"{plan.kind}-grids" / date.today().isoformat(),
            "grid",
            file_bytes(sheet, form, text),
            form,
        )


def _save_animations(plan: Plan, animations: Sequence[Animated], form: FileForm, data: Path) -> None:
    for one in animations:
        assert plan.animation is not None
        save(plan.animation, one, _outputs(plan, data), form)


def _outputs(plan: Plan, data: Path) -> Path:
    return data / "outputs" / f"{plan.kind}-images"


def _write(folder: Path, name: str, content: bytes, form: FileForm) -> None:
    number = sum(1 for _ in folder.glob(f"*.{form.kind}")) if folder.is_dir() else 0
    write_atomically(folder / f"{number:05}-{name}.{form.kind}", content)
