"""`sajin id-photo`: a photo brought to a document's rule, or checked against it, without server or model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.errors import CannotStart, JobFailed
from command_line.terminal import Terminal
from studio.errors import BrokenLibrary, StudioError
from studio.faces.process import FaceProcess
from studio.id_photo.making import MadePhoto, check_photo, make_id_photo
from studio.id_photo.reading import IdDocument, read_documents
from studio.id_photo.sheet import Print, SheetOrder, lay_out, sheet_jpeg, sheet_pdf
from studio.intake import BadPicture, decode
from studio.settings import Settings
from studio.values import CheckReport, Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class IdPhotoRequest:
    """What is wanted. documents: names. sheet: a paper of studio.id_photo.sheet.PAPERS, None for no sheet.

    dpi: None for each document's own. check_only: check the photo as it is and make nothing. gap: mm on the sheet.
    """

    photo: Path
    documents: tuple[str, ...]
    sheet: str | None
    dpi: int | None
    gap: float
    check_only: bool
    out: Path


def run(request: IdPhotoRequest, settings: Settings, *, as_json: bool) -> int:
    """Make or check, write the files, say what was measured.

    Exit status 0 when the photos are made, whatever their check says; of a check alone, when every rule is kept.
    Raises CannotStart for an unknown document, JobFailed for a photo that cannot be used.
    """
    terminal = Terminal()
    documents = _documents(request.documents, settings)
    report: dict[str, Any] = {"photos": [], "sheet": None}
    try:
        sent = request.photo.read_bytes()
        photo = decode(sent, request.photo.name).jpeg
        with FaceProcess() as faces:
            request.out.mkdir(parents=True, exist_ok=True)
            if request.check_only:
                report["photos"] = [
                    _check(terminal, request, photo, len(sent), one, faces) for one in documents
                ]
            else:
                report |= _make(terminal, request, photo, documents, faces)
    except (StudioError, BadPicture) as error:
        code = error.code.value if isinstance(error, BadPicture) else error.code
        if as_json:
            print(json.dumps({**report, "error": {"code": code, "message": str(error)}}, ensure_ascii=False))
        raise JobFailed(str(error), code) from error
    if as_json:
        print(json.dumps(report, ensure_ascii=False))
    kept = all(photo["passed"] for photo in report["photos"])
    return 0 if kept or not request.check_only else 1


def _documents(names: Sequence[str], settings: Settings) -> list[IdDocument]:
    try:
        known = read_documents(settings.presets_dir / "id")
    except BrokenLibrary as error:
        raise CannotStart(str(error)) from error
    missing = [name for name in names if name not in known]
    if missing:
        raise CannotStart(f"there is no document {missing[0]!r}; known are: {', '.join(known)}")
    return [known[name] for name in dict.fromkeys(names)]


def _check(
    terminal: Terminal,
    request: IdPhotoRequest,
    photo: bytes,
    sent_bytes: int,
    document: IdDocument,
    faces: FaceProcess,
) -> dict[str, Any]:
    checked = check_photo(photo, document, faces, sent_bytes)
    drawn = request.out / f"{document.name}.check.jpg"
    drawn.write_bytes(checked.drawn)
    _show(terminal, document, checked.report)
    return {"document": document.name, "check": str(drawn), **_facts(checked.report)}


def _make(
    terminal: Terminal,
    request: IdPhotoRequest,
    photo: bytes,
    documents: Sequence[IdDocument],
    faces: FaceProcess,
) -> dict[str, Any]:
    made = [(document, make_id_photo(photo, document, faces, request.dpi)) for document in documents]
    photos = [_save(terminal, request.out, document, one) for document, one in made]
    return {"photos": photos, "sheet": _print(terminal, request, made) if request.sheet else None}


def _save(terminal: Terminal, out: Path, document: IdDocument, made: MadePhoto) -> dict[str, Any]:
    path, drawn = out / f"{document.name}.jpg", out / f"{document.name}.check.jpg"
    path.write_bytes(made.jpeg.content)
    drawn.write_bytes(made.drawn)
    size = f"{document.spec.width:g} x {document.spec.height:g} mm, {made.width} x {made.height} px"
    terminal.say(f"{path}  {size}, {made.dpi} dpi, {len(made.jpeg.content) / 1000:.1f} kB")
    _show(terminal, document, made.report)
    facts = {"width": made.width, "height": made.height, "dpi": made.dpi, "bytes": len(made.jpeg.content)}
    return {"document": document.name, "path": str(path), "check": str(drawn), **facts, **_facts(made.report)}


def _print(
    terminal: Terminal, request: IdPhotoRequest, made: Sequence[tuple[IdDocument, MadePhoto]]
) -> dict[str, Any]:
    """Write the sheet as PDF and JPEG."""
    prints = [
        Print(jpeg=one.jpeg.content, width=document.spec.width, height=document.spec.height)
        for document, one in made
    ]
    paper = str(request.sheet)
    sheet = lay_out(prints, SheetOrder(paper=paper, gap=request.gap))
    pdf, jpeg = request.out / f"sheet-{paper}.pdf", request.out / f"sheet-{paper}.jpg"
    pdf.write_bytes(sheet_pdf(sheet, prints))
    jpeg.write_bytes(sheet_jpeg(sheet, prints, request.dpi or 300))
    terminal.say(
        f"{pdf} and {jpeg.name}  {len(sheet.placed)} pictures; print at 100 %, not fitted to the page"
    )
    return {"pdf": str(pdf), "jpeg": str(jpeg), "pictures": len(sheet.placed)}


def _facts(report: CheckReport) -> dict[str, Any]:
    findings = [{**finding.model_dump(mode="json"), "passed": finding.passed} for finding in report.findings]
    return {"passed": report.passed, "findings": findings}


def _show(terminal: Terminal, document: IdDocument, report: CheckReport) -> None:
    """What was measured, what the document forbids, and what of its rule could not be checked."""
    for finding in report.findings:
        terminal.say(f"  {'ok  ' if finding.passed else 'FAIL'}  {_line(finding)}")
    if document.spec.changes == "none":
        terminal.say("  This document forbids changes: the photo is only turned and cut.")
    if document.spec.unchecked:
        terminal.say(f"  Not compared with the authority's own page: {', '.join(document.spec.unchecked)}.")


def _line(finding: Finding) -> str:
    limits = [
        f"{word} {number:g}"
        for word, number in (("from", finding.least), ("to", finding.most))
        if number is not None
    ]
    return f"{finding.code.value.replace('_', ' ')}: {finding.value:g} {finding.unit} ({' '.join(limits)})"
