"""My people, Gallery and Jobs over the real studio: what is there can be found, taken away, used again and erased."""

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url
from tests.browser.visitor import DESKTOP, PHONE, SLOW, visiting
from tests.running_studio import RunningStudio

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def job(studio_with_pages: RunningStudio) -> dict[str, Any]:
    """A finished job with two portraits of nobody in particular."""
    few = {stage: {"steps": 4} for stage in ("skeleton", "upscale")}
    options = {"seed": 11, "stages": few | {"tone": {"steps": 8, "denoising_strength": 0.4}}}
    ordered = studio_with_pages.api.post("/jobs", {"preset": "stranger", "count": 2, "options": options})
    finished = studio_with_pages.finish(f"/jobs/{ordered['id']}", seconds=220)
    assert finished["status"] == "succeeded", finished["error"]
    return finished


def test_pictures_are_found_marked_compared_and_taken_home_as_a_zip(
    browser: Browser, studio_with_pages: RunningStudio, job: dict[str, Any], tmp_path: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        page = visitor.page
        visitor.go("gallery")
        expect(page.locator(".sj-tile").first).to_be_visible(timeout=SLOW)
        page.locator("#marking input").check()
        expect(page.locator(".sj-marking")).to_be_visible(timeout=SLOW)
        for image in job["images"]:
            page.locator(f".sj-tile[data-id='{image['id']}']").click()
            expect(page.locator(f".sj-tile[data-id='{image['id']}'][aria-pressed='true']")).to_be_visible(
                timeout=SLOW
            )
        page.locator("[data-act='compare']").click()
        expect(page.locator(".sj-compare img")).to_have_count(2, timeout=SLOW)
        with page.expect_download() as download:
            page.locator("#selection a").click()
        download.value.save_as(tmp_path / "pictures.zip")
        assert len(zipfile.ZipFile(tmp_path / "pictures.zip").namelist()) >= 2


def test_a_favourite_is_kept_and_found_again(
    browser: Browser, studio_with_pages: RunningStudio, job: dict[str, Any]
) -> None:
    image = job["images"][0]["id"]
    with visiting(browser, pages_url(studio_with_pages), DESKTOP) as visitor:
        page = visitor.page
        visitor.go(f"gallery?image={image}")
        page.locator("#picture [data-act='favourite']").click(timeout=SLOW)
        expect(page.locator("#picture [data-act='favourite'][aria-pressed='true']")).to_be_visible(
            timeout=SLOW
        )
        page.locator("#favourites input").check()
        expect(page.locator(".sj-tile")).to_have_count(1, timeout=SLOW)
        expect(page.locator(".sj-tile")).to_have_attribute("data-id", image)
    assert studio_with_pages.api.get(f"/images/{image}")["favourite"] is True


def test_a_dropped_picture_brings_its_settings_back(
    browser: Browser, studio_with_pages: RunningStudio, job: dict[str, Any], tmp_path: Path
) -> None:
    with visiting(browser, pages_url(studio_with_pages), DESKTOP) as visitor:
        page = visitor.page
        visitor.go(f"gallery?image={job['images'][0]['id']}")
        with page.expect_download() as download:
            page.locator("#picture a[download]").first.click(timeout=SLOW)
        download.value.save_as(tmp_path / "portrait.png")
        page.locator("#drop-anywhere input[type=file]").set_input_files(tmp_path / "portrait.png")
        expect(page).to_have_url(re.compile("step=look.*preset=stranger"), timeout=SLOW)
        visitor.expect_open("look")
        page.locator("#settings .label-wrap").click()
        seed = str(job["images"][0]["seed"])
        expect(page.locator("#settings-form input[data-key='seed']")).to_have_value(seed, timeout=SLOW)
        strength = page.locator("#settings-form input[data-key='denoising_strength'][data-stage='tone']")
        expect(strength).to_have_value("0.4")


def test_again_with_this_seed_opens_the_look_with_everything_filled_in(
    browser: Browser, studio_with_pages: RunningStudio, job: dict[str, Any]
) -> None:
    image = job["images"][1]
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        visitor.go(f"?job={job['id']}&image={image['id']}")
        visitor.page.locator("#picture [data-act='again']").click(timeout=SLOW)
        visitor.expect_open("look")
        visitor.page.locator("#settings .label-wrap").click()
        seed = visitor.page.locator("#settings-form input[data-key='seed']")
        expect(seed).to_have_value(str(image["seed"]), timeout=SLOW)


def test_jobs_are_listed_and_lead_back_into_the_studio(
    browser: Browser, studio_with_pages: RunningStudio, job: dict[str, Any]
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        visitor.go("jobs")
        visitor.page.locator(f".sj-job-title[href*='{job['id']}']").click(timeout=SLOW)
        visitor.expect_open("portraits")
        expect(visitor.page.locator("#pictures .sj-tile")).to_have_count(2, timeout=SLOW)


def test_a_running_job_can_be_stopped(browser: Browser, studio_with_pages: RunningStudio) -> None:
    ordered = studio_with_pages.api.post("/jobs", {"preset": "stranger", "count": 8, "options": {}})
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        visitor.go(f"?job={ordered['id']}")
        visitor.page.locator("#job [data-act='cancel']").click(timeout=SLOW)
        expect(visitor.page.locator("#job .sj-notice.sj-calm")).to_be_visible(timeout=SLOW)
    assert studio_with_pages.finish(f"/jobs/{ordered['id']}")["status"] == "cancelled"


def test_what_is_no_photo_is_refused_with_its_reason_and_the_rest_goes_on(
    browser: Browser, studio_with_pages: RunningStudio, photos: list[Path], tmp_path: Path
) -> None:
    subject = studio_with_pages.api.post("/subjects", {"name": "Ann", "class_noun": "woman", "consent": True})
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear studio, this is not a photo.")
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        page = visitor.page
        visitor.go(f"?subject={subject['id']}")
        visitor.expect_open("photos")
        page.locator("#photo-drop input[type=file]").set_input_files([letter, photos[0]])
        expect(page.locator("#step-photos .sj-notice")).to_contain_text("letter.jpg", timeout=SLOW)
        expect(page.locator(".sj-photo:not(.sj-pending)")).to_have_count(1, timeout=SLOW)
        visitor.shoot("studio-refused-photo")


def test_erasing_a_person_says_what_goes_and_takes_it(
    browser: Browser, studio_with_pages: RunningStudio
) -> None:
    subject = studio_with_pages.api.post("/subjects", {"name": "Bea", "class_noun": "woman", "consent": True})
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        page = visitor.page
        visitor.go("people")
        page.locator(f".sj-person[data-id='{subject['id']}']").click(timeout=SLOW)
        page.locator("#person .sj-confirm summary").click(timeout=SLOW)
        expect(page.locator("#person .sj-confirm")).to_contain_text("0 photos")
        page.locator("#person [data-act='erase']").click()
        expect(page.locator(f".sj-person[data-id='{subject['id']}']")).to_have_count(0, timeout=SLOW)
    names = [one["name"] for one in studio_with_pages.api.get("/subjects")["items"]]
    assert "Bea" not in names


def test_servers_name_the_demonstration_model_and_how_to_connect_a_real_one(
    browser: Browser, studio_with_pages: RunningStudio
) -> None:
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        visitor.go("servers")
        expect(visitor.page.locator("#servers")).to_contain_text("sajin-tiny", timeout=SLOW)
        expect(visitor.page.locator("#servers")).to_contain_text("시연용 모델")
        expect(visitor.page.locator("#connect")).to_contain_text("SAJIN_WEBUI_URLS")


def test_a_server_is_drained_and_resumed_by_touch(browser: Browser, studio_with_pages: RunningStudio) -> None:
    def takes_work() -> bool:
        return all(server["takes_work"] for server in studio_with_pages.api.items("/servers"))

    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        page = visitor.page
        visitor.go("servers")
        page.locator("#servers [data-act='drain']").click(timeout=SLOW)
        expect(page.locator("#servers [data-act='resume']")).to_be_visible(timeout=SLOW)
        assert not takes_work()
        expect(page.locator("#servers .sj-server-drained")).to_be_visible(timeout=SLOW)
        page.locator("#servers [data-act='resume']").click()
        expect(page.locator("#servers [data-act='drain']")).to_be_visible(timeout=SLOW)
        assert takes_work()
