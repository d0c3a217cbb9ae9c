"""The bodies of A1111's requests, field for field with its names, types and defaults.

They are written for pydantic's version 1 interface on purpose: A1111 validates with it, so coercions (``"64"`` and
``64.7`` are widths) and the wording of a 422 come out the same. Source: the A1111 contract notes, webui-core section 3.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic.v1 import BaseModel, Field


class GenerationFields(BaseModel):
    """What txt2img and img2img have in common; unknown fields are ignored, as in A1111."""

    prompt: str | None = ""
    negative_prompt: str | None = ""
    styles: list[str] | None = None
    seed: int | None = -1
    subseed: int | None = -1
    subseed_strength: float | None = 0
    seed_resize_from_h: int | None = -1
    seed_resize_from_w: int | None = -1
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int | None = 1
    n_iter: int | None = 1
    steps: int | None = 50
    cfg_scale: float | None = 7.0
    width: int | None = 512
    height: int | None = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    eta: float | None = None
    denoising_strength: float | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    disable_extra_networks: bool = False
    firstpass_image: str | None = None
    comments: dict[str, Any] | None = None


class Txt2ImgFields(GenerationFields):
    """The fields of txt2img alone, before those that every API call ends with."""

    enable_hr: bool = False
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: str = ""
    hr_negative_prompt: str = ""
    force_task_id: str | None = None
    sampler_index: str | None = "Euler"


class Img2ImgFields(GenerationFields):
    """The fields of img2img alone, before those that every API call ends with."""

    denoising_strength: float = 0.75
    init_images: list[Any] | None = None
    resize_mode: int = 0
    image_cfg_scale: float | None = None
    mask: str | None = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: str | None = None
    force_task_id: str | None = None
    sampler_index: str | None = "Euler"
    include_init_images: bool = False


class Txt2ImgRequest(Txt2ImgFields):
    """POST /sdapi/v1/txt2img."""

    script_name: str | None = None
    script_args: list[Any] = Field(default_factory=list)
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = Field(default_factory=dict)
    infotext: str | None = None


class Img2ImgRequest(Img2ImgFields):
    """POST /sdapi/v1/img2img."""

    script_name: str | None = None
    script_args: list[Any] = Field(default_factory=list)
    send_images: bool = True
    save_images: bool = False
    alwayson_scripts: dict[str, Any] = Field(default_factory=dict)
    infotext: str | None = None


GenerationRequest = Txt2ImgRequest | Img2ImgRequest


class ExtrasFields(BaseModel):
    """What extra-single-image and extra-batch-images have in common (contract notes, upscale section 1)."""

    resize_mode: Literal[0, 1] = 0
    show_extras_results: bool = True
    gfpgan_visibility: float = Field(0, ge=0, le=1)
    codeformer_visibility: float = Field(0, ge=0, le=1)
    codeformer_weight: float = Field(0, ge=0, le=1)
    upscaling_resize: float = Field(2, gt=0)
    upscaling_resize_w: int = Field(512, ge=1)
    upscaling_resize_h: int = Field(512, ge=1)
    upscaling_crop: bool = True
    upscaler_1: str = "None"
    upscaler_2: str = "None"
    extras_upscaler_2_visibility: float = Field(0, ge=0, le=1)
    upscale_first: bool = False


class ExtrasSingleRequest(ExtrasFields):
    """POST /sdapi/v1/extra-single-image."""

    image: str = ""


class FileData(BaseModel):
    """One named picture of a batch."""

    data: str
    name: str


class ExtrasBatchRequest(ExtrasFields):
    """POST /sdapi/v1/extra-batch-images."""

    imageList: list[FileData]  # noqa: N815


class PngInfoRequest(BaseModel):
    """POST /sdapi/v1/png-info."""

    image: str


class InterrogateRequest(BaseModel):
    """POST /sdapi/v1/interrogate."""

    image: str = ""
    model: str = "clip"


class ProgressRequest(BaseModel):
    """POST /internal/progress."""

    id_task: str | None = None
    id_live_preview: int | None = -1
    live_preview: bool | None = True


class DetectRequest(BaseModel):
    """POST /controlnet/detect (contract notes, controlnet section 8)."""

    controlnet_module: str = "none"
    controlnet_input_images: list[str] = Field(default_factory=list)
    controlnet_processor_res: int = -1
    controlnet_threshold_a: float = -1
    controlnet_threshold_b: float = -1
    controlnet_masks: list[str] = Field(default_factory=list)
    low_vram: bool = False


class InpaintingOptions(BaseModel):
    """Painting a swapped face over; the misspelt key is the extension's own."""

    inpainting_denoising_strengh: float = Field(0, ge=0, lt=1)
    inpainting_prompt: str = "Portrait of a [gender]"
    inpainting_negative_prompt: str = ""
    inpainting_steps: int = Field(20, ge=1, le=150)
    inpainting_sampler: str = "Euler"
    inpainting_model: str = "Current"
    inpainting_seed: int = Field(-1, ge=-1)


class InswappperOptions(BaseModel):
    """How a swapped face is finished; the misspelt name is the extension's own."""

    face_restorer_name: str = "CodeFormer"
    restorer_visibility: float = Field(1, ge=0, le=1)
    codeformer_weight: float = Field(1, ge=0, le=1)
    upscaler_name: str | None = None
    improved_mask: bool = False
    color_corrections: bool = False
    sharpen: bool = False
    erosion_factor: float = Field(1, ge=0, le=10)


class PostProcessingOptions(BaseModel):
    """What is done to the whole picture afterwards."""

    face_restorer_name: str | None = None
    restorer_visibility: float = Field(1, ge=0, le=1)
    codeformer_weight: float = Field(1, ge=0, le=1)
    upscaler_name: str | None = None
    scale: float = Field(1, ge=0, le=10)
    upscaler_visibility: float = Field(1, ge=0, le=1)
    inpainting_when: Literal[
        "Never", "Before Upscaling/all", "After Upscaling/Before Restore Face", "After All"
    ] = "Never"
    inpainting_options: InpaintingOptions | None = None


class FaceSwapUnit(BaseModel):
    """One face for ``/faceswaplab/swap_face``. batch_images, faces_index: one each, as in the extension."""

    source_img: str | None = None
    source_face: str | None = None
    batch_images: tuple[str] | None = None
    blend_faces: bool = True
    same_gender: bool = False
    sort_by_size: bool = False
    check_similarity: bool = False
    compute_similarity: bool = False
    min_sim: float = 0.0
    min_ref_sim: float = 0.0
    faces_index: tuple[int] = Field([0])
    reference_face_index: int = 0
    pre_inpainting: InpaintingOptions | None = None
    swapping_options: InswappperOptions | None = None
    post_inpainting: InpaintingOptions | None = None


class FaceSwapRequest(BaseModel):
    """The body of ``/faceswaplab/swap_face``."""

    image: str | None = None
    units: list[FaceSwapUnit]
    postprocessing: PostProcessingOptions | None = None
