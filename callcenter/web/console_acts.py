"""What agents do beside the call before them: callbacks, follow-ups, offers, asking for help."""

from datetime import datetime
from uuid import UUID

from flask import Response, request

from callcenter import following_up, helping, offering, promises
from callcenter.domain.enums import Role
from callcenter.errors import BadInput
from callcenter.web.console import console_now, is_on
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.follow_up_form import read_follow_up, todays_date

bp = blueprint("console_acts")


@bp.post("/console/callbacks/<uuid:callback_id>/move")
@roles_required(Role.AGENT)
def move_callback(callback_id: UUID) -> Response:
    """Promise the call at another allowed time."""
    try:
        at = datetime.fromisoformat(request.form.get("at", ""))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInput("Choose one of the times offered.")
    with runtime().unit_of_work() as session:
        promises.move_callback(session, runtime().house, callback_id, viewer().id, at, runtime().clock())
    return console_now()


@bp.post("/console/callbacks/<uuid:callback_id>/give")
@roles_required(Role.AGENT)
def give_callback(callback_id: UUID) -> Response:
    """Let anyone keep an own callback, or make one of anyone's one's own."""
    to_anyone = is_on("anyone")
    with runtime().unit_of_work() as session:
        promises.give_callback(session, callback_id, viewer().id, runtime().clock(), to_anyone=to_anyone)
    return console_now()


@bp.post("/console/callbacks/<uuid:callback_id>/cancel")
@roles_required(Role.AGENT)
def cancel_callback(callback_id: UUID) -> Response:
    """Take a promised call back with a reason."""
    reason = request.form.get("reason", "")[:60]
    with runtime().unit_of_work() as session:
        promises.take_back_callback(session, callback_id, viewer().id, reason, runtime().clock())
    return console_now()


@bp.post("/console/callbacks/<uuid:callback_id>/noted")
@roles_required(Role.AGENT)
def note_callback(callback_id: UUID) -> Response:
    """Take notice of a promise that was not kept."""
    with runtime().unit_of_work() as session:
        promises.note_lost_callback(session, callback_id, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/follow-ups")
@roles_required(Role.AGENT)
def note_follow_up(call_task_id: UUID) -> Response:
    """Keep business met on the call before the agent."""
    new = read_follow_up(request.form)
    with runtime().unit_of_work() as session:
        following_up.note_follow_up(session, call_task_id, new, viewer().id, todays_date(), runtime().clock())
    return console_now()


@bp.post("/console/follow-ups/<uuid:follow_up_id>")
@roles_required(Role.AGENT)
def change_follow_up(follow_up_id: UUID) -> Response:
    """Change what is to be done, by whom or by when."""
    new = read_follow_up(request.form)
    with runtime().unit_of_work() as session:
        following_up.change_follow_up(
            session, follow_up_id, new, viewer().id, todays_date(), runtime().clock()
        )
    return console_now()


@bp.post("/console/follow-ups/<uuid:follow_up_id>/<any(close,reopen):act>")
@roles_required(Role.AGENT)
def close_follow_up(follow_up_id: UUID, act: str) -> Response:
    """Note that a follow-up is done, or not after all."""
    verb = following_up.close_follow_up if act == "close" else following_up.reopen_follow_up
    with runtime().unit_of_work() as session:
        verb(session, follow_up_id, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/help")
@roles_required(Role.AGENT)
def ask_for_help(attempt_id: UUID) -> Response:
    """Raise a hand on the call under way, or take it down."""
    wants = is_on("on")
    with runtime().unit_of_work() as session:
        if wants:
            helping.ask_for_help(session, attempt_id, viewer().id, runtime().clock())
        else:
            helping.lower_hand(session, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/offers/<code>")
@roles_required(Role.AGENT)
def grant_offer(call_task_id: UUID, code: str) -> Response:
    """Grant an offer on the call before the agent."""
    with runtime().unit_of_work() as session:
        offering.grant_offer(session, call_task_id, code, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/grants/<uuid:grant_id>/take-back")
@roles_required(Role.AGENT)
def take_back_offer(grant_id: UUID) -> Response:
    """Take back what was granted on the call before the agent."""
    with runtime().unit_of_work() as session:
        offering.take_back_offer(session, grant_id, viewer().id, runtime().clock())
    return console_now()
