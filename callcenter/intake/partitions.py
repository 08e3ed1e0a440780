"""The weeks the events are kept in: one partition each, made before it is needed."""

from datetime import UTC, datetime, timedelta

from psycopg import sql
from sqlmodel import Session

from callcenter.db import cursor_of

WEEK = timedelta(days=7)
MOST_PARTITIONS = 520
"""Ten years of weeks; events beyond stay in the default partition, which works and is slower."""

_KNOWN = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = 'journey_event'::regclass
"""


def week_of(at: datetime) -> datetime:
    """Return the Monday, 00:00 UTC, of the week a moment lies in."""
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def partition_of(week: datetime) -> str:
    """Return the name of a week's partition, for example journey_event_2026w47."""
    year, number, _ = week.isocalendar()
    return f"journey_event_{year}w{number:02d}"


def keep_partitions(session: Session, since: datetime, until: datetime) -> list[str]:
    """Make the partitions of these weeks that are missing; return their names.

    Events that came in before their partition was made move over from the default one.
    """
    cursor = cursor_of(session)
    known = {row[0] for row in cursor.execute(_KNOWN)}
    weeks: list[datetime] = []
    week = week_of(since)
    while week <= until and len(known) + len(weeks) < MOST_PARTITIONS:
        if partition_of(week) not in known:
            weeks.append(week)
        week += WEEK
    for week in weeks:
        _make(session, week)
    return [partition_of(week) for week in weeks]


def _make(session: Session, week: datetime) -> None:
    cursor = cursor_of(session)
    name, since, until = sql.Identifier(partition_of(week)), sql.Literal(week), sql.Literal(week + WEEK)
    # Made apart and attached: this lets writers of the other weeks go on.
    cursor.execute("LOCK TABLE journey_event_default IN ACCESS EXCLUSIVE MODE")
    cursor.execute(_KNOWN)
    if partition_of(week) in {row[0] for row in cursor}:
        return
    cursor.execute(sql.SQL("CREATE TABLE {} (LIKE journey_event INCLUDING ALL)").format(name))
    cursor.execute(
        sql.SQL(
            "WITH moved AS (DELETE FROM journey_event_default"
            " WHERE received_at >= {since} AND received_at < {until} RETURNING *)"
            " INSERT INTO {name} SELECT * FROM moved"
        ).format(name=name, since=since, until=until)
    )
    cursor.execute(
        sql.SQL("ALTER TABLE journey_event ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            name, since, until
        )
    )
