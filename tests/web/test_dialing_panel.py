"""The dialing panel: modes set and in force, the switch, the budget with its base, what pacing decided."""

import re
from collections.abc import Mapping
from datetime import timedelta
from string import Formatter
from typing import Any

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from sqlmodel import select

import callcenter
from callcenter import dialer
from callcenter.dialing import queries as dialing_queries
from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.rules import SENTENCES, PacingFacts, PacingLimit, pace, sentence_of
from callcenter.domain.enums import (
    AttemptState,
    CallResult,
    DialingMode,
    Role,
)
from callcenter.domain.ids import derived_id
from callcenter.models import AuditEntry, Campaign, ContactAttempt, DialingSwitch, Incident, PacingDecision
from callcenter.reporting.dialing import CampaignNow, dialing_now
from callcenter.routing.policy import SILENT_BROWSER
from callcenter.web.dialing_view import budget_of
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, waiting_task, words

SWITCH = "/floor/dialing/switch"
LOAN = "/floor/dialing/loan"
ON = {"allowed": "true", "confirmed": "true"}


def campaign(html: str) -> str:
    """What the loan campaign's row says, its form left out."""
    found = re.search(r'<article class="campaign" id="campaign-loan".*?</article>', html, re.S)
    assert found
    return words(re.sub(r"<form.*?</form>", "", found.group(), flags=re.S))


def past_calls(bank: Bank, answers: int, abandoned: int = 0) -> None:
    """Finished calls of the loan campaign that were answered, so many of them with no agent."""
    task = waiting_task(bank)
    at = bank.clock.now - timedelta(hours=2)
    for number in range(answers):
        bank.session.add(
            ContactAttempt(
                id=derived_id("past", number),
                call_task_id=task.id,
                customer_id=task.customer_id,
                firing_id=task.firing_id,
                to_number=f"+8613900{number:06d}",
                caller_id="+15005550006",
                campaign="loan",
                state=AttemptState.ENDED,
                result=CallResult.ABANDONED if number < abandoned else CallResult.COMPLETED,
                claimed_at=at,
                answered_at=at,
                ended_at=at,
                last_news_at=at,
            )
        )
    bank.session.commit()


def decided(bank: Bank, mode: DialingMode = DialingMode.PREDICTIVE, **facts: Any) -> PacingDecision:
    """Write down a decision of the pacing rule on these facts, as a tick does."""
    pacing = pace(PacingFacts(mode=mode, **{"ready": 6, "agents": 6, "callable": 4, **facts}), PacingPolicy())
    row = PacingDecision(
        at=bank.clock.now,
        campaign="loan",
        mode=mode,
        dialed=pacing.dial,
        reason=pacing.reason.value,
        figures=dict(pacing.figures),
        sentence=sentence_of(pacing),
    )
    bank.session.add(row)
    bank.session.commit()
    return row


def test_nobody_has_set_anything_yet(bank: Bank, sign_in: SignIn) -> None:
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    assert "Automatic: off" in html and "the database refuses every other call" in html
    row = campaign(html)
    assert row.startswith("Loan Preview Change")
    assert "Signed on / ready 0 / 0" in row and "no answers yet" in row
    assert "0 next at 34" in row, "the first abandoned call needs 34 live answers"
    assert "Nobody has set it yet; preview counts." in words(html)


def test_a_mode_is_set_and_waits_for_the_switch(bank: Bank, sign_in: SignIn) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    form = {"mode": "power", "lines_per_agent": "1.5", "drops_machines": "true"}
    html = supervisor.post(LOAN, data=form, headers=HTMX).text
    assert "Preview Power is set and waits for the switch" in campaign(html)
    assert "12:00 You set Loan to Power." in html
    row = bank.session.get_one(Campaign, "loan")
    assert (row.mode, row.lines_per_agent, row.drops_machines) == (DialingMode.POWER, 1.5, True)
    html = supervisor.post(SWITCH, data=ON, headers=HTMX).text
    assert campaign(html).startswith("Loan Power, 1.5 lines Change")
    assert "Nothing decided yet." in campaign(html)
    entries = bank.session.exec(select(AuditEntry).order_by(AuditEntry.id)).all()  # type: ignore[arg-type]
    assert [entry.act for entry in entries] == ["campaign.set", "dialing.allowed"]
    again = supervisor.post(LOAN, data={"mode": "manual"})
    assert (again.status_code, again.headers["Location"]) == (302, "/floor")
    bank.session.expire_all()
    assert not bank.session.get_one(Campaign, "loan").drops_machines, "a box left empty is a no"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "Choose one of the modes shown."),
        ({"mode": "turbo"}, "Choose one of the modes shown."),
        (
            {"mode": "power", "lines_per_agent": "4"},
            "Lines per agent: give a number from 1 to 3, such as 1.5.",
        ),
        (
            {"mode": "power", "lines_per_agent": ""},
            "Lines per agent: give a number from 1 to 3, such as 1.5.",
        ),
        (
            {"mode": "power", "lines_per_agent": "nan"},
            "Lines per agent: give a number from 1 to 3, such as 1.5.",
        ),
    ],
)
def test_a_form_that_cannot_be_taken_says_what_to_do(
    bank: Bank, sign_in: SignIn, form: dict[str, str], said: str
) -> None:
    answer = enter(bank, sign_in, Role.SUPERVISOR).post(LOAN, data=form, headers=HTMX)
    assert (answer.status_code, answer.text) == (400, said)
    assert bank.session.get(Campaign, "loan") is None


