"""Refused events: kept with their reason, driven in again once, dismissed; poison never blocks its batch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from callcenter import acts, pipeline
from callcenter.cli import main
from callcenter.domain.enums import QuarantineState
from callcenter.embedded import Servers
from callcenter.errors import BadInput
from callcenter.intake.poison import poison, where_it_broke
from callcenter.intake.quarantine import Wanted
from callcenter.intake.rules import read_batch
from callcenter.models import AuditEntry, JourneyEvent, QuarantinedEvent, Visit
from tests.factories import Bank
from tests.web.collector import Collector, basic, collector_on, track

NOBODY = {"type": "track", "event": "photo_rejected", "messageId": "q1", "properties": {"reason": "glare"}}
BREAKING = "ALTER TABLE journey_event ADD CONSTRAINT no_curse CHECK (name <> 'curse') NOT VALID"
MENDED = "ALTER TABLE journey_event DROP CONSTRAINT no_curse"


def refused(session: Session) -> list[QuarantinedEvent]:
    session.expire_all()
    return list(session.exec(select(QuarantinedEvent).order_by(col(QuarantinedEvent.id))))


def names(session: Session) -> list[str]:
    return sorted(session.exec(select(JourneyEvent.name)))


def mend(row: QuarantinedEvent, **more: Any) -> None:
    """Let what refused an event be mended: the collector would now take what was kept."""
    row.body = {**row.body, **more}


def drive(bank: Bank, *rows: QuarantinedEvent, code: str | None = None) -> acts.Redriven:
    ids = tuple(row.id for row in rows if row.id is not None)
    done = acts.redrive(bank.session, Wanted(bank.source.id, ids, code), None, bank.clock.now)
    bank.session.commit()
    return done


@contextmanager
def cursed(session: Session) -> Iterator[None]:
    """Something in the database that one event's name breaks, whatever else is in its batch."""
    session.execute(text(BREAKING))
    session.commit()
    yield
    session.execute(text(MENDED))
    session.commit()


# -- driving in again ---------------------------------------------------------------------------------------


def test_a_mended_event_is_taken_in_once_however_often_it_is_driven(bank: Bank) -> None:
    bank.takes(NOBODY)
    (row,) = refused(bank.session)
    assert (row.code, row.state, row.body) == ("no_user_anon_id", QuarantineState.OPEN, NOBODY)
    mend(row, userId="u1")
    assert drive(bank, row) == acts.Redriven(taken=1, refused=0, not_kept=0)
    (row,) = refused(bank.session)
    assert (row.state, row.state_at) == (QuarantineState.REDRIVEN, bank.clock.now)
    for again in ((row,), ()):
        assert drive(bank, *again, code=None if again else "no_user_anon_id").taken == 0
    assert names(bank.session) == ["photo_rejected"]
    entries = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "quarantine.redriven")).all()
    assert [(one.subject, one.detail) for one in entries] == [("app", {"code": None, "taken": 1, "of": 1})]


def test_an_event_refused_again_stays_with_its_new_reason(bank: Bank) -> None:
    bank.takes(NOBODY)
    (row,) = refused(bank.session)
    mend(row, userId="u1", timestamp="yesterday")
    assert drive(bank, code="no_user_anon_id") == acts.Redriven(0, 1, 0)
    (row,) = refused(bank.session)
    assert (row.state, row.code, row.state_at) == (QuarantineState.OPEN, "bad_time", bank.clock.now)
    assert "ISO 8601" in row.message
    assert drive(bank, code="no_user_anon_id") == acts.Redriven(0, 0, 0)


def test_a_driven_event_keeps_the_time_it_happened_and_is_received_now(bank: Bank) -> None:
    happened = bank.clock.now.isoformat()
    for number, sent_at in enumerate((None, happened)):
        bank.takes({**NOBODY, "messageId": f"q{number}", "timestamp": happened, "sentAt": sent_at})
    came_at = bank.clock.now
    bank.clock.go_on(hours=20)
    first, second = refused(bank.session)
    for row in (first, second):
        mend(row, userId="u1")
    drive(bank, first)
    bank.clock.go_on(hours=5)
    drive(bank, second)
    events = bank.session.exec(select(JourneyEvent).order_by(col(JourneyEvent.received_at))).all()
    assert [one.event_time for one in events] == [came_at, came_at]
    assert [one.historical for one in events] == [False, True], "older than a day feeds no live rule"
    assert events[1].received_at == bank.clock.now


def test_all_of_one_reason_move_the_visits_as_one_batch_would(bank: Bank) -> None:
    at = bank.clock.now.isoformat()
    page = {"type": "page", "name": "Loan", "timestamp": at, "properties": {"application_id": "a1"}}
    steps = ("register", "id_photo_front")
    bank.takes(
        *(
            {**page, "messageId": step, "properties": {**page["properties"], "step": step}}  # type: ignore[dict-item]
            for step in steps
        ),
        {**NOBODY, "type": "treck"},
    )
    for row in refused(bank.session)[:2]:
        mend(row, userId="u1")
    assert drive(bank, code="no_user_anon_id").taken == 2
    visits = bank.session.exec(select(Visit).order_by(col(Visit.entered_at))).all()
    assert {visit.step for visit in visits} == {"register", "id_photo"}
    assert [row.code for row in refused(bank.session) if row.state == QuarantineState.OPEN] == [
        "unknown_type"
    ]


