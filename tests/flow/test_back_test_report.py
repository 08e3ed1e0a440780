"""What a back-test tells besides the firings: agents, overlap, the contact policy's answers, samples."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import psycopg
import pytest
from sqlmodel import Session, col, select

from callcenter.backtest.report import Report, report_back_test
from callcenter.compliance import service as compliance
from callcenter.domain.enums import BarReason
from callcenter.models import Customer
from callcenter.runtime import Runtime
from callcenter.triggers import service as triggers
from tests.flow.test_backtest import JOURNEY, RULE, commands, imported
from tests.servers import plain_url

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
NUMBER = "+8613800138000"
OTHER_NUMBER = "+8613900139000"

__all__ = ["imported"]


def report_of(runtime: Runtime, rule: Mapping[str, Any] = RULE) -> Report:
    """A report on a rule."""
    with runtime.reading() as session:
        return report_back_test(session, rule, now=NOW, gate=runtime.house.gate)


def said_of(runtime: Runtime, *options: str, rule: dict[str, Any] = RULE) -> dict[str, Any]:
    """What the command says, as JSON."""
    result = commands(runtime, rule, "--json", *options)
    assert result.exit_code == 0, result.output
    said: dict[str, Any] = orjson.loads(result.stdout)
    return said


def know(runtime: Runtime, who: str, **facts: object) -> None:
    """Let the bank know more of a customer."""
    with runtime.unit_of_work() as session:
        customer = session.exec(select(Customer).where(col(Customer.external_id) == who)).one()
        for name, value in facts.items():
            setattr(customer, name, value)


def customer_of(session: Session, who: str) -> Customer:
    """A customer by the bank's own id."""
    return session.exec(select(Customer).where(col(Customer.external_id) == who)).one()


def counts(runtime: Runtime) -> list[int]:
    """How many rows there are that calls would leave behind."""
    tables = ("trigger_firing", "screening_decision", "call_task", "contact_attempt", "outbox_message")
    with psycopg.connect(plain_url(runtime.database_url)) as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchall()[0][0] for table in tables
        ]


def test_agents_are_reckoned_for_the_busiest_hour(imported: Runtime) -> None:
    agents = said_of(imported)["agents"]
    assert (agents["formula"], agents["calls_per_hour"], agents["handle_time_seconds"]) == (
        "erlang_c",
        2,
        240,
    )
    assert agents["load_erlangs"] == pytest.approx(2 * 4 / 60, abs=1e-4)
    # One agent is busy for 13 % of the time: C = 0.133, of whom all but few wait longer than 20 s.
    assert (agents["needed"], agents["wait_share"], agents["mean_wait_seconds"]) == (1, 0.1333, 36.92)
    stricter = said_of(imported, "--service-level", "0.95", "--patience", "2m", "--handle-time", "10m")[
        "agents"
    ]
    assert stricter["formula"] == "erlang_a" and stricter["needed"] > 1 and stricter["abandoned"] > 0


def test_days_and_hours_are_those_of_the_zone(imported: Runtime) -> None:
    said = said_of(imported, "--zone", "Pacific/Auckland")
    assert said["zone"] == "Pacific/Auckland"
    assert said["per_day"] == [{"day": "2026-07-01", "fired": 2}]
    assert [one for one in said["per_hour_of_day"] if one["fired"]] == [{"hour": 21, "fired": 2}]
    assert said["peak_hour"] == {"at": "2026-07-01T21:00:00+12:00", "fired": 2}
    unknown = commands(imported, RULE, "--zone", "Nowhere/Land")
    assert unknown.exit_code == 2 and "IANA time zone" in unknown.output


def test_the_contact_policy_is_asked_at_the_moment_of_each_firing_and_nothing_is_kept(
    imported: Runtime,
) -> None:
    before = counts(imported)
    nobody_known = report_of(imported).screened
    assert (nobody_known.allowed, nobody_known.waiting, nobody_known.barred) == (0, 0, 2)
    assert nobody_known.barred_customers == 2
    assert nobody_known.reasons[BarReason.INVALID_NUMBER] == 2

    know(imported, "c1", number=NUMBER, time_zone="Asia/Shanghai")  # fires at 17:00 there
    know(imported, "c2", number=OTHER_NUMBER, time_zone="Pacific/Auckland")  # at 21:30
    screened = report_of(imported).screened
    assert (screened.allowed, screened.waiting, screened.barred) == (1, 1, 0)
    assert screened.reasons == {BarReason.OUTSIDE_CALLING_HOURS: 1}

    with imported.unit_of_work() as session:
        compliance.bar_for_good(
            session, imported.house.gate, customer_of(session, "c1"), "test", "asked", NOW
        )
    screened = report_of(imported).screened
    assert (screened.allowed, screened.barred, screened.barred_customers) == (0, 1, 1)
    assert screened.reason_customers == {BarReason.DO_NOT_CALL: 1, BarReason.OUTSIDE_CALLING_HOURS: 1}
    assert counts(imported) == before


