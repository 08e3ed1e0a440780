"""Reports in the viewer's words: the page, and the same as a table to be kept (CSV, XLSX)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlmodel import Session, col, select

from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Agent, DispositionKind, User
from callcenter.reporting.reports import BY_TIME, Period, ReportBy, ReportCounts, report, total_of
from callcenter.triggers.queries import current_rules
from callcenter.web.compliance_words import word
from callcenter.web.edge import chosen, zone
from callcenter.web.files import Value, harmless
from callcenter.web.floor_frame import part_frame
from callcenter.web.formats import day
from callcenter.web.pages import reports as page
from callcenter.web.pages.studio import Choice

MOST_DAYS = 366
KINDS: Mapping[ReportBy, object] = {
    ReportBy.HOUR: _l("Hour"),
    ReportBy.DAY: _l("Day"),
    ReportBy.AGENT: _l("Agent"),
    ReportBy.TEAM: _l("Team"),
    ReportBy.RULE: _l("Rule"),
    ReportBy.CAMPAIGN: _l("Campaign"),
    ReportBy.DISPOSITION: _l("Disposition"),
    ReportBy.PURPOSE: _l("Purpose"),
}
_SHARES = (
    ("reached", "attempts"),
    ("right_party", "reached"),
    ("verified", "right_party"),
    ("talk_seconds", "talks"),
    ("wrap_up_seconds", "wrap_ups"),
    ("busy_seconds", "available_seconds"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Which report over which days, both counted."""

    by: ReportBy
    since: date
    until: date

    def period(self, now: datetime) -> Period:
        """The days as moments, in the viewer's zone."""
        start = datetime.combine(self.since, time(), zone())
        end = datetime.combine(self.until + timedelta(days=1), time(), zone())
        return Period(start, end, zone().key, now)


def asked_of(args: Mapping[str, str], now: datetime) -> Asked:
    """Read what is asked for; without anything, today by hour. Raises BadInput that says what is wrong."""
    today = now.astimezone(zone()).date()
    by = args.get("by", ReportBy.HOUR.value)
    try:
        since = date.fromisoformat(args.get("from") or today.isoformat())
        until = date.fromisoformat(args.get("to") or today.isoformat())
    except ValueError:
        raise BadInput(gettext("Give days as 2026-11-18.")) from None
    if by not in set(ReportBy):
        raise BadInput(gettext("Choose one of the reports shown."))
    if not since <= until or (until - since).days >= MOST_DAYS or since.year < 2000 or until.year > 2999:
        raise BadInput(gettext("The first day comes before the last, at most a year earlier."))
    return Asked(ReportBy(by), since, until)


def report_page(session: Session, asked: Asked, now: datetime, error: str | None = None) -> page.ReportPage:
    """Return a report as a page."""
    head, tabs = part_frame("reports")
    found = report(session, asked.by, asked.period(now))
    rows = tuple(_rows(session, asked.by, found))
    return page.ReportPage(
        frame=head,
        tabs=tabs,
        kinds=tuple(_kind(asked, by) for by in ReportBy),
        spans=tuple(_spans(asked, now)),
        by=asked.by.value,
        title=str(KINDS[asked.by]),
        since=asked.since.isoformat(),
        until=asked.until.isoformat(),
        query=_query(asked.by, asked.since, asked.until),
        rows=rows,
        total=total_of([one.counts for one in rows]),
        has_occupancy=asked.by in (*BY_TIME, ReportBy.AGENT, ReportBy.TEAM),
        parts=(
            Choice(gettext("Figures"), "/floor/reports", True),
            Choice(gettext("Targets and points"), "/floor/targets"),
        ),
        error=error,
    )


def _query(by: ReportBy, since: date, until: date) -> str:
    return urlencode({"by": by.value, "from": since.isoformat(), "to": until.isoformat()})


def _kind(asked: Asked, by: ReportBy) -> Choice:
    href = f"/floor/reports?{_query(by, asked.since, asked.until)}"
    return Choice(str(KINDS[by]), href, by is asked.by)


