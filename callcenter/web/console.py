"""The agent console: why this call, and what do I say?"""

from datetime import datetime
from uuid import UUID

from flask import Response, make_response, render_template, request
from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate
from sqlmodel import Session
from werkzeug.datastructures import MultiDict

from callcenter import following_up, pipeline, talk, transferring
from callcenter.calltasks.queries import holder_after_rivals
from callcenter.domain.enums import Cause, NotReadyReason, Presence, Role, TaskState
from callcenter.errors import BadInput, Conflict
from callcenter.outcomes.rules import WrapUp
from callcenter.pipeline import NotDialed
from callcenter.routing.queries import has_been_noted
from callcenter.web.console_view import console_page
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.follow_up_form import has_follow_up, read_follow_up, todays_date
from callcenter.web.handing_over_view import read_wish, wants_to_pass_on

bp = blueprint("console")


class WrapUpSchema(Schema):
    """The wrap-up form."""

    class Meta:
        """The form carries the CSRF token too, which is not ours to check."""

        unknown = EXCLUDE

    disposition = fields.String(required=True, validate=validate.Length(1, 60))
    causes = fields.List(fields.Enum(Cause, by_value=True), load_default=list)
    note = fields.String(load_default="", validate=validate.Length(max=2000))
    suggestion = fields.String(load_default="", validate=validate.Length(max=1000))
    callback_at = fields.AwareDateTime(load_default=None, allow_none=True)
    callback_owner = fields.String(load_default="personal", validate=validate.OneOf(["personal", "anyone"]))

    @post_load
    def to_wrap_up(self, data: dict[str, object], **_: object) -> WrapUp:
        """Return what the pipeline takes."""
        at = data["callback_at"]
        return WrapUp(
            disposition=str(data["disposition"]),
            causes=tuple(data["causes"]),  # type: ignore[arg-type]
            note=str(data["note"]).strip(),
            suggestion=str(data["suggestion"]).strip(),
            callback_at=at if isinstance(at, datetime) else None,
            callback_is_personal=data["callback_owner"] == "personal",
        )


def read_wrap_up(form: "MultiDict[str, str]") -> WrapUp:
    """Check the wrap-up form; raises BadInput that names the fields."""
    raw = {**form.to_dict(), "causes": form.getlist("causes"), "callback_at": form.get("callback_at") or None}
    try:
        wrap_up: WrapUp = WrapUpSchema().load(raw)
    except ValidationError as error:
        messages = error.messages if isinstance(error.messages, dict) else {"form": error.messages}
        raise BadInput("Look at the fields marked; nothing you typed is lost.", messages) from None
    return wrap_up


def console_now(not_dialed: NotDialed | None = None, template: str = "console/_body.html") -> Response:
    """Render the console as it is now: the part that changes, or the page for a form sent without scripts."""
    if request.method == "POST" and not request.headers.get("HX-Request"):
        template = "console/page.html"
    with runtime().looking() as session:
        return _rendered(session, template, not_dialed)


def _rendered(session: Session, template: str, not_dialed: NotDialed | None = None) -> Response:
    page = console_page(runtime(), session, viewer(), runtime().clock(), not_dialed)
    return make_response(render_template(template, page=page))


def _seen_now(template: str) -> Response:
    """Render the console for an agent who looks at it, and note so unless it was noted a moment ago."""
    _agent_only()
    with runtime().looking() as session:
        if has_been_noted(session, viewer().id, runtime().clock()):
            return _rendered(session, template)
    with runtime().unit_of_work() as session:
        pipeline.see_console(session, viewer().id, runtime().clock())
    return console_now(template=template)


def _agent_only() -> None:
    if viewer().role != Role.AGENT:
        raise Conflict("You have no console: only agents do. Open the floor instead.")


@bp.get("/console")
@roles_required(Role.AGENT)
def console() -> Response:
    """Show the console; from now on call tasks can be offered here."""
    return _seen_now("console/page.html")


@bp.get("/console/state")
@roles_required(Role.AGENT)
def state() -> Response:
    """Show what has changed."""
    return _seen_now("console/_body.html")


@bp.post("/console/presence")
@roles_required(Role.AGENT)
def set_presence() -> Response:
    """Change whether the agent wants call tasks."""
    _agent_only()
    try:
        presence = Presence(request.form.get("presence", ""))
        raw = request.form.get("reason") or None
        reason = NotReadyReason(raw) if raw and presence is Presence.NOT_READY else None
    except ValueError:
        raise BadInput("Choose available, or not ready with a reason.") from None
    with runtime().unit_of_work() as session:
        pipeline.set_presence(session, viewer().id, presence, reason, runtime().clock())
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/dial")
@roles_required(Role.AGENT)
def dial(call_task_id: UUID) -> Response:
    """Dial, after asking once more whether the call may and need be made."""
    with runtime().unit_of_work() as session:
        result = pipeline.place_call(session, runtime().house, call_task_id, viewer().id, runtime().clock())
    return console_now(not_dialed=result if isinstance(result, NotDialed) else None)


