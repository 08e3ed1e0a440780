"""The back-test: the live rules under a virtual clock, checked against a reading without clocks."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result

from callcenter.backtest.replay import back_test
from callcenter.backtest.values import BackTest, Extent, Stored
from callcenter.commands.back_test import back_test_command
from callcenter.commands.funnel import funnel_command
from callcenter.commands.import_events import load_mapping, run_import
from callcenter.domain.events import EventValue
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import CallCenterError
from callcenter.journeys.policy import read_journey
from callcenter.journeys.rules import place_event
from callcenter.runtime import Runtime
from callcenter.triggers.policy import read_rule
from tests.servers import test_settings

START = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
JOURNEY_FILE: dict[str, Any] = {
    "journey": "offers",
    "key": "application",
    "gap": "none",
    "goal": "paid",
    "exits": ["canceled"],
    "steps": [
        {"id": "asked", "enter": ["asked"]},
        {"id": "offered", "enter": ["offered"], "events": ["looked"]},
        {"id": "returned", "enter": ["returned"]},
        {"id": "paid", "enter": ["paid"]},
    ],
}
RULE = {
    "rule": "silent",
    "journey": "offers",
    "step": "offered",
    "preset": "absence",
    "event": "offered",
    "after": "1h",
}
JOURNEY: JourneyDefinition = read_journey(JOURNEY_FILE)


def happened(
    minutes: float, name: str, who: str = "c1", key: str = "a1", late: float = 0, **properties: Any
) -> Stored:
    """One stored event, so many minutes after the start; received `late` minutes after it happened."""
    at = START + timedelta(minutes=minutes)
    event = EventValue(
        f"{minutes:09.3f}{name}",
        "track",
        name,
        name,
        at,
        at + timedelta(minutes=late),
        user_id=who,
        properties={"application": key, **properties},
    )
    place = place_event({"offers": JOURNEY}, event)
    assert place is not None
    return Stored(who, place, event, timedelta(0))


def run(*events: Stored, rule: dict[str, Any] = RULE, end: float | None = None, **options: Any) -> BackTest:
    """Run a rule over these events; the last event stored is at `end` minutes, or the last of these."""
    ordered = sorted(
        events, key=lambda one: (one.event.received_at, one.event.event_time, one.event.message_id)
    )
    last = START + timedelta(minutes=end) if end is not None else ordered[-1].event.received_at
    extent = Extent(len(events), ordered[0].event.received_at, last)
    return back_test(read_rule(rule, JOURNEY), JOURNEY, ordered, extent, **options)


def minutes(result: BackTest) -> list[tuple[float, float]]:
    """From when each firing counted and when it ran out, in minutes after the start."""
    return [
        ((one.anchor_at - START) / timedelta(minutes=1), (one.due_at - START) / timedelta(minutes=1))
        for one in result.firings
    ]


def test_silence_fires_at_the_deadline_when_nobody_does_anything() -> None:
    assert minutes(run(happened(0, "offered"), end=90)) == [(0, 60)]


def test_the_clock_ends_with_the_last_event() -> None:
    assert minutes(run(happened(0, "offered"), end=59.99)) == []
    assert minutes(run(happened(0, "offered"), end=60)) == [(0, 60)]


@pytest.mark.parametrize("name", ["returned", "canceled", "paid"])
@pytest.mark.parametrize(("at", "fired"), [(59.9, 0), (60, 0), (60.1, 1)])
def test_an_event_at_exactly_the_deadline_is_in_time(name: str, at: float, fired: int) -> None:
    assert len(run(happened(0, "offered"), happened(at, name), end=200).firings) == fired


def test_a_second_offer_while_the_first_is_open_moves_nothing() -> None:
    result = run(happened(0, "offered"), happened(30, "offered"), happened(70, "offered"), end=300)
    assert minutes(result) == [(0, 60)]


def test_an_offer_after_the_first_was_closed_counts_anew() -> None:
    result = run(
        happened(0, "offered"),
        happened(30, "canceled"),
        happened(40, "offered"),
        happened(120, "returned"),
        happened(130, "offered"),
        end=300,
    )
    assert minutes(result) == [(40, 100), (130, 190)]


def test_activity_of_an_earlier_step_and_other_applications_do_not_end_it() -> None:
    result = run(
        happened(0, "offered"),
        happened(10, "looked"),
        happened(20, "returned", key="a2"),
        happened(20, "returned", who="c2"),
        end=90,
    )
    assert minutes(result) == [(0, 60)]


def test_an_event_that_comes_in_late_still_cancels() -> None:
    in_time = run(happened(0, "offered"), happened(20, "returned", late=30), end=90)
    too_late = run(happened(0, "offered"), happened(20, "returned", late=50), end=90)
    assert minutes(in_time) == [] and minutes(too_late) == [(0, 60)]


def test_a_source_that_may_be_late_is_waited_for() -> None:
    offered = replace(happened(0, "offered"), lateness=timedelta(minutes=15))
    assert minutes(run(offered, happened(20, "returned", late=50), end=90)) == []
    (firing,) = run(offered, end=90).firings
    assert firing.fired_at - firing.due_at == timedelta(minutes=15)


def test_conditions_see_the_visit_and_the_customer() -> None:
    rule = {**RULE, "conditions": {"field": "visit.amount", "op": ">", "value": 100}}
    events = [happened(0, "offered", amount=50), happened(0, "offered", who="c2", amount=500)]
    assert [one.customer_id for one in run(*events, rule=rule, end=90).firings] == ["c2"]
    rule = {**RULE, "conditions": {"field": "customer.language", "op": "=", "value": "zh"}}
    result = run(
        *events, rule=rule, end=90, attributes=lambda who: {"language": "zh" if who == "c1" else "en"}
    )
    assert [one.customer_id for one in result.firings] == ["c1"]


def test_a_quiet_rule_counts_from_the_last_activity_and_fires_once_a_visit() -> None:
    rule = {**RULE, "preset": "gone_quiet"}
    del rule["event"]
    result = run(happened(0, "offered"), happened(50, "looked"), happened(300, "looked"), rule=rule, end=900)
    assert minutes(result) == [(50, 110)]


def test_who_came_back_counts_only_where_we_can_know_it() -> None:
    result = run(
        happened(0, "offered"),
        happened(90, "returned"),  # 30 minutes after it fired
        happened(0, "offered", who="c2"),
        happened(60 + 120, "returned", who="c2"),  # two hours after
        happened(0, "offered", who="c3"),
        happened(70, "canceled", who="c3"),  # left
        happened(1400, "offered", who="c4"),  # fires 40 minutes before the end
        end=1500,
    )
    assert len(result.firings) == 4
    assert result.came_back(timedelta(hours=1)) == (1, 3)
    assert result.came_back(timedelta(hours=23)) == (2, 3)
    assert result.came_back(timedelta(hours=25)) == (0, 0)


def test_from_and_to_limit_the_firings_and_not_what_is_known() -> None:
    events = [
        happened(0, "offered", who="c1"),
        happened(30, "offered", who="c2"),
        happened(100, "offered", who="c3"),
        happened(120, "returned", who="c2"),
    ]
    since, until = START + timedelta(minutes=80), START + timedelta(minutes=95)
    result = run(*events, since=since, until=until, end=400)
    assert [one.customer_id for one in result.firings] == ["c2"]
    assert result.firings[0].came_back_at == START + timedelta(minutes=120)


def naive_firings(events: list[Stored], after: timedelta, end: datetime) -> list[tuple[str, str, datetime]]:
    """The same without clocks: per application, each offer that opens, and the first event ending it."""
    found = []
    for who, key in sorted({(one.customer_id, one.place.journey_key) for one in events}):
        opened: datetime | None = None
        mine = [one.event for one in events if (one.customer_id, one.place.journey_key) == (who, key)]
        for event in sorted(mine, key=lambda event: event.order):
            if opened is None:
                opened = event.event_time if event.name == "offered" else None
            elif event.name in ("returned", "paid", "canceled", "asked"):
                if event.event_time > opened + after:
                    found.append((who, key, opened))
                opened = None
        if opened is not None and opened + after <= end:
            found.append((who, key, opened))
    return found


@pytest.mark.parametrize("seed", range(20))
def test_random_events_fire_as_a_reading_without_clocks_says(seed: int) -> None:
    random = Random(seed)
    names = ("asked", "offered", "offered", "returned", "paid", "canceled")
    events = [
        happened(
            random.randrange(60) * 10,
            random.choice(names),
            f"c{random.randrange(4)}",
            f"a{random.randrange(2)}",
        )
        for _ in range(80)
    ]
    end = max(one.event.received_at for one in events)
    result = run(*events)
    fired = sorted((one.customer_id, one.journey_key, one.anchor_at) for one in result.firings)
    assert fired == naive_firings(events, timedelta(hours=1), end)


# -- the command -------------------------------------------------------------------------------------------


@pytest.fixture
def imported(tmp_path: Path, fresh_database: Callable[[str], str], redis_url: str) -> Iterator[Runtime]:
    """A database with a small log in it, and its files in the runtime's home's parent."""
    url = fresh_database("backtest")
    runtime = Runtime(test_settings(tmp_path / "home", DATABASE_URL=url, REDIS_URL=redis_url))
    (tmp_path / "offers.yaml").write_bytes(orjson.dumps(JOURNEY_FILE))
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(
        "source: log\njourney: offers.yaml\n"
        "columns: {customer: who, journey_key: key, activity: what, time: at}\n"
        "properties: {amount: {column: sum, type: number}}\n"
    )
    log = tmp_path / "log.csv"
    log.write_text(
        "who,key,what,at,sum\n"
        "c1,a1,offered,2026-07-01T08:00:00Z,10\n"
        "c1,a2,offered,2026-07-01T08:10:00Z,500\n"
        "c1,a2,returned,2026-07-01T08:20:00Z,500\n"
        "c2,a3,asked,2026-07-01T08:20:00Z,900\n"
        "c2,a3,offered,2026-07-01T08:30:00Z,900\n"
        "c2,a3,offered,2026-07-01T08:50:00Z,900\n"
        "c3,a4,asked,2026-07-02T08:30:00Z,900\n"
    )
    run_import(runtime, log, mapping, load_mapping(mapping))
    yield runtime
    runtime.engine.dispose()


def commands(runtime: Runtime, rule: dict[str, Any], *options: str) -> Result:
    """Call the command on the test's servers."""
    path = runtime.settings.home.parent / "rule.yaml"
    path.write_bytes(orjson.dumps(rule))
    return CliRunner().invoke(back_test_command, [str(path), *options], env=_servers(runtime))


