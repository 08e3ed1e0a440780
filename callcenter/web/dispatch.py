"""Acts on many waiting call tasks: choose them, look at what would happen, do it, undo it for a minute."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from sqlmodel import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from callcenter import dispatching
from callcenter.domain.dispatching import MOST_TASKS, DispatchAct, TaskSieve, Wanted
from callcenter.domain.enums import Role
from callcenter.domain.needs import LEVELS
from callcenter.errors import BadInput, CallCenterError, NotFound
from callcenter.models import Dispatch
from callcenter.web.dispatch_view import dispatch_page, queue_page
from callcenter.web.edge import blueprint, roles_required, runtime, uuid_field, viewer

bp = blueprint("dispatch")
_SIEVE = ("rule", "journey", "why", "language", "older")
_MOST_MINUTES = 100_000
_MOST_REASON = 200


def _whole(raw: str | None, least: int, most: int, problem: str) -> int | None:
    """Read a whole number of a form; None when it is empty. Raises BadInput with what is wrong."""
    text = (raw or "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 9 and least <= int(text) <= most):
        raise BadInput(problem)
    return int(text)


def _sieve(values: Mapping[str, str]) -> TaskSieve:
    texts = {name: values.get(name, "").strip().replace("\x00", "")[:100] for name in _SIEVE}
    older = _whole(texts.pop("older"), 0, _MOST_MINUTES, gettext("Minutes are a whole number, such as 15."))
    return TaskSieve(**texts, older_minutes=older)


def _act_of(form: "MultiDict[str, str]") -> tuple[str, str]:
    """Read the act and, where the floor's bar names it with the act, the agent, team or skill."""
    act, _, whom = form.get("act", "").partition(":")
    return act, whom.replace("\x00", "")


def _values(form: "MultiDict[str, str]") -> dict[str, str]:
    """Return what a form held, as the queue's page shows it."""
    act, whom = _act_of(form)
    values = form.to_dict() | {"act": act, "ids": " ".join(form.getlist("ids"))}
    return values | ({act.removeprefix("assign_"): whom} if whom else {})


def _wanted(form: "MultiDict[str, str]") -> Wanted:
    """Read the form of an act. Raises BadInput that says what is missing."""
    which = form.get("which", "all")
    act, whom = _act_of(form)
    if act not in set(DispatchAct) or which not in ("all", "count", "share", "ticked"):
        raise BadInput(gettext("Choose what shall be done."))
    count = _whole(form.get("count"), 1, MOST_TASKS, gettext("How many is a number from 1 to 2,000."))
    share = _whole(form.get("share"), 1, 100, gettext("A share is a number from 1 to 100."))
    ids = tuple(uuid_field(one) for one in form.getlist("ids")[:MOST_TASKS]) if which == "ticked" else ()
    wrong = {"count": count is None, "share": share is None, "ticked": not ids}
    if wrong.get(which):
        raise BadInput(gettext("Say how many, or tick the call tasks."))
    agent = whom or form.get("agent", "")
    level = _whole(form.get("level"), LEVELS[0], LEVELS[-1], gettext("A level is a number from 1 to 5."))
    by_skill = act == DispatchAct.ASSIGN_SKILL
    return Wanted(
        act=DispatchAct(act),
        sieve=_sieve(form),
        count=count if which == "count" else None,
        share=share if which == "share" else None,
        ids=ids,
        agent_id=uuid_field(agent) if agent and act == DispatchAct.ASSIGN_AGENT else None,
        team=(whom or form.get("team", ""))[:100] if act == DispatchAct.ASSIGN_TEAM else "",
        skill=(whom or form.get("skill", ""))[:100] if by_skill else "",
        level=(level or 1) if by_skill else 0,
        reason=form.get("reason", "").strip()[:_MOST_REASON] if act == DispatchAct.EXPIRE else "",
    )


@bp.get("/floor/queue")
@roles_required(Role.SUPERVISOR)
def queue() -> str | tuple[str, int]:
    """Show the waiting call tasks that a sieve lets through, and what can be done with them."""
    return _queue(request.args.to_dict())


def _queue(values: dict[str, str], error: str | None = None, status: int = 200) -> str | tuple[str, int]:
    try:
        sieve = _sieve(values)
    except BadInput as problem:
        sieve, error, status = TaskSieve(), error or problem.message, 400
    with runtime().reading() as session:
        shown = queue_page(session, sieve, values, runtime().clock(), error)
    html = render_template("floor/queue.html", page=shown)
    return (html, status) if status != 200 else html


@bp.post("/floor/queue/preview")
@roles_required(Role.SUPERVISOR)
def preview() -> str | tuple[str, int] | AnyResponse:
    """Choose the call tasks and say which would be left out; a form that lacks something comes back with what."""
    try:
        wanted = _wanted(request.form)
        with runtime().unit_of_work() as session:
            row = dispatching.plan_dispatch(session, runtime().house, wanted, viewer().id, runtime().clock())
    except CallCenterError as problem:
        if problem.status != BadInput.status:
            raise
        return _queue(_values(request.form), gettext(problem.message), problem.status)
    return redirect(_one(row.id))


def _one(dispatch_id: UUID) -> str:
    """Where one act is shown; what was begun on the floor leads back there."""
    return f"/floor/queue/{dispatch_id}{'?from=floor' if request.values.get('from') == 'floor' else ''}"


@bp.get("/floor/queue/<uuid:dispatch_id>")
@roles_required(Role.SUPERVISOR)
def one_dispatch(dispatch_id: UUID) -> str:
    """Show what would happen, or what has happened."""
    with runtime().reading() as session:
        row = session.get(Dispatch, dispatch_id)
        if row is None:
            raise NotFound("This preview is gone. Choose the call tasks again.")
        from_floor = request.args.get("from") == "floor"
        shown = dispatch_page(session, row, runtime().clock(), from_floor=from_floor)
    return render_template("floor/dispatch.html", page=shown)


def _in_batches(verb: Callable[[Session, datetime], bool]) -> None:
    """Let a verb work until nothing is left, each batch in a transaction of its own, as of one moment."""
    now, is_more = runtime().clock(), True
    while is_more:
        with runtime().unit_of_work() as session:
            is_more = verb(session, now)


@bp.post("/floor/queue/<uuid:dispatch_id>/do")
@roles_required(Role.SUPERVISOR)
def carry_out(dispatch_id: UUID) -> AnyResponse:
    """Do what was previewed; pressed twice it is done once."""
    house, who = runtime().house, viewer().id
    _in_batches(lambda session, now: dispatching.dispatch_batch(session, house, dispatch_id, who, now))
    return redirect(_one(dispatch_id))


@bp.post("/floor/queue/<uuid:dispatch_id>/undo")
@roles_required(Role.SUPERVISOR)
def undo(dispatch_id: UUID) -> AnyResponse:
    """Put back what nobody has touched since."""
    who = viewer().id
    _in_batches(lambda session, now: dispatching.undo_batch(session, dispatch_id, who, now))
    return redirect(_one(dispatch_id))