def test_a_cloud_event_is_read_as_one(bank: Bank) -> None:
    raw = {"specversion": "1.0", "id": "7", "source": "/core", "type": "paid_out"}
    from callcenter.intake.cloudevents import read_cloud_events

    batch = read_cloud_events([raw], bank.clock.now)
    pipeline.take_events(bank.session, bank.source, batch, bank.clock.now)
    (row,) = refused(bank.session)
    assert row.code == "missing_attribute"
    mend(row, subject="u1")
    assert drive(bank, row).taken == 1
    assert names(bank.session) == ["paid_out"]


def test_what_is_no_whole_event_is_not_driven_and_can_be_dismissed(bank: Bank) -> None:
    bank.takes({"type": "identify", "userId": "u1", "messageId": "i1", "traits": {"phone": "12"}}, ["x"])
    rows = refused(bank.session)
    assert sorted(row.code for row in rows) == ["invalid_phone", "not_an_object"]
    assert drive(bank, *rows) == acts.Redriven(0, 0, 2)
    wanted = Wanted(bank.source.id, (), "invalid_phone")
    assert acts.dismiss_refused(bank.session, wanted, bank.agent_id, bank.clock.now) == 1
    assert acts.dismiss_refused(bank.session, wanted, bank.agent_id, bank.clock.now) == 0
    (dismissed,) = (row for row in refused(bank.session) if row.code == "invalid_phone")
    assert (dismissed.state, dismissed.state_by) == (QuarantineState.DISMISSED, bank.agent_id)
    with pytest.raises(BadInput):
        acts.redrive(bank.session, Wanted(bank.source.id), None, bank.clock.now)


def test_another_sources_refused_events_are_left_alone(bank: Bank) -> None:
    bank.takes(NOBODY)
    (row,) = refused(bank.session)
    from callcenter.intake import service as intake

    other = intake.add_source(bank.session, "other", "other", 1.0, bank.clock.now)
    assert row.id is not None
    wanted = Wanted(other.id, (row.id,))
    assert acts.dismiss_refused(bank.session, wanted, None, bank.clock.now) == 0


def test_one_that_breaks_processing_is_told_apart_from_those_driven_with_it(bank: Bank) -> None:
    bank.takes(*({**NOBODY, "messageId": f"q{number}"} for number in range(5)))
    for number, row in enumerate(refused(bank.session)):
        mend(row, userId=f"u{number}", event="curse" if number == 3 else "looked")
    bank.session.commit()
    with cursed(bank.session):
        assert drive(bank, code="no_user_anon_id") == acts.Redriven(4, 1, 0)
    (still,) = (row for row in refused(bank.session) if row.state == QuarantineState.OPEN)
    assert (still.code, still.message) == ("poison", "the event cannot be processed: CheckViolation")
    assert drive(bank, code="poison").taken == 1, "mended"
    assert names(bank.session) == ["curse", *["looked"] * 4]


# -- poison at the border -----------------------------------------------------------------------------------


@pytest.fixture
def collector(
    fresh_database: Callable[[str], str], server_pair: Servers, tmp_path: Path
) -> Iterator[Collector]:
    with collector_on(tmp_path, fresh_database("poison"), server_pair.redis_url) as made:
        yield made


@contextmanager
def cursed_collector(collector: Collector) -> Iterator[None]:
    with collector.runtime.unit_of_work() as session:
        session.execute(text(BREAKING))
    yield
    with collector.runtime.unit_of_work() as session:
        session.execute(text(MENDED))


def test_an_event_that_breaks_processing_does_not_block_its_batch(collector: Collector) -> None:
    events = [track("ann"), track("bob", event="curse"), {"type": "track"}, track("eve"), track("ann")]
    with cursed_collector(collector):
        answer = collector.batch(*events, events[0])
    assert answer.status_code == 200
    body = answer.json or {}
    assert (body["accepted"], body["duplicate"]) == (3, 1)
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [
        (1, "poison"),
        (2, "no_user_anon_id"),
    ]
    assert len(collector.stored(*(events[number]["messageId"] for number in (0, 3, 4)))) == 3
    (row, _) = collector.refused(0)
    assert (row.code, row.message) == ("poison", "the event cannot be processed: CheckViolation")
    assert row.body == events[1], "kept whole: it can be driven in again once the fault is mended"


def test_poison_is_driven_in_again_when_the_fault_is_mended(collector: Collector) -> None:
    curse = track("bob", event="curse")
    with cursed_collector(collector):
        assert [one["code"] for one in (collector.batch(curse).json or {})["rejected"]] == ["poison"]
    (row,) = collector.refused(0)
    with collector.runtime.unit_of_work() as session:
        wanted = Wanted(row.source_id, (), "poison")
        assert acts.redrive(session, wanted, None, collector.clock.now).taken == 1
    assert len(collector.stored(curse["messageId"])) == 1


