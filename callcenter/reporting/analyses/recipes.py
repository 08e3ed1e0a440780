# ruff: noqa: S608 - statements are put together from constants; what is asked are parameters
"""The ten models as SQL: each says who is counted in which row (`member`), and what is counted of them.

A member has `grp`, `label`, `sort`, `person` and `part`, which marks the part of a row that
has a name of its own: who was lost, came back, converted, met an error. The people behind a number are the
members of its row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from callcenter.reporting.analyses.asked import Figure, Kind, Model, Question, Split
from callcenter.reporting.analyses.people import AMOUNT, REASON, events, groups
from callcenter.reporting.funnel import STILL_THERE

SESSION_GAP_MINUTES = 30
"""Silence after which the next event begins a new session."""
TOUCHED_WITHIN_DAYS = 30
"""How long before a conversion a call may have been to be credited."""
NEWEST_DROPS = 1_000
"""Of how many drops, counted from the newest, paths are told."""
LATER_DAYS = (1, 2, 3, 5, 7, 14, 21)
INTERVALS = (60, 120, 300, 900, 3_600, 14_400, 86_400, 259_200)
"""Upper bounds of the rows of an interval, in seconds; the last row has none."""
HORIZONS = {"30": 30, "90": 90}


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is counted. `counts` are SQL aggregates over members by figure; `has_all` tells a row of all.

    `compared` is the figure laid beside earlier weeks; `part` names what `part` marks.
    """

    member: Callable[[Question], str]
    figures: tuple[Figure, ...]
    counts: Mapping[str, str]
    compared: str | None = None
    has_all: bool = True
    more: str = "NULL::text"
    part: str | None = None


_REACHED = """, reached AS (
    SELECT e.person, s.place, min(e.at) AS at
      FROM e JOIN step s ON s.id = e.step WHERE e.role = 'enter' GROUP BY 1, 2
)"""
_LEFT = f"""{_REACHED}, ordered AS (
    SELECT r.*, lead(at) OVER person AS next_at, lead(place) OVER person IS NULL AS is_last
      FROM reached r WINDOW person AS (PARTITION BY person ORDER BY place)
), busy AS (
    SELECT DISTINCT person, true AS is_busy FROM e
     WHERE at >= CAST(:end AS timestamptz) - interval '{int(STILL_THERE.total_seconds())} seconds'
)"""


def _funnel(asked: Question) -> str:
    return f"""{events(asked)}{groups(asked)}{_LEFT}, member AS (
    SELECT w.grp, s.id AS label, s.place AS sort, o.person,
           o.is_last AND b.is_busy IS NULL AND s.id <> :goal AS part,
           CASE WHEN o.next_at > o.at THEN extract(epoch FROM o.next_at - o.at) END AS seconds
      FROM ordered o JOIN who w USING (person) JOIN step s ON s.place = o.place
      LEFT JOIN busy b USING (person)
)"""


def _retention(asked: Question) -> str:
    return f"""{events(asked)}{groups(asked)}, days AS (
    SELECT DISTINCT person, (at AT TIME ZONE :zone)::date AS day FROM e
), began AS (
    SELECT person, min(day) AS day FROM days GROUP BY 1
), member AS (
    SELECT w.grp, b.day::text AS label, b.day - date '2000-01-01' AS sort, person,
           d.day > b.day AS part, d.day - b.day AS later
      FROM began b JOIN days d USING (person) JOIN who w USING (person)
)"""


_MEASURED = {
    "events": "count(*)",
    "errors": "count(*) FILTER (WHERE role = 'error')",
    "steps": "count(DISTINCT step) FILTER (WHERE role = 'enter')",
    "days": "count(DISTINCT (at AT TIME ZONE :zone)::date)",
}


def _distribution(asked: Question) -> str:
    measure = _MEASURED[asked.measure]
    return f"""{events(asked)}{groups(asked)}, each AS (
    SELECT person, {measure} AS n FROM e GROUP BY 1
), member AS (
    SELECT w.grp, person, false AS part, n,
           CASE WHEN n <= 5 THEN n WHEN n <= 10 THEN 6 WHEN n <= 20 THEN 11 WHEN n <= 50 THEN 21 ELSE 51 END
               AS sort,
           CASE WHEN n <= 5 THEN n::text WHEN n <= 10 THEN '6-10' WHEN n <= 20 THEN '11-20'
                WHEN n <= 50 THEN '21-50' ELSE '51-' END AS label
      FROM each JOIN who w USING (person)
)"""


