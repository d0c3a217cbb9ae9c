"""Turns the studio's values into answers: adds addresses, and words in the caller's language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlencode

from flask_api import answers
from flask_api.texts import Texts
from studio import values
from studio.id_photo.reading import IdDocument
from studio.intake.coach import WANTED
from studio.library.animals import AnimalLibrary
from studio.library.product import Tone

ROOT = "/api/v1"
ALT_PROMPT_LENGTH = 160
# What a number of each unit is multiplied by, and how many digits are shown.
QUANTITIES: Mapping[values.Unit, tuple[float, int]] = {
    "mm": (1, 1),
    "degrees": (1, 1),
    "share": (100, 1),
    "delta_e": (1, 1),
    "bytes": (0.001, 1),
    "pixels": (1, 0),
    "levels": (1, 0),
    "factor": (1, 2),
}
MARK_STEPS = ((0.66, "much"), (0.35, "some"))
LIKENESS_STEPS = ((0.7, "high"), (0.5, "good"), (0.3, "fair"))


def likeness_word(score: float) -> str:
    """The key of the words for a likeness of 0 to 1."""
    return next((word for least, word in LIKENESS_STEPS if score >= least), "low")


def mark_word(value: float) -> str:
    """The key of the words for a mark of 0 to 1."""
    return next((word for least, word in MARK_STEPS if value >= least), "little")


FLICKER_STEPS = ((1.0, "steady"), (3.0, "slight"))
SEAM_STEPS = ((2.0, "closed"), (4.0, "slight"))


def _word(number: float, steps: Sequence[tuple[float, str]]) -> str:
    """The key of the words for a fault of an animation: that of the first step it does not go beyond."""
    return next((word for most, word in steps if number <= most), "strong")


class Presenter:
    """Presents values in one language."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    def set_verdict(self, verdict: values.SetVerdict) -> answers.SetVerdictAnswer:
        """The verdict on a set of photos."""
        missing = max(verdict.needed - verdict.fit, 0)
        message = self._texts.say(
            "sets", verdict.code, fit=verdict.fit, needed=verdict.needed, missing=missing
        )
        return answers.SetVerdictAnswer(message=message, **verdict.model_dump())

    def reason(self, reason: values.Reason) -> answers.ReasonAnswer:
        """Why a photo is not (quite) fit."""
        known = reason.code if self._texts.find("reasons", reason.code, "message") else "unknown"
        return answers.ReasonAnswer(
            code=reason.code,
            message=self._texts.say("reasons", known, "message", **reason.data),
            remedy=self._texts.say("reasons", known, "remedy", **reason.data),
        )

    def photo(self, photo: values.Photo) -> answers.PhotoAnswer:
        """A photo with its verdict."""
        url = f"{ROOT}/subjects/{photo.subject_id}/photos/{photo.id}"
        return answers.PhotoAnswer(
            **photo.model_dump(exclude={"reasons"}),
            reasons=[self.reason(reason) for reason in photo.reasons],
            url=f"{url}/file",
            thumbnail_url=f"{url}/thumbnail",
        )

    def photos(self, photos: values.PhotoSet | values.PhotosAdded) -> answers.PhotosAnswer:
        """Photos, what was refused of an upload, and the verdict on the set."""
        refused = photos.refused if isinstance(photos, values.PhotosAdded) else ()
        return answers.PhotosAnswer(
            items=[self.photo(photo) for photo in photos.items],
            refused=[self.refused(file) for file in refused],
            set=self.set_verdict(photos.set),
        )

    def coach(self, coach: values.Coach) -> answers.CoachAnswer:
        """What a set of photos covers and lacks."""
        return answers.CoachAnswer(
            usable=coach.usable,
            recommended=coach.recommended,
            sharp=coach.sharp,
            message=self._wish(coach),
            hints=list(self._hints(coach)),
            wish=coach.wish,
            coverage=[self._coverage(code, kinds) for code, kinds in coach.coverage],
            strangers=list(coach.strangers),
            duplicates=list(coach.duplicates),
        )

    def _wish(self, coach: values.Coach) -> str:
        wish = coach.wish
        if wish is None:
            return self._texts.say("coach", "nothing_missing")
        chosen = {"angles": wish.angle, "expressions": wish.expression, "lights": wish.light}
        parts = [self._texts.say("coach", "wishes", code, kind) for code, kind in chosen.items() if kind]
        if not parts:
            return self._texts.say("coach", "any_more", recommended=coach.recommended)
        return self._texts.say("coach", "one_more", parts=", ".join(parts))

    def _hints(self, coach: values.Coach) -> Iterator[str]:
        wish = coach.wish
        if coach.strangers:
            yield self._texts.say("coach", "strangers", count=len(coach.strangers))
        if coach.duplicates:
            yield self._texts.say("coach", "duplicates", count=len(coach.duplicates))
        if coach.sharp < coach.usable:
            yield self._texts.say("coach", "soft", sharp=coach.sharp, usable=coach.usable)
        if wish and wish.other_clothes:
            yield self._texts.say("coach", "other_clothes")
        if wish and wish.other_background:
            yield self._texts.say("coach", "other_background")

    def _coverage(self, code: str, counts: Mapping[str, int]) -> answers.CoverageAnswer:
        return answers.CoverageAnswer(
            code=code,
            title=self._texts.say("coach", "titles", code),
            kinds=[
                answers.KindAnswer(
                    code=kind,
                    title=self._texts.say("coach", "kinds", code, kind),
                    count=count,
                    wanted=WANTED.get(kind, 0),
                )
                for kind, count in counts.items()
            ],
        )

    def refused(self, file: values.RefusedFile) -> answers.RefusedAnswer:
        """A file that was not kept."""
        message = self._texts.say("uploads", file.code)
        return answers.RefusedAnswer(filename=file.filename, code=file.code, message=message)

    def failure(self, failure: values.Failure | None) -> answers.FailureAnswer | None:
        """Why something failed and what to do, with the studio's own English account as details."""
        if failure is None:
            return None
        known = failure.code if self._texts.find("failures", failure.code, "message") else "unknown"
        reason_text = self._texts.say("training_available", failure.reason or "unknown")
        return answers.FailureAnswer(
            code=failure.code,
            message=self._texts.say("failures", known, "message", reason_text=reason_text),
            remedy=self._texts.say("failures", known, "remedy"),
            details=failure.message,
            stage=failure.stage,
            server=failure.server,
        )

    def training(self, training: values.Training) -> answers.TrainingAnswer:
        """One run of the trainer."""
        return answers.TrainingAnswer(
            **training.model_dump(exclude={"error"}),
            phase_text=self._texts.say("phases", training.phase or "waiting"),
            error=self.failure(training.error),
        )

    def report(self, report: values.AdapterReport) -> answers.ReportAnswer:
        """How good what was learned is."""
        chosen = None if report.chosen is None else report.points[report.chosen]
        told = "chosen" if chosen else "unscored"
        weight = "" if report.weight is None else f"{report.weight:g}"
        return answers.ReportAnswer(
            **report.model_dump(exclude={"points", "chosen", "advice", "failure"}),
            summary=self._texts.say("report", told, steps=report.steps, weight=weight),
            marks=[] if chosen is None else self._marks(chosen, report.measure),
            points=[self._point(report, number) for number in range(len(report.points))],
            advice=answers.AdviceAnswer(
                code=report.advice.code,
                message=self._texts.say("report", "advice", report.advice.code, **report.advice.data),
                data=report.advice.data,
            ),
            failure=self.failure(report.failure),
        )

    def _marks(self, point: values.ReportPoint, measure: str | None) -> list[answers.MarkAnswer]:
        words: dict[answers.MarkCode, str] = {
            "likeness": self._texts.say("likeness", measure or "colours", likeness_word(point.likeness)),
            "diversity": self._mark("diversity", point.diversity),
            "obedience": self._mark("obedience", point.obedience),
            "leak": self._mark("leak", point.leak),
        }
        return [
            answers.MarkAnswer(
                code=code,
                title=self._texts.say("report", "titles", code),
                value=getattr(point, code),
                text=text,
            )
            for code, text in words.items()
        ]

    def _mark(self, code: answers.MarkCode, value: float) -> str:
        return self._texts.say("report", "marks", code, mark_word(value))

    def _point(self, report: values.AdapterReport, number: int) -> answers.ReportPointAnswer:
        point = report.points[number]
        return answers.ReportPointAnswer(
            **point.model_dump(exclude={"pictures"}),
            chosen=number == report.chosen,
            pictures=[self._report_picture(report, picture) for picture in point.pictures],
        )

    def _report_picture(
        self, report: values.AdapterReport, picture: values.ReportPicture
    ) -> answers.ReportPictureAnswer:
        place = f"{ROOT}/subjects/{report.subject_id}/trainings/{report.training_id}"
        clothes, background = (
            self._texts.say("report", "colours", name) for name in (picture.clothes, picture.background)
        )
        return answers.ReportPictureAnswer(
            **picture.model_dump(exclude={"background", "clothes"}),
            url=f"{place}/report/pictures/{picture.id}",
            asked=self._texts.say("report", "asked", clothes=clothes, background=background),
        )

    def subject(self, subject: values.Subject) -> answers.SubjectAnswer:
        """A person to be learned."""
        cover = subject.cover_photo
        return answers.SubjectAnswer(
            **subject.model_dump(exclude={"set", "training", "cover_photo"}),
            set=self.set_verdict(subject.set),
            training=self.training(subject.training) if subject.training else None,
            cover_url=f"{ROOT}/subjects/{subject.id}/photos/{cover}/thumbnail" if cover else None,
        )

    def image(self, image: values.Image) -> answers.ImageAnswer:
        """A finished picture."""
        url = f"{ROOT}/images/{image.id}"
        return answers.ImageAnswer(
            **image.model_dump(exclude={"preset_title", "stages", "prompt", "movement"}),
            preset_title=image.preset_title.in_language(self._texts.language),
            likeness_text=self._likeness(image),
            animation=self._animation(image.movement, f"{url}/animation") if image.movement else None,
            url=f"{url}/file",
            thumbnail_url=f"{url}/thumbnail",
            recipe_url=f"{url}/recipe",
            stages=[
                answers.StagePictureAnswer(url=f"{url}/stages/{stage.name}", **stage.model_dump())
                for stage in image.stages
            ],
            alt=self._alt(image),
        )

    def _animation(self, movement: values.Movement, url: str) -> answers.AnimationAnswer:
        repaired = "all" if movement.repaired == movement.frames else "some" if movement.repaired else "none"
        numbers = {"repaired": movement.repaired, "frames": movement.frames}
        return answers.AnimationAnswer(
            **movement.model_dump(),
            seconds=round(movement.frames / movement.fps, 2),
            repaired_text=self._texts.say("animation", "repaired", repaired, **numbers),
            flicker_text=self._texts.say("animation", "flicker", _word(movement.flicker, FLICKER_STEPS)),
            seam_text=self._texts.say("animation", "seam", _word(movement.seam, SEAM_STEPS)),
            url=url,
        )

    def animation_files(
        self, image_id: str, files: Iterable[values.AnimationFile], query: values.AnimationQuery
    ) -> answers.AnimationFilesAnswer:
        """An animation in every format, each where it can be had as the query asks."""
        asked = urlencode(query.model_dump(exclude_none=True))
        url = f"{ROOT}/images/{image_id}/animation"
        items = [
            answers.AnimationFileAnswer(
                **file.model_dump(), url=f"{url}/{file.format}" + (f"?{asked}" if asked else "")
            )
            for file in files
        ]
        return answers.AnimationFilesAnswer(items=items, next=None)

    def _likeness(self, image: values.Image) -> str | None:
        if image.likeness is None or image.likeness_measure is None:
            return None
        return self._texts.say("likeness", image.likeness_measure, likeness_word(image.likeness))

    def _alt(self, image: values.Image) -> str:
        preset = image.preset_title.in_language(self._texts.language)
        prompt = image.prompt[:ALT_PROMPT_LENGTH].rpartition(",")[0] or image.prompt[:ALT_PROMPT_LENGTH]
        key = "alt" if prompt else "alt_plain"
        return self._texts.say(key, preset=preset, prompt=prompt)

    def job(self, job: values.Job) -> answers.JobAnswer:
        """One run of a preset."""
        return answers.JobAnswer(
            **job.model_dump(exclude={"preset_title", "images", "promise", "error", "has_preview"}),
            preset_title=job.preset_title.in_language(self._texts.language),
            images=[self.image(image) for image in job.images],
            promise=self._promise(job, job.promise) if job.promise else None,
            error=self.failure(job.error),
            preview_url=f"{ROOT}/jobs/{job.id}/preview" if job.has_preview else None,
        )

    def _promise(self, job: values.Job, promise: values.Promise) -> answers.PromiseAnswer:
        numbers = {"bar": f"{promise.bar:.2f}", "made": promise.made, "reached": promise.reached}
        message = self._texts.say("promise", "reached", count=job.count, **numbers)
        if promise.nearest is not None:
            message += " " + self._texts.say("promise", "nearest", nearest=f"{promise.nearest:.2f}")
        return answers.PromiseAnswer(
            **promise.model_dump(),
            nearest_url=None if promise.nearest is None else f"{ROOT}/jobs/{job.id}/nearest",
            message=message,
        )

    def preset(self, preset: values.Preset) -> answers.PresetAnswer:
        """A product of the studio."""
        language = self._texts.language
        return answers.PresetAnswer(
            **preset.model_dump(
                exclude={"title", "description", "has_thumbnail", "missing", "left_out", "stages"}
            ),
            title=preset.title.in_language(language),
            description=preset.description.in_language(language),
            thumbnail_url=f"{ROOT}/presets/{preset.name}/thumbnail" if preset.has_thumbnail else None,
            stages=[
                answers.PresetStageAnswer(
                    name=stage.name,
                    use=stage.use,
                    title=stage.title.in_language(language) if stage.title else stage.name,
                )
                for stage in preset.stages
            ],
            missing=[self.missing(part) for part in preset.missing],
            left_out=[self.missing(part) for part in preset.left_out],
        )

    def missing(self, part: values.MissingPart) -> answers.MissingAnswer:
        """Something no server has."""
        kind = self._texts.find("missing", "kinds", part.kind) or part.kind
        message = self._texts.say("missing", "message", kind_text=kind, name=part.name)
        return answers.MissingAnswer(**part.model_dump(), message=message)

    def product(self, offer: values.Offer) -> answers.ProductAnswer:
        """A product of the start page."""
        language = self._texts.language
        return answers.ProductAnswer(
            name=offer.name,
            title=offer.title.in_language(language),
            description=offer.description.in_language(language),
            thumbnail_url=f"{ROOT}/products/{offer.name}/thumbnail" if offer.has_thumbnail else None,
            presets=list(offer.presets),
            available=offer.available,
            reason=" ".join(self._reasons(offer)) or None,
        )

    def _reasons(self, offer: values.Offer) -> Iterator[str]:
        yield from (self.missing(part).message for part in offer.missing)
        if offer.obstacle is not None:
            yield self._texts.say("training_available", offer.obstacle)

    def tone(self, name: str, tone: Tone) -> answers.ToneAnswer:
        """A film look that a job may choose."""
        language = self._texts.language
        return answers.ToneAnswer(
            name=name,
            title=tone.title.in_language(language),
            description=tone.description.in_language(language),
        )

    def pose(self, pose: values.Pose) -> answers.PoseAnswer:
        """A pose picture."""
        return answers.PoseAnswer(
            id=pose.id,
            title=pose.title.in_language(self._texts.language),
            url=f"{ROOT}/poses/{pose.id}/file",
            bundled=pose.bundled,
        )

    def animals(self, library: AnimalLibrary) -> list[answers.AnimalAnswer]:
        """The animals a face can be likened to."""
        language = self._texts.language
        return [
            answers.AnimalAnswer(
                name=name,
                kind=animal.kind,
                title=animal.title.in_language(language),
                rationale=animal.rationale.in_language(language),
                demonstrated=name in library.demonstrated,
            )
            for name, animal in library.animals.items()
        ]

    def animal_match(self, match: values.AnimalMatch) -> answers.AnimalMatchAnswer:
        """How near a face comes to an animal, with the reasons."""
        language = self._texts.language
        return answers.AnimalMatchAnswer(
            name=match.animal,
            kind=match.kind,
            title=match.title.in_language(language),
            rationale=match.rationale.in_language(language),
            demonstrated=match.demonstrated,
            nearness=match.nearness,
            reasons=[reason.in_language(language) for reason in match.reasons],
        )

    def face_photo(self, photo: values.FacePhoto) -> answers.FacePhotoAnswer:
        """A kept face photo."""
        return answers.FacePhotoAnswer(
            **photo.model_dump(exclude={"traits"}),
            traits=photo.traits,
            url=f"{ROOT}/face-photos/{photo.id}/file",
        )

    def landmarks(self, image_id: str, distance: values.LandmarkDistance) -> answers.LandmarksAnswer:
        """How far an image keeps a person's landmarks, in numbers and words."""
        numbers = {name: f"{value:.2f}" for name, value in distance if value is not None}
        message = self._texts.say("landmarks", "found" if distance.found else "not_found", **numbers)
        return answers.LandmarksAnswer(
            **distance.model_dump(), message=message, url=f"{ROOT}/images/{image_id}/landmarks/file"
        )

    def id_document(self, document: IdDocument) -> answers.IdDocumentAnswer:
        """A document's rule."""
        spec, language = document.spec, self._texts.language
        limits = spec.kilobytes
        width_px, height_px = spec.size()
        return answers.IdDocumentAnswer(
            **spec.model_dump(include={"country", "kind", "width", "height", "dpi", "head", "eyes", "top"}),
            name=document.name,
            title=spec.title.in_language(language),
            width_px=width_px,
            height_px=height_px,
            background=list(spec.background.colours),
            background_tolerance=spec.background.tolerance,
            least_bytes=(limits.least_bytes or None) if limits else None,
            most_bytes=limits.most_bytes if limits else None,
            changes=spec.changes,
            changes_text=self._texts.say("id_photo", "changes", spec.changes),
            expression=spec.expression,
            source=answers.DocumentSourceAnswer(
                authority=spec.source.authority.in_language(language),
                url=str(spec.source.url) if spec.source.url else None,
                date=spec.source.date,
            ),
            unchecked=list(spec.unchecked),
            unchecked_text=self._unchecked(spec.unchecked),
            notes=spec.notes.in_language(language) if spec.notes else None,
        )

    def _unchecked(self, parts: tuple[str, ...]) -> str | None:
        if not parts:
            return None
        names = ", ".join(self._texts.say("id_photo", "parts", part) for part in parts)
        return self._texts.say("id_photo", "unchecked", parts=names)

    def id_photo(self, photo: values.IdPhoto) -> answers.IdPhotoAnswer:
        """An ID photo with its check, or a check alone."""
        url, report = f"{ROOT}/id-photos/{photo.id}", photo.report
        failed = sum(not finding.passed for finding in report.findings)
        kind = "made" if photo.made else "checked"
        return answers.IdPhotoAnswer(
            **photo.model_dump(exclude={"title", "report"}),
            document=report.document,
            title=photo.title.in_language(self._texts.language),
            width=report.width,
            height=report.height,
            passed=report.passed,
            message=self._texts.say("id_photo", kind, "failed" if failed else "passed", count=failed),
            findings=[self.finding(finding) for finding in report.findings],
            url=f"{url}/file" if photo.made else None,
            check_url=f"{url}/check",
        )

    def finding(self, finding: values.Finding) -> answers.FindingAnswer:
        """One measured value beside its rule."""
        code = finding.code.value
        return answers.FindingAnswer(
            **finding.model_dump(),
            passed=finding.passed,
            title=self._texts.say("id_photo", "findings", code, "title"),
            text=self._measured(finding),
            remedy=None if finding.passed else self._texts.say("id_photo", "findings", code, "remedy"),
        )

    def _measured(self, finding: values.Finding) -> str:
        """The value and its limits with their unit: "34.1 mm (32 to 36 mm)"."""
        numbers = {"value": finding.value, "least": finding.least, "most": finding.most}
        spoken = {
            name: self._quantity(number, finding.unit)
            for name, number in numbers.items()
            if number is not None
        }
        sides = "_".join(name for name in ("least", "most") if name in spoken) or "none"
        return self._texts.say("id_photo", "limits", sides, **spoken)

    def _quantity(self, number: float, unit: values.Unit) -> str:
        scale, digits = QUANTITIES[unit]
        number_text = f"{number * scale:.{digits}f}".removesuffix(".0")
        return self._texts.say("id_photo", "units", unit, number=number_text)

    def status(self, status: values.StudioStatus) -> answers.StatusAnswer:
        """What goes on, in one look."""
        code = status.training.code
        return answers.StatusAnswer(
            running=[self.running(item) for item in status.running],
            demonstration=status.demonstration,
            connect_hint=self._texts.say("connect_hint") if status.demonstration else None,
            training=answers.TrainingAvailabilityAnswer(
                available=status.training.available,
                code=code,
                checkpoint=status.training.checkpoint,
                message=self._texts.say("training_available", code),
                trainer=status.training.trainer,
                trainers=list(status.training.trainers),
            ),
            worker_alive=status.worker_alive,
            version=status.version,
        )

    def server(self, server: values.Server) -> answers.ServerAnswer:
        """A WebUI server, with why it is down if it is."""
        return answers.ServerAnswer(
            **server.model_dump(exclude={"problem"}),
            problem_code=server.problem,
            problem=None if server.problem is None else self._server_problem(server, server.problem),
        )

    def _server_problem(self, server: values.Server, code: str) -> str:
        if server.status != "resting":
            return self._texts.say("servers", code)
        what = self._texts.say("failures", code, "message")
        return self._texts.say("servers", "resting", what=what, failures=server.failures)

    def running(self, item: values.Running) -> answers.RunningAnswer:
        """A job or training under way, in one line."""
        text = self._texts.say(
            "running",
            item.kind,
            title=item.title.in_language(self._texts.language),
            percent=round(item.progress * 100),
        )
        if item.eta_seconds is not None:
            text = self._texts.say("running", "eta", text=text, eta=self._duration(item.eta_seconds))
        return answers.RunningAnswer(**item.model_dump(exclude={"title"}), text=text)

    def _duration(self, seconds: float) -> str:
        if seconds < 90:
            return self._texts.say("running", "seconds", number=max(round(seconds), 1))
        return self._texts.say("running", "minutes", number=round(seconds / 60))

    def readiness(self, readiness: values.Readiness) -> answers.ReadyAnswer:
        """Whether a job sent now would be worked on."""
        return answers.ReadyAnswer(
            ready=readiness.ready,
            problems=[
                answers.ReadyProblemAnswer(code=code, message=self._texts.say("ready", code))
                for code in readiness.problems
            ],
        )
