"""Pictures from pictures: strength, sizes, masks, hires fix."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.unit.webui_engine.small_models import Recorder, pixels, save_small_checkpoint, small_task
from webui_engine.diffusion import hires, inpainting
from webui_engine.diffusion.engine import Engine
from webui_engine.diffusion.pictures import fit, opaque
from webui_engine.diffusion.samplers import SAMPLERS
from webui_engine.errors import BadValue
from webui_engine.tasks import Hires, Inpainting, MaskedContent, ResizeMode

ALL_CONTENTS = list(MaskedContent)


@pytest.fixture(scope="module")
def face_mask(astronaut: Image.Image) -> Image.Image:
    mask = Image.new("L", astronaut.size)
    ImageDraw.Draw(mask).ellipse((170, 60, 290, 190), fill=255)
    return mask


@pytest.mark.parametrize(
    ("strength", "fixed", "ran"),
    [(0.5, False, 6), (0.75, False, 8), (1.0, False, 10), (0.0, False, 1), (0.5, True, 10)],
)
def test_the_strength_says_how_many_of_the_steps_run(
    small_engine: Engine, astronaut: Image.Image, strength: float, fixed: bool, ran: int
) -> None:
    monitor = Recorder()
    task = small_task(
        init_images=(astronaut,),
        denoising_strength=strength,
        img2img_fix_steps=fixed,
        steps=10,
        sampler="DPM++ 2M",
    )

    small_engine.generate(task, monitor)

    assert monitor.events[0] == ("begin", 1, ran)
    assert monitor.events[-1] == ("step", ran)


@pytest.mark.parametrize(
    "sampler", ["Euler a", "Heun", "DPM++ 2M", "DPM++ SDE", "DPM2 a", "DDIM", "PLMS", "UniPC", "LCM"]
)
def test_a_weak_change_stays_nearer_to_the_picture_than_a_strong_one(
    bundled_engine: Engine, astronaut: Image.Image, sampler: str
) -> None:
    def distance(strength: float) -> float:
        task = small_task(init_images=(astronaut,), denoising_strength=strength, steps=10, sampler=sampler)
        made = bundled_engine.generate(task, Recorder()).pictures[0].image
        return float(np.abs(pixels(made) - kept).mean())

    kept = pixels(
        bundled_engine.generate(small_task(init_images=(astronaut,), denoising_strength=0.0), Recorder())
        .pictures[0]
        .image
    )

    assert distance(0.1) < distance(0.9)


def test_no_initial_noise_at_all_gives_another_picture(small_engine: Engine, astronaut: Image.Image) -> None:
    tasks = [
        small_task(init_images=(astronaut,), initial_noise_multiplier=value) for value in (None, 1.0, 0.0)
    ]
    usual, one, none = (pixels(small_engine.generate(task, Recorder()).pictures[0].image) for task in tasks)

    assert np.array_equal(usual, one)
    assert not np.array_equal(usual, none)


def test_several_initial_pictures_make_a_batch(small_engine: Engine, astronaut: Image.Image) -> None:
    other = Image.new("RGB", (64, 64), "navy")

    made = small_engine.generate(
        small_task(init_images=(astronaut, other), batch_size=4, denoising_strength=0.2), Recorder()
    )

    assert [picture.seed for picture in made.pictures] == [11, 12]
    alone = small_engine.generate(
        small_task(init_images=(other,), seed=12, denoising_strength=0.2), Recorder()
    )
    assert np.abs(pixels(made.pictures[1].image) - pixels(alone.pictures[0].image)).max() <= 1


@pytest.mark.parametrize("mode", list(ResizeMode))
def test_every_resize_mode_gives_the_asked_size(
    small_engine: Engine, astronaut: Image.Image, mode: ResizeMode
) -> None:
    wide = astronaut.crop((0, 0, 512, 300))

    made = small_engine.generate(
        small_task(init_images=(wide,), resize_mode=mode, width=48, height=80), Recorder()
    )

    assert made.pictures[0].image.size == (48, 80)


def test_crop_cuts_the_sides_and_fill_continues_the_edge() -> None:
    halves = Image.new("RGB", (40, 20), "red")
    halves.paste("blue", (20, 0, 40, 20))

    cropped, filled = (fit(halves, mode, 20, 20) for mode in (ResizeMode.CROP, ResizeMode.FILL))

    assert cropped.getpixel((0, 10)) == (255, 0, 0)
    assert filled.getpixel((0, 0)) == filled.getpixel((0, 10)) == (255, 0, 0)
    assert filled.getpixel((19, 19)) == (0, 0, 255)


def test_transparency_becomes_the_background() -> None:
    assert opaque(Image.new("RGBA", (2, 2), (9, 9, 9, 0)), (1, 2, 3)).getpixel((0, 0)) == (1, 2, 3)


@pytest.mark.parametrize("content", ALL_CONTENTS)
def test_outside_the_mask_the_picture_stays_as_it_was(
    bundled_engine: Engine, astronaut: Image.Image, face_mask: Image.Image, content: MaskedContent
) -> None:
    task = small_task(
        init_images=(astronaut,),
        inpainting=Inpainting(mask=face_mask, content=content),
        width=128,
        height=128,
    )

    made = pixels(bundled_engine.generate(task, Recorder()).pictures[0].image)

    before = pixels(fit(astronaut, ResizeMode.STRETCH, 128, 128))
    assert np.array_equal(made[64:], before[64:])
    assert np.abs(made[20:44, 46:68] - before[20:44, 46:68]).mean() > 2


@pytest.mark.parametrize("content", ALL_CONTENTS)
def test_only_masked_paints_a_crop_and_gives_the_picture_back_at_its_own_size(
    bundled_engine: Engine, astronaut: Image.Image, face_mask: Image.Image, content: MaskedContent
) -> None:
    area = Inpainting(mask=face_mask, content=content, only_masked=True, padding=16)

    result = bundled_engine.generate(small_task(init_images=(astronaut,), inpainting=area), Recorder())

    made, before = pixels(result.pictures[0].image), pixels(astronaut)
    assert made.shape == before.shape
    assert np.array_equal(made[240:], before[240:])
    assert np.abs(made[80:170, 190:270] - before[80:170, 190:270]).mean() > 2
    assert ("Inpaint area", "Only masked") in result.extra
    assert ("Masked area padding", 16) in result.extra


def test_the_contents_under_a_mask_differ(
    bundled_engine: Engine, astronaut: Image.Image, face_mask: Image.Image
) -> None:
    made = {
        bundled_engine.generate(
            small_task(init_images=(astronaut,), inpainting=Inpainting(mask=face_mask, content=content)),
            Recorder(),
        )
        .pictures[0]
        .image.tobytes()
        for content in ALL_CONTENTS
    }

    assert len(made) == 4


def test_an_inverted_mask_paints_the_surroundings(
    bundled_engine: Engine, astronaut: Image.Image, face_mask: Image.Image
) -> None:
    task = small_task(
        init_images=(astronaut,), inpainting=Inpainting(mask=face_mask, invert=True), width=128, height=128
    )

    result = bundled_engine.generate(task, Recorder())

    made, before = pixels(result.pictures[0].image), pixels(fit(astronaut, ResizeMode.STRETCH, 128, 128))
    assert np.array_equal(made[24:40, 50:64], before[24:40, 50:64])
    assert ("Mask mode", "Inpaint not masked") in result.extra


def test_a_black_mask_with_only_masked_is_plain_img2img(
    bundled_engine: Engine, astronaut: Image.Image
) -> None:
    black = Inpainting(mask=Image.new("L", astronaut.size), only_masked=True)
    masked, plain = (
        bundled_engine.generate(small_task(init_images=(astronaut,), inpainting=area), Recorder())
        .pictures[0]
        .image
        for area in (black, None)
    )

    assert np.array_equal(pixels(masked), pixels(plain))


def test_a_mask_of_another_size_is_fitted_to_the_picture(
    bundled_engine: Engine, astronaut: Image.Image
) -> None:
    small = Image.new("L", (64, 64))
    small.paste(255, (20, 8, 36, 24))

    made = bundled_engine.generate(
        small_task(init_images=(astronaut,), inpainting=Inpainting(mask=small, only_masked=True)), Recorder()
    )

    assert np.array_equal(pixels(made.pictures[0].image)[300:], pixels(astronaut)[300:])


@pytest.mark.parametrize(
    ("box", "padding", "frame", "expected"),
    [
        ((40, 40, 60, 60), 0, (64, 64), (40, 40, 60, 60)),
        ((40, 40, 60, 60), 10, (64, 64), (30, 30, 70, 70)),
        ((40, 40, 60, 60), 0, (128, 64), (30, 40, 70, 60)),
        ((0, 0, 20, 20), 0, (64, 128), (0, 0, 20, 40)),
        ((0, 0, 100, 20), 0, (64, 128), (0, 0, 100, 100)),
    ],
)
def test_the_crop_takes_the_proportions_of_the_frame_and_stays_inside(
    box: tuple[int, int, int, int],
    padding: int,
    frame: tuple[int, int],
    expected: tuple[int, int, int, int],
) -> None:
    mask = Image.new("L", (100, 100))
    mask.paste(255, box)

    assert inpainting.crop_box(mask, padding, *frame) == expected


def test_fill_spreads_the_surroundings_into_the_mask() -> None:
    picture = Image.new("RGB", (64, 64), (200, 30, 30))
    picture.paste((0, 255, 0), (24, 24, 40, 40))
    mask = Image.new("L", (64, 64))
    mask.paste(255, (20, 20, 44, 44))

    filled = pixels(inpainting.fill(picture, mask))

    assert np.abs(filled[32, 32] - (200, 30, 30)).max() < 12


@pytest.mark.parametrize(
    ("asked", "grown", "final"),
    [
        (Hires(scale=2.0), (128, 192), (128, 192)),
        (Hires(scale=1.3), (80, 120), (80, 120)),
        (Hires(resize_x=128), (128, 192), (128, 192)),
        (Hires(resize_y=96), (64, 96), (64, 96)),
        (Hires(resize_x=128, resize_y=128), (128, 192), (128, 128)),
    ],
)
def test_the_second_pass_has_the_size_a1111_would_give_it(
    asked: Hires, grown: tuple[int, int], final: tuple[int, int]
) -> None:
    assert hires.target_of(asked, 64, 96, 8) == hires.Target(grown, final)


@pytest.mark.parametrize("upscaler", [*hires.LATENT_MODES, "Lanczos", "Nearest", "None"])
def test_hires_fix_runs_two_passes_and_grows_the_picture(small_engine: Engine, upscaler: str) -> None:
    monitor = Recorder()

    result = small_engine.generate(small_task(hires=Hires(upscaler=upscaler, scale=1.5, steps=3)), monitor)

    assert result.pictures[0].image.size == (96, 96)
    assert [event for event in monitor.events if event[0] != "step"] == [
        ("begin", 2, 4),
        ("job", 0, 4),
        ("job", 1, 3),
    ]
    assert result.extra == (("Hires upscale", 1.5), ("Hires steps", 3), ("Hires upscaler", upscaler))


def test_the_second_pass_may_have_its_own_sampler_and_prompt(small_engine: Engine) -> None:
    asked = Hires(
        sampler="DPM++ 2M", scheduler="Beta", prompt="a hat", negative_prompt="dog", scale=1.5, steps=3
    )

    result = small_engine.generate(small_task(hires=asked), Recorder())

    assert dict(result.extra).keys() == {
        "Hires sampler", "Hires schedule type", "Hires prompt", "Hires negative prompt", "Hires upscale",
        "Hires steps", "Hires upscaler",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("main", "second", "told"),
    [
        (("Euler", "Karras"), ("DPM++ 2M", None), None),
        (("Euler", "Automatic"), ("DPM++ 2M", None), "Karras"),
        (("Euler", "Karras"), (None, "Beta"), "Beta"),
        (("Euler", "Karras"), (None, None), None),
    ],
)
def test_the_schedule_of_the_second_pass_is_told_where_it_is_another(
    main: tuple[str, str], second: tuple[str | None, str | None], told: str | None
) -> None:
    task = small_task(sampler=main[0], scheduler=main[1])
    pairs = hires.infotext_of(Hires(sampler=second[0], scheduler=second[1]), task)

    assert pairs.get("Hires schedule type") == told


def test_another_checkpoint_for_the_second_pass_is_refused_at_once(small_engine: Engine) -> None:
    with pytest.raises(BadValue, match="hr_checkpoint_name"):
        small_engine.generate(small_task(hires=Hires(checkpoint="other")), Recorder())


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("sampler", [sampler.name for sampler in SAMPLERS])
def test_every_sampler_takes_very_few_steps(
    small_engine: Engine, astronaut: Image.Image, sampler: str, steps: int
) -> None:
    for pictures in ((), (astronaut,)):
        task = small_task(sampler=sampler, steps=steps, width=16, height=16, init_images=pictures)
        assert len(small_engine.generate(task, Recorder()).pictures) == 1


@pytest.fixture(scope="module")
def inpainting_engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """A denoiser with nine channels, which sees the mask and the picture around it."""
    models = tmp_path_factory.mktemp("inpainting")
    save_small_checkpoint(models / "Stable-diffusion" / "inpainting", in_channels=9)
    return Engine([models], device="cpu")


def test_an_inpainting_checkpoint_sees_the_mask_and_what_is_around_it(
    inpainting_engine: Engine, astronaut: Image.Image, face_mask: Image.Image
) -> None:
    other_face = astronaut.copy()
    other_face.paste("green", (220, 100, 240, 120))
    other_hand = astronaut.copy()
    other_hand.paste("green", (0, 300, 512, 512))
    area = Inpainting(mask=face_mask, blur_x=0, blur_y=0, content=MaskedContent.LATENT_NOTHING)

    def face(picture: Image.Image) -> np.ndarray:
        task = small_task(init_images=(picture,), inpainting=area, denoising_strength=1.0)
        return pixels(inpainting_engine.generate(task, Recorder()).pictures[0].image)[10:20, 26:32]

    assert (
        np.abs(face(astronaut) - face(other_face)).mean() < np.abs(face(astronaut) - face(other_hand)).mean()
    )


def test_an_inpainting_checkpoint_also_makes_pictures_from_text(inpainting_engine: Engine) -> None:
    assert inpainting_engine.generate(small_task(), Recorder()).pictures[0].image.size == (64, 64)
