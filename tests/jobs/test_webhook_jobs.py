"""What happened is told to whoever wants it: signed, until it is heard, once as far as one can tell."""

import hmac
import threading
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import col, select

from callcenter import checking, partner_acts, pipeline
from callcenter.compliance import ledgers
from callcenter.compliance.ledgers import NewSuppression
from callcenter.domain.enums import AttemptState, CallResult, OutboxKind, Purpose, SuppressionKind
from callcenter.domain.partners import DeliveryState, WebhookKind
from callcenter.errors import Conflict
from callcenter.models import Customer, OutboxMessage, WebhookDelivery, WebhookEndpoint
from callcenter.offers import service as offers
from callcenter.outcomes.rules import WrapUp
from callcenter.partner_acts import COMMAND_LINE
from callcenter.webhooks.rules import NewEndpoint
from callcenter.webhooks.sending import send
from tests.factories import Bank
from tests.flow.asked import asks
from tests.jobs.conftest import Floor
from tests.jobs.listener import Listener, listening
from tests.service.test_offers import COUPON
from workers import jobs, ticks

SECRET = "whsec_of-the-tests"
ALL = tuple(kind.value for kind in WebhookKind)


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Somebody who listens."""
    with listening() as found:
        yield found


def listens(bank: Bank, url: str, *kinds: str) -> UUID:
    """Let an address be told of these kinds, of all without any."""
    new = NewEndpoint(url, kinds or ALL)
    row = partner_acts.add_endpoint(
        bank.session, new, SECRET, COMMAND_LINE, bank.clock.now, allows_loopback=True
    )
    bank.session.commit()
    return row.id


def deliveries(bank: Bank) -> list[WebhookDelivery]:
    """All deliveries as they are now."""
    bank.session.expire_all()
    return list(bank.session.exec(select(WebhookDelivery).order_by(col(WebhookDelivery.id))).all())


def tells(floor: Floor) -> None:
    """Let the tick hand over what is due, and the worker do it."""
    bank = floor.bank
    bank.session.commit()
    ticks.tell(floor.runtime)
    bank.session.expire_all()
    waiting = select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.DELIVER_WEBHOOKS)
    for message in bank.session.exec(waiting.where(col(OutboxMessage.done_at).is_(None))).all():
        assert message.id is not None
        bank.session.commit()
        jobs.deliver_webhooks(message.id, str(message.subject_id))


def opts_out(bank: Bank) -> UUID:
    """Let a customer want no more calls; return their id."""
    customer = bank.knows("c1")
    bank.bars(customer.id)
    return customer.id


def verify(secret: str, header: str, body: bytes, now: float) -> bool:
    """As docs/webhooks.md tells receivers to do it."""
    parts = [part.split("=", 1) for part in header.split(",")]
    seconds = next(value for name, value in parts if name == "t")
    if abs(now - int(seconds)) > 300:
        return False
    wanted = hmac.new(secret.encode(), seconds.encode() + b"." + body, sha256).hexdigest()
    return any(hmac.compare_digest(wanted, value) for name, value in parts if name == "v1")


def test_a_fact_is_told_signed_with_ids_and_states_and_no_name_or_number(
    floor: Floor, listener: Listener
) -> None:
    listens(floor.bank, listener.url)
    customer_id = opts_out(floor.bank)
    tells(floor)
    (heard,) = listener.heard
    assert heard.said["event"] == "customer.opted_out"
    assert heard.said["data"]["customer_id"] == str(customer_id)
    assert heard.said["data"]["external_id"] == "c1"
    assert "陈伟".encode() not in heard.body and b"+86" not in heard.body
    now = floor.now.timestamp()
    header = heard.headers["Callcenter-Signature"]
    assert verify(SECRET, header, heard.body, now)
    assert not verify(SECRET, header, heard.body + b" ", now)
    assert not verify("another", header, heard.body, now)
    assert not verify(SECRET, header, heard.body, now + 301)
    assert heard.headers["Callcenter-Event-Id"] == heard.said["id"]
    (row,) = deliveries(floor.bank)
    assert (row.state, row.last_status, row.response) == (DeliveryState.DELIVERED, 200, "thanks")
    tells(floor)
    assert len(listener.heard) == 1


def test_every_kind_of_fact_is_told(floor: Floor, listener: Listener) -> None:
    bank = floor.bank
    listens(bank, listener.url)
    asks(bank)
    attempt = floor.has_claimed_attempt()
    bank.hears(attempt.id, AttemptState.ENDED, CallResult.BUSY)
    wrap_up = WrapUp("not_interested")
    pipeline.close_call(bank.session, bank.house, attempt.call_task_id, wrap_up, bank.agent_id, floor.now)
    boss = bank.another_agent("boss")
    checking.check_tag(
        bank.session,
        bank.house,
        attempt.id,
        "will_finish",
        "Heard it",
        boss,
        floor.now,
        seen_code="not_interested",
    )
    checking.check_tag(
        bank.session,
        bank.house,
        attempt.id,
        "will_finish",
        "Stands",
        boss,
        floor.now,
        seen_code="will_finish",
    )
    ledgers.give_consent(
        bank.session,
        attempt.customer_id,
        Purpose.MARKETING,
        text_version="1",
        proof="paper",
        source="test",
        at=floor.now,
        now=floor.now,
    )
    bank.session.commit()
    coupon = offers.add_offer(bank.session, "coupon", COUPON, None, floor.now)
    given = offers.grant(bank.session, coupon, attempt, bank.agent_id, floor.now)
    offers.take_back(given, floor.now)
    ticks.invite(floor.runtime)
    user = bank.session.get_one(Customer, attempt.customer_id)
    bank.clock.go_on(seconds=5)
    bank.sends(user.external_id, "face_scan")
    bank.bars(attempt.customer_id)
    told = {one.kind for one in deliveries(bank)}
    assert told == set(ALL)
    bank.clock.go_on(seconds=5)
    tells(floor)
    heard = {one.said["event"]: one.said["data"] for one in listener.heard}
    assert set(heard) == set(ALL)
    assert heard["call_task.closed"]["state"] == "completed"
    assert heard["attempt.ended"]["result"] == "busy"
    assert heard["disposition.saved"]["disposition"] == "not_interested"
    corrections = [one for one in deliveries(bank) if one.kind == "disposition.corrected"]
    assert len(corrections) == 1, "a tag that is upheld is no correction"
    assert [heard["disposition.corrected"][name] for name in ("attempt_id", "was", "disposition")] == [
        str(attempt.id),
        "not_interested",
        "will_finish",
    ]
    assert heard["outcome.converted"]["call_task_id"] == str(attempt.call_task_id)
    assert heard["consent.changed"]["act"] == "given"
    assert heard["offer.granted"] == heard["offer.taken_back"]
    assert heard["offer.granted"]["attempt_id"] == str(attempt.id)
    assert [heard["offer.granted"][name] for name in ("offer", "cost", "currency")] == [
        "coupon",
        "22.50",
        "CNY",
    ]


def test_only_what_is_wanted_is_told_and_nothing_of_a_fact_that_was_undone(
    floor: Floor, listener: Listener
) -> None:
    bank = floor.bank
    listens(bank, listener.url, "call_task.opened")
    opts_out(bank)
    assert deliveries(bank) == []
    floor.has_waiting_task()
    (row,) = deliveries(bank)
    assert row.kind == "call_task.opened"
    listens(bank, listener.url + "&all")
    customer = bank.knows("c9")
    with floor.runtime.reading() as other:  # undone at its end
        new = NewSuppression(kind=SuppressionKind.DO_NOT_CALL, source="t", customer_id=customer.id)
        ledgers.add_suppression(other, bank.house.gate.number_key, new, floor.now)
    assert len(deliveries(bank)) == 1


def test_what_was_not_heard_is_told_again_later_under_the_same_id(floor: Floor, listener: Listener) -> None:
    listener.answers = lambda before: 500 if before == 0 else 200
    listener.body = b"x" * 5_000
    listens(floor.bank, listener.url)
    opts_out(floor.bank)
    tells(floor)
    (row,) = deliveries(floor.bank)
    assert (row.state, row.tries, row.last_status, len(row.response or "")) == (
        DeliveryState.PENDING,
        1,
        500,
        500,
    )
    assert timedelta(seconds=4) < row.due_at - floor.now < timedelta(seconds=16)
    tells(floor)
    assert len(listener.heard) == 1, "not before its time"
    floor.bank.clock.go_on(seconds=20)
    tells(floor)
    assert [one.said["id"] for one in listener.heard] == [str(row.event_id)] * 2
    assert deliveries(floor.bank)[0].state == DeliveryState.DELIVERED


def test_a_redirect_is_not_followed(floor: Floor, listener: Listener) -> None:
    listener.answers, listener.location = lambda _: 302, "http://127.0.0.1:1/elsewhere"
    listens(floor.bank, listener.url)
    opts_out(floor.bank)
    tells(floor)
    assert len(listener.heard) == 1 and deliveries(floor.bank)[0].last_status == 302


def test_an_answer_that_does_not_end_is_cut_off(
    floor: Floor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_done = threading.Event()
    listener.pause = lambda: is_done.wait(5)
    monkeypatch.setattr(jobs, "send", lambda *a, **k: send(*a, **k, seconds=0.3))
    listens(floor.bank, listener.url)
    opts_out(floor.bank)
    tells(floor)
    is_done.set()
    (row,) = deliveries(floor.bank)
    assert (row.state, row.last_status, row.last_error) == (DeliveryState.PENDING, None, "timeout")


def test_after_three_days_it_has_failed_and_can_be_replayed(floor: Floor, listener: Listener) -> None:
    listener.answers = lambda _: 500
    endpoint_id = listens(floor.bank, listener.url)
    opts_out(floor.bank)
    began = floor.now
    for _ in range(60):
        tells(floor)
        (row,) = deliveries(floor.bank)
        if row.state != DeliveryState.PENDING:
            break
        floor.bank.clock.now = max(row.due_at, floor.now + timedelta(minutes=10))
    assert row.state == DeliveryState.FAILED
    assert timedelta(days=3) <= floor.now - began < timedelta(days=3, hours=1)
    assert 15 < row.tries < 40
    listener.answers = lambda _: 204
    assert partner_acts.replay(floor.bank.session, endpoint_id, None, COMMAND_LINE, floor.now) == 1
    tells(floor)
    assert deliveries(floor.bank)[0].state == DeliveryState.DELIVERED
    assert len({one.said["id"] for one in listener.heard}) == 1
    with pytest.raises(Conflict):
        partner_acts.replay(floor.bank.session, endpoint_id, None, COMMAND_LINE, floor.now)
    assert partner_acts.replay(floor.bank.session, endpoint_id, row.id, COMMAND_LINE, floor.now) == 1


def test_a_worker_that_dies_after_asking_leads_to_a_second_telling_of_the_same_id(
    floor: Floor, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    listens(floor.bank, listener.url)
    opts_out(floor.bank)
    real = partner_acts.note_heard

    def dies(*_: Any) -> Any:
        raise SystemExit

    monkeypatch.setattr(partner_acts, "note_heard", dies)
    with pytest.raises(SystemExit):
        tells(floor)
    monkeypatch.setattr(partner_acts, "note_heard", real)
    tells(floor)
    assert len(listener.heard) == 1, "claimed: nobody else tells it meanwhile"
    floor.bank.clock.go_on(seconds=61)
    tells(floor)
    assert len(listener.heard) == 2 and len({one.said["id"] for one in listener.heard}) == 1
    assert deliveries(floor.bank)[0].state == DeliveryState.DELIVERED


def test_two_workers_tell_a_fact_once(floor: Floor, listener: Listener) -> None:
    endpoint_id = listens(floor.bank, listener.url)
    opts_out(floor.bank)
    with floor.runtime.unit_of_work() as one, floor.runtime.unit_of_work() as other:
        first = partner_acts.next_delivery(one, endpoint_id, floor.now)
        assert first is not None
        assert partner_acts.next_delivery(other, endpoint_id, floor.now) is None


def test_one_that_is_away_is_left_alone_longer_and_longer_and_costs_the_others_nothing(
    floor: Floor, listener: Listener
) -> None:
    bank = floor.bank
    away = listens(bank, "http://127.0.0.1:1/hooks")
    listens(bank, listener.url)
    for user in ("c1", "c2", "c3"):
        bank.bars(bank.knows(user).id)
    tells(floor)
    assert len(listener.heard) == 3
    waiting = [one for one in deliveries(bank) if one.endpoint_id == away]
    assert sorted(one.tries for one in waiting) == [0, 0, 1]
    assert {one.last_error for one in waiting if one.tries} == {"connection"}
    for _ in range(8):
        row = bank.session.get_one(WebhookEndpoint, away)
        bank.session.refresh(row)
        assert row.rests_until is not None
        bank.clock.now = row.rests_until
        tells(floor)
    bank.session.refresh(row)
    assert row.rests_until is not None and row.rests_until - floor.now == timedelta(minutes=10)


def test_a_former_secret_signs_for_a_day(floor: Floor, listener: Listener) -> None:
    endpoint_id = listens(floor.bank, listener.url)
    partner_acts.rotate_secret(floor.bank.session, endpoint_id, "whsec_new", COMMAND_LINE, floor.now)
    opts_out(floor.bank)
    tells(floor)
    header, body, now = (
        listener.heard[0].headers["Callcenter-Signature"],
        listener.heard[0].body,
        floor.now.timestamp(),
    )
    assert verify(SECRET, header, body, now) and verify("whsec_new", header, body, now)
    floor.bank.clock.go_on(hours=25)
    floor.bank.bars(floor.bank.knows("c2").id)
    tells(floor)
    assert listener.heard[-1].headers["Callcenter-Signature"].count("v1=") == 1


def test_what_is_off_is_told_nothing_and_what_is_removed_never_again(
    floor: Floor, listener: Listener
) -> None:
    bank = floor.bank
    endpoint_id = listens(bank, listener.url)
    opts_out(bank)
    partner_acts.switch_endpoint(bank.session, endpoint_id, COMMAND_LINE, floor.now, enabled=False)
    tells(floor)
    bank.bars(bank.knows("c2").id)
    assert listener.heard == [] and len(deliveries(bank)) == 1
    partner_acts.switch_endpoint(bank.session, endpoint_id, COMMAND_LINE, floor.now, enabled=True)
    tells(floor)
    assert len(listener.heard) == 1
    bank.bars(bank.knows("c3").id)
    partner_acts.remove_endpoint(bank.session, endpoint_id, COMMAND_LINE, floor.now)
    tells(floor)
    assert len(listener.heard) == 1
    assert [one.state for one in deliveries(bank)] == [DeliveryState.DELIVERED, DeliveryState.FAILED]