def _spans(asked: Asked, now: datetime) -> Iterator[Choice]:
    today = now.astimezone(zone()).date()
    for title, first, last in (
        (gettext("Today"), 0, 0),
        (gettext("Yesterday"), 1, 1),
        (gettext("7 days"), 6, 0),
        (gettext("30 days"), 29, 0),
    ):
        since, until = today - timedelta(days=first), today - timedelta(days=last)
        is_chosen = (since, until) == (asked.since, asked.until)
        yield Choice(title, f"/floor/reports?{_query(asked.by, since, until)}", is_chosen)


def _rows(session: Session, by: ReportBy, found: Mapping[str, ReportCounts]) -> Iterator[page.ReportRow]:
    """The rows with their labels: by time as it goes, others by most attempts."""
    words = _labels(session, by)
    items = sorted(found.items(), key=lambda it: it[0] if by in BY_TIME else (-it[1].attempts, it[0]))
    for key, counts in items:
        yield page.ReportRow(words(key), counts)


def _labels(session: Session, by: ReportBy) -> Callable[[str], str]:
    if by is ReportBy.HOUR:
        return str
    if by is ReportBy.DAY:
        return lambda key: day(date.fromisoformat(key))
    if by is ReportBy.PURPOSE:
        return lambda key: word("purpose", key)
    known: dict[str, str] = {}
    if by is ReportBy.AGENT:
        people = session.exec(select(Agent.id, User.name).join(User, col(User.id) == col(Agent.id)))
        known = {str(key): name for key, name in people}
    elif by is ReportBy.RULE:
        rules = current_rules(session, journeys_loaded(session))
        return lambda key: chosen(spec.title, key) if (spec := rules.spec(key)) else key
    elif by is ReportBy.CAMPAIGN:
        known = {key: chosen(dict(one.title), key) for key, one in journeys_loaded(session).items()}
    elif by is ReportBy.DISPOSITION:
        known = {one.code: chosen(one.label, one.code) for one in session.exec(select(DispositionKind))}
    nobody = {
        ReportBy.AGENT: gettext("No agent"),
        ReportBy.TEAM: gettext("No team"),
        ReportBy.DISPOSITION: gettext("Not tagged"),
    }
    return lambda key: known.get(key, key) or nobody.get(by, gettext("Unknown"))


# -- as a table to be kept --------------------------------------------------------------------------------


def _columns(title: str) -> list[str]:
    return [
        title,
        gettext("Attempts"),
        gettext("Reached"),
        gettext("Reached of attempts"),
        gettext("Right-party contact"),
        gettext("Right party of reached"),
        gettext("Verified conversions"),
        gettext("Verified of right party"),
        gettext("Talks"),
        gettext("Talk, s"),
        gettext("Talk, s on average"),
        gettext("Wrap-ups"),
        gettext("Wrap-up, s"),
        gettext("Wrap-up, s on average"),
        gettext("Agents busy, s"),
        gettext("Agents available, s"),
        gettext("Occupancy"),
    ]


def _cells(row: page.ReportRow) -> list[Value]:
    counts = row.counts
    rates = [counts.share(part, whole) for part, whole in _SHARES]
    reached, right, verified, talk, wrap_up, busy = (None if one is None else round(one, 4) for one in rates)
    return [
        harmless(row.label), counts.attempts,
        counts.reached, reached, counts.right_party, right, counts.verified, verified,
        counts.talks, counts.talk_seconds, talk,
        counts.wrap_ups, counts.wrap_up_seconds, wrap_up,
        counts.busy_seconds, counts.available_seconds, busy,
    ]  # fmt: skip


def as_table(shown: page.ReportPage) -> Iterator[list[Value]]:
    """Return a report's rows, its head first, as a table to be kept."""
    yield [harmless(one) for one in _columns(shown.title)]
    for row in shown.rows:
        yield _cells(row)
    yield _cells(page.ReportRow(gettext("All"), shown.total))
