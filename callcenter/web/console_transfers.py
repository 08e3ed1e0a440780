"""What agents and supervisors do about call tasks that are handed over; the live call's transfer is elsewhere."""

from uuid import UUID

from flask import Response, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import transferring
from callcenter.domain.enums import Role
from callcenter.web.console import console_now
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.handing_over_view import read_wish
from callcenter.web.supervisor import answer_now

bp = blueprint("console_transfers")


@bp.post("/console/call-tasks/<uuid:call_task_id>/pass-on")
@roles_required(Role.AGENT)
def pass_on(call_task_id: UUID) -> Response:
    """Hand the call task one looks at over to a colleague or a team."""
    wish = read_wish(request.form)
    with runtime().unit_of_work() as session:
        transferring.pass_on_preview(session, call_task_id, viewer().id, wish, runtime().clock())
    return console_now()


@bp.post("/console/callbacks/<uuid:callback_id>/pass-on")
@roles_required(Role.AGENT)
def pass_callback_on(callback_id: UUID) -> Response:
    """Hand an own callback over to a colleague or a team."""
    wish = read_wish(request.form)
    with runtime().unit_of_work() as session:
        transferring.pass_on_callback(session, callback_id, viewer().id, wish, runtime().clock())
    return console_now()


@bp.post("/console/transfers/<uuid:transfer_id>/<any(recall,noted):act>")
@roles_required(Role.AGENT)
def see_to_transfer(transfer_id: UUID, act: str) -> Response:
    """Take back what nobody has taken, or take notice of what became of it."""
    verb = transferring.take_back if act == "recall" else transferring.note_transfer
    with runtime().unit_of_work() as session:
        verb(session, transfer_id, viewer().id, runtime().clock())
    return console_now()


@bp.post("/floor/transfers/<uuid:transfer_id>/<any(approve,decline):act>")
@roles_required(Role.SUPERVISOR)
def decide(transfer_id: UUID, act: str) -> str | AnyResponse:
    """Let a call task go where its agent wants it, or say no with a word why."""
    now = runtime().clock()
    with runtime().unit_of_work() as session:
        if act == "approve":
            transferring.approve_transfer(session, transfer_id, viewer().id, now)
        else:
            answer = request.form.get("answer", "").replace("\x00", "")
            transferring.decline_transfer(session, transfer_id, viewer().id, answer, now)
    return answer_now()