def test_a_campaign_that_is_not_there_is_not_set(bank: Bank, sign_in: SignIn) -> None:
    answer = enter(bank, sign_in, Role.SUPERVISOR).post(
        "/floor/dialing/nowhere", data={"mode": "manual"}, headers=HTMX
    )
    assert answer.status_code == 404


def test_switching_on_asks_first_and_switching_off_does_not(bank: Bank, sign_in: SignIn) -> None:
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    refused = supervisor.post(SWITCH, data={"allowed": "true"}, headers=HTMX)
    assert refused.status_code == 400 and refused.text.startswith("Automatic dialing stays off.")
    assert not bank.session.get_one(DialingSwitch, 1).automatic_allowed
    on = supervisor.post(SWITCH, data=ON, headers=HTMX).text
    assert "Automatic: on" in on and "The supervisor, 12:00" in words(on)
    assert "no campaign asks for it" in on
    bank.clock.go_on(minutes=5)
    off = supervisor.post(SWITCH, data={"allowed": "false"}, headers=HTMX).text
    assert "Automatic: off" in off and "The supervisor, 12:05" in words(off)
    acts = [entry.act for entry in bank.session.exec(select(AuditEntry).order_by(AuditEntry.id))]  # type: ignore[arg-type]
    assert acts == ["dialing.allowed", "dialing.stopped"]


def test_an_agent_or_strategist_sets_nothing(app: Flask, bank: Bank, sign_in: SignIn) -> None:
    for role in (Role.AGENT, Role.STRATEGIST):
        client = enter(bank, sign_in, role)
        assert client.post(LOAN, data={"mode": "predictive"}).status_code == 403
        assert client.post(SWITCH, data=ON).status_code == 403
    assert enter(bank, sign_in, Role.ADMIN).post(LOAN, data={"mode": "manual"}).status_code == 302
    app.config["WTF_CSRF_ENABLED"] = True
    assert enter(bank, sign_in, Role.SUPERVISOR).post(SWITCH, data=ON).status_code == 400


def test_the_newest_decision_is_said_in_the_viewers_language_with_its_figures(
    bank: Bank, sign_in: SignIn
) -> None:
    dialer.set_campaign(bank.session, "loan", DialingMode.PREDICTIVE, bank.agent_id, bank.clock.now)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=True)
    decided(bank)
    bank.clock.go_on(seconds=30)
    newest = decided(bank, ready=7, agents=9)
    row = campaign(enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text)
    assert f"12:00:30 {newest.sentence}" in row and "Last 2 decisions" in row
    assert "held down from 7, as no more customers may be called now" in row
    chinese = campaign(enter(bank, sign_in, Role.SUPERVISOR, "zh").get("/floor").text)
    assert (
        "拨 4 通：每名坐席一条线路，因多线拨打需 15 名坐席而在线 9 名；空闲坐席 7 名，振铃 0 通；"
        "原拟 7 通，因当前可呼客户不足而减少。"
    ) in chinese


def test_a_decision_of_a_reason_nobody_knows_any_more_is_said_as_written(bank: Bank, sign_in: SignIn) -> None:
    dialer.set_campaign(bank.session, "loan", DialingMode.POWER, bank.agent_id, bank.clock.now)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=True)
    row = decided(bank, DialingMode.POWER)
    row.reason, row.sentence = "of_old", "Dialing 0: as it was said then."
    bank.session.commit()
    assert row.sentence in campaign(enter(bank, sign_in, Role.SUPERVISOR, "zh").get("/floor").text)


def test_every_sentence_of_the_pacing_rule_reads_in_chinese_with_the_same_figures() -> None:
    def figures(template: str) -> set[tuple[str | None, str | None]]:
        return {(name, spec) for _, name, spec, _ in Formatter().parse(template) if name}

    path = f"{callcenter.__path__[0]}/translations/zh/LC_MESSAGES/messages.po"
    with open(path, "rb") as source:  # noqa: PTH123
        catalog = read_po(source, locale="zh")
    for key, template in SENTENCES.items():
        entry = catalog.get(template)
        assert entry is not None and entry.string, key
        assert figures(str(entry.string)) == figures(template), key
    assert {str(limit) for limit in PacingLimit} <= {str(key) for key in SENTENCES}


