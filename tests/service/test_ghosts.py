"""Held-out customers pass the check that a call task passes before its call, once, at the same time."""

from datetime import timedelta

import pytest
from sqlmodel import select

from callcenter import comparing
from callcenter.learning.effect_queries import still_there
from callcenter.models import GhostTask, TriggerFiring
from tests.factories import Bank, user_in_arm

RULE = "id-photo-trouble"


def _in_trouble(bank: Bank, *, held_out: bool) -> str:
    user = user_in_arm(RULE, held_out=held_out, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for _ in range(2):
        bank.sends(user, "photo_rejected", reason="glare")
    bank.ticks()
    return user


def _ghost(bank: Bank) -> GhostTask:
    return bank.session.exec(select(GhostTask).where(GhostTask.rule_key == RULE)).one()


@pytest.mark.parametrize("comes_back", [False, True])
def test_whether_a_held_out_customer_is_still_there_is_known_when_they_would_have_been_called(
    bank: Bank, comes_back: bool
) -> None:
    user = _in_trouble(bank, held_out=True)
    assert bank.tasks() == []
    ghost = _ghost(bank)
    firing = bank.session.get_one(TriggerFiring, ghost.firing_id)
    assert comparing.look_at_ghosts(bank.session, bank.clock.now, 10) == 0, "not before its time"
    bank.clock.go_on(seconds=30)
    if comes_back:
        bank.sends(user, "face_scan")
    now = bank.clock.go_on(minutes=10)
    assert firing.fired_at < ghost.look_at <= now
    assert comparing.look_at_ghosts(bank.session, now, 10) == 1
    assert (ghost.looked_at, ghost.was_there) == (now, not comes_back)
    assert comparing.look_at_ghosts(bank.session, now + timedelta(hours=1), 10) == 0, "looked at once"
    assert still_there(bank.session, RULE) == ((0, 0), (int(not comes_back), 1))


def test_it_waits_as_long_as_the_rules_call_tasks_waited_for_their_call(bank: Bank) -> None:
    _in_trouble(bank, held_out=False)
    (task,) = bank.tasks()
    bank.clock.go_on(minutes=7)
    bank.agent_is_available()
    bank.offers(task)
    bank.dials(task)
    _in_trouble(bank, held_out=True)
    assert _ghost(bank).look_at - bank.clock.now == timedelta(minutes=7)
    assert still_there(bank.session, RULE)[0] == (1, 1)