def test_calls_allowed_for_earlier_firings_use_up_the_caps(imported: Runtime) -> None:
    know(imported, "c1", number=NUMBER, time_zone="Asia/Shanghai")
    early = {**RULE, "after": "5m"}  # fires for two of the customer's applications, ten minutes apart
    screened = report_of(imported, early).screened
    assert screened.reasons[BarReason.MINIMUM_GAP] == 1
    assert screened.allowed == 1


def test_live_rules_that_choose_the_same_customers_are_named(imported: Runtime) -> None:
    dwell = {
        "rule": "long-offered",
        "journey": "offers",
        "step": "offered",
        "preset": "dwell",
        "after": "50m",
    }
    trouble = {"rule": "looks", "journey": "offers", "step": "asked", "preset": "dwell", "after": "5m"}
    with imported.unit_of_work() as session:
        for rule in (dwell, trouble, {**RULE, "after": "15m"}):
            triggers.adopt_rule(session, rule, JOURNEY, NOW)
        triggers.switch_rule(session, "looks", live=False, now=NOW)
    overlaps = {one["rule"]: one for one in said_of(imported)["overlap"]}
    assert set(overlaps) == {"long-offered", "silent"}
    assert (overlaps["long-offered"]["same_visit"], overlaps["long-offered"]["share"]) == (2, 1.0)
    assert overlaps["silent"]["is_this_rule_as_it_is_live"] and overlaps["silent"]["same_visit"] == 2
    later = {one["rule"]: one for one in said_of(imported, "--after", "12h")["overlap"]}
    assert later["long-offered"]["same_visit"] == 2


def test_samples_show_names_and_events_and_no_numbers_and_are_always_the_same(imported: Runtime) -> None:
    know(imported, "c1", number=NUMBER, name="Ann Example")
    result = commands(imported, RULE)
    assert "Ann Example" in result.stdout and "-- fired --" in result.stdout
    said, again = said_of(imported), said_of(imported)
    assert said["samples"] == again["samples"]
    (ann,) = [one for one in said["samples"] if one["customer"] == "c1"]
    assert [one["event"] for one in ann["events"]] == ["offered"] and ann["name"] == "Ann Example"
    assert NUMBER not in orjson.dumps(said).decode() and NUMBER not in result.stdout


def test_conditions_on_customers_alone_run_by_columns_others_event_by_event(imported: Runtime) -> None:
    know(imported, "c1", language="zh")
    tongue = {**RULE, "conditions": {"field": "customer.language", "op": "=", "value": "zh"}}
    said = said_of(imported, rule=tongue)
    assert [one["customer"] for one in said["firings"]] == ["c1"] and said["read"]["by_columns"]
    rich = {**RULE, "conditions": {"field": "visit.amount", "op": ">", "value": 100}}
    said = said_of(imported, rule=rich)
    assert [one["customer"] for one in said["firings"]] == ["c2"] and not said["read"]["by_columns"]


def test_a_back_test_cannot_write(imported: Runtime) -> None:
    with imported.reading() as session:
        report_back_test(session, RULE, now=NOW, gate=imported.house.gate)
        with pytest.raises(Exception, match="read-only transaction"):
            session.execute(
                Customer.__table__.update().values(city="nowhere")  # type: ignore[attr-defined]
            )


def test_the_report_of_a_rule_that_never_fires_is_empty_and_whole(imported: Runtime) -> None:
    report = report_of(imported, {**RULE, "after": "30d"})
    assert report.result.firings == [] and report.staffing.agents == 0 and report.busiest is None
    assert sum(report.per_hour) == 0 and report.samples == [] and report.screened.barred == 0
    assert report.result.came_back(timedelta(hours=1)) == (0, 0)
    assert JOURNEY.id == report.spec.journey