@pytest.mark.parametrize(
    ("answers", "abandoned", "ahead", "expected"),
    [
        (0, 0, True, (0, 0, 34, "plain")),
        (33, 0, True, (0, 0, 34, "plain")),
        (34, 0, True, (1, 1, 34, "plain")),
        (100, 1, True, (3, 2, 67, "plain")),
        (2140, 58, True, (64, 6, 1967, "warn")),
        (2140, 58, False, (64, 6, 1967, "plain")),
        (34, 1, True, (1, 0, 67, "warn")),
        (300, 10, False, (9, -1, 367, "bad")),
    ],
)
def test_the_budget_is_whole_calls_of_its_base(
    answers: int, abandoned: int, ahead: bool, expected: tuple[int, int, int, str]
) -> None:
    budget = budget_of(CampaignNow("loan", answers=answers, abandoned=abandoned), dialed_ahead=ahead)
    assert (budget.allowed, budget.left, budget.next_at, budget.tone) == expected


def test_the_panel_counts_as_the_pacing_rule_counts(bank: Bank, sign_in: SignIn) -> None:
    past_calls(bank, 40, 1)
    bank.another_agent()
    machine = bank.session.get_one(ContactAttempt, derived_id("past", 39))
    machine.answered_by = "machine"  # type: ignore[assignment]
    bank.session.commit()
    counted = dialing_now(bank.session, ["loan", "nowhere"], bank.clock.now, SILENT_BROWSER)
    floor = dialing_queries.floor_of(bank.session, "loan", bank.clock.now, SILENT_BROWSER)
    row = next(one for one in counted.campaigns if one.key == "loan")
    assert (row.answers, row.abandoned) == (floor.answers_30d, floor.abandoned_30d) == (39, 1)
    assert (row.ringing, row.waiting) == (len(floor.ringing), floor.answered_waiting)
    assert (counted.ready, counted.signed_on) == (floor.ready, floor.agents) == (1, 1)
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    assert "Signed on / ready 1 / 1" in campaign(html)
    assert "2.6 % 1 of 39 answers" in campaign(html) and "0 of 1 next at 67" in campaign(html)


def _titles(html: str) -> Mapping[str, str]:
    found = re.findall(r'<article class="need[^>]*id="need-([^"]+)".*?<h3>(.*?)</h3>', html, re.S)
    return {name: words(title) for name, title in found}


def test_a_budget_that_is_over_or_nearly_spent_needs_the_supervisor(bank: Bank, sign_in: SignIn) -> None:
    past_calls(bank, 110, 3)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert "need-abandonment" not in supervisor.get("/floor").text, "agents dial: nothing more is abandoned"
    dialer.set_campaign(bank.session, "loan", DialingMode.PREDICTIVE, bank.agent_id, bank.clock.now)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=True)
    bank.session.commit()
    html = supervisor.get("/floor").text
    assert _titles(html)["abandonment-loan"] == "Loan may abandon 0 more calls"
    assert "3 of 110 customers who answered in 30 days met no agent." in words(html)
    assert "One line for each agent until 134 have answered." in words(html)
    over = bank.session.get_one(ContactAttempt, derived_id("past", 50))
    over.result = CallResult.ABANDONED
    bank.session.commit()
    html = supervisor.get("/floor").text
    assert _titles(html)["abandonment-loan"] == "Abandonment in Loan is 3.6 % of 3 %"
    assert 'need-urgent" id="need-abandonment-loan"' in html and "1 over" in campaign(html)


def test_pacing_that_falls_silent_needs_the_supervisor(bank: Bank, sign_in: SignIn) -> None:
    dialer.set_campaign(bank.session, "loan", DialingMode.POWER, bank.agent_id, bank.clock.now)
    dialer.set_automatic(bank.session, bank.agent_id, bank.clock.now, allowed=True)
    decided(bank, DialingMode.POWER)
    bank.clock.go_on(minutes=2)
    supervisor = enter(bank, sign_in, Role.SUPERVISOR)
    assert "still-loan" not in _titles(supervisor.get("/floor").text)
    bank.clock.go_on(minutes=2)
    html = supervisor.get("/floor").text
    assert _titles(html)["still-loan"] == "Nothing is dialed for Loan"
    assert "No pacing decision since 12:00" in html


def test_a_call_nobody_asked_for_is_told(bank: Bank, sign_in: SignIn) -> None:
    bank.session.add(Incident(at=bank.clock.now, kind="call_without_attempt"))
    bank.session.commit()
    html = enter(bank, sign_in, Role.SUPERVISOR).get("/floor").text
    assert "The carrier lists a call that belongs to no attempt" in html