def _interval(asked: Question) -> str:
    bounds = ", ".join(str(one) for one in INTERVALS)
    return f"""{events(asked)}{groups(asked)}{_REACHED}, took AS (
    SELECT a.person, extract(epoch FROM b.at - a.at)::float8 AS seconds
      FROM reached a JOIN step f ON f.place = a.place AND f.id = :step
      JOIN reached b ON b.person = a.person AND b.at >= a.at
      JOIN step t ON t.place = b.place AND t.id = :until
), member AS (
    SELECT w.grp, person, false AS part, seconds,
           width_bucket(seconds, CAST(ARRAY[{bounds}] AS float8[])) AS sort,
           width_bucket(seconds, CAST(ARRAY[{bounds}] AS float8[]))::text AS label
      FROM took JOIN who w USING (person)
)"""


def _path(asked: Question) -> str:
    return f"""{events(asked)}{groups(asked)}{_LEFT}, dropped AS (
    SELECT o.person, w.grp, o.at
      FROM ordered o JOIN step s ON s.place = o.place AND s.id = :step
      JOIN who w USING (person)
      LEFT JOIN busy b USING (person)
     WHERE o.is_last AND b.is_busy IS NULL ORDER BY o.at DESC LIMIT {NEWEST_DROPS}
), who_dropped AS (
    SELECT DISTINCT d.*, e.customer_id FROM dropped d JOIN e USING (person)
), around AS (
    SELECT d.*, before.names[1] AS before_1, before.names[2] AS before_2, after.names[1] AS after_1,
           after.names[2] AS after_2
      FROM who_dropped d
      CROSS JOIN LATERAL (SELECT array(
           SELECT coalesce(x.key, x.name) FROM journey_event x
            WHERE x.customer_id = d.customer_id AND x.event_time < d.at AND x.event_time > d.at - interval '1 day'
                  AND x.received_at > d.at - interval '25 hours'
            ORDER BY x.event_time DESC, x.id DESC LIMIT 2) AS names) before
      CROSS JOIN LATERAL (SELECT array(
           SELECT coalesce(x.key, x.name) FROM journey_event x
            WHERE x.customer_id = d.customer_id AND x.event_time > d.at AND x.event_time < :end
                  AND x.received_at > d.at - interval '1 hour'
            ORDER BY x.event_time, x.id LIMIT 2) AS names) after
), member AS (
    SELECT a.grp, t.place || '|' || coalesce(t.f, '') || '|' || coalesce(t.u, '') AS label, t.place AS sort,
           a.person, false AS part
      FROM around a
      CROSS JOIN LATERAL (VALUES (1, before_2, before_1), (2, before_1, :step), (3, :step, after_1),
                                 (4, after_1, after_2)) AS t(place, f, u)
     WHERE t.f IS NOT NULL OR t.place = 2
)"""


_TOUCHED = {"rule": "f.rule_key", "script": "coalesce(a.script_id, '')", "campaign": "a.campaign"}
_PLACED = "a.result IS DISTINCT FROM 'not_placed' AND a.result IS DISTINCT FROM 'rejected'"


def _attribution(asked: Question) -> str:
    by = _TOUCHED[asked.measure]
    return f"""{events(asked, AMOUNT)}{groups(asked)}, goal AS (
    SELECT person, customer_id, journey_key, min(at) AS at, max(more) AS amount FROM e
     WHERE role = 'enter' AND step = :goal GROUP BY 1, 2, 3
), touch AS (
    SELECT g.person, {by} AS label, g.amount,
           row_number() OVER (PARTITION BY g.person ORDER BY a.claimed_at, a.id) AS nth,
           count(*) OVER (PARTITION BY g.person) AS touches
      FROM goal g
      JOIN contact_attempt a ON a.customer_id = g.customer_id AND a.claimed_at < g.at
           AND a.claimed_at >= g.at - interval '{TOUCHED_WITHIN_DAYS} days' AND {_PLACED}
      JOIN trigger_firing f ON f.id = a.firing_id AND f.journey = :journey
), told AS (
    SELECT {by} AS label, hashtextextended(f.journey_key, uuid_hash_extended(a.customer_id, 0)) AS person,
           'touch' AS kind, a.bridged_at IS NOT NULL AS reached,
           NULL::bigint AS nth, NULL::bigint AS touches, NULL::float8 AS amount
      FROM contact_attempt a JOIN trigger_firing f ON f.id = a.firing_id AND f.journey = :journey
     WHERE a.claimed_at >= :start AND a.claimed_at < :end AND {_PLACED}
           AND a.customer_id <= :below
    UNION ALL
    SELECT label, person, 'credit', NULL, nth, touches, amount FROM touch
    UNION ALL
    SELECT '', g.person, 'alone', NULL, NULL, NULL, g.amount FROM goal g
     WHERE NOT EXISTS (SELECT 1 FROM touch t WHERE t.person = g.person)
), member AS (
    SELECT w.grp, t.*, t.kind <> 'touch' AS part, CASE t.kind WHEN 'alone' THEN 1 ELSE 0 END AS sort
      FROM told t JOIN who w USING (person)
)"""


