"""Face swapping by the three extensions that offer it over HTTP: faceswaplab, ReActor and roop.

Written to the A1111 contract notes on face swapping. No restorer is asked for in the same call: it would change a face
that was not swapped, and so hide that nothing was. Restore in a call of its own (``WebuiClient.extras``).
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Swapper = Literal["faceswaplab", "reactor", "roop"]
INSWAPPER = "inswapper_128.onnx"


class FaceSwapCapability(BaseModel):
    """One swapper of a server.

    models: those it can work with, as it lists them (roop on Windows with their folder); empty where it does not let
    choose (faceswaplab).
    """

    model_config = ConfigDict(frozen=True)

    swapper: Swapper
    models: tuple[str, ...] = ()

    @property
    def model(self) -> str | None:
        """The model that is asked for as it is listed, or None if it is not there."""
        return next(
            (name for name in self.models if name.replace("\\", "/").rsplit("/", 1)[-1] == INSWAPPER), None
        )

    @property
    def is_able(self) -> bool:
        """Whether it has the model that is asked for; an unknown one fails in silence."""
        return self.swapper == "faceswaplab" or self.model is not None


def swap_path(swapper: Swapper) -> str:
    """Return the address of a swapper's call."""
    return "/faceswaplab/swap_face" if swapper == "faceswaplab" else f"/{swapper}/image"


def swap_body(swapper: Swapper, model: str | None, image: str, source: str) -> dict[str, Any]:
    """Return the body that puts the largest face of source in place of the first of image (both base64).

    model: as listed; None for faceswaplab.
    """
    if swapper == "faceswaplab":
        unit = {"source_img": source, "sort_by_size": True, "faces_index": [0], "reference_face_index": 0}
        return {"image": image, "units": [unit], "postprocessing": None}
    body: dict[str, Any] = {
        "source_image": source,
        "target_image": image,
        "face_index": [0],
        "model": model,
    }
    if swapper == "reactor":
        body |= {"source_faces_index": [0], "save_to_file": 0}
    return body


def swapped_in(answer: Any) -> Any:
    """Return the picture of a swapper's answer as it came; None where there is none."""
    if not isinstance(answer, dict):
        return None
    images = answer.get("images")
    return images[0] if isinstance(images, list) and images else answer.get("image")
