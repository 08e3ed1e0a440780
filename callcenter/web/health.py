"""Whether the process lives, whether it can work, and its figures for Prometheus."""

from flask import Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from callcenter.web.edge import blueprint, runtime

bp = blueprint("health")


@bp.get("/healthz")
@bp.get("/health")
def healthz() -> Response:
    """The process answers."""
    return jsonify(status="ok")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """The process can work: the database answers. The doorbell is told, but not needed."""
    doorbell = database = "ok"
    try:
        with runtime().reading() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError:
        database = "away"
    try:
        runtime().redis.ping()
    except RedisError:
        doorbell = "away"
    ready = database == "ok"
    return jsonify(
        status="ok" if ready else "not ready", database=database, doorbell=doorbell
    ), 200 if ready else 503


@bp.get("/metrics")
def metrics() -> Response:
    """This process's figures."""
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
