"""Servers, status and health: what this installation is and does."""

from __future__ import annotations

from apiflask import APIBlueprint

from flask_api.answers import HealthAnswer, ReadyAnswer, ServerAnswer, ServersAnswer, StatusAnswer
from flask_api.contents import NOT_READY_RESPONSES
from flask_api.context import presenter, studio
from flask_api.forms import ServerForm

installation = APIBlueprint("installation", __name__, url_prefix="/api/v1", tag="Installation")
health = APIBlueprint("health", __name__, tag="Health")


@installation.get("/servers")
@installation.output(ServersAnswer)
def list_servers() -> ServersAnswer:
    """The WebUI servers as the worker last saw them."""
    items = [presenter().server(server) for server in studio().servers()]
    return ServersAnswer(items=items, next=None)


@installation.post("/servers/drain")
@installation.input(ServerForm, arg_name="form")
@installation.output(ServerAnswer)
def drain_server(form: ServerForm) -> ServerAnswer:
    """Let a server take no new work until it is resumed; what runs there goes on to its end."""
    return presenter().server(studio().drain_server(form.url))


@installation.post("/servers/resume")
@installation.input(ServerForm, arg_name="form")
@installation.output(ServerAnswer)
def resume_server(form: ServerForm) -> ServerAnswer:
    """Let a drained server take work again."""
    return presenter().server(studio().resume_server(form.url))


@installation.get("/status")
@installation.output(StatusAnswer)
def read_status() -> StatusAnswer:
    """What goes on, in one look."""
    return presenter().status(studio().status())


@health.get("/healthz")
@health.output(HealthAnswer)
def read_health() -> HealthAnswer:
    """Whether the API answers."""
    return HealthAnswer(status="ok")


@health.get("/readyz")
@health.output(ReadyAnswer)
@health.doc(responses=NOT_READY_RESPONSES)
def read_readiness() -> ReadyAnswer | tuple[ReadyAnswer, int]:
    """Whether a job sent now would be worked on: 200, or 503 with the reasons."""
    answer = presenter().readiness(studio().ready())
    return answer if answer.ready else (answer, 503)
