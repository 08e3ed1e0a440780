"""The alerts page: open, over, and each team's thresholds, in the viewer's words."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session, col, select

from callcenter.conditions import floor_facts
from callcenter.domain.alerts import SHARED, Thresholds, thresholds_of
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Agent, User
from callcenter.reporting.alerts import AlertNow, alerts_now, alerts_past
from callcenter.reporting.thresholds import thresholds_set
from callcenter.web.edge import chosen
from callcenter.web.floor_frame import part_frame
from callcenter.web.floor_needs import needs_now
from callcenter.web.pages import alerts as page

_KINDS = {
    "line": _l("Line dropped: %(what)s"),
    "stuck": _l("Stuck in reserved: %(what)s"),
    "wrap-up": _l("Long in wrap-up: %(what)s"),
    "not-ready": _l("Long not ready: %(what)s"),
    "long-talk": _l("Long talk: %(what)s"),
    "promise": _l("Call tasks past twice their promise"),
    "incident": _l("Incident: %(what)s"),
    "attempt_unknown": _l("Calls that may or may not have rung"),
    "undecided": _l("Firings undecided: %(what)s"),
    "outbox_failed": _l("Jobs given up: %(what)s"),
    "abandonment": _l("Abandonment: %(what)s"),
    "still": _l("Nothing dialed: %(what)s"),
    "surge": _l("Sudden rise: %(what)s"),
}


def alerts_page(session: Session, now: datetime, refused: page.TeamLimits | None = None) -> page.AlertsPage:
    """Return the alerts; `refused` are thresholds that could not be taken, with why."""
    # What was refused stays to be read: the page is not refreshed then.
    head, tabs = part_frame("alerts", state_url=None if refused else "/floor/alerts")
    titles = {key: chosen(dict(one.title), key) for key, one in journeys_loaded(session).items()}
    facts = floor_facts(session, now)
    past = alerts_past(session)
    subjects = titles | _agent_names(session)
    return page.AlertsPage(
        frame=head,
        tabs=tabs,
        needs=needs_now(facts, alerts_now(session), titles, now),
        past=tuple(_past(one, subjects) for one in past),
        limits=tuple(
            refused if refused and refused.team == one.team else one
            for one in _limits(facts.thresholds, _teams(session))
        ),
    )


def _agent_names(session: Session) -> dict[str, str]:
    rows = session.exec(select(Agent.id, User.name).join(User, col(User.id) == col(Agent.id)))
    return {str(key): name for key, name in rows}


def _teams(session: Session) -> list[str]:
    return sorted(set(session.exec(select(Agent.team))) - {SHARED})


def is_team(session: Session, team: str) -> bool:
    """Whether there is such a team, or it is everybody else's."""
    return team == SHARED or team in _teams(session) or team in thresholds_set(session)


def _past(one: AlertNow, subjects: Mapping[str, str]) -> page.PastAlert:
    what = subjects.get(one.subject, one.subject.replace("_", " "))
    if _is_id(what):
        what = gettext("an agent")
    kind = _KINDS.get(one.kind)
    return page.PastAlert(
        title=str(kind) % {"what": what} if kind else f"{one.kind} {what}",
        raised_at=one.raised_at,
        cleared_at=one.cleared_at or one.raised_at,
        has=one.has,
        taken_at=one.acknowledged_at,
        note=one.note,
    )


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _limits(known: Mapping[str, Thresholds], teams: list[str]) -> list[page.TeamLimits]:
    found = [_of_team(SHARED, gettext("The queue, and teams without their own"), known)]
    return found + [_of_team(team, team, known) for team in sorted({*teams, *known} - {SHARED})]


def _of_team(team: str, title: str, known: Mapping[str, Thresholds]) -> page.TeamLimits:
    one = thresholds_of(known, team)

    def minutes(name: str) -> str:
        value = getattr(one, name)
        return str(int(value.total_seconds() // 60)) if value is not None else ""

    return page.TeamLimits(
        team=team,
        title=title,
        wrap_up=str(int(one.wrap_up.total_seconds())),
        not_ready=minutes("not_ready"),
        talk=minutes("talk"),
        overdue=str(one.overdue_tasks),
        is_own=team in known,
    )


def refused_limits(form: Mapping[str, str], error: str) -> page.TeamLimits:
    """Return thresholds as they were typed, with why they cannot be taken."""
    team = form.get("team", "")
    title = team or gettext("The queue, and teams without their own")
    wrap_up, not_ready, talk, overdue = (
        form.get(one, "") for one in ("wrap_up", "not_ready", "talk", "overdue")
    )
    return page.TeamLimits(team, title, wrap_up, not_ready, talk, overdue, error=error)
