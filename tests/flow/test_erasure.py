"""One person's data is erased: nothing of them is found anywhere but what the report says is kept."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest
from sqlalchemy import text
from sqlmodel import select

from callcenter import erasure, ledgers, pipeline
from callcenter.accounts import service as accounts
from callcenter.domain.enums import (
    AttemptState,
    BarReason,
    CallResult,
    CancelReason,
    FollowUpKind,
    TaskState,
    WorkState,
)
from callcenter.domain.ports import Placed
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.evidence.verify import verify_chain
from callcenter.intake.archive import archive_week, archived_weeks
from callcenter.intake.forgetting import everyone_named
from callcenter.intake.partitions import keep_partitions, partition_of, week_of
from callcenter.models import (
    Agent,
    AuditEntry,
    CallTask,
    CarrierInbox,
    Customer,
    Erasure,
    JourneyEvent,
    QuarantinedEvent,
    ScreeningDecision,
    Suppression,
    TriggerFiring,
    Visit,
)
from callcenter.outcomes import follow_ups
from callcenter.outcomes.rules import NewFollowUp, WrapUp
from tests.factories import Bank, user_in_arm
from tests.flow.asked import answers, asks, invites, surveys

RULE = "id-photo-trouble"
NAME = "欧阳文静"
FIVE_YEARS = timedelta(days=1_826)


@pytest.fixture
def erase(bank: Bank, tmp_path: Path) -> Callable[[str], Erasure]:
    """Erase a person as the command does."""

    def run(external_id: str, why: str = "asked by letter") -> Erasure:
        row = erasure.erase_customer(
            bank.session,
            bank.house,
            external_id,
            why,
            None,
            bank.clock.now,
            archive=tmp_path / "archive",
            keeping=FIVE_YEARS,
        )
        bank.session.commit()
        return row

    return run


def found_in(bank: Bank, *marks: str) -> dict[str, int]:
    """Search every column of every table."""
    bank.session.flush()
    tables = bank.session.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    ).scalars()
    found = {}
    for table in tables.all():
        asked = text(
            f'SELECT count(*) FROM "{table}" AS r WHERE EXISTS'
            " (SELECT FROM unnest(CAST(:marks AS text[])) AS m WHERE strpos(r::text, m) > 0)"
        )
        if count := bank.session.execute(asked, {"marks": list(marks)}).scalar_one():
            found[table] = count
    return found


def has_trouble(bank: Bank, user: str) -> Customer:
    """Let a customer stop at a page, telling their name wherever it can be told."""
    customer = bank.knows(user, name=NAME, nickname=NAME, city="Shanghai", tags=[NAME])
    bank.sends(user, "id_photo_front", device=f"phone-of-{user}", full_name=NAME)
    for attempt in (1, 2):
        bank.sends(
            user, "photo_rejected", reason=f"glare {NAME}", attempt=attempt, message_id=f"{user}/{attempt}"
        )
    return customer


def is_called(bank: Bank, user: str, disposition: str = "will_finish") -> CallTask:
    """Let a customer in trouble be called, and the agent write down who they are."""
    bank.agent_is_available()
    customer = has_trouble(bank, user)
    bank.ticks()
    (task,) = bank.tasks()
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed("CA1"), bank.clock.now)
    pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, "CA1", bank.clock.now)
    bank.clock.go_on(seconds=60)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED)
    bank.session.add(
        CarrierInbox(
            key="raw",
            subject_id=dialing.attempt_id,
            received_at=bank.clock.now,
            what="call",
            raw={"To": customer.number},
        )
    )
    at = bank.clock.now + timedelta(hours=2) if disposition == "callback" else None
    wrap_up = WrapUp(disposition=disposition, note=f"{NAME} asked", suggestion=f"for {NAME}", callback_at=at)
    pipeline.close_call(bank.session, bank.house, task.id, wrap_up, bank.agent_id, bank.clock.now)
    bank.session.commit()
    return task


def comes_again(bank: Bank, user: str, number: str | None) -> Customer:
    """Let the app identify somebody by an id that was erased."""
    traits = {"name": "Somebody", "phone": number, "time_zone": "Asia/Shanghai", "language": "zh"}
    bank.takes({"type": "identify", "userId": user, "traits": traits, "messageId": f"again {bank.clock.now}"})
    return bank.customer(user)


def test_nothing_of_a_person_is_found_but_what_is_said_to_be_kept(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    user = user_in_arm(RULE, held_out=False)
    task = is_called(bank, user)
    customer = bank.customer(user)
    number = customer.number or ""
    bank.takes({"type": "track", "userId": user, "event": "", "properties": {"name": NAME}})
    bank.takes({"type": "no such kind", "anonymousId": f"phone-of-{user}", "traits": {"phone": number}})
    marks = (NAME, number, number.removeprefix("+"), user, f"phone-of-{user}")
    assert set(found_in(bank, *marks)) >= {
        "customer",
        "device",
        "journey_event_default",
        "visit",
        "trigger_firing",
        "contact_attempt",
        "carrier_inbox",
        "disposition",
        "product_suggestion",
        "quarantined_event",
    }
    decisions = len(bank.session.exec(select(ScreeningDecision)).all())
    ledgers.seal_rows(bank.session, bank.clock.now)

    report = erase(user)

    assert found_in(bank, *marks) == {}
    assert report.erased["profiles"] >= 1 and report.erased["events"] == 4 and report.erased["visits"] == 1
    assert report.erased["numbers_of_attempts"] == 1 and report.erased["notes"] == 1
    assert report.erased["refused_events"] == 2
    assert report.kept["attempts"]["rows"] == 1 and report.kept["screening_decisions"]["rows"] == decisions
    assert report.kept["screening_decisions"]["until"] == "2031-11-18"
    (attempt,) = bank.attempts()
    assert attempt.result == CallResult.COMPLETED and attempt.talk_seconds == 60 and attempt.answered_at
    assert attempt.to_number.startswith("erased:") and attempt.customer_id == customer.id
    erased = bank.session.get_one(Customer, customer.id)
    assert (erased.external_id, erased.number, erased.traits, erased.erased_at) == (
        None,
        None,
        {},
        bank.clock.now,
    )
    assert bank.session.get_one(CallTask, task.id).state == TaskState.COMPLETED
    entry = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "customer.erased")).one()
    assert entry.subject == str(customer.id)
    ledgers.seal_rows(bank.session, bank.clock.now)
    assert verify_chain(bank.session, bank.clock.now).holds, "erasure touches no ledger"


def test_a_waiting_task_is_canceled_with_its_offer_and_no_rule_looks_again(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    user = user_in_arm(RULE, held_out=False)
    bank.agent_is_available()
    customer = has_trouble(bank, user)
    bank.ticks()
    (task,) = bank.tasks()
    bank.offers(task)
    report = erase(user)
    assert report.erased["call_tasks_canceled"] == 1
    (task,) = bank.tasks()
    assert (task.state, task.cancel_reason) == (TaskState.CANCELED, CancelReason.BARRED)
    assert bank.session.get_one(Agent, bank.agent_id).work_state == WorkState.IDLE
    bank.clock.go_on(hours=2)
    bank.ticks()
    firings = bank.session.exec(select(TriggerFiring).where(TriggerFiring.customer_id == customer.id)).all()
    visits = bank.session.exec(select(Visit).where(Visit.customer_id == customer.id)).all()
    assert len(firings) == 1 and all(visit.closed_at and visit.wake_at is None for visit in visits)


def test_a_person_on_a_call_or_in_a_wrap_up_is_not_erased(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    attempt_id = bank.is_placing(RULE)
    user = user_in_arm(RULE, held_out=False)
    with pytest.raises(Conflict, match="agent is working"):
        erase(user)
    bank.session.rollback()
    bank.hears(attempt_id, AttemptState.ENDED, CallResult.BUSY)
    with pytest.raises(Conflict, match="wrap-up"):
        erase(user)
    bank.session.rollback()
    assert bank.customer(user).number and bank.session.exec(select(Erasure)).all() == []


def test_a_promised_call_is_dropped_with_its_words(bank: Bank, erase: Callable[[str], Erasure]) -> None:
    user = user_in_arm(RULE, held_out=False)
    is_called(bank, user, "callback")
    report = erase(user)
    assert report.erased["callbacks"] == 1 and report.erased["call_tasks_canceled"] == 1
    assert found_in(bank, NAME, user) == {}


def test_what_was_to_be_followed_up_loses_its_words(bank: Bank, erase: Callable[[str], Erasure]) -> None:
    user = user_in_arm(RULE, held_out=False)
    is_called(bank, user)
    new = NewFollowUp(FollowUpKind.VISIT, f"{NAME} wants a visit", bank.agent_id, bank.clock.now.date())
    (attempt,) = bank.attempts()
    follow_ups.keep_follow_up(bank.session, attempt, new, bank.agent_id, bank.clock.now)
    bank.session.commit()
    assert erase(user).erased["follow_ups"] == 1
    assert found_in(bank, NAME, user) == {}


def test_what_they_answered_in_a_survey_goes_and_a_link_not_used_ends(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    asks(bank)
    user = user_in_arm(RULE, held_out=False)
    is_called(bank, user)
    invites(bank)
    answers(bank, 2, f"{NAME} waited for an hour")
    bank.customer(user).agent_tags = ["hurried"]
    bank.session.commit()
    assert erase(user).erased["survey_answers"] == 1
    (survey,) = surveys(bank)
    assert (survey.score, survey.answer) == (2, "")
    gone = bank.session.get_one(Customer, survey.customer_id)
    assert (gone.agent_tags, gone.segments, gone.survey_group) == ([], [], None)
    assert found_in(bank, NAME, user) == {}


def test_to_erase_twice_changes_nothing_and_takes_what_came_meanwhile(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    user = user_in_arm(RULE, held_out=False)
    is_called(bank, user)
    first = dict(erase(user).erased)
    bank.clock.go_on(minutes=5)
    again = erase(user)
    assert {name: again.erased[name] for name in ("notes", "events", "numbers_of_attempts")} == {
        name: first[name] for name in ("notes", "events", "numbers_of_attempts")
    }
    assert len(bank.session.exec(select(Erasure)).all()) == 1
    (attempt,) = bank.attempts()
    bank.session.add(
        CarrierInbox(
            key="late",
            subject_id=attempt.id,
            received_at=bank.clock.now,
            what="call",
            raw={"To": "+8613800138999"},
        )
    )
    bank.session.flush()
    assert erase(user).erased["carrier_messages"] == first["carrier_messages"] + 1


def test_who_comes_again_is_somebody_new_and_whom_nobody_may_call_stays_so(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    user = user_in_arm(RULE, held_out=False)
    is_called(bank, user, "do_not_call")
    before = bank.customer(user)
    number = before.number
    erase(user)
    bank.clock.go_on(days=1)
    after = comes_again(bank, user, number)
    bank.sends(user, "id_photo_front", device=f"phone-of-{user}")
    assert after.id != before.id and after.number == number
    events = bank.session.exec(
        select(JourneyEvent.customer_id).where(JourneyEvent.message_id != "erased")
    ).all()
    assert set(events) == {after.id}
    for attempt in (3, 4):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    last = bank.session.exec(select(ScreeningDecision).where(ScreeningDecision.customer_id == after.id)).all()
    assert last and all(BarReason.DO_NOT_CALL in one.reasons for one in last)
    erase(user)
    bank.clock.go_on(days=1)
    third = comes_again(bank, user, number)
    assert set(everyone_named(bank.session, user)) == {before.id, after.id, third.id}
    assert third.id not in (before.id, after.id)
    assert len(bank.session.exec(select(Erasure)).all()) == 2


def test_a_bar_by_the_person_alone_is_carried_to_their_number(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    customer = bank.knows("c-barred")
    number = customer.number
    bank.session.add(
        Suppression(
            kind="objection",
            scope="global",
            customer_id=customer.id,
            source="letter",
            created_at=bank.clock.now,
        )
    )
    erase("c-barred")
    carried = bank.session.exec(select(Suppression).where(Suppression.source == "erasure")).one()
    assert carried.number_hash is not None and number not in str(carried)


def test_a_device_known_before_the_sign_in_is_erased_too(bank: Bank, erase: Callable[[str], Erasure]) -> None:
    bank.takes({"type": "identify", "anonymousId": "tablet-7", "traits": {"name": NAME}, "messageId": "x1"})
    bank.sends(None, "id_photo_front", device="tablet-7", full_name=NAME)
    bank.knows("c-tablet", name=NAME)
    bank.sends("c-tablet", "face_scan", device="tablet-7")
    assert erase("c-tablet").erased["profiles"] == 2
    assert found_in(bank, NAME, "tablet-7", "c-tablet") == {}
    bank.sends(None, "id_photo_front", device="tablet-7")
    assert bank.session.exec(select(Customer).where(Customer.erased_at == None)).all()  # noqa: E711


def test_old_weeks_in_files_are_written_anew_without_the_person(
    bank: Bank, erase: Callable[[str], Erasure], tmp_path: Path
) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    for user in ("c-one", "c-two"):
        bank.knows(user)
        bank.sends(user, "id_photo_front", full_name=f"{NAME} {user}", message_id=f"m {user}")
    now = bank.clock.now
    keep_partitions(bank.session, now, now)
    archive_week(bank.session, folder, partition_of(week_of(now)), now)
    (week,) = archived_weeks(bank.session)
    before = pl.read_parquet(folder / week.path)
    assert erase("c-one").erased["archived_events"] == 2
    (week,) = archived_weeks(bank.session)
    after = pl.read_parquet(folder / week.path)
    assert after.height == before.height == week.events
    said: list[Any] = sorted(after["properties"].to_list())
    assert [one for one in said if NAME in one] == [said[0]] and "c-two" in said[0]
    assert sorted(after["message_id"].to_list()) == ["erased", "erased", "i-c-two", "m c-two"]
    assert erase("c-one").erased["archived_events"] == 2


def test_nobody_is_erased_by_a_wrong_id_or_without_a_reason(
    bank: Bank, erase: Callable[[str], Erasure]
) -> None:
    bank.knows("c-here")
    with pytest.raises(NotFound):
        erase("c-nowhere")
    with pytest.raises(BadInput):
        erase("c-here", "  ")


def test_others_events_that_were_refused_stay(bank: Bank, erase: Callable[[str], Erasure]) -> None:
    bank.knows("c1")
    bank.knows("c11")
    for user in ("c1", "c11"):
        bank.takes({"type": "track", "userId": user, "event": ""})
    assert erase("c1").erased["refused_events"] == 1
    bodies = [row.body for row in bank.session.exec(select(QuarantinedEvent).order_by(QuarantinedEvent.id))]  # type: ignore[arg-type]
    assert bodies[0] is None and bodies[1]["userId"] == "c11"
    accounts.record(bank.session, None, "x", "y", bank.clock.now)
    assert orjson.dumps(bodies[1])