def test_strict_senders_are_told_of_poison_too(collector: Collector) -> None:
    with cursed_collector(collector):
        answer = collector.post(
            "/v1/batch",
            {"batch": [track(event="curse")]},
            {"Authorization": "Basic a2V5Og==", "X-Strict-Mode": "1"},
        )
    assert (answer.status_code, (answer.json or {})["code"]) == (400, "events_rejected")


def test_a_deployment_half_done_is_not_the_events_fault(collector: Collector) -> None:
    with collector.runtime.unit_of_work() as session:
        session.execute(text("ALTER TABLE trigger_rule RENAME TO trigger_rule_away"))
    answer = collector.batch(track(), track())
    assert answer.status_code == 503, "the sender keeps the events and sends them again"
    with collector.runtime.unit_of_work() as session:
        session.execute(text("ALTER TABLE trigger_rule_away RENAME TO trigger_rule"))
    assert collector.totals() == (0, 0)


def test_a_database_that_goes_away_is_not_the_events_fault(collector: Collector) -> None:
    def go_away(*_: Any) -> None:
        raise OperationalError(None, None, Exception("server closed the connection"))

    collector.batch(track())  # the key is known now: what follows fails in the unit of work
    event.listen(collector.runtime.engine, "checkout", go_away)
    answer = collector.batch(track())
    event.remove(collector.runtime.engine, "checkout", go_away)
    assert (answer.status_code, (answer.json or {})["code"]) == (503, "unavailable")
    assert collector.totals()[1] == 0


def test_what_is_told_of_a_fault_holds_nothing_of_the_event() -> None:
    try:
        read_batch([{"type": "track"}], {}, "+8613800138000")  # type: ignore[arg-type]
        raise KeyError("+8613800138000")
    except KeyError as error:
        told = poison(3, {"userId": "u"}, error)
        assert (told.index, told.message) == (3, "the event cannot be processed: KeyError")
        assert where_it_broke(error).startswith("KeyError at test_quarantine.py:")
        assert "138" not in told.message + where_it_broke(error).split(":")[0]


# -- from the command line ----------------------------------------------------------------------------------


def test_refused_events_are_seen_and_settled_from_the_command_line(collector: Collector) -> None:
    wrong = {"type": "identify", "event": "x", "traits": {"phone": "+8613800138000"}, "messageId": "cli"}
    collector.batch(wrong, {"type": "treck", "userId": "u"})

    def call(*arguments: str) -> str:
        runtime = collector.runtime
        environ = {"DATABASE_URL": runtime.settings.database_url, "REDIS_URL": runtime.settings.redis_url}
        result = CliRunner().invoke(main, arguments, env=environ)
        return result.output

    (first, _) = collector.refused(0)
    listed = call("quarantine", "list", "--source", "app")
    assert "no_user_anon_id" in listed and "unknown_type" in listed
    shown = call("quarantine", "show", str(first.id))
    assert '"phone": "•••"' in shown and "13800138000" not in shown
    redriven = call("quarantine", "redrive", "--source", "app", "--code", "unknown_type")
    assert redriven == "0 taken in, 1 refused again, 0 not kept as whole events.\n"
    assert call("quarantine", "dismiss", str(first.id), "--source", "app") == "1 dismissed.\n"
    assert "no_user_anon_id" not in call("quarantine", "list")
    assert "dismissed" in call("quarantine", "show", str(first.id))
    assert "Give the numbers" in call("quarantine", "redrive", "--source", "app")
    assert "There is no source 'nobody'" in call("quarantine", "list", "--source", "nobody")


def test_keys_are_rotated_and_ended_from_the_command_line(collector: Collector) -> None:
    def call(*arguments: str) -> str:
        runtime = collector.runtime
        environ = {"DATABASE_URL": runtime.settings.database_url, "REDIS_URL": runtime.settings.redis_url}
        return CliRunner().invoke(main, ["sources", *arguments], env=environ).output

    key = call("add", "shop", "--requests-per-second", "5").split()[-1]
    assert collector.post("/v1/batch", {"batch": [track()]}, basic(key)).status_code == 200
    assert "There is a source of this name" in call("add", "shop")
    new = call("rotate", "shop", "--old-ends", "7d").split()[-1]
    for works in (key, new):
        assert collector.post("/v1/batch", {"batch": [track()]}, basic(works)).status_code == 200
    assert f"...{new[-4:]}  works" in call("list") and f"...{key[-4:]}  ends" in call("list")
    assert "has ended" in call("end-key", "shop", new[-4:])
    assert "0 working keys" in call("end-key", "shop", new[-4:])
    assert "shop is off" in call("disable", "shop")
    assert "shop                     off  late 5 s  requests/s 5" in call("list")
    assert "shop is on" in call("enable", "shop")
