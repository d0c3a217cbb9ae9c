"""`sajin photos check`: verdicts, captions and the coach's advice for a folder of photos, without any server."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.errors import CannotStart, CommandError
from command_line.terminal import Terminal
from flask_api.present import Presenter
from flask_api.texts import texts_in
from studio.faces.errors import FaceModelMissing, FaceWorkFailed
from studio.faces.process import FaceProcess
from studio.faces.values import PhotoFindings
from studio.intake import BadPicture, decode
from studio.intake.captions import automatic_caption
from studio.intake.coach import coach
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.intake.looks import photo_look
from studio.intake.values import JudgedPhoto, Verdict
from studio.intake.verdicts import judge_set
from studio.photo_rows import set_value
from studio.values import MAX_PHOTOS, Reason, RefusedFile

UNREADABLE = "unreadable"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """What could be read of a folder, by file name, and what could not."""

    findings: Mapping[str, PhotoFindings]
    refused: Sequence[RefusedFile]


def run(folder: Path, language: str, *, as_json: bool) -> int:
    """Judge the photos of a folder and say what they are good for; 0 when they suffice for learning, else 1.

    language: of the sentences, one of flask_api.texts.LANGUAGES. With as_json the last line of standard output is one
    JSON object, also when it cannot start ("error"). Raises CannotStart without a folder or without files in it.
    """
    terminal, presenter = Terminal(), Presenter(texts_in(language))
    try:
        looked = _look(_files(folder), terminal)
    except CommandError as error:
        if as_json:
            print(json.dumps({"error": {"code": "cannot_start", "message": str(error)}}, ensure_ascii=False))
        raise
    report = _report(folder, looked, presenter)
    _show(terminal, report)
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    return 0 if report["set"]["enough"] else 1


def _files(folder: Path) -> tuple[Path, ...]:
    if not folder.exists():
        raise CannotStart(f"there is no folder {folder}")
    if not folder.is_dir():
        raise CannotStart(f"{folder} is not a folder; name the folder that the photos lie in")
    from command_line.session import picture_files

    files = picture_files(folder)
    if len(files) > MAX_PHOTOS:
        raise CannotStart(
            f"{folder} holds {len(files)} files; at most {MAX_PHOTOS} photos are taken of a person"
        )
    return files


def _look(files: Sequence[Path], terminal: Terminal) -> LookedAt:
    findings: dict[str, PhotoFindings] = {}
    refused: list[RefusedFile] = []
    with FaceProcess() as faces, terminal.console.status(f"looking at {len(files)} photos"):
        for file in files:
            try:
                findings[file.name] = faces.check(decode(_content(file), file.name).jpeg)
            except BadPicture as error:
                refused.append(RefusedFile(filename=file.name, code=error.code, detail=str(error)))
            except OSError as error:
                refused.append(RefusedFile(filename=file.name, code=UNREADABLE, detail=str(error)))
            except FaceWorkFailed as error:
                refused.append(RefusedFile(filename=file.name, code=error.reason, detail=str(error)))
            except FaceModelMissing as error:
                raise CannotStart(str(error)) from error
    return LookedAt(findings=findings, refused=refused)


def _content(file: Path) -> bytes:
    """As much of a file as is taken, and one byte more where it is too large."""
    with file.open("rb") as stream:
        return stream.read(LARGEST_FILE_BYTES + 1)


def _report(folder: Path, looked: LookedAt, presenter: Presenter) -> Json:
    photos = [JudgedPhoto(id=name, findings=found) for name, found in looked.findings.items()]
    verdict = judge_set(photos)
    return {
        "folder": str(folder),
        "photos": [_photo(photo, verdict.verdicts[photo.id], presenter) for photo in photos],
        "refused": [
            {**presenter.refused(file).model_dump(), "detail": file.detail} for file in looked.refused
        ],
        "set": presenter.set_verdict(set_value(verdict)).model_dump(),
        "coach": presenter.coach(coach(photos, verdict)).model_dump(mode="json"),
    }


def _photo(photo: JudgedPhoto, verdict: Verdict, presenter: Presenter) -> Json:
    look = photo.findings.look
    reasons = [
        Reason.model_validate(reason.model_dump(mode="json", exclude={"blocking"}))
        for reason in verdict.reasons
    ]
    return {
        "filename": photo.id,
        "status": verdict.status.value,
        "reasons": [{**presenter.reason(reason).model_dump(), "data": reason.data} for reason in reasons],
        "look": photo_look(look).model_dump(mode="json") if look else None,
        "caption": automatic_caption(photo.findings),
    }


def _show(terminal: Terminal, report: Json) -> None:
    """The table of verdicts, the captions of what can be used, and the coach's words."""
    coached = report["coach"]
    terminal.verdicts({**report, "items": report["photos"]})
    for photo in report["photos"]:
        if photo["status"] != "unfit":
            terminal.say(f"{photo['filename']}: {photo['caption']}")
    for respect in coached["coverage"]:
        shown = [f"{kind['title']} {kind['count']}" for kind in respect["kinds"] if kind["count"]]
        terminal.say(f"{respect['title']}: {', '.join(shown) or '-'}")
    for line in (coached["message"], *coached["hints"]):
        terminal.say(line)
