"""The whole way in a real browser: photos of a real person, verdicts, learning, a look, portraits."""

import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.visitor import DESKTOP, PHONE, SLOW, Visitor, visiting
from tests.running_studio import RunningStudio

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("studio_with_pages"), pytest.mark.timeout(600)]

TRAINING_STEPS = 30
LEFT = {
    "who": ".sj-person[aria-pressed=true]",
    "photos": ".sj-photo",
    "learn": "#learn-state .sj-good",
    "look": ".sj-look",
}


def test_photos_become_a_portrait_on_a_phone_and_the_address_tells_the_same_on_a_computer(
    browser: Browser, studio_with_pages: RunningStudio, photos: list[Path]
) -> None:
    url = pages_url(studio_with_pages)
    with visiting(browser, url, PHONE, "en") as visitor:
        make_person(visitor)
        add_photos(visitor, photos)
        learn(visitor)
        order(visitor)
        see_portraits(visitor)
        address = visitor.page.url
    with visiting(browser, url, DESKTOP, "ko") as visitor:
        look_back(visitor, address.partition("?")[2])


def pages_url(studio: RunningStudio) -> str:
    """The address of the pages."""
    return f"http://127.0.0.1:{studio.settings.ui_port}"


def make_person(visitor: Visitor) -> None:
    """Step 1: a name and consent, then the button wakes."""
    page = visitor.page
    visitor.go()
    visitor.expect_open("who")
    page.locator("#person-name textarea, #person-name input").fill("Eileen")
    expect(page.locator("#create-person")).to_be_disabled()
    page.locator("#consent input").check()
    expect(page.locator("#create-person")).to_be_enabled(timeout=SLOW)
    visitor.shoot("studio-who")
    page.locator("#create-person").click()
    visitor.expect_open("photos")


def add_photos(visitor: Visitor, photos: list[Path]) -> None:
    """Step 2: each photo gets its verdict, and with enough of them one can go on."""
    page = visitor.page
    page.locator("#photo-drop input[type=file]").set_input_files(photos)
    expect(page.locator(".sj-photo:not(.sj-pending)")).to_have_count(len(photos), timeout=SLOW)
    expect(page.locator("#photos-done")).to_be_enabled(timeout=SLOW)
    visitor.shoot("studio-photos")
    page.locator("#photos-done").click()
    visitor.expect_open("learn")


def learn(visitor: Visitor) -> None:
    """Step 3: a short training; a reload in the middle finds it again."""
    page = visitor.page
    page.locator("#step-learn .sj-fold .label-wrap").click()
    page.locator("#learn-steps input").fill(str(TRAINING_STEPS))
    page.locator("#learn-start").click()
    expect(page.locator("#learn-state [role=progressbar]")).to_be_visible(timeout=SLOW)
    expect(page).to_have_url(re.compile("subject="))
    page.reload(wait_until="domcontentloaded")
    visitor.settled()
    visitor.expect_open("learn")
    expect(page.locator("#learn-state [role=progressbar]")).to_be_visible(timeout=SLOW)
    expect(page.locator("#learn-state")).to_contain_text(
        re.compile(rf"\b[1-9]\d* (of {TRAINING_STEPS}|/)"), timeout=SLOW
    )
    shoot_both(visitor, "studio-learning")
    visitor.expect_open("look", timeout=2 * SLOW)


def order(visitor: Visitor) -> None:
    """Step 4: the look is chosen with one touch; one more fold down stands every setting."""
    page = visitor.page
    expect(page.locator(".sj-look").first).to_be_visible(timeout=SLOW)
    page.locator(".sj-look[data-name='studio-profile']").click()
    expect(page.locator(".sj-look[data-name='studio-profile']")).to_have_attribute(
        "aria-pressed", "true", timeout=SLOW
    )
    visitor.shoot("studio-look")
    page.locator("#tone-fold .label-wrap").click()
    page.locator("#tones [data-name='warm-portrait']").click()
    expect(page.locator("#tones [data-name='warm-portrait']")).to_have_attribute(
        "aria-pressed", "true", timeout=SLOW
    )
    page.locator("#settings .label-wrap").click()
    page.locator("#settings-form input[data-key='seed']").fill("7")
    page.locator("#settings-form input[data-key='seed']").blur()
    expect(page).to_have_url(re.compile("options="), timeout=SLOW)
    visitor.shoot("studio-settings")
    page.locator("#make").click()
    visitor.expect_open("portraits")
    expect(page.locator(".sj-strip")).to_be_visible(timeout=SLOW)


def see_portraits(visitor: Visitor) -> None:
    """Step 5: a reload finds the running job; then the pictures with likeness, stages and recipe."""
    page = visitor.page
    expect(page.locator("#job [role=progressbar]")).to_be_visible(timeout=SLOW)
    page.reload(wait_until="domcontentloaded")
    visitor.settled()
    visitor.expect_open("portraits")
    expect(page.locator(".sj-preview img")).to_be_visible(timeout=SLOW)
    expect(page.locator(".sj-strip .sj-done").first).to_be_visible(timeout=SLOW)
    shoot_both(visitor, "studio-running")
    expect(page.locator("#pictures .sj-tile")).to_have_count(2, timeout=2 * SLOW)
    expect(page.locator("#job [role=progressbar]")).to_have_count(0, timeout=SLOW)
    visitor.shoot("studio-portraits")
    page.locator("#pictures .sj-tile").first.click()
    expect_the_picture(visitor)


def look_back(visitor: Visitor, query: str) -> None:
    """The same place in Korean on a computer: the picture, and every step as it was left."""
    page = visitor.page
    visitor.go(f"?{query}")
    visitor.expect_open("portraits")
    expect_the_picture(visitor)
    expect(page.locator("#pictures .sj-tile")).to_have_count(2)
    person = parse_qs(query)["subject"][0]
    for step, sign in LEFT.items():
        visitor.go(f"?subject={person}&step={step}")
        visitor.expect_open(step)
        expect(page.locator(sign).first).to_be_visible(timeout=SLOW)
        visitor.shoot(f"studio-{step}")


def expect_the_picture(visitor: Visitor) -> None:
    """The chosen picture with its likeness and its stages."""
    page = visitor.page
    expect(page.locator("#picture-view .sj-big")).to_contain_text(re.compile(r"\d\.\d\d"), timeout=SLOW)
    expect(page.locator("#stages img").first).to_be_visible(timeout=SLOW)
    assert page.locator("#picture-view figure img").evaluate("image => image.naturalWidth") > 0
    visitor.shoot("studio-picture")


def shoot_both(visitor: Visitor, name: str) -> None:
    """Keep what is seen for a moment only at both widths."""
    visitor.shoot(name)
    visitor.resize(DESKTOP)
    visitor.shoot(name)
    visitor.resize(PHONE)
