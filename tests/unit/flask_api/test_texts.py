"""Every code that the studio can answer with has its sentence in both languages."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import flask_api.texts
from flask_api.answers import MarkCode
from flask_api.present import Presenter, mark_word
from flask_api.problems import STATUS_OF, status_of
from flask_api.texts import LANGUAGES, texts_in
from studio import errors
from studio.assessment.trials import COLOURS
from studio.id_photo.documents import Changes, Unchecked
from studio.intake.errors import BadPictureCode
from studio.intake.looks import Angle, Expression, Framing, Light
from studio.intake.values import ReasonCode, SetCode
from studio.pipeline.retrying import CODES, OTHER_CODE, code_of
from studio.servers import WORKER_NOT_RUNNING
from studio.values import AdviceCode, CheckCode, Failure, FailureCode, Status, Unit
from studio.worker.training_steps import SCORING
from studio.worker.watching import down_server
from training.port import TrainingPhase
from webui_client.errors import (
    AuthenticationRequired,
    BadAnswer,
    NotAWebui,
    RequestRefused,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
    WebuiError,
)

PROBE_ERRORS: tuple[WebuiError, ...] = (
    ServerUnreachable("http://gpu:7860", "refused"),
    ServerTimeout("http://gpu:7860", "/memory", 5),
    NotAWebui("http://gpu:7860", "no options"),
    AuthenticationRequired("http://gpu:7860", given=False),
    RequestRefused("http://gpu:7860", "/memory", 422, "no"),
    ServerFailed("http://gpu:7860", "/memory", 500, "out of memory"),
    BadAnswer("http://gpu:7860", "/memory", "not JSON"),
)
WISHED = {"angles": Angle, "expressions": Expression, "lights": Light}
COVERED = {**WISHED, "framings": Framing}
FOLDER = Path(flask_api.texts.__file__).parent


def leaves(tree: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


def sentences(language: str) -> dict[tuple[str, ...], str]:
    return dict(leaves(yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))))


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def all_errors(kind: type[errors.StudioError] = errors.StudioError) -> Iterator[type[errors.StudioError]]:
    yield kind
    for special in kind.__subclasses__():
        yield from all_errors(special)


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    english, korean = sentences("en"), sentences("ko")
    assert english.keys() == korean.keys()
    assert [path for path in english if fields(english[path]) != fields(korean[path])] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", list(all_errors()), ids=lambda error: error.code)
def test_every_error_of_the_studio_has_a_title_and_a_sentence(
    error: type[errors.StudioError], language: str
) -> None:
    texts = texts_in(language)
    assert texts.find("errors", error.code, "title")
    assert texts.find("errors", error.code, "detail")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_verdicts_and_states_has_its_words(language: str) -> None:
    texts = texts_in(language)
    wanted = [
        *(("reasons", code.value, "message") for code in ReasonCode),
        *(("reasons", code.value, "remedy") for code in ReasonCode),
        *(("uploads", code.value) for code in BadPictureCode),
        *(("sets", code.value) for code in SetCode),
        *(("coach", "kinds", code, kind.value) for code, kinds in COVERED.items() for kind in kinds),
        *(("coach", "titles", code) for code in COVERED),
        *(("coach", "wishes", code, kind.value) for code, kinds in WISHED.items() for kind in kinds),
        *(("statuses", status.value) for status in Status),
        *(("phases", phase.value) for phase in TrainingPhase),
        ("phases", SCORING),
        *(("report", "advice", code) for code in get_args(AdviceCode)),
        *(("report", "colours", name) for name in COLOURS),
        *(("report", "titles", code) for code in get_args(MarkCode)),
        *(
            ("report", "marks", code, mark_word(value))
            for code in set(get_args(MarkCode)) - {"likeness"}
            for value in (0.0, 0.5, 1.0)
        ),
        *(("training_available", obstacle.value) for obstacle in errors.TrainingObstacle),
        *(("id_photo", "findings", code.value, "title") for code in CheckCode),
        *(("id_photo", "findings", code.value, "remedy") for code in CheckCode),
        *(("id_photo", "units", unit) for unit in get_args(Unit)),
        *(("id_photo", "parts", part) for part in get_args(Unchecked)),
        *(("id_photo", "changes", changes) for changes in get_args(Changes)),
    ]
    assert [path for path in wanted if texts.find(*path) is None] == []


FAILURE_CODES = [
    *(code for _, code in CODES),
    OTHER_CODE,
    *(code.value for code in FailureCode),
    *(error.code for error in all_errors(errors.Unavailable)),
    *(error.code for error in all_errors(errors.StorageError)),
    *(error.code for error in (errors.NotFound, errors.BrokenLibrary, errors.NotReady)),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", dict.fromkeys(FAILURE_CODES))
def test_a_failed_job_says_in_words_what_happened_and_what_to_do(code: str, language: str) -> None:
    failure = Failure(code=code, message="KeyError('latents')", reason="lora_dir_missing")
    answer = Presenter(texts_in(language)).failure(failure)
    general = texts_in(language).find("failures", "unknown", "message")
    assert answer is not None
    assert answer.message not in ("", general)
    assert answer.remedy
    assert "KeyError" not in answer.message + answer.remedy
    assert answer.details == "KeyError('latents')"


def test_a_training_that_could_not_be_installed_names_the_setting() -> None:
    failure = Failure(
        code="training_unavailable", message="x", reason=errors.TrainingObstacle.LORA_DIR_ELSEWHERE
    )
    answer = Presenter(texts_in("ko")).failure(failure)
    assert answer is not None
    assert "SAJIN_LORA_DIR" in answer.message


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", PROBE_ERRORS, ids=lambda error: type(error).__name__)
def test_a_server_that_is_down_says_why_in_words(error: WebuiError, language: str) -> None:
    answer = Presenter(texts_in(language)).server(down_server("http://gpu:7860", error))
    assert answer.problem_code == code_of(error)
    assert answer.problem == texts_in(language).find("servers", code_of(error))
    assert answer.details == str(error)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_server_without_a_worker_says_so(language: str) -> None:
    assert texts_in(language).find("servers", WORKER_NOT_RUNNING)


def test_every_error_has_one_status_decided_by_the_first_class_that_fits() -> None:
    for position, (kind, _) in enumerate(STATUS_OF):
        earlier = [other for other, _ in STATUS_OF[:position]]
        assert not issubclass(kind, tuple(earlier)), f"{kind.__name__} is never reached"
    assert status_of(errors.DiskFull("x")) == 507
    assert status_of(errors.NotFound("job", "x")) == 404


def test_an_unknown_code_gets_the_general_sentence() -> None:
    assert texts_in("en").say("uploads", "no_such_code") == "This file cannot be used."