def _value(asked: Question) -> str:
    days = HORIZONS[asked.measure]
    return f"""{events(asked, AMOUNT)}{groups(asked)}, goal AS (
    SELECT person, customer_id, min(at) AS at, coalesce(max(more), 0) AS amount FROM e
     WHERE role = 'enter' AND step = :goal GROUP BY 1, 2
), first AS (
    SELECT DISTINCT ON (customer_id) customer_id, person, at, amount FROM goal ORDER BY customer_id, at
), later AS (
    SELECT f.customer_id, count(*) AS times, sum(g.amount) AS amount
      FROM first f JOIN goal g ON g.customer_id = f.customer_id AND g.at > f.at
           AND g.at <= f.at + interval '{days} days'
     GROUP BY 1
), member AS (
    SELECT w.grp, date_trunc('week', f.at AT TIME ZONE :zone)::date::text AS label,
           date_trunc('week', f.at AT TIME ZONE :zone)::date - date '2000-01-01' AS sort, person,
           l.times IS NOT NULL AS part, f.amount, coalesce(l.times, 0) AS times,
           coalesce(l.amount, 0) AS again, f.at + interval '{days} days' <= :end AS watched
      FROM first f JOIN who w USING (person) LEFT JOIN later l USING (customer_id)
)"""


def _session(asked: Question) -> str:
    return f"""{events(asked)}{groups(asked)}, gap AS (
    SELECT person, at, role,
           (at - lag(at) OVER person > interval '{SESSION_GAP_MINUTES} minutes')::int AS is_new
      FROM e WINDOW person AS (PARTITION BY person ORDER BY at)
), numbered AS (
    SELECT *, sum(coalesce(is_new, 0)) OVER (PARTITION BY person ORDER BY at) AS nth FROM gap
), sat AS (
    SELECT person, nth, min(at) AS at, max(at) AS until, count(*) AS n,
           bool_or(role = 'error') IS TRUE AS part
      FROM numbered GROUP BY 1, 2
), member AS (
    SELECT w.grp, (at AT TIME ZONE :zone)::date::text AS label, (at AT TIME ZONE :zone)::date - date '2000-01-01'
               AS sort, person, part, n, extract(epoch FROM until - at)::float8 AS seconds
      FROM sat JOIN who w USING (person)
)"""


def _attribute(asked: Question) -> str:
    return f"""{events(asked)}{groups(asked)}, each AS (
    SELECT person, bool_or(role = 'enter' AND step = :goal) IS TRUE AS part,
           count(*) FILTER (WHERE role = 'error') AS errors, count(*) AS n
      FROM e GROUP BY 1
), member AS (
    SELECT w.grp, '' AS label, 0 AS sort, person, part, errors, n
      FROM each JOIN who w USING (person)
)"""


def _event(asked: Question) -> str:
    each_hour = asked.split is Split.HOUR
    hour = "AND w.grp = to_char(e.at AT TIME ZONE :zone, 'HH24')" if each_hour else ""
    errors = "WHERE e.role = 'error'" if asked.measure == "errors" else ""
    reason = "coalesce(e.more, '')" if asked.measure == "errors" else "''"
    return f"""{events(asked, REASON)}{groups(asked, each_hour=each_hour)}, member AS (
    SELECT w.grp, coalesce(e.step, '') || '|' || coalesce(e.key, e.name) || '|' || {reason} AS label,
           coalesce(s.place, 99) AS sort, e.person, coalesce(e.role = 'error', false) AS part
      FROM e JOIN who w ON w.person = e.person {hour}
      LEFT JOIN step s ON s.id = e.step {errors}
)"""


_PEOPLE = "count(DISTINCT person)"
_MEDIAN = "percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds)"


def _count(code: str) -> Figure:
    return Figure(code, Kind.COUNT)


def _share(code: str, part: str, whole: str = "total") -> Figure:
    return Figure(code, Kind.SHARE, part, whole)


