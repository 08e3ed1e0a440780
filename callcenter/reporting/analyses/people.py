# ruff: noqa: S608 - statements are put together from constants; what is asked are parameters
"""The part every analysis begins with: the events of a window, and whose group each person is in."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from callcenter.reporting.analyses.asked import Question, Split

_PROPERTY = frozenset({Split.DEVICE, Split.APP_VERSION, Split.CHANNEL})
_SAID_NUMBER = "CASE WHEN jsonb_typeof(properties -> '%s') = 'number' THEN (properties ->> '%s')::float8 END"
AMOUNT = f"coalesce({_SAID_NUMBER % ('amount', 'amount')}, {_SAID_NUMBER % ('credit_limit', 'credit_limit')})"
PERSON = "hashtextextended(journey_key, uuid_hash_extended(customer_id, 0))"
"""One number for a customer with a journey key: joins and counts by it take half the time. Two people share one
in a billion billion pairs."""
REASON = "coalesce(properties ->> 'reason', properties ->> 'code')"

_STEPS = """
WITH step AS (
    SELECT id, place FROM unnest(CAST(:steps AS text[])) WITH ORDINALITY AS s(id, place)
)"""


def events(asked: Question, more: str = "NULL::text") -> str:
    """Return the beginning of a statement: `step`, and `e`, the window's events; `more` is one column of each."""
    said = f"properties ->> '{asked.split.value}'" if asked.split in _PROPERTY else "NULL::text"
    return f"""{_STEPS}, e AS MATERIALIZED (
    SELECT {PERSON} AS person, customer_id, journey_key, name, key, step, role, event_time AS at,
           {said} AS said, {more} AS more
      FROM journey_event
     WHERE journey = :journey AND event_time >= :start AND event_time < :end AND customer_id <= :below
           AND received_at >= CAST(:start AS timestamptz) - interval '1 hour'
)"""


def groups(asked: Question, *, each_hour: bool = False) -> str:
    """Return `who`, each person with each group they are in, and `total`, the largest groups.

    `each_hour` puts a person into every hour they did something in, rather than the first.
    """
    only = "WHERE grp = :only" if asked.only is not None else ""
    found = _EACH_HOUR if each_hour else _WHO[asked.split]
    limit = 24 if asked.split is Split.HOUR else 8
    return f""", everyone AS ({found}), who AS MATERIALIZED (SELECT * FROM everyone {only}
), counted AS (
    SELECT grp, count(*) AS people, count(*) OVER () AS groups FROM who GROUP BY grp
), total AS (
    SELECT * FROM counted ORDER BY people DESC, grp LIMIT {limit}
)"""


_SAID = """
    SELECT DISTINCT ON (person) person, coalesce(said, '') AS grp FROM e
     ORDER BY person, said IS NULL, at"""
_PEOPLE = "SELECT DISTINCT person, customer_id, journey_key FROM e"
_FIRED = f"""
    SELECT DISTINCT p.person, coalesce(%s, '') AS grp
      FROM ({_PEOPLE}) p
      LEFT JOIN %s
        ON f.customer_id = p.customer_id AND f.journey = :journey AND f.journey_key = p.journey_key
           AND f.fired_at >= :start AND f.fired_at < :end AND f.rule_key <> 'by-hand'"""
_EACH_OF = f"""
    SELECT p.person, coalesce(t.one, '') AS grp
      FROM ({_PEOPLE}) p JOIN customer c ON c.id = p.customer_id
      LEFT JOIN LATERAL jsonb_array_elements_text(c.%s) AS t(one) ON true"""
"""Of each person what stands in a list with their customer, as it is now."""
_WHO = {
    Split.NONE: "SELECT DISTINCT person, '' AS grp FROM e",
    Split.DEVICE: _SAID,
    Split.APP_VERSION: _SAID,
    Split.CHANNEL: _SAID,
    Split.TAG: _EACH_OF % "tags",
    Split.SEGMENT: _EACH_OF % "segments",
    Split.SURVEY: f"""
    SELECT p.person, coalesce(c.survey_group, '') AS grp
      FROM ({_PEOPLE}) p JOIN customer c ON c.id = p.customer_id""",
    Split.RULE: _FIRED % ("f.rule_key", "trigger_firing f"),
    Split.SCRIPT: _FIRED % ("a.script_id", "(trigger_firing f JOIN contact_attempt a ON a.firing_id = f.id)"),
    Split.HOUR: """
    SELECT person, to_char(min(at) AT TIME ZONE :zone, 'HH24') AS grp FROM e GROUP BY person""",
}  # fmt: skip
_EACH_HOUR = "SELECT DISTINCT person, to_char(at AT TIME ZONE :zone, 'HH24') AS grp FROM e"

_EXPECTED = text("""
EXPLAIN (FORMAT JSON)
SELECT 1 FROM journey_event WHERE journey = :journey AND event_time >= :start AND event_time < :end
""")


def events_expected(session: Session, journey: str, start: datetime, end: datetime) -> int:
    """Return about how many events the window holds, as the planner's statistics say, without reading them."""
    found = session.execute(_EXPECTED, {"journey": journey, "start": start, "end": end}).scalar_one()
    return int(found[0]["Plan"]["Plan Rows"])


def parameters(asked: Question) -> dict[str, object]:
    """Return the parameters of the statements above."""
    return {
        "journey": asked.journey,
        "steps": list(asked.steps),
        "goal": asked.goal,
        "start": asked.start,
        "end": asked.end,
        "zone": asked.zone,
        "only": asked.only,
        "below": asked.sample.most,
        "step": asked.step,
        "until": asked.until,
    }
