"""Scenes the tests of floor and studio share: a waiting call task, a call that reached somebody, a viewer."""

import re
from datetime import datetime
from itertools import count, islice

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter import pipeline
from callcenter.domain.enums import AttemptState, CallResult, Role
from callcenter.domain.ids import derived_id
from callcenter.domain.ports import Placed
from callcenter.learning.service import draw_arm
from callcenter.models import CallTask, User
from callcenter.outcomes.rules import WrapUp
from tests.factories import Bank, user_in_arm
from tests.web.conftest import SignIn

RULE = "id-photo-trouble"
HTMX = {"HX-Request": "true"}


def enter(
    bank: Bank, sign_in: SignIn, role: Role, language: str = "en", time_zone: str = "Asia/Shanghai"
) -> FlaskClient:
    """Sign somebody of this role in, with their language and time zone."""
    browser = sign_in(role)
    user = bank.session.exec(select(User).where(User.role == role)).one()
    user.language, user.time_zone = language, time_zone
    bank.session.commit()
    return browser


def waiting_task(bank: Bank, user: str | None = None) -> CallTask:
    """Let a customer have trouble with the ID photo, so that a call task waits."""
    user = user or user_in_arm(RULE, held_out=False, at=bank.clock.now)
    bank.knows(user)
    bank.sends(user, "id_photo_front")
    for attempt in (1, 2):
        bank.sends(user, "photo_rejected", reason="glare", attempt=attempt)
    bank.ticks()
    return bank.tasks()[-1]


def reached_call(bank: Bank, task: CallTask, disposition: str) -> None:
    """Let the agent reach the customer and tag the attempt: rings after 20 s, is talked for 60 s."""
    bank.agent_is_available()
    bank.offers(task)
    dialing = bank.dials(task)
    assert isinstance(dialing, pipeline.Dialing)
    ref = f"CA-{task.id}"
    pipeline.note_placement(bank.session, dialing.attempt_id, Placed(ref), bank.clock.now)
    bank.clock.go_on(seconds=20)
    bank.hears(dialing.attempt_id, AttemptState.RINGING, ref=ref)
    pipeline.answer_call(bank.session, bank.house, dialing.attempt_id, ref, bank.clock.now)
    bank.clock.go_on(seconds=60)
    bank.hears(dialing.attempt_id, AttemptState.ENDED, CallResult.COMPLETED, ref=ref)
    pipeline.close_call(bank.session, bank.house, task.id, WrapUp(disposition), bank.agent_id, bank.clock.now)
    bank.session.commit()


def users_in_arm(rule_key: str, many: int, *, held_out: bool, at: datetime, prefix: str = "p") -> list[str]:
    """Return different customers whom a rule's hold-out draw puts into the arm wanted."""
    names = (f"{prefix}-{number}" for number in count())
    drawn = (n for n in names if draw_arm(rule_key, derived_id("customer", n), 0.2, at).held_out is held_out)
    return list(islice(drawn, many))


def words(html: str) -> str:
    """What of a piece of HTML is read: its text with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split()).replace("\u00a0", " ")


def figure(html: str, code: str) -> str:
    """The text of one figure of the strip."""
    found = re.search(rf'id="figure-{code}">(.*?)</div>', html, re.S)
    assert found, code
    return words(found.group(1))
