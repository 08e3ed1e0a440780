"""The list of event sources and the page of one, in the viewer's words."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app
from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import Role
from callcenter.intake import inspector, policy
from callcenter.models import EventSource, WriteKey
from callcenter.reporting.acts import Act, last_acts
from callcenter.web import inspector_view, quarantine_view
from callcenter.web.edge import frame, viewer, zone
from callcenter.web.formats import day, number, time_of_day
from callcenter.web.pages import sources as page
from callcenter.web.pages.studio import Choice

TABS = ("events", "schema", "rejected", "settings")
HOUR = timedelta(hours=1)
BARS_WIDTH, BARS_HEIGHT = 360, 48
_LOOKED_AT_FOR_THE_LIST = 20_000
"""The list asks for the last event of every source; it looks less far than the page of one."""


def sources_page(session: Session, now: datetime) -> page.SourcesPage:
    """Return every source with what it sent lately and the keys it has."""
    minute = now.replace(second=0, microsecond=0)
    lately = inspector.counts_per_source(session, minute - inspector.MINUTE, minute)
    rejected = inspector.refused_since(session, midnight(now))
    keys: dict[UUID, list[page.KeyRow]] = {}
    for key, by in inspector.keys_of(session):
        keys.setdefault(key.source_id, []).append(_key(key, by, now))
    rows = []
    for source in inspector.sources(session):
        last = inspector.last_events(session, source.id, now, 1, looked_at=_LOOKED_AT_FOR_THE_LIST)
        rows.append(
            page.SourceRow(
                name=source.name,
                href=source_href(source.id),
                is_enabled=source.is_enabled,
                last_minute=lately.get(source.id, 0),
                last_at=last[0].received_at if last else None,
                rejected_today=rejected.get(source.id, 0),
                open_refused=sum(one.many for one in inspector.refused_by_reason(session, source.id)),
                keys=tuple(key for key in keys.get(source.id, ()) if not key.has_ended),
            )
        )
    head = frame("sources", live_url="/live/studio", state_url="/admin/sources/state")
    return page.SourcesPage(head, tuple(rows), may_change())


def source_page(
    session: Session, source_id: UUID, asked: Mapping[str, str], now: datetime
) -> page.SourcePage:
    """Return one source: `show` names the tab, `event`, `refused` and `code` what is chosen in it.

    Raises NotFound when there is no such source, or nothing of what is chosen.
    """
    source = inspector.source_of(session, source_id)
    show = asked.get("show", TABS[0])
    show = show if show in TABS else TABS[0]
    chosen = {name: asked[name] for name in ("event", "refused", "code") if asked.get(name)}
    reasons = inspector.refused_by_reason(session, source_id)
    query = urlencode({"show": show, **chosen})
    tab = _tab(session, source, show, chosen, reasons, now)
    return page.SourcePage(
        # The schema is read from thousands of events: every 5 s is often enough.
        frame=frame(
            "sources",
            live_url=None if show == "schema" else "/live/studio",
            state_url=f"{source_href(source_id)}/state?{query}",
        ),
        name=source.name,
        href=source_href(source_id),
        is_enabled=source.is_enabled,
        show=show,
        tabs=_tabs(source_id, show, sum(one.many for one in reasons)),
        pulse=_pulse(session, source_id, reasons, now),
        may_change=may_change(),
        lateness=source.lateness_seconds,
        requests_per_second=source.requests_per_second,
        usual_requests=policy.MAX_REQUESTS_PER_SECOND,
        **tab,  # type: ignore[arg-type]
    )


def _tab(
    session: Session,
    source: EventSource,
    show: str,
    chosen: Mapping[str, str],
    reasons: Sequence[inspector.Refused],
    now: datetime,
) -> dict[str, object]:
    """Read what the chosen tab shows, and nothing of the others."""
    href = source_href(source.id)
    if show == "events":
        return inspector_view.events_tab(session, source.id, href, chosen.get("event"), now)
    if show == "schema":
        return {"schema": inspector_view.schema_tab(session, source.id, now)}
    if show == "rejected":
        tab = quarantine_view.rejected_tab(session, source.id, href, reasons, chosen)
        return {**tab, "acts": _acts(last_acts(session, source.name, "quarantine", now))}
    keys = tuple(_key(key, by, now) for key, by in inspector.keys_of(session, source.id))
    return {"keys": keys, "acts": _acts(last_acts(session, source.name, "source", now))}


def source_href(source_id: UUID) -> str:
    """Return the address of a source's page."""
    return f"/admin/sources/{source_id}"


