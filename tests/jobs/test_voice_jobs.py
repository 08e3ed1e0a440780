"""Surveys and segments by the clock: asked once, told with a link that works, worked out by whoever comes first."""

import threading
from collections.abc import Iterator

import pytest
from sqlmodel import select

from callcenter import listening as verbs
from callcenter import segmenting
from callcenter.models import Segment, SurveyInvite
from callcenter.segments import queries
from callcenter.segments.policy import CHANGED_AT_ONCE
from callcenter.voice.rules import read_token
from tests.crowd import a_crowd
from tests.flow.asked import asks, speaks_with
from tests.jobs.conftest import Floor
from tests.jobs.listener import Listener, listening
from tests.jobs.test_webhook_jobs import listens, tells
from workers import ticks


@pytest.fixture
def listener() -> Iterator[Listener]:
    """The bank's own system that sends messages to customers."""
    with listening() as found:
        yield found


def _at_once(tick: object, floor: Floor) -> None:
    floor.bank.session.commit()
    threads = [threading.Thread(target=tick, args=(floor.runtime,)) for _ in range(3)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    floor.bank.session.expire_all()


def test_a_customer_who_was_spoken_with_is_asked_once_and_the_bank_gets_a_link_that_works(
    floor: Floor, listener: Listener
) -> None:
    bank = floor.bank
    listens(bank, listener.url, "survey.invited")
    asks(bank)
    speaks_with(bank)
    _at_once(ticks.invite, floor)
    ticks.invite(floor.runtime)
    (survey,) = bank.session.exec(select(SurveyInvite)).all()
    tells(floor)
    (heard,) = listener.heard
    data = heard.said["data"]
    assert (data["survey_id"], data["external_id"]) == (
        str(survey.id),
        bank.session.get_one(type(bank.customer(data["external_id"])), survey.customer_id).external_id,
    )
    base, _, token = data["link"].rpartition("/s/")
    assert base == floor.runtime.settings.public_base_url
    assert read_token(floor.runtime.survey_key, token) == survey.id
    with floor.runtime.unit_of_work() as session:
        verbs.take_answer(session, floor.runtime.survey_key, token, 9, "", floor.now)
    assert set(data) == {
        "survey_id", "attempt_id", "call_task_id", "customer_id", "external_id", "journey", "rule", "language",
        "expires_at", "link",
    }  # fmt: skip


def test_a_segment_is_worked_out_once_in_portions_and_held_customers_come_with_the_next_tick(
    floor: Floor,
) -> None:
    bank = floor.bank
    floor.has_waiting_task()
    a_crowd(bank.session, bank.tasks()[-1], CHANGED_AT_ONCE + 50, language="ug")
    raw = {"segment": "one", "title": {"en": "One"}, "rows": [{"form": "attribute", "field": "customer.language",
           "op": "=", "value": "ug"}]}  # fmt: skip
    segmenting.make_segment(bank.session, raw, bank.agent_id, bank.clock.now)
    bank.session.commit()
    members = "SELECT count(*) FROM customer WHERE segments ? 'one'"
    with bank.session.get_bind().engine.connect() as other:  # type: ignore[union-attr]
        held = "SELECT id FROM customer WHERE language = 'ug' LIMIT 7 FOR NO KEY UPDATE"
        other.exec_driver_sql(held).fetchall()
        _at_once(ticks.segment, floor)
        row = bank.session.get_one(Segment, "one")
        assert (row.size, row.is_settled) == (CHANGED_AT_ONCE + 50, False)
        assert bank.session.connection().exec_driver_sql(members).scalar_one() == CHANGED_AT_ONCE + 43
        other.rollback()
    bank.session.commit()
    bank.clock.go_on(seconds=30)
    ticks.segment(floor.runtime)
    bank.session.expire_all()
    assert len(queries.members(bank.session, "one")) == CHANGED_AT_ONCE + 50
    assert bank.session.get_one(Segment, "one").is_settled
