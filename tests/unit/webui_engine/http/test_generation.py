"""txt2img and img2img through the application, on the bundled model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from tests.unit.webui_engine.http.conftest import Post, decoded, encoded
from webui_client import infotext
from webui_engine.http.pictures import read_texts


def test_the_picture_says_how_it_was_made(generate: Post) -> None:
    answer = generate(prompt="a woman, (red hair:1.2)", negative_prompt="hat", cfg_scale=5)
    text, _ = read_texts(decoded(answer["images"][0]))
    assert text == answer["info"]["infotexts"][0]
    told = infotext.parse(text)
    assert (told.prompt, told.negative_prompt) == ("a woman, (red hair:1.2)", "hat")
    assert {key: told.get(key) for key in ("Steps", "Sampler", "CFG scale", "Seed")} == {
        "Steps": "2",
        "Sampler": "Euler",
        "CFG scale": "5.0",
        "Seed": "7",
    }
    assert told.size == (128, 128)


def test_the_same_seed_gives_the_same_picture(generate: Post) -> None:
    assert generate()["images"] == generate()["images"]


def test_a_batch_counts_its_seeds_up(generate: Post) -> None:
    answer = generate(batch_size=2, n_iter=2, steps=1)
    assert len(answer["images"]) == 4
    assert answer["info"]["all_seeds"] == [7, 8, 9, 10]
    seeds = [infotext.parse(read_texts(decoded(image))[0]).get("Seed") for image in answer["images"]]
    assert seeds == ["7", "8", "9", "10"]


def test_a_second_picture_of_a_batch_is_the_one_its_seed_gives(generate: Post) -> None:
    batch = generate(batch_size=2)["images"][1]
    alone = generate(seed=8)["images"][0]
    difference = np.abs(np.asarray(decoded(batch), int) - np.asarray(decoded(alone), int))
    assert difference.mean() < 1


def test_saving_puts_a_grid_first_and_files_on_disk(generate: Post, tmp_path: Path) -> None:
    answer = generate(batch_size=2, steps=1, save_images=True)
    assert answer["info"]["index_of_first_image"] == 1
    assert [decoded(image).size for image in answer["images"]] == [(256, 128), (128, 128), (128, 128)]
    assert len(list(tmp_path.glob("outputs/txt2img-images/*/*.png"))) == 2
    assert len(list(tmp_path.glob("outputs/txt2img-grids/*/*.png"))) == 1


def test_pictures_can_be_kept_back(generate: Post) -> None:
    answer = generate(steps=1, send_images=False)
    assert answer["images"] == []
    assert len(answer["info"]["infotexts"]) == 1


def test_an_override_holds_for_one_request(generate: Post) -> None:
    assert (
        decoded(generate(steps=1, override_settings={"samples_format": "jpg"})["images"][0]).format == "JPEG"
    )
    assert decoded(generate(steps=1)["images"][0]).format == "PNG"


def test_an_override_stays_when_it_shall_not_be_restored(generate: Post) -> None:
    generate(
        steps=1, override_settings={"samples_format": "webp"}, override_settings_restore_afterwards=False
    )
    assert decoded(generate(steps=1)["images"][0]).format == "WEBP"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"sampler_name": "Foo"}, 400),
        ({"scheduler": "Foo"}, 400),
        ({"prompt": "a <lora:missing:1> woman"}, 400),
        ({"override_settings": {"sd_model_checkpoint": "missing"}}, 400),
        ({"restore_faces": True}, 422),
        ({"sampler_name": "DDIM", "scheduler": "Karras"}, 422),
        ({"sampler_name": "UniPC Karras"}, 422),
        ({"sampler_name": "Euler a", "eta": 0.5}, 422),
        ({"sampler_name": "DPM++ 2M SDE", "s_noise": 0.9}, 422),
        ({"sampler_name": "Heun", "s_churn": 10}, 422),
        ({"enable_hr": True, "denoising_strength": 0.5, "hr_prompt": "a <lora:missing:1> man"}, 400),
        ({"seed": 2**70}, 500),
        ({"steps": 0}, 500),
        ({"width": "wide"}, 422),
    ],
)
def test_what_cannot_run_is_refused_before_anything_is_sampled(
    generate: Post, client: FlaskClient, fields: dict[str, object], status: int
) -> None:
    generate(status=status, **fields)
    assert client.get("/sdapi/v1/progress").get_json()["state"]["job_timestamp"] == "0"


def test_an_alias_and_a_joined_name_mean_the_same_sampler(generate: Post) -> None:
    joined = generate(sampler_name="DPM++ 2M Karras")["info"]
    apart = generate(sampler_name="k_dpmpp_2m", scheduler="karras")["info"]
    assert joined["sampler_name"] == apart["sampler_name"] == "DPM++ 2M"
    assert joined["extra_generation_params"]["Schedule type"] == "Karras"
    assert joined["infotexts"] == apart["infotexts"]


def test_numbers_that_a_sampler_has_built_in_may_be_sent(generate: Post) -> None:
    sent = generate(sampler_name="Euler a", eta=1.0, s_churn=5, s_noise=1.0)
    assert sent["images"] == generate(sampler_name="Euler a")["images"]


def test_ddim_draws_as_much_new_noise_as_eta_says(generate: Post) -> None:
    plain, noisy = generate(sampler_name="DDIM"), generate(sampler_name="DDIM", eta=1.0)
    assert noisy["images"] != plain["images"]
    assert noisy["info"]["extra_generation_params"]["Eta DDIM"] == 1.0
    assert "Eta DDIM" not in plain["info"]["extra_generation_params"]


def test_churn_changes_euler_and_no_upper_limit_is_written_as_zero(generate: Post) -> None:
    churned = generate(sampler_name="Euler", s_churn=2, steps=4)
    assert churned["images"] != generate(sampler_name="Euler", steps=4)["images"]
    assert churned["images"] == generate(sampler_name="Euler", s_churn=2, s_tmax=0, steps=4)["images"]


def test_hires_fix_goes_on_with_the_schedule_of_the_first_pass(generate: Post) -> None:
    asked = {"enable_hr": True, "hr_upscaler": "Latent", "denoising_strength": 0.5, "scheduler": "Karras"}
    told = generate(**asked, hr_sampler_name="DPM++ 2M")["info"]["extra_generation_params"]
    assert (told["Hires sampler"], told["Hires schedule type"]) == ("DPM++ 2M", None)


def test_styles_count_for_the_prompt_of_hires_fix_too(generate: Post, tmp_path: Path) -> None:
    (tmp_path / "styles.csv").write_text("name,prompt,negative_prompt\nfilm,film photo,\n", encoding="utf-8")
    asked = {"enable_hr": True, "hr_upscaler": "Latent", "denoising_strength": 0.5, "styles": ["film"]}
    told = generate(**asked, hr_prompt="a man")["info"]["extra_generation_params"]
    assert told["Hires prompt"] == "a man, film photo"


def test_an_infotext_fills_the_fields_that_were_not_sent(client: FlaskClient) -> None:
    body = {
        "infotext": "a man\nNegative prompt: hat\nSteps: 3, Sampler: DDIM, Seed: 9, Size: 128x128",
        "steps": 1,
    }
    told = client.post("/sdapi/v1/txt2img", json=body).get_json()["parameters"]
    assert (told["prompt"], told["negative_prompt"], told["sampler_name"]) == ("a man", "hat", "DDIM")
    assert (told["seed"], told["width"], told["steps"]) == (9, 128, 1)


def test_an_infotext_overrides_the_options_it_tells(client: FlaskClient) -> None:
    settings = "Steps: 1, Sampler: Euler, Seed: 9, Size: 128x128, Clip skip: 2, ENSD: 31337, Tiling: True"
    body: dict[str, object] = {"infotext": f"a man\n{settings}"}
    told = client.post("/sdapi/v1/txt2img", json=body).get_json()
    overridden = {"CLIP_stop_at_last_layers": 2, "eta_noise_seed_delta": 31337, "tiling": True}
    assert told["parameters"]["override_settings"] == overridden
    parsed = infotext.parse(json.loads(told["info"])["infotexts"][0])
    assert [parsed.get(key) for key in ("Clip skip", "ENSD", "Tiling")] == ["2", "31337", "True"]
    body["override_settings"] = {"CLIP_stop_at_last_layers": 1}
    again = client.post("/sdapi/v1/txt2img", json=body).get_json()
    assert json.loads(again["info"])["clip_skip"] == 1


def test_an_infotext_that_tells_no_number_is_refused(client: FlaskClient) -> None:
    body = {"infotext": "a man\nSteps: 1, Sampler: Euler, Seed: 9, Clip skip: two", "width": 64, "height": 64}
    assert client.post("/sdapi/v1/txt2img", json=body).status_code == 500


def test_img2img_keeps_what_lies_outside_the_mask(generate: Post, astronaut: Image.Image) -> None:
    photo = astronaut.resize((128, 128))
    mask = Image.new("L", photo.size, 0)
    mask.paste(255, (64, 0, 128, 128))
    answer = generate(
        "img2img",
        init_images=[encoded(photo)],
        mask=encoded(mask),
        mask_blur=0,
        inpainting_fill=1,
        inpaint_full_res=False,
        denoising_strength=0.9,
        steps=4,
    )
    made, before = np.asarray(decoded(answer["images"][0]), int), np.asarray(photo, int)
    assert np.abs(made[:, :56] - before[:, :56]).max() == 0
    assert np.abs(made[:, 72:] - before[:, 72:]).mean() > 3


def test_hires_fix_gives_the_larger_picture(generate: Post) -> None:
    answer = generate(enable_hr=True, hr_scale=1.5, hr_upscaler="Lanczos", denoising_strength=0.5)
    assert decoded(answer["images"][0]).size == (192, 192)
    assert answer["info"]["extra_generation_params"]["Hires upscaler"] == "Lanczos"


def test_styles_wrap_and_append(generate: Post, tmp_path: Path) -> None:
    rows = 'name,prompt,negative_prompt\nfilm,"film photo of {prompt}, 35mm",\nsoft,soft light,harsh\n'
    (tmp_path / "styles.csv").write_text(rows, encoding="utf-8")
    told = infotext.parse(generate(steps=1, styles=["film", "soft"])["info"]["infotexts"][0])
    assert (told.prompt, told.negative_prompt) == ("film photo of a woman, 35mm, soft light", "harsh")