def may_change() -> bool:
    """Whether the viewer may do more than look."""
    return viewer().role == Role.ADMIN


def midnight(now: datetime) -> datetime:
    """Return when the viewer's day began."""
    return now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)


def _key(key: WriteKey, by: str | None, now: datetime) -> page.KeyRow:
    assert key.id is not None
    has_ended = key.ends_at is not None and key.ends_at <= now
    return page.KeyRow(key.id, key.hint, key.created_at, by, key.ends_at, has_ended)


def _tabs(source_id: UUID, show: str, refused: int) -> tuple[Choice, ...]:
    labels = {
        "events": gettext("Events"),
        "schema": gettext("Schema seen"),
        "rejected": gettext("Rejected, %(n)s", n=number(refused)),
        "settings": gettext("Keys and limits"),
    }
    return tuple(
        Choice(label, f"{source_href(source_id)}?{urlencode({'show': tab})}", tab == show)
        for tab, label in labels.items()
    )


class Minutes:
    """Counts of minutes that are over, kept by one process: they change no more and cost much to count."""

    MOST_SOURCES = 200
    SETTLED = timedelta(minutes=2)
    """By then what came in within a minute is committed."""

    def __init__(self) -> None:
        self._over: dict[UUID, dict[datetime, int]] = {}

    def last_hour(self, session: Session, source_id: UUID, now: datetime) -> dict[datetime, int]:
        """Count the events of each of the last 60 minutes, the running one last."""
        running = now.replace(second=0, microsecond=0)
        wanted = [running - n * inspector.MINUTE for n in range(59, -1, -1)]
        over = self._over.pop(source_id, {})
        missing = [minute for minute in wanted if minute not in over]
        counted = inspector.counts_per_minute(session, source_id, missing[0], now + timedelta(seconds=1))
        counts = {minute: over.get(minute, counted.get(minute, 0)) for minute in wanted}
        while len(self._over) >= self.MOST_SOURCES:
            self._over.pop(next(iter(self._over)), None)
        settled = running - self.SETTLED
        self._over[source_id] = {minute: many for minute, many in counts.items() if minute < settled}
        return counts


def _pulse(
    session: Session, source_id: UUID, reasons: Sequence[inspector.Refused], now: datetime
) -> page.Pulse:
    minutes: Minutes = current_app.extensions.setdefault("callcenter.minutes", Minutes())
    counts = minutes.last_hour(session, source_id, now)
    busiest = max(counts.values())
    last = inspector.last_events(session, source_id, now, 1)
    pitch = BARS_WIDTH / len(counts)
    return page.Pulse(
        last_minute=list(counts.values())[-2],
        last_hour=sum(counts.values()),
        busiest=busiest,
        bars=tuple(
            page.Bar(round(i * pitch, 1), round(many / max(1, busiest) * BARS_HEIGHT, 1), at, many)
            for i, (at, many) in enumerate(counts.items())
        ),
        last_at=last[0].received_at if last else None,
        rejected_today=inspector.refused_since(session, midnight(now)).get(source_id, 0),
        open_refused=sum(one.many for one in reasons),
    )


def _acts(acts: Sequence[Act]) -> tuple[page.ActRow, ...]:
    return tuple(page.ActRow(_act_words(one), one.at, one.by or gettext("command line")) for one in acts)


def _act_words(act: Act) -> str:
    detail = act.detail
    hint = str(detail.get("hint", ""))
    if act.act == "quarantine.redriven":
        taken, of = number(detail.get("taken")), number(detail.get("of"))
        return gettext("Tried %(n)s again, %(taken)s taken in", n=of, taken=taken)
    if act.act == "quarantine.dismissed":
        return gettext("Dismissed %(n)s", n=number(detail.get("dismissed")))
    if act.act == "source.keyed" and (ends := detail.get("old_keys_end_at")):
        at = datetime.fromisoformat(str(ends))
        old = f"{day(at)} {time_of_day(at)}"
        return gettext("Made key …%(hint)s; older keys end at %(time)s", hint=hint, time=old)
    words = {
        "source.added": gettext("Added the source with key …%(hint)s", hint=hint),
        "source.keyed": gettext("Made key …%(hint)s", hint=hint),
        "source.key_ended": gettext("Ended key …%(hint)s", hint=hint),
        "source.changed": gettext("Changed lateness or limit"),
        "source.disabled": gettext("Switched the source off"),
        "source.enabled": gettext("Switched the source on"),
    }
    return words.get(act.act, act.act)
