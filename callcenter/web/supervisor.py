"""The supervisor's floor: the page, its live state, and freeing an agent who is stuck."""

from uuid import UUID

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from callcenter import pipeline
from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.floor_view import floor_page
from callcenter.web.pages.floor import FloorPage

bp = blueprint("supervisor")


def _page() -> FloorPage:
    with runtime().reading() as session:
        return floor_page(session, runtime().clock())


@bp.get("/floor")
@roles_required(Role.SUPERVISOR)
def floor() -> str:
    """Show what needs a person now, the queue and the agents."""
    return render_template("floor/page.html", page=_page())


@bp.get("/floor/state")
@roles_required(Role.SUPERVISOR)
def floor_state() -> str:
    """Answer with the floor as it is now."""
    return render_template("floor/_body.html", page=_page())


@bp.post("/floor/agents/<uuid:agent_id>/free")
@roles_required(Role.SUPERVISOR)
def free_agent(agent_id: UUID) -> str | AnyResponse:
    """Free an agent's reservation or overdue wrap-up; who did it is kept in the audit trail."""
    with runtime().unit_of_work() as session:
        pipeline.free_agent(session, agent_id, viewer().id, runtime().clock())
    return floor_state() if request.headers.get("HX-Request") else redirect("/floor")
