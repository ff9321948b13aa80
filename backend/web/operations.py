"""For those who run the system: alive, ready, metrics; and what a problem's type means."""

from http import HTTPStatus

from flask import Response
from flask_smorest import Blueprint
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from backend import metrics
from backend.storage.migrate import revision_of
from backend.web.auth import Access
from backend.web.context import backend
from backend.web.endpoint import answer, endpoint
from backend.web.problems import HTTP_TEXTS, PROBLEMS, NotFound, problem

operations = Blueprint("operations", __name__, description="运行状态与指标 / health and metrics")


@endpoint(operations, "/healthz", access=Access.OPEN, answers={200: None})
def healthz() -> Response:
    """进程存活 / the process answers."""
    return answer({"status": "ok"})


@endpoint(operations, "/readyz", access=Access.OPEN, answers={200: None})
def readyz() -> Response:
    """数据库可用且结构为最新 / the database is there, and migrated to what this release knows."""
    parts = backend()
    try:
        with parts.database.read() as connection:
            revision = revision_of(connection)
    except (SQLAlchemyError, PoolTimeout):
        revision = None
    if revision != parts.newest_revision:
        return problem("not-ready", *HTTP_TEXTS["not-ready"])
    return answer({"status": "ready"})


@endpoint(operations, "/metrics", access=Access.METRICS, answers={200: None})
def exposition() -> Response:
    """Prometheus 指标 / metrics."""
    if not backend().settings.metrics:
        raise NotFound
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


@endpoint(operations, "/problems/<code>", access=Access.OPEN, answers={200: None})
def problem_type(code: str) -> Response:
    """拒绝类型的含义 / what a problem's type means."""
    kind = PROBLEMS.get(code)
    if kind is None:
        raise NotFound
    body = {"type": f"/problems/{code}", "status": kind.status, "title": kind.title_zh, "title_en": kind.title_en}
    return answer(body | {"status_text": HTTPStatus(kind.status).phrase})
