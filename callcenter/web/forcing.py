"""A supervisor sets an agent's state: look what would happen, then do it."""

from uuid import UUID

from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import forcing
from callcenter.domain.enums import NotReadyReason, Presence, Role, WorkState
from callcenter.errors import BadInput, CallCenterError, Conflict
from callcenter.routing.rules import effect_of_forcing
from callcenter.web.edge import blueprint, roles_required, runtime, told, viewer
from callcenter.web.forcing_view import agent_page

bp = blueprint("forcing")


@bp.get("/floor/agents/<uuid:agent_id>")
@roles_required(Role.SUPERVISOR)
def one_agent(agent_id: UUID) -> str:
    """Show what an agent is at, and what each state would do to it."""
    with runtime().reading() as session:
        shown = agent_page(session, agent_id, runtime().clock())
    return render_template("floor/agent.html", page=shown)


def _wanted() -> forcing.Forced:
    """Read the form. Raises BadInput that says what to choose."""
    state, _, reason = request.form.get("state", "").partition(":")
    try:
        presence, seen = Presence(state), WorkState(request.form.get("work_state", ""))
        why = NotReadyReason(reason) if reason else None
    except ValueError:
        raise BadInput(gettext("Choose a state.")) from None
    note = request.form.get("note", "").replace("\x00", "")
    return forcing.Forced(presence, effect_of_forcing(presence, seen), why, note)


@bp.post("/floor/agents/<uuid:agent_id>/presence")
@roles_required(Role.SUPERVISOR)
def force_presence(agent_id: UUID) -> str | tuple[str, int] | AnyResponse:
    """Set the agent's presence; what has changed since it was looked at is shown instead of done."""
    try:
        wanted = _wanted()
        with runtime().unit_of_work() as session:
            forcing.force_presence(session, agent_id, wanted, viewer().id, runtime().clock())
    except CallCenterError as problem:
        if problem.status not in (BadInput.status, Conflict.status):
            raise
        return _again(agent_id, problem)
    return redirect("/floor")


def _again(agent_id: UUID, problem: CallCenterError) -> tuple[str, int]:
    form = request.form
    with runtime().reading() as session:
        shown = agent_page(
            session,
            agent_id,
            runtime().clock(),
            chosen=form.get("state", ""),
            typed=form.get("note", "")[: forcing.MOST_NOTE],
            error=told(problem),
        )
    return render_template("floor/agent.html", page=shown), problem.status
