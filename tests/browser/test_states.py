"""The states that must be designed: empty, loading, running, done, failed, cancelled, offline, and what cannot be."""

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from flask_api.present import Presenter
from flask_api.texts import texts_in
from studio.pipeline.retrying import code_of
from studio.records import now
from studio.values import Failure, FailureCode
from tests.browser import fixture_api as api
from tests.browser.conftest import ScenePages
from tests.browser.fixture_api import Scene
from tests.browser.visitor import DESKTOP, PHONE, SLOW, WIDTHS, Visitor, visiting
from webui_client.errors import ServerFailed, ServerUnreachable

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("scene_pages"), pytest.mark.timeout(300)]

LEARNED = api.training("succeeded", 1.0)
UNREACHABLE = ServerUnreachable("http://127.0.0.1:7860", "connection refused")


def present(failure: Failure) -> dict[str, Any]:
    """A failure as the API answers it in English."""
    answer = Presenter(texts_in("en")).failure(failure)
    assert answer is not None
    return answer.model_dump()


GONE = present(
    Failure(code=code_of(UNREACHABLE), message=str(UNREACHABLE), stage="tone", server="http://127.0.0.1:7860")
)
UNLIKE = present(Failure(code=FailureCode.LIKENESS_NOT_REACHED, message="1 of 12 candidates reached it."))
SERVER = {
    "url": "http://127.0.0.1:7859",
    "flavour": "sajin",
    "version": "0.1.0",
    "status": "ready",
    "checkpoint": "sajin-tiny",
    "native_size": 128,
    "demonstration": True,
    "capabilities": {"samplers": ["DPM++ 2M", "Euler a"], "upscalers": ["Lanczos"]},
    "takes_work": True,
    "speed": 412_000.0,
    "failures": 0,
    "retry_at": None,
    "problem_code": None,
    "problem": None,
    "details": "",
    "seen_at": "2026-01-01T12:00:00Z",
}
DOWN = SERVER | {
    "url": "http://gpu-2:7860",
    "flavour": "a1111",
    "status": "down",
    "checkpoint": "",
    "native_size": 0,
    "demonstration": False,
    "speed": None,
    "capabilities": {},
    "problem_code": code_of(UNREACHABLE),
    "problem": texts_in("en").say("servers", code_of(UNREACHABLE)),
    "details": str(UNREACHABLE),
}


FAILED = ServerFailed("http://gpu-1:7860", "/sdapi/v1/txt2img", 500, "OutOfMemoryError: CUDA out of memory")
RESTING = SERVER | {
    "url": "http://gpu-1:7860",
    "flavour": "a1111",
    "status": "resting",
    "demonstration": False,
    "takes_work": False,
    "failures": 3,
    "retry_at": (now() + timedelta(seconds=45)).isoformat(),
    "problem_code": code_of(FAILED),
    "problem": texts_in("en").say(
        "servers", "resting", failures=3, what=texts_in("en").say("failures", code_of(FAILED), "message")
    ),
    "details": str(FAILED),
}


def ready(**more: Any) -> Scene:
    """A learned person with four good photos, and more."""
    photos = [api.photo(number) for number in range(4)]
    return Scene(subjects=[api.subject("ready", 4, run=LEARNED)], photos=photos, **more)


def verdicts() -> Scene:
    """Photos of which some need another look."""
    photos = [
        api.photo(1),
        api.photo(2),
        api.photo(3, "warning", "The face is small.", "Crop closer to the face."),
        api.photo(4, "unfit", "Two faces are in the picture.", "Crop it to one person."),
    ]
    return Scene(subjects=[api.subject("photos", 3)], photos=photos)


def learning(run: dict[str, object]) -> Scene:
    """A person who is being learned, or was to be."""
    photos = [api.photo(number) for number in range(4)]
    state = "learning" if run["status"] in ("queued", "running") else "failed"
    return Scene(subjects=[api.subject(state, 4, run=run)], photos=photos)


def unlearnable() -> Scene:
    """A studio beside a WebUI whose checkpoint is not known here."""
    photos = [api.photo(number) for number in range(4)]
    return Scene(subjects=[api.subject("photos", 4)], photos=photos, can_learn=False)


def running() -> Scene:
    """A job in its second stage."""
    line = {"kind": "job", "id": "j1", "subject": "s1", "text": "Portraits: Studio profile, 62 %, about 41 s"}
    more = {"progress": 0.62, "eta_seconds": 41.0}
    return ready(jobs=[api.job("running", 1, "tone", 0.62)], running=[line | more])


