"""The order behind a job's row."""

from __future__ import annotations

from sqlalchemy.orm import Session

from studio.database.tables import JobRow, SubjectRow
from studio.library.product import PresetSpec
from studio.planning.plan import USUAL_LORA_WEIGHT, Identity, Order
from studio.poses import Poses, is_skeleton
from studio.subjects import adapters_of
from studio.values import JobOptions

NOBODY = "person"


def order_of(session: Session, row: JobRow, poses: Poses) -> Order:
    """What a job's row orders, with all that was learned of the subject where the preset uses it. Raises NotFound."""
    spec = PresetSpec.model_validate(row.product)
    options = JobOptions.model_validate(row.options)
    subject = session.get(SubjectRow, row.subject_id) if row.subject_id else None
    class_noun = subject.class_noun if subject else NOBODY
    adapters = adapters_of(session, subject.id) if subject and spec.identity == "lora" else ()
    return Order(
        preset=row.preset,
        spec=spec,
        options=options,
        count=row.count,
        seed=row.seed,
        identities=tuple(
            Identity(
                trigger=adapter.trigger,
                class_noun=class_noun,
                lora=adapter.name,
                checkpoint=adapter.checkpoint,
                weight=USUAL_LORA_WEIGHT if adapter.weight is None else adapter.weight,
            )
            for adapter in adapters
        ),
        class_noun=class_noun,
        pose=poses.path(options.pose) if options.pose else None,
        pose_is_skeleton=options.pose is not None and is_skeleton(options.pose),
    )
