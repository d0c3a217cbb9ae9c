"""Jobs as their owner sees them: order, look, cancel, retry."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from studio.database.connect import Database
from studio.database.tables import ImageRow, JobRow
from studio.errors import (
    IdempotencyConflict,
    InvalidRequest,
    NotFound,
    NothingLearned,
    NotReady,
    NotRetryable,
)
from studio.face_photos import FacePhotos
from studio.job_rows import images_of, job_value, owned_job, page
from studio.library.reading import Library, Product
from studio.planning.check import require_capable_server
from studio.planning.order import order_of
from studio.planning.overrides import check_options
from studio.poses import Poses
from studio.previews import Previews
from studio.promise import nearest_of, problems_of
from studio.queue import DurableQueue
from studio.records import new_id, now
from studio.redo import redo_of, redo_request
from studio.servers import known_servers
from studio.store import Store
from studio.subjects import current_adapter, owned_subject
from studio.values import MAX_SEED, Job, JobOptions, JobPage, JobQuery, JobRequest, Status

RETRYABLE = frozenset({Status.FAILED.value, Status.CANCELLED.value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Jobs:
    """The jobs of one owner."""

    database: Database
    library: Library
    poses: Poses
    face_photos: FacePhotos
    previews: Previews
    store: Store
    queue: DurableQueue
    owner_id: str

    def create(self, request: JobRequest, idempotency_key: str | None) -> Job:
        """Check an order as far as it can be checked now, keep it, queue it. Raises as Studio.create_job."""
        product = self._product(request)
        row = self._row(request, product, idempotency_key)
        if (first := self._first_with(row)) is not None:
            return first
        self._take_from_photo(row, request.options, product)
        self._take_from_image(row, request.options)
        self._check(row, product)
        self._check_reference(row)
        try:
            with self.database.write() as session:
                session.add(row)
        except IntegrityError as error:
            if (first := self._first_with(row)) is not None:
                return first
            raise NotFound("subject", row.subject_id or "") from error
        self.queue.put_job(row.id, row.attempt)
        return job_value(row, (), has_preview=False)

    def list(self, query: JobQuery) -> JobPage:
        """Newest first. Raises InvalidRequest."""
        chosen = select(JobRow).where(JobRow.owner_id == self.owner_id)
        if query.status is not None:
            chosen = chosen.where(JobRow.status == query.status.value)
        if query.subject is not None:
            chosen = chosen.where(JobRow.subject_id == query.subject)
        with self.database.read() as session:
            rows, following = page(session, chosen, JobRow, query.limit, query.cursor)
            images = images_of(session, [row.id for row in rows])
            redos = {row.id: redo_of(session, row) for row in rows}
        items = tuple(
            job_value(row, images[row.id], has_preview=self._has_preview(row), redo=redos[row.id])
            for row in rows
        )
        return JobPage(items=items, next=following)

    def get(self, job_id: str, *, preview: bool = False) -> Job:
        """One job. preview: have live previews made for a while. Raises NotFound, StorageError."""
        with self.database.read() as session:
            row = owned_job(session, job_id, self.owner_id)
            images = images_of(session, [job_id])[job_id]
            redo = redo_of(session, row)
        if preview and not Status(row.status).final:
            self.previews.want(job_id)
        return job_value(row, images, has_preview=self._has_preview(row), redo=redo)

    def cancel(self, job_id: str) -> Job:
        """End a waiting job at once; ask a running one to stop. Raises NotFound."""
        with self.database.write() as session:
            row = owned_job(session, job_id, self.owner_id)
            if row.status == Status.QUEUED:
                row.status, row.finished_at = Status.CANCELLED, now()
            row.cancel_requested = row.cancel_requested or not Status(row.status).final
        return self.get(job_id)

    def retry(self, job_id: str) -> Job:
        """Queue the next attempt. Raises NotFound, NotRetryable."""
        with self.database.write() as session:
            row = owned_job(session, job_id, self.owner_id)
            if row.status not in RETRYABLE:
                raise NotRetryable(job_id, row.status)
            row.status, row.attempt = Status.QUEUED, row.attempt + 1
            row.error, row.finished_at, row.cancel_requested = None, None, False
            row.plan, row.eta_seconds = None, None
        self.queue.put_job(job_id, row.attempt)
        return self.get(job_id)

    def again(self, job_id: str, idempotency_key: str | None) -> Job:
        """Order a job once more with what was learned meanwhile. Raises NothingLearned, and as create does."""
        with self.database.read() as session:
            row = owned_job(session, job_id, self.owner_id)
            redo = redo_of(session, row)
        if redo != "ready":
            raise NothingLearned(job_id, redo)
        return self.create(redo_request(row), idempotency_key)

    def preview(self, job_id: str) -> Path:
        """The live preview's file. Raises NotFound."""
        with self.database.read() as session:
            row = owned_job(session, job_id, self.owner_id)
        file = self.previews.file(job_id)
        if not self._has_preview(row):
            raise NotFound("preview", job_id)
        return file

    def nearest(self, job_id: str) -> Path:
        """The file of the picture that came nearest to the job's bar without reaching it. Raises NotFound."""
        with self.database.read() as session:
            candidate = nearest_of(owned_job(session, job_id, self.owner_id))
        if candidate is None:
            raise NotFound("picture", job_id)
        return self.store.local(candidate.path)

    def _has_preview(self, row: JobRow) -> bool:
        return row.status == Status.RUNNING and self.previews.file(row.id).exists()

    def _product(self, request: JobRequest) -> Product:
        product = self.library.products.get(request.preset)
        if product is None:
            raise NotFound("preset", request.preset)
        check_options(product.spec, request.options, self.library)
        problems = tuple(problems_of(product.spec, request))
        if problems:
            raise InvalidRequest(problems)
        return product

    def _take_from_photo(self, row: JobRow, options: JobOptions, product: Product) -> None:
        """Add what a job's photo says: whose job it is, and the nearest animal where the order leaves the choice.

        Raises NotFound.
        """
        if options.photo is None:
            return
        row.subject_id = row.subject_id or self.face_photos.get(options.photo).subject_id
        if product.spec.names_animal and options.animal is None:
            row.options = row.options | {"animal": self._nearest_animal(options.photo)}

    def _nearest_animal(self, photo: str) -> str | None:
        """The animal a face is most like; where only the demonstration model serves, of those that it has learnt."""
        with self.database.read() as session:
            servers = known_servers(session)
        bundled = bool(servers) and all(server.demonstration for server in servers)
        matches = self.face_photos.animals(photo)
        return next((match.animal for match in matches if match.demonstrated or not bundled), None)

    def _take_from_image(self, row: JobRow, options: JobOptions) -> None:
        """Whose picture is animated is whom the animation shows. Raises NotFound."""
        if options.image is None:
            return
        with self.database.read() as session:
            image = session.get(ImageRow, options.image)
            if image is None or image.owner_id != self.owner_id:
                raise NotFound("image", options.image)
        row.subject_id = row.subject_id or image.subject_id

    def _check(self, row: JobRow, product: Product) -> None:
        """Refuse what cannot succeed: unknown subject or pose, no identity yet, no server that is able."""
        with self.database.read() as session:
            if row.subject_id is not None:
                owned_subject(session, row.subject_id, self.owner_id)
                learned = current_adapter(session, row.subject_id) is not None
                if product.spec.identity == "lora" and not learned:
                    raise NotReady(row.subject_id, row.preset)
            order, servers = order_of(session, row, self.poses, self.library), known_servers(session)
        require_capable_server(order, servers, self.library.prompts)

    def _check_reference(self, row: JobRow) -> None:
        """Refuse a reference without exactly one face to take after. Raises NotFound, NoFace, SeveralFaces."""
        with self.database.read() as session:
            path = order_of(session, row, self.poses, self.library).reference
        if path is not None:
            self.face_photos.require_one_face(path)

    def _row(self, request: JobRequest, product: Product, idempotency_key: str | None) -> JobRow:
        seed = request.options.seed
        return JobRow(
            id=new_id(),
            owner_id=self.owner_id,
            subject_id=request.subject,
            preset=product.name,
            product=product.spec.model_dump(mode="json"),
            preset_version=product.version,
            status=Status.QUEUED,
            stage=None,
            progress=0.0,
            eta_seconds=None,
            count=request.count,
            seed=secrets.randbelow(MAX_SEED + 1) if seed is None else seed,
            options=request.options.model_dump(mode="json"),
            plan=None,
            candidates=None,
            error=None,
            server=None,
            demonstration=False,
            cancel_requested=False,
            attempt=0,
            idempotency_key=idempotency_key,
            request_hash=hashlib.sha256(request.model_dump_json().encode()).hexdigest(),
            created_at=now(),
            started_at=None,
            finished_at=None,
        )

    def _first_with(self, row: JobRow) -> Job | None:
        """The job that an earlier request with the same key made. Raises IdempotencyConflict."""
        if row.idempotency_key is None:
            return None
        query = select(JobRow).where(
            JobRow.owner_id == self.owner_id, JobRow.idempotency_key == row.idempotency_key
        )
        with self.database.read() as session:
            first = session.scalars(query).first()
        if first is not None and first.request_hash != row.request_hash:
            raise IdempotencyConflict(row.idempotency_key)
        return None if first is None else self.get(first.id)