CANNOT = texts_in("en").say("missing", "message", kind_text="ControlNet model", name="mediapipe_face")

STATES: dict[str, tuple[Callable[[], Scene], str, str]] = {
    "empty-studio": (Scene, "", "#step-who.sj-here"),
    "empty-people": (Scene, "people", ".sj-empty"),
    "empty-gallery": (Scene, "gallery", ".sj-empty"),
    "empty-jobs": (Scene, "jobs", ".sj-empty"),
    "empty-servers": (Scene, "servers", ".sj-empty"),
    "photo-verdicts": (verdicts, "?subject=s1&step=photos", ".sj-photo.sj-unfit"),
    "learning": (lambda: learning(api.training("running", 0.42)), "?subject=s1", "#learn-state [role=progressbar]"),
    "learning-failed": (
        lambda: learning(api.training("failed", 0.3, error=GONE)), "?subject=s1&step=learn", "#learn-state .sj-bad",
    ),
    "learning-cancelled": (
        lambda: learning(api.training("cancelled", 0.3)), "?subject=s1&step=learn", "#learn-state .sj-notice",
    ),
    "learning-unavailable": (unlearnable, "?subject=s1&step=learn", "#learn-state .sj-warn"),
    "no-server-for-a-look": (ready, "?subject=s1&step=look", ".sj-look-obstacle"),
    "job-waiting": (lambda: ready(jobs=[api.job("queued")]), "?job=j1", "#job [role=progressbar]"),
    "job-running": (running, "?job=j1", ".sj-preview img"),
    "job-done": (lambda: ready(jobs=[api.job("succeeded", 4)]), "?job=j1", "#pictures .sj-tile"),
    "job-failed": (lambda: ready(jobs=[api.job("failed", 0, "tone", 0.4, error=GONE)]), "?job=j1", "#job .sj-bad"),
    "job-unlike": (
        lambda: ready(jobs=[api.job("failed", 1, error=UNLIKE, promise=api.promise())]), "?job=j1", ".sj-nearest img",
    ),
    "job-cancelled": (lambda: ready(jobs=[api.job("cancelled", 1, "tone", 0.4)]), "?job=j1", "#job .sj-notice"),
    "picture": (lambda: ready(jobs=[api.job("succeeded", 4)]), "?job=j1&image=i1", "#stages img"),
    "people": (ready, "people?subject=s1", "#person .sj-facts"),
    "gallery": (lambda: ready(jobs=[api.job("succeeded", 8)]), "gallery", "#pictures .sj-tile"),
    "jobs": (
        lambda: ready(jobs=[api.job("running", 0, "tone", 0.5), api.job("failed", 0, "tone", 0.4, error=GONE),
                            api.job("succeeded", 2)]), "jobs", ".sj-jobrow",
    ),
    "start-cannot": (lambda: Scene(products=[api.product("profile"), api.product("animal", CANNOT)]), "start",
                     ".sj-cannot .sj-product-reason"),
    "servers": (lambda: Scene(servers=[SERVER, RESTING, DOWN]), "servers", "#servers .sj-card"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_every_state_is_drawn_to_be_read_and_touched(browser: Browser, pages: ScenePages, state: str) -> None:
    scene, path, sign = STATES[state]
    pages.show(scene())
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go(path)
        expect(visitor.page.locator(sign).first).to_be_visible(timeout=SLOW)
        for width in WIDTHS:
            visitor.resize(width)
            visitor.shoot(state)
            assert visitor.overflow() == 0
            assert visitor.small_targets() == []
            assert visitor.nameless() == []


def test_while_the_api_is_gone_the_page_says_so_and_then_goes_on_by_itself(
    browser: Browser, pages: ScenePages
) -> None:
    pages.show(ready())
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go("?subject=s1&step=look")
        expect(visitor.page.locator(".sj-look").first).to_be_visible(timeout=SLOW)
        pages.switch_off()
        expect(visitor.page.locator(".sj-offline")).to_be_visible(timeout=SLOW)
        for width in WIDTHS:
            visitor.resize(width)
            visitor.shoot("offline")
        pages.switch_on()
        expect(visitor.page.locator(".sj-offline")).to_have_count(0, timeout=SLOW)
        visitor.expect_open("look")


def test_a_page_opened_while_the_api_is_gone_fills_in_when_it_is_back(
    browser: Browser, pages: ScenePages
) -> None:
    pages.show(ready())
    pages.switch_off()
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go("?subject=s1&step=look")
        expect(visitor.page.locator(".sj-offline")).to_be_visible(timeout=SLOW)
        pages.switch_on()
        visitor.expect_open("look")
        expect(visitor.page.locator(".sj-look").first).to_be_visible(timeout=SLOW)


@pytest.mark.parametrize(("locale", "words"), [("ko", "무엇을 만들까요"), ("en", "What would you like")])
def test_the_language_follows_the_browser(
    browser: Browser, pages: ScenePages, locale: str, words: str
) -> None:
    pages.show(Scene())
    with visiting(browser, pages.url, PHONE, locale) as visitor:
        visitor.page.goto(pages.url, wait_until="domcontentloaded")
        visitor.settled()
        expect(visitor.page.locator(".sj-title")).to_contain_text(words)
        expect(visitor.page.locator("html")).to_have_attribute("lang", locale)


def test_the_language_can_be_switched_and_the_place_is_kept(browser: Browser, pages: ScenePages) -> None:
    pages.show(ready())
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("?subject=s1&step=photos")
        visitor.expect_open("photos")
        visitor.page.locator("a[data-language='ko']").click()
        expect(visitor.page).to_have_url(re.compile("/ko/.*subject=s1"), timeout=SLOW)
        visitor.expect_open("photos")
        visitor.page.goto(pages.url, wait_until="domcontentloaded")
        expect(visitor.page).to_have_url(re.compile("/ko/"))


def test_korean_and_dark_are_drawn_as_well(browser: Browser, pages: ScenePages) -> None:
    pages.show(ready(jobs=[api.job("succeeded", 4)]))
    with visiting(browser, pages.url, DESKTOP, "ko", dark=True) as visitor:
        visitor.go("?job=j1&image=i1")
        expect(visitor.page.locator("#stages img").first).to_be_visible(timeout=SLOW)
        expect(visitor.page.locator("body")).to_contain_class("dark")
        for width in WIDTHS:
            visitor.resize(width)
            visitor.shoot("picture-ko-dark")
            assert visitor.overflow() == 0


def test_light_and_dark_can_be_switched_and_stay(browser: Browser, pages: ScenePages) -> None:
    pages.show(Scene())
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go()
        visitor.page.locator("[data-theme-switch]").click()
        expect(visitor.page.locator("body")).to_contain_class("dark")
        visitor.go("gallery")
        expect(visitor.page.locator("body")).to_contain_class("dark")


def test_a_learned_person_is_three_touches_from_an_order(browser: Browser, pages: ScenePages) -> None:
    pages.show(ready())
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go()
        touch(visitor, ".sj-person[data-id='s1']")
        visitor.expect_open("look")
        expect(visitor.step("look").locator("> .label-wrap")).to_be_in_viewport(timeout=SLOW)
        touch(visitor, ".sj-look[data-name='quick-portrait']")
        expect(visitor.page.locator("#make")).to_be_enabled(timeout=SLOW)


def test_a_researcher_chooses_the_trainer_where_there_are_two(browser: Browser, pages: ScenePages) -> None:
    photos = [api.photo(number) for number in range(4)]
    pages.show(Scene(subjects=[api.subject("photos", 4)], photos=photos, trainers=("embedded", "kohya")))
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("?subject=s1&step=learn")
        touch(visitor, "#step-learn .sj-fold .label-wrap")
        chosen = visitor.page.locator("#learn-trainer input")
        expect(chosen).to_have_value("As usual: Sajin's own", timeout=SLOW)
        chosen.click()
        visitor.page.get_by_role("option", name="kohya's sd-scripts").click()
        touch(visitor, "#learn-start")
        deadline = time.monotonic() + SLOW / 1000
        while not pages.scene.trainings_asked and time.monotonic() < deadline:
            visitor.page.wait_for_timeout(50)
        assert pages.scene.trainings_asked == [{"steps": None, "trainer": "kohya", "method": None}]


def test_the_words_for_learning_are_changed_beside_the_photo(browser: Browser, pages: ScenePages) -> None:
    scene = verdicts()
    pages.show(scene)
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("?subject=s1&step=photos")
        fold = visitor.page.locator(".sj-photo details").first
        fold.locator("summary").click()
        field = fold.locator("textarea")
        expect(field).to_have_value(re.compile("^head and shoulders, "))
        field.fill("in a space suit,\nsmiling")
        field.blur()
        expect(field).to_have_attribute("placeholder", "in a space suit, smiling", timeout=SLOW)
        fold.locator("summary").click()
        field.fill("")
        field.blur()
        expect(field).to_have_attribute("placeholder", api.CAPTION, timeout=SLOW)


def test_the_progress_of_easyphoto_is_said_to_be_an_estimate_and_its_stop_to_be_none(
    browser: Browser, pages: ScenePages
) -> None:
    run = api.training("running", 0.42) | {"trainer": "easyphoto", "step": 0, "steps": 0}
    pages.show(learning(run))
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("?subject=s1&step=learn")
        state = visitor.page.locator("#learn-state")
        expect(state).to_contain_text("an estimate by the clock", timeout=SLOW)
        expect(state).to_contain_text("the server works on to the end")
        expect(state).not_to_contain_text("step 0 of")


def test_one_trainer_leaves_nothing_to_choose(browser: Browser, pages: ScenePages) -> None:
    photos = [api.photo(number) for number in range(4)]
    pages.show(Scene(subjects=[api.subject("photos", 4)], photos=photos))
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("?subject=s1&step=learn")
        touch(visitor, "#step-learn .sj-fold .label-wrap")
        expect(visitor.page.locator("#learn-steps input")).to_be_visible(timeout=SLOW)
        expect(visitor.page.locator("#learn-trainer")).to_have_count(0)


def test_the_way_can_be_gone_with_the_keyboard_alone(browser: Browser, pages: ScenePages) -> None:
    pages.show(ready())
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go()
        visitor.page.locator(".sj-person[data-id='s1']").focus()
        visitor.page.keyboard.press("Enter")
        visitor.expect_open("look")
        visitor.page.locator(".sj-look[data-name='quick-portrait']").focus()
        visitor.page.keyboard.press("Space")
        expect(visitor.page.locator(".sj-look[data-name='quick-portrait']")).to_have_attribute(
            "aria-pressed", "true", timeout=SLOW
        )


def test_a_name_is_only_ever_text(browser: Browser, pages: ScenePages) -> None:
    name = "<img src=x onerror=document.title='hit'> ${document.title='hit'} {{this}} {0}"
    pages.show(Scene(subjects=[api.subject("ready", 4, name=name, run=LEARNED)]))
    with visiting(browser, pages.url, DESKTOP) as visitor:
        visitor.go("people?subject=s1")
        expect(visitor.page.locator("#person h2")).to_have_text(name, timeout=SLOW)
        visitor.go("?subject=s1&step=who")
        expect(visitor.page.locator(".sj-person-name").first).to_have_text(name, timeout=SLOW)
        expect(visitor.step("who").locator(".label-wrap").first).to_contain_text(name)
        assert visitor.page.title() != "hit"


def test_a_learned_person_has_a_report_card_with_the_curve_and_its_pictures(
    browser: Browser, pages: ScenePages
) -> None:
    pages.show(ready())
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go("people?subject=s1")
        visitor.page.locator("#person .sj-adapter summary").click(timeout=SLOW)
        card = visitor.page.locator("#person .sj-report")
        expect(card).to_contain_text("225 steps, with LoRA weight 0.7", timeout=SLOW)
        expect(card.locator("meter")).to_have_count(4)
        expect(card.locator(".sj-curve li")).to_have_count(5)
        expect(card.locator(".sj-curve [aria-current] img")).to_have_count(4)
        picture = card.locator(".sj-curve img").first
        expect(picture).to_have_attribute("alt", "Asked for: red clothes, blue background")
        expect(picture).to_have_js_property("complete", True, timeout=SLOW)
        assert picture.evaluate("picture => picture.naturalWidth") > 0
        assert visitor.overflow() <= 0
        visitor.shoot("report-card")


def test_folds_tell_screen_readers_whether_they_are_open(browser: Browser, pages: ScenePages) -> None:
    pages.show(Scene())
    with visiting(browser, pages.url, PHONE) as visitor:
        visitor.go()
        head = visitor.step("who").locator("> .label-wrap")
        expect(head).to_have_attribute("aria-expanded", "true", timeout=SLOW)
        head.click()
        expect(head).to_have_attribute("aria-expanded", "false", timeout=SLOW)


def touch(visitor: Visitor, selector: str) -> None:
    """Touch something that is or will be there."""
    visitor.page.locator(selector).first.click(timeout=SLOW)
