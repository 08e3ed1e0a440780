"""Back-tests in the studio: of a draft as it is typed, by an errand, the latest beside the one before."""

from dataclasses import asdict
from html import unescape

from flask.testing import FlaskClient
from sqlmodel import select

from callcenter.backtest import asked
from callcenter.domain.enums import OutboxKind, Role
from callcenter.domain.load import HourLoad
from callcenter.models import BackTestRun, OutboxMessage
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import enter, words
from tests.web.test_rules import fields_of

RULE = "face-scan-quiet"
URL = f"/studio/rules/{RULE}/versions/2"


def _draft(bank: Bank, sign_in: SignIn) -> FlaskClient:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    browser.post(f"/studio/rules/{RULE}/drafts", data={"version": "1"})
    return browser


def _asks(browser: FlaskClient, **typed: str) -> str:
    fields = fields_of(unescape(browser.get(URL).text))
    return words(browser.post(f"{URL}/back-test", data={**fields, **typed}).text)


def _errand(bank: Bank, after_s: float, fired: int, **more: object) -> None:
    """What the errand writes down of the run under way."""
    run = asked.runs_of(bank.session, RULE, 2)[0]
    hours = [0] * 24
    hours[9], hours[20] = fired - 10, 10
    figures = {
        "days": 28, "after_s": after_s, "holdout": 0.2, "events": 900, "fired": fired, "fired_live": 560,
        "allowed": fired - 30, "waiting": 20, "barred": 10, "agents": 3,
        "reasons": {"attempt_cap_reached": 7, "do_not_call": 3},
        "busiest_at": "2026-11-12T09:00:00+08:00", "busiest": 44, "per_hour": hours, "back": 30, "back_of": 300,
        "also": [["id-photo-dwell", 12]], "samples": [[str(run.id), "2026-11-12T01:10:00+00:00"]],
    } | more  # fmt: skip
    asked.note_figures(bank.session, run.id, figures, None, bank.clock.now)
    bank.session.commit()


def test_two_waits_of_a_draft_are_played_back_and_stand_beside_each_other(
    bank: Bank, sign_in: SignIn
) -> None:
    browser = _draft(bank, sign_in)
    assert "Nobody is called." in words(browser.get(URL).text)
    assert "with a wait of 2m" in _asks(browser, after="2m")
    assert browser.post(f"{URL}/back-test").status_code == 409, "one at a time"
    messages = select(OutboxMessage.kind).where(OutboxMessage.kind == OutboxKind.BACK_TEST)
    assert len(bank.session.exec(messages).all()) == 1
    _errand(bank, 120, 560)
    told = words(browser.get(f"{URL}/back-test").text)
    assert "wait 2m" in told and "20 560 in 28 days" in told and "before" not in told
    assert "3 agents in the busiest hour" in told and "44 firings on 12 Nov 09:00" in told
    bank.clock.go_on(seconds=1)
    _asks(browser, after="5m")
    _errand(bank, 300, 280)
    told = words(browser.get(URL).text)
    assert "wait 5m before, wait 2m" in told
    assert "Fires a day 10 280 in 28 days 20 560 in 28 days" in told
    assert "Calls a day 7.7 not held out, not stopped 16" in told
    assert "The live version, a day 20 20" in told and "ID photo, three minutes 12" in told
    saved = sorted(bank.session.exec(select(BackTestRun)), key=lambda one: one.asked_at)
    assert [one.definition["after"] for one in saved] == ["2m", "5m"]


def test_what_makes_no_rule_is_told_and_not_played(bank: Bank, sign_in: SignIn) -> None:
    browser = _draft(bank, sign_in)
    assert "Put right first what the form says" in _asks(browser, after="soon")
    assert bank.session.exec(select(BackTestRun)).all() == []


def test_one_that_found_nothing_says_why_and_another_may_be_asked_for(bank: Bank, sign_in: SignIn) -> None:
    browser = _draft(bank, sign_in)
    _asks(browser)
    (run,) = bank.session.exec(select(BackTestRun)).all()
    asked.note_figures(bank.session, run.id, {}, "step: there is no such step", bank.clock.now)
    bank.session.commit()
    assert "there is no such step" in words(browser.get(f"{URL}/back-test").text)
    bank.clock.go_on(seconds=1)
    _asks(browser)
    bank.clock.go_on(minutes=21)
    assert "It did not end." in words(browser.get(f"{URL}/back-test").text)
    _asks(browser)
    assert asked.is_under_way(asked.runs_of(bank.session, RULE, 2)[0], bank.clock.now)


def _load(**short: int) -> dict[str, object]:
    hours = [asdict(HourLoad(hour, 0.0, 0.0, 0.0, 0.0, 0.0, None, 0)) for hour in range(24)]
    hours[10] = asdict(HourLoad(10, 14.0, 5.0, 3.2, 1.0, 0.5, 0.41, short.get("h10", 0)))
    hours[20] = asdict(HourLoad(20, 2.0, 2.0, 0.0, 0.0, 0.2, None, short.get("h20", 0)))
    return {"days": 28, "minutes": 5.6, "is_assumed": False, "hours": hours}


def test_the_load_stands_beside_the_agents_on_duty(bank: Bank, sign_in: SignIn) -> None:
    browser = _draft(bank, sign_in)
    _asks(browser)
    _errand(bank, 120, 560, load=_load())
    told = words(browser.get(URL).text)
    assert "Fits your agents" in told and "except" not in told and "short" not in told
    assert "At 10:00: 14 calls an hour, 3.2 agents on duty, 41 % of their time" in told
    assert "10:00 14 3.2 41 %" in told and "20:00 2.0 0.0 –" in told
    assert "A call took 5.6 minutes of" in told and "More than 85 % of their time" in told
    bank.clock.go_on(seconds=1)
    _asks(browser)
    _errand(bank, 120, 560, load=_load(h10=1, h20=3))
    told = words(browser.get(URL).text)
    assert "Fits your agents, except 10:00–11:00, 20:00–21:00" in told and "up to 3 short" in told
    bank.clock.go_on(seconds=1)
    _asks(browser)
    _errand(bank, 120, 560, load=None)
    assert "Whether your agents can carry it is not known yet." in words(browser.get(URL).text)
