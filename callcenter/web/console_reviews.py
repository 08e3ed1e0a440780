"""What agents answer to reviews of their calls."""

from uuid import UUID

from flask import Response, request

from callcenter import reviewing
from callcenter.domain.enums import Role
from callcenter.web.console import console_now
from callcenter.web.edge import blueprint, roles_required, runtime, viewer

bp = blueprint("console_reviews")


@bp.post("/console/reviews/<uuid:review_id>/acknowledge")
@roles_required(Role.AGENT)
def acknowledge(review_id: UUID) -> Response:
    """Note that the agent has read a review of their call and agrees."""
    with runtime().unit_of_work() as session:
        reviewing.acknowledge_review(session, review_id, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/reviews/<uuid:review_id>/dispute")
@roles_required(Role.AGENT)
def dispute(review_id: UUID) -> Response:
    """Note that the agent disagrees with a review, and why."""
    why = request.form.get("why", "").replace("\x00", "")
    with runtime().unit_of_work() as session:
        reviewing.dispute_review(session, review_id, why, viewer().id, runtime().clock())
    return console_now()