def _servers(runtime: Runtime) -> dict[str, str | None]:
    return {"DATABASE_URL": runtime.settings.database_url, "REDIS_URL": runtime.settings.redis_url}


def test_the_command_says_who_and_when_in_one_json_object(imported: Runtime) -> None:
    result = commands(imported, RULE, "--json")
    assert result.exit_code == 0 and result.stderr == ""
    said = orjson.loads(result.stdout)
    assert said["firings"] == [
        {
            "customer": "c1",
            "journey_key": "a1",
            "anchor_at": "2026-07-01T08:00:00Z",
            "due_at": "2026-07-01T09:00:00Z",
            "fired_at": "2026-07-01T09:00:00Z",
            "came_back_at": None,
        },
        {
            "customer": "c2",
            "journey_key": "a3",
            "anchor_at": "2026-07-01T08:30:00Z",
            "due_at": "2026-07-01T09:30:00Z",
            "fired_at": "2026-07-01T09:30:00Z",
            "came_back_at": None,
        },
    ]
    assert (said["rule"], said["events"], said["fired"]) == ("silent", 7, 2)
    assert said["per_day"] == [{"day": "2026-07-01", "fired": 2}]
    assert said["peak_hour"] == {"at": "2026-07-01T09:00:00Z", "fired": 2}
    assert said["came_back"] == {"1h": {"back": 0, "of": 2}, "24h": {"back": 0, "of": 0}}