RECIPES: Mapping[Model, Recipe] = {
    Model.FUNNEL: Recipe(
        _funnel,
        (
            _count("entered"), _share("of_total", "entered"), _count("lost"), _share("loss", "lost", "entered"),
            Figure("median", Kind.SECONDS),
        ),
        {"entered": "count(*)", "lost": "count(*) FILTER (WHERE part)", "median": _MEDIAN},
        compared="loss", has_all=False, part="lost",
    ),
    Model.RETENTION: Recipe(
        _retention,
        (_count("people"), *(_share(f"day_{n}", f"back_{n}", "people") for n in LATER_DAYS)),
        {"people": "count(*) FILTER (WHERE later = 0)"}
        | {f"back_{n}": f"count(*) FILTER (WHERE later = {n})" for n in LATER_DAYS},
        compared="day_1", part="back",
    ),
    Model.DISTRIBUTION: Recipe(
        _distribution,
        (_count("people"), _share("share", "people"), Figure("mean", Kind.RATIO)),
        {"people": "count(*)", "mean": "avg(n)::float8"},
        compared="share",
    ),
    Model.INTERVAL: Recipe(
        _interval,
        (_count("people"), _share("share", "people", "all"), _share("within", "so_far", "all"),
         Figure("median", Kind.SECONDS), Figure("p90", Kind.SECONDS)),
        {"people": "count(*)", "median": _MEDIAN,
         "p90": "percentile_cont(0.9) WITHIN GROUP (ORDER BY seconds)"},
        compared="share",
    ),
    Model.PATH: Recipe(
        _path, (_count("people"), _share("share", "people", "all")), {"people": "count(*)"}, has_all=False,
    ),
    Model.ATTRIBUTION: Recipe(
        _attribution,
        (_count("touches"), _count("touched"), _count("reached"), _count("conversions"),
         _share("return", "conversions", "touched"), _count("first"), _count("last"), _count("linear"),
         Figure("value", Kind.AMOUNT)),
        {
            "touches": "count(*) FILTER (WHERE kind = 'touch')",
            "touched": f"{_PEOPLE} FILTER (WHERE kind = 'touch')",
            "reached": f"{_PEOPLE} FILTER (WHERE kind = 'touch' AND reached)",
            "conversions": f"{_PEOPLE} FILTER (WHERE part)",
            "first": "count(*) FILTER (WHERE kind = 'credit' AND nth = 1)",
            "last": "count(*) FILTER (WHERE kind = 'credit' AND nth = touches)",
            "linear": "coalesce(sum(1.0 / touches) FILTER (WHERE kind = 'credit'), 0)::float8",
            "value": "coalesce(sum(amount / coalesce(touches, 1)) FILTER (WHERE part), 0)::float8",
        },
        more=AMOUNT, part="converted",
    ),
    Model.VALUE: Recipe(
        _value,
        (_count("converted"), Figure("value", Kind.AMOUNT), _count("repeated"),
         _share("repeat_share", "repeated", "converted"), _count("repeats"), Figure("repeat_value", Kind.AMOUNT),
         _share("watched", "watched_count", "converted")),
        {
            "converted": "count(*)", "value": "sum(amount)::float8", "repeated": "count(*) FILTER (WHERE part)",
            "repeats": "sum(times)::float8", "repeat_value": "sum(again)::float8",
            "watched_count": "count(*) FILTER (WHERE watched)",
        },
        more=AMOUNT, part="repeated",
    ),
    Model.SESSION: Recipe(
        _session,
        (_count("sessions"), _count("people"), Figure("per_person", Kind.RATIO), Figure("median", Kind.SECONDS),
         Figure("events", Kind.RATIO), _count("with_error"), _share("error_share", "with_error", "sessions")),
        {
            "sessions": "count(*)", "people": _PEOPLE, "median": _MEDIAN, "events": "avg(n)::float8",
            "per_person": f"(count(*)::float8 / nullif({_PEOPLE}, 0))",
            "with_error": "count(*) FILTER (WHERE part)",
        },
        compared="sessions", part="error",
    ),
    Model.ATTRIBUTE: Recipe(
        _attribute,
        (_count("people"), _count("converted"), _share("conversion", "converted", "people"),
         Figure("errors", Kind.RATIO), Figure("events", Kind.RATIO)),
        {
            "people": "count(*)", "converted": "count(*) FILTER (WHERE part)", "errors": "avg(errors)::float8",
            "events": "avg(n)::float8",
        },
        compared="conversion", has_all=False, part="converted",
    ),
    Model.EVENT: Recipe(
        _event,
        (_count("events"), _count("people"), _share("share", "people"), Figure("per_person", Kind.RATIO)),
        {
            "events": "count(*)", "people": _PEOPLE,
            "per_person": f"(count(*)::float8 / nullif({_PEOPLE}, 0))",
        },
        compared="events", more=REASON,
    ),
}  # fmt: skip
