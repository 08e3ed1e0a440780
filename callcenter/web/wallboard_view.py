"""The wallboard and its links, in the viewer's words or those the link was made with."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from babel.dates import format_date
from flask_babel import get_locale, gettext
from flask_wtf.csrf import generate_csrf
from sqlmodel import Session, col, select

from callcenter.domain.enums import Presence, WorkState
from callcenter.models import User, WallboardLink
from callcenter.reporting.figures import FloorDay, floor_day
from callcenter.reporting.floor import AgentNow, agents_now, tasks_waiting
from callcenter.routing.policy import SILENT_BROWSER
from callcenter.web.edge import language, runtime, zone
from callcenter.web.floor_frame import part_frame
from callcenter.web.floor_strip import day_start, figures_of, spent_today
from callcenter.web.pages import wallboard as page
from callcenter.web.pages.frame import Frame
from callcenter.web.pages.reports import BarChart, bar_chart

_FIRST_HOUR, _LAST_HOUR = 8, 20
"""The hours always shown; others appear when something was done in them."""
_STATES = ("talking", "wrapping", "dialing", "reserved", "idle", "not_ready")
_JOINED = {"previewing": "dialing"}


def wallboard_page(session: Session, now: datetime, theme: str, state_url: str) -> page.WallboardPage:
    """Return the wallboard as of `now`; it names nobody."""
    day = floor_day(session, day_start(now), now)
    tasks = tasks_waiting(session, now, SILENT_BROWSER)
    agents = agents_now(session, now, SILENT_BROWSER)
    teams = {one.team for one in agents}
    figures = figures_of(day, tasks, spent_today(session, now), now)
    return page.WallboardPage(
        frame=_frame(now, theme, state_url),
        team=teams.pop() if len(teams) == 1 else gettext("All teams"),
        today=_today(now),
        figures={one.code: one for one in figures},
        without_agent=dict(tasks.reasons).get("no_agent", 0),
        states=_states(agents),
        chart=_by_hour(day, now),
    )


def opening_page(error: str | None = None) -> page.OpeningPage:
    """Return the page on which a link is exchanged for a cookie; `error` says why it was not."""
    return page.OpeningPage(runtime().settings.bank_name, language(), "auto", generate_csrf(), error)


def _frame(now: datetime, theme: str, state_url: str) -> Frame:
    return Frame(
        organisation=runtime().settings.bank_name,
        user_name="",
        team="",
        language=language(),
        theme=theme,
        now=now,
        csrf_token="",
        here="wallboard",
        state_url=state_url,
    )


def _today(now: datetime) -> str:
    on = now.astimezone(zone()).date()
    is_chinese = language() == "zh"
    return str(format_date(on, "M月d日EEEE" if is_chinese else "EEEE d MMMM", locale=get_locale() or "en"))


def _states(agents: Sequence[AgentNow]) -> tuple[page.StatePart, ...]:
    counted = Counter(_state(one) for one in agents)
    counted.pop("signed_off", None)
    total = sum(counted.values()) or 1
    return tuple(
        page.StatePart(code, counted[code], counted[code] / total, place)
        for place, code in enumerate(_STATES, 1)
        if counted[code] or code in ("talking", "idle", "not_ready")
    )


def _state(agent: AgentNow) -> str:
    if agent.work_state is not WorkState.IDLE:
        return _JOINED.get(agent.work_state.value, agent.work_state.value)
    return "idle" if agent.presence is Presence.AVAILABLE else agent.presence.value


def _by_hour(day: FloorDay, now: datetime) -> BarChart:
    running = now.astimezone(zone()).hour
    known = set(day.by_hour)
    first, last = min({_FIRST_HOUR, *known}), max({_LAST_HOUR, *known})
    values = []
    for hour in range(first, last + 1):
        counts = day.by_hour.get(hour)
        told = (counts.attempts, counts.reached, counts.verified) if counts else (0, 0, 0)
        values.append((f"{hour:02d}", *told))
    return bar_chart(values, 1000, 180, running - first)


def links_page(
    session: Session, now: datetime, name: str = "", made: str | None = None, error: str | None = None
) -> page.WallboardLinksPage:
    """Return the links there are, the working ones first."""
    head, tabs = part_frame("wallboard")
    rows = session.exec(
        select(WallboardLink, User.name)
        .join(User, col(User.id) == col(WallboardLink.created_by), isouter=True)
        .order_by(col(WallboardLink.revoked_at).is_not(None), col(WallboardLink.id).desc())
    )
    links = tuple(_link(row, by, now) for row, by in rows)
    return page.WallboardLinksPage(head, tabs, links, name, made, error)


def _link(row: WallboardLink, by: str | None, now: datetime) -> page.LinkRow:
    assert row.id is not None
    is_over = row.expires_at <= now
    return page.LinkRow(
        id=row.id,
        name=row.name,
        hint=row.hint,
        language=row.language,
        theme=row.theme,
        state="revoked" if row.revoked_at else "ended" if is_over else "works",
        created_at=row.created_at,
        expires_at=row.expires_at,
        created_by=by,
    )
