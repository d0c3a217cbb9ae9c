"""Instant now, trained later, in a real browser: a picture from one photo while the person is learned, then better."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_whole_way import pages_url, shoot_both
from tests.browser.visitor import PHONE, SLOW, Visitor, visiting
from tests.running_studio import RunningStudio

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(600)]

TRAINING_STEPS = 120
LOOK = "instant-quick"


def test_a_first_picture_comes_while_the_person_is_learned_and_again_with_what_was_learned(
    browser: Browser, studio_with_pages: RunningStudio, photos: list[Path]
) -> None:
    api = studio_with_pages.api
    person = api.post("/subjects", {"name": "Eileen", "class_noun": "woman", "consent": True})["id"]
    api.upload(f"/subjects/{person}/photos", "photos", photos)
    training = api.post(f"/subjects/{person}/trainings", {"steps": TRAINING_STEPS})["id"]
    with visiting(browser, pages_url(studio_with_pages), PHONE) as visitor:
        page = visitor.page
        visitor.go(f"?subject={person}&step=learn")
        expect(page.locator("#meanwhile")).to_be_visible(timeout=SLOW)
        shoot_both(visitor, "instant-meanwhile")
        page.locator("#meanwhile").click()
        visitor.expect_open("look")
        choose(visitor, LOOK)
        assert api.get(f"/subjects/{person}/trainings/{training}")["status"] in ("queued", "running")
        page.locator("#make").click()
        expect(page.locator("#pictures .sj-tile")).to_have_count(1, timeout=SLOW)
        again = page.locator("#job [data-act='learned']")
        expect(again).to_be_visible(timeout=2 * SLOW)
        first = page.url
        page.locator("#pictures .sj-tile").click()
        expect(page.locator("#picture-view [data-act='learned']")).to_be_visible(timeout=SLOW)
        shoot_both(visitor, "instant-again")
        assert visitor.overflow() <= 0
        assert visitor.small_targets() == []
        assert visitor.nameless() == []
        again.click()
        expect(page).not_to_have_url(first, timeout=SLOW)
        expect(page.locator("#job [role=progressbar]")).to_be_visible(timeout=SLOW)
        expect(page.locator("#pictures .sj-tile")).to_have_count(1, timeout=SLOW)
        expect(page.locator("#job [data-act='learned']")).to_have_count(0)
    newer, older = api.items(f"/jobs?subject={person}")
    assert [stage["name"] for stage in older["images"][0]["stages"]] == ["skeleton", "face"]
    assert [stage["name"] for stage in newer["images"][0]["stages"]] == ["skeleton"]
    assert newer["images"][0]["seed"] == older["images"][0]["seed"]


def test_a_picture_of_the_gallery_is_taken_after(
    browser: Browser, studio_with_pages: RunningStudio, photos: list[Path]
) -> None:
    api = studio_with_pages.api
    person = api.post("/subjects", {"name": "Eileen", "class_noun": "woman", "consent": True})["id"]
    api.upload(f"/subjects/{person}/photos", "photos", photos[:1])
    with visiting(browser, pages_url(studio_with_pages), PHONE, "ko") as visitor:
        page = visitor.page
        visitor.go(f"?subject={person}&step=look")
        choose(visitor, "instant")
        page.locator("#references-fold .label-wrap").click()
        with page.expect_file_chooser() as choosing:
            page.locator("#reference-file").click()
        choosing.value.set_files(photos[2])
        chosen = page.locator("#references [aria-pressed='true']")
        expect(chosen.locator("img")).to_be_visible(timeout=SLOW)
        expect(page).to_have_url(re.compile("options="))
        shoot_both(visitor, "instant-reference")
        assert visitor.overflow() <= 0
        assert visitor.small_targets() == []


def choose(visitor: Visitor, look: str) -> None:
    """Choose a look and wait until it is."""
    card = visitor.page.locator(f".sj-look[data-name='{look}']")
    card.click()
    expect(card).to_have_attribute("aria-pressed", "true", timeout=SLOW)
