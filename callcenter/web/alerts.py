"""Alerts: the page, taking one, and each team's thresholds."""

from flask import redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from callcenter import alerting
from callcenter.domain.enums import Role
from callcenter.errors import BadInput
from callcenter.web.alerts_view import alerts_page, is_team, refused_limits
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.pages.alerts import TeamLimits
from callcenter.web.supervisor import answer_now

bp = blueprint("alerts")
_MOST_KEY = 200


@bp.get("/floor/alerts")
@roles_required(Role.SUPERVISOR)
def alerts() -> str:
    """Show what needs somebody and who has it, what is over, and the thresholds."""
    return _page()


def _page(refused: TeamLimits | None = None) -> str:
    with runtime().reading() as session:
        shown = alerts_page(session, runtime().clock(), refused)
    return render_template("floor/alerts.html", page=shown)


@bp.post("/floor/alerts/acknowledge")
@roles_required(Role.SUPERVISOR)
def acknowledge() -> str | AnyResponse:
    """Take an alert; from the floor the answer is the floor as it is now."""
    key = request.form.get("key", "")[:_MOST_KEY].replace("\x00", "")
    with runtime().unit_of_work() as session:
        alerting.acknowledge(session, key, viewer().id, request.form.get("note", ""), runtime().clock())
    if not request.headers.get("HX-Request"):
        return redirect("/floor/alerts" if request.form.get("from") == "alerts" else "/floor")
    return answer_now()


@bp.post("/floor/alerts/thresholds")
@roles_required(Role.SUPERVISOR)
def set_thresholds() -> AnyResponse | tuple[str, int]:
    """Set from when a team's supervisor is told; what cannot be taken comes back with why."""
    form = request.form.to_dict()
    team = form.get("team", "")
    try:
        with runtime().unit_of_work() as session:
            if not is_team(session, team):
                raise BadInput(gettext("There is no such team."))
            alerting.set_thresholds(
                session,
                team,
                viewer().id,
                runtime().clock(),
                wrap_up_seconds=_whole(form, "wrap_up") or 0,
                not_ready_minutes=_whole(form, "not_ready"),
                talk_minutes=_whole(form, "talk"),
                overdue_tasks=_whole(form, "overdue") or 1,
            )
    except BadInput as problem:
        return _page(refused_limits(form, gettext(problem.message))), problem.status
    return redirect("/floor/alerts")


def _whole(form: dict[str, str], name: str) -> int | None:
    raw = form.get(name, "").strip()
    if not raw:
        return None
    if not (raw.isascii() and raw.isdigit() and len(raw) < 7):
        raise BadInput(gettext("Give whole numbers, or leave a field empty."))
    return int(raw)