def test_after_from_and_to_take_effect_and_conditions_read_stored_properties(imported: Runtime) -> None:
    def firings(rule: dict[str, Any], *options: str) -> list[str]:
        return [
            one["journey_key"]
            for one in orjson.loads(commands(imported, rule, "--json", *options).stdout)["firings"]
        ]

    assert firings(RULE, "--after", "2d") == []
    assert firings(RULE, "--after", "5m") == ["a1", "a2", "a3"]
    assert firings(RULE, "--from", "2026-07-01T09:10") == ["a3"]
    assert firings(RULE, "--to", "2026-07-01T11:10+02:00") == ["a1"]
    rich = {**RULE, "conditions": {"field": "visit.amount", "op": ">", "value": 100}}
    assert firings(rich) == ["a3"]


def test_people_read_a_table(imported: Runtime) -> None:
    result = commands(imported, RULE)
    assert result.exit_code == 0
    assert "came back by themselves within 1h" in result.stdout and "Nothing was written" in result.stdout


def test_a_rule_of_an_unknown_journey_is_told_to_import_first(imported: Runtime) -> None:
    result = commands(imported, {**RULE, "journey": "loans"})
    assert isinstance(result.exception, CallCenterError)
    assert "import its events first" in result.exception.message


def test_a_wrong_rule_names_its_file(imported: Runtime) -> None:
    result = commands(imported, {**RULE, "step": "nowhere"})
    assert isinstance(result.exception, CallCenterError)
    assert result.exception.message.startswith(str(imported.settings.home.parent / "rule.yaml"))


def test_the_funnel_counts_runs_of_the_journey_per_step(imported: Runtime) -> None:
    result = CliRunner().invoke(funnel_command, ["offers", "--json"], env=_servers(imported))
    assert result.exception is None, result.exception
    steps = [(one["step"], one["reached"]) for one in orjson.loads(result.stdout)["steps"]]
    assert steps == [("asked", 2), ("offered", 3), ("returned", 1), ("paid", 0)]
    unknown = CliRunner().invoke(funnel_command, ["loans"], env=_servers(imported))
    assert isinstance(unknown.exception, CallCenterError) and "offers" in unknown.exception.message
