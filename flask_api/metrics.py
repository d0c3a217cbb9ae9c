"""What /metrics tells Prometheus: requests by route, and what the studio is doing."""

from __future__ import annotations

import time

from apiflask import APIFlask
from flask import Response, g, request
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from flask_api.contents import METRICS_RESPONSES
from flask_api.context import studio


def install(app: APIFlask) -> None:
    """Count and time every request of the app, and serve the figures at /metrics."""
    registry = CollectorRegistry()
    labels = ("method", "route", "status")
    requests = Counter("sajin_http_requests", "Requests answered", labels, registry=registry)
    seconds = Histogram(
        "sajin_http_request_seconds", "Time to the answer's head", ("route",), registry=registry
    )
    running = Gauge("sajin_running", "Jobs and trainings under way", ("kind",), registry=registry)
    worker = Gauge("sajin_worker_alive", "1 while a worker gives signs of life", registry=registry)

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else "unknown"
        requests.labels(request.method, route, response.status_code).inc()
        seconds.labels(route).observe(time.perf_counter() - g.get("started", time.perf_counter()))
        return response

    @app.get("/metrics")
    @app.doc(tags=["Health"], responses=METRICS_RESPONSES)
    def metrics() -> Response:
        """Figures for Prometheus."""
        status = studio().status()
        for kind in ("job", "training"):
            running.labels(kind).set(sum(item.kind == kind for item in status.running))
        worker.set(status.worker_alive)
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
