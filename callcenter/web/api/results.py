"""What became of calls, over the API: attempts, what agents said, what customers then did."""

from typing import Any

from sqlmodel import Session

from callcenter.domain.partners import Scope
from callcenter.reporting import partner_reads
from callcenter.reporting.partner_reads import Asked
from callcenter.web.api import answers, presenting, schemas
from callcenter.web.api.guard import blueprint, needs, reads
from callcenter.web.api.paging import page_of, paged

Body = dict[str, Any]
bp = blueprint("results", "What became of calls: attempts, dispositions, conversions.")


def _narrow(asked: Body) -> Asked:
    return Asked(
        journey=asked.get("journey"),
        external_id=asked.get("external_id"),
        call_task_id=asked.get("call_task_id"),
    )


@bp.route("/attempts", methods=["GET"])
@bp.arguments(schemas.OfAttempts, location="query")
@bp.response(200, answers.Attempts)
@needs(Scope.OUTCOMES_READ)
@reads
def attempts(session: Session, asked: Body) -> Body:
    """List dials in their order; `since` is when they were dialed."""
    page = page_of(asked)
    rows = partner_reads.attempts(session, _narrow(asked), page)
    return paged(rows, page, presenting.attempt, lambda row: (row[0].claimed_at, row[0].id))


@bp.route("/dispositions", methods=["GET"])
@bp.arguments(schemas.OfAttempts, location="query")
@bp.response(200, answers.Dispositions)
@needs(Scope.OUTCOMES_READ)
@reads
def dispositions(session: Session, asked: Body) -> Body:
    """List what agents said of calls, in the order it was saved."""
    page = page_of(asked)
    rows = partner_reads.dispositions(session, _narrow(asked), page)
    return paged(rows, page, presenting.disposition, lambda row: (row[0].at, row[0].attempt_id))


@bp.route("/outcomes", methods=["GET"])
@bp.arguments(schemas.OfOutcomes, location="query")
@bp.response(200, answers.Outcomes)
@needs(Scope.OUTCOMES_READ)
@reads
def outcomes(session: Session, asked: Body) -> Body:
    """List conversions in the order they happened, those of held-out customers too: `fate` tells them apart."""
    page = page_of(asked)
    rows = partner_reads.outcomes(session, _narrow(asked), page)
    return paged(rows, page, presenting.outcome, lambda row: (row[0].converted_at, row[0].firing_id))
