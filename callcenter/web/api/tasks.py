"""Call tasks and callbacks over the API: read, asked for, promised, taken back."""

from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import partners
from callcenter.domain.enums import CancelReason, Purpose
from callcenter.domain.partners import Scope
from callcenter.partners import Barred, Wanted
from callcenter.reporting import partner_reads
from callcenter.reporting.partner_reads import Asked
from callcenter.web.api import answers, presenting, schemas
from callcenter.web.api.guard import blueprint, needs, partner, reads, writes
from callcenter.web.api.paging import page_of, paged
from callcenter.web.api.problems import problem_body
from callcenter.web.edge import runtime

Body = dict[str, Any]
bp = blueprint("call-tasks", "Calls to make: read them, ask for one, promise a time, take one back.")


def _barred(barred: Barred, code: str, message: str) -> tuple[Body, int]:
    at = presenting.time(barred.next_allowed_at)
    return problem_body(409, code, message, reasons=list(barred.reasons), next_allowed_at=at), 409


@bp.route("/call-tasks", methods=["GET"])
@bp.arguments(schemas.OfTasks, location="query")
@bp.response(200, answers.Tasks)
@needs(Scope.TASKS_READ)
@reads
def list_tasks(session: Session, asked: Body) -> Body:
    """List call tasks in the order they were opened; `since` is when they were opened."""
    page = page_of(asked)
    narrow = Asked(asked.get("state"), asked.get("journey"), asked.get("external_id"))
    rows = partner_reads.call_tasks(session, narrow, page)
    return paged(rows, page, presenting.task, lambda row: (row[0].created_at, row[0].id))


@bp.route("/call-tasks/<uuid:call_task_id>", methods=["GET"])
@bp.response(200, answers.Task)
@needs(Scope.TASKS_READ)
@reads
def get_task(session: Session, call_task_id: UUID) -> Body:
    """Return one call task; `why_no_call` says why it is not being called just now."""
    return presenting.task(*partner_reads.call_task(session, call_task_id))


@bp.route("/call-tasks", methods=["POST"])
@bp.arguments(schemas.CallWanted)
@bp.response(201, answers.Task)
@needs(Scope.TASKS_WRITE)
@writes
def ask_for_call(session: Session, data: Body) -> tuple[Body, int]:
    """Ask for a call to a customer.

    The gate is asked as for every call: 409 barred names its reasons. A customer has one open call task in a
    journey: 409 open_task_exists.
    """
    wanted = Wanted(
        external_id=data["external_id"],
        journey=data["journey"],
        step=data.get("step"),
        reason=data["reason"],
        priority=data["priority"],
        purpose=Purpose(data["purpose"]),
        expires_at=data.get("expires_at"),
    )
    found = partners.ask_for_call(session, runtime().house, partner(), wanted, runtime().clock())
    if isinstance(found, Barred):
        text = "The compliance gate does not allow this call. Reasons say why; next_allowed_at from when."
        return _barred(found, "barred", text)
    return presenting.task(found, data["external_id"]), 201


@bp.route("/call-tasks/<uuid:call_task_id>/cancel", methods=["POST"])
@bp.response(200, answers.Task)
@needs(Scope.TASKS_WRITE)
@writes
def cancel_task(session: Session, call_task_id: UUID) -> Body:
    """Take a call task back that has not been dialed."""
    return _end(session, call_task_id, CancelReason.WITHDRAWN)


@bp.route("/call-tasks/<uuid:call_task_id>/expire", methods=["POST"])
@bp.response(200, answers.Task)
@needs(Scope.TASKS_WRITE)
@writes
def expire_task(session: Session, call_task_id: UUID) -> Body:
    """Say that a call task which has not been dialed is too old to be of use."""
    return _end(session, call_task_id, CancelReason.EXPIRED)


def _end(session: Session, call_task_id: UUID, reason: CancelReason) -> Body:
    partners.end_task(session, partner(), call_task_id, reason, runtime().clock())
    session.flush()
    return presenting.task(*partner_reads.call_task(session, call_task_id))


@bp.route("/callbacks", methods=["GET"])
@bp.arguments(schemas.OfCallbacks, location="query")
@bp.response(200, answers.Callbacks)
@needs(Scope.TASKS_READ)
@reads
def list_callbacks(session: Session, asked: Body) -> Body:
    """List promised calls in the order they are due."""
    page = page_of(asked)
    narrow = Asked(
        external_id=asked.get("external_id"),
        call_task_id=asked.get("call_task_id"),
        is_open=asked.get("is_open"),
    )
    rows = partner_reads.callbacks(session, narrow, page)
    return paged(rows, page, presenting.callback, lambda row: (row[0].due_at, row[0].id))


@bp.route("/callbacks", methods=["POST"])
@bp.arguments(schemas.CallbackWanted)
@bp.response(201, answers.CallbackShown)
@needs(Scope.TASKS_WRITE)
@writes
def promise_call(session: Session, data: Body) -> tuple[Body, int]:
    """Promise the customer of a waiting call task a call at a time.

    Only a time the gate allows can be promised: 409 time_not_allowed names its reasons and the next time.
    """
    found = partners.promise_call(
        session,
        runtime().house,
        partner(),
        data["call_task_id"],
        data["at"],
        data["said"],
        runtime().clock(),
    )
    if isinstance(found, Barred):
        text = "This customer may not be called at that time. next_allowed_at is the first that is allowed."
        return _barred(found, "time_not_allowed", text)
    _, external_id = partner_reads.call_task(session, found.call_task_id)
    return presenting.callback(found, external_id), 201


@bp.route("/callbacks/<uuid:callback_id>", methods=["DELETE"])
@bp.response(200, answers.CallbackShown)
@needs(Scope.TASKS_WRITE)
@writes
def withdraw_callback(session: Session, callback_id: UUID) -> Body:
    """Take a promised call back; its call task ends with it."""
    row = partners.withdraw_callback(session, partner(), callback_id, runtime().clock())
    _, external_id = partner_reads.call_task(session, row.call_task_id)
    return presenting.callback(row, external_id)
