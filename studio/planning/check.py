"""Whether an order could be met at all, before it is accepted."""

from __future__ import annotations

from collections.abc import Sequence

from studio.errors import NoFittingServer
from studio.library.prompts import PromptLibrary
from studio.planning.plan import Order, ServerFacts
from studio.planning.planning import make_plan


def require_capable_server(order: Order, servers: Sequence[ServerFacts], prompts: PromptLibrary) -> None:
    """Raise NoFittingServer when servers are known and none of them can do the order; the first one's reason.

    Without a known server nothing is refused: the worker will find out. The subject's own LoRA is taken as present,
    since a fresh one may not be in the record yet.
    """
    reasons = []
    for facts in servers:
        try:
            make_plan(order.model_copy(update={"count": 1}), facts, prompts)
        except NoFittingServer as reason:
            reasons.append(reason)
        else:
            return
    if reasons:
        raise reasons[0]