@bp.post("/console/call-tasks/<uuid:call_task_id>/skip")
@roles_required(Role.AGENT)
def skip(call_task_id: UUID) -> Response:
    """Give a call task back with a reason."""
    reason = request.form.get("reason", "")[:60]
    if not reason:
        raise BadInput("Say why you skip this call task.")
    with runtime().unit_of_work() as session:
        pipeline.skip_call_task(session, call_task_id, viewer().id, reason, runtime().clock())
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/script")
@roles_required(Role.AGENT)
def script_step(call_task_id: UUID) -> Response:
    """Keep one step taken through the script."""
    step = {name: (request.form.get(name) or "")[:80] or None for name in ("node", "branch", "objection")}
    with runtime().unit_of_work() as session:
        pipeline.note_script_step(session, call_task_id, viewer().id, runtime().clock(), **step)
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/wrap-up")
@roles_required(Role.AGENT)
def close_wrap_up(call_task_id: UUID) -> Response:
    """Save what happened on the call and free the agent for the next call task."""
    wrap_up = read_wrap_up(request.form)
    new = read_follow_up(request.form) if has_follow_up(request.form) else None
    wish = read_wish(request.form) if wants_to_pass_on(request.form) else None
    with runtime().unit_of_work() as session:
        if new is not None:
            following_up.note_follow_up(
                session, call_task_id, new, viewer().id, todays_date(), runtime().clock()
            )
        now, house = runtime().clock(), runtime().house
        if wish is not None:
            transferring.pass_on_after_call(session, house, call_task_id, wrap_up, viewer().id, wish, now)
        else:
            pipeline.close_call(session, house, call_task_id, wrap_up, viewer().id, now)
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/end")
@roles_required(Role.AGENT)
def end(attempt_id: UUID) -> Response:
    """Cancel or end the call."""
    with runtime().unit_of_work() as session:
        pipeline.end_call(session, attempt_id, viewer().id, runtime().clock())
    return console_now()


def is_on(field: str) -> bool:
    value = request.form.get(field)
    if value not in ("0", "1"):
        raise BadInput(f"Send {field} as 1 or 0.")
    return value == "1"


@bp.post("/console/attempts/<uuid:attempt_id>/hold")
@roles_required(Role.AGENT)
def hold(attempt_id: UUID) -> Response:
    """Put the customer on hold, or take them back."""
    with runtime().unit_of_work() as session:
        talk.hold_customer(session, attempt_id, viewer().id, runtime().clock(), on=is_on("on"))
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/mute")
@roles_required(Role.AGENT)
def mute(attempt_id: UUID) -> Response:
    """Silence the agent's own telephone, or let it be heard again."""
    with runtime().unit_of_work() as session:
        talk.mute_agent(session, attempt_id, viewer().id, runtime().clock(), on=is_on("on"))
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/recording")
@roles_required(Role.AGENT)
def recording(attempt_id: UUID) -> Response:
    """Pause the recording, or go on."""
    with runtime().unit_of_work() as session:
        talk.pause_recording(session, attempt_id, viewer().id, runtime().clock(), on=is_on("paused"))
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/transfer")
@roles_required(Role.AGENT)
def transfer(attempt_id: UUID) -> Response:
    """Hand the call to a free colleague."""
    try:
        colleague = UUID(request.form.get("agent_id", ""))
    except ValueError:
        raise BadInput("Choose the colleague who takes the call.") from None
    with runtime().unit_of_work() as session:
        talk.transfer_call(session, attempt_id, viewer().id, colleague, runtime().clock())
    return console_now()


@bp.post("/console/attempts/<uuid:attempt_id>/machine")
@roles_required(Role.AGENT)
def machine(attempt_id: UUID) -> Response:
    """Note that an answering machine picked up, and drop the call."""
    with runtime().unit_of_work() as session:
        talk.report_machine(session, attempt_id, viewer().id, runtime().clock())
    return console_now()


@bp.post("/console/call-tasks/<uuid:call_task_id>/take")
@roles_required(Role.AGENT)
def take(call_task_id: UUID) -> Response:
    """Take a waiting call task of the agent's own choice; a refusal says whether somebody else has it."""
    with runtime().unit_of_work() as session:
        is_taken = pipeline.take_call_task(
            session, runtime().house, call_task_id, viewer().id, runtime().clock()
        )
    if not is_taken:
        _say_who_was_first(call_task_id)
        raise Conflict("This call task cannot be called just now. Take another one.")
    return _seen_now("console/_body.html")  # who took it looks at it: the time to look begins with the answer


def _say_who_was_first(call_task_id: UUID) -> None:
    """Raise a Conflict that tells what became of a call task that somebody else has, or that is over."""
    with runtime().reading() as session:
        held = holder_after_rivals(session, call_task_id)
    if held is None or held.state == TaskState.PENDING or held.agent_id == viewer().id:
        return
    if held.state in (TaskState.COMPLETED, TaskState.CANCELED):
        raise Conflict("This call task needs no call any more. Take another one.")
    raise Conflict("A colleague took this call task a moment ago. Take another one.")


@bp.post("/console/more-time")
@roles_required(Role.AGENT)
def more_time() -> Response:
    """Extend the wrap-up."""
    with runtime().unit_of_work() as session:
        pipeline.take_more_time(session, viewer().id, runtime().clock())
    return console_now()
