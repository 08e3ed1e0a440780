"""The learning page: what was found, whom we call first and why, the model's card; a strategist may ask anew."""

import csv
import io
import re
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlmodel import col, select

from callcenter import nightly
from callcenter.domain.enums import OutboxKind, Role
from callcenter.learning import nights
from callcenter.models import AuditEntry, OutboxMessage, Outcome, PropensityModel
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import HTMX, enter, words
from tests.web.test_studio import history

PAGE = "/studio/learning"


def _learns(bank: Bank) -> None:
    """Let a run be carried out as workers would."""
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    while claimed := nights.claim_step(bank.session, run_id, bank.clock.now):
        name = claimed.step or ""
        summary = dict(nightly.STEPS)[name](bank.session, bank.house, bank.clock.now)
        nights.end_step(bank.session, run_id, name, bank.clock.now, summary=summary)
    bank.session.commit()


def test_before_anything_was_learned_the_page_says_what_to_do(bank: Bank, sign_in: SignIn) -> None:
    html = enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text
    assert "Nothing has been learned yet." in html and "Learn now" in html
    assert "Until then set priorities and age decide." in words(html)


def test_a_strategist_has_it_learned_now_once_at_a_time_and_it_is_kept_who_asked(
    bank: Bank, sign_in: SignIn
) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    html = browser.post(PAGE + "/run", headers=HTMX).text
    assert "Step 1 of" in html and "Learn now" not in html
    again = browser.post(PAGE + "/run", headers=HTMX)
    assert again.status_code == 409
    assert again.text == "Learning is under way. Wait until its last step has ended."
    (entry,) = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "learning.asked")).all()
    assert entry.user_id is not None
    messages = select(OutboxMessage).where(OutboxMessage.kind == OutboxKind.LEARN)
    assert len(bank.session.exec(messages).all()) == 1


def test_what_a_call_brings_is_shown_with_the_counts_it_rests_on(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(400, 120), held_out=(100, 15))
    bank.clock.go_on(hours=1)
    _learns(bank)
    text = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text)
    assert "1 rules are ranked by what a call brings." in text
    assert "+15.0 ±8.4 400 called, 100 held out +15.0 100 5.0 3.00 1 h" in text
    chinese = enter(bank, sign_in, Role.STRATEGIST, "zh").get(PAGE).text
    assert "1 条规则按每次呼叫带来的价值排序。" in chinese


def test_the_models_card_says_why_it_does_not_rank(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(600, 180), held_out=(150, 30))
    for number, outcome in enumerate(bank.session.exec(select(Outcome).order_by(col(Outcome.firing_id)))):
        outcome.converted_at = bank.clock.now if number % 10 < 3 else None
    bank.session.commit()
    bank.clock.go_on(hours=1)
    _learns(bank)
    row = bank.session.exec(select(PropensityModel)).one()
    assert (row.is_used, row.why_not) == (False, "not_better")
    text = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text)
    assert "It does not rank: on later firings it was no better than each rule's own rate." in text.replace(
        "&#39;", "'"
    )
    assert "The oldest 360 fit it, the next 90 calibrate it, the newest 150 judge it" in text
    assert re.search(r"Brier score lower is better 0\.\d{4} 0\.\d{4} – 0\.\d{4} 0\.\d{4}", text)
    assert "It is never given: gender, age, name, phone number, language, place and time zone" in text


def test_a_step_that_failed_is_named_with_its_reason(bank: Bank, sign_in: SignIn) -> None:
    run_id = nightly.ask_for_run(bank.session, None, bank.clock.now)
    claimed = nights.claim_step(bank.session, run_id, bank.clock.now)
    assert claimed is not None and claimed.step == "scripts"
    later = bank.clock.now + timedelta(seconds=3)
    nights.end_step(bank.session, run_id, "scripts", later, error="ValueError")
    bank.session.commit()
    text = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text)
    assert "Scripts shared out failed 3 s ValueError" in text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_every_table_of_learning_comes_as_a_file(bank: Bank, sign_in: SignIn, kind: str) -> None:
    _learns(bank)
    bank.clock.go_on(minutes=5)
    history(bank, treated=(600, 180), held_out=(150, 30))
    for number, outcome in enumerate(bank.session.exec(select(Outcome).order_by(col(Outcome.firing_id)))):
        outcome.converted_at = bank.clock.now if number % 10 < 3 else None
    bank.session.commit()
    bank.clock.go_on(hours=1)
    _learns(bank)
    browser = enter(bank, sign_in, Role.STRATEGIST)
    html = browser.get(PAGE).text
    told = {}
    for table in ("worth", "steps", "measures", "calibration", "runs"):
        assert f'href="{PAGE}/{table}.{kind}"' in html
        answer = browser.get(f"{PAGE}/{table}.{kind}")
        assert (
            answer.status_code == 200 and f"learning-{table}.{kind}" in answer.headers["Content-Disposition"]
        )
        if kind == "csv":
            told[table] = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
        else:
            told[table] = [
                ["" if one is None else str(one) for one in row]
                for row in load_workbook(io.BytesIO(answer.data)).active.values
            ]
    assert [len(told[table]) > 1 for table in told] == [True] * 5
    (worth,) = told["worth"][1:]
    assert worth[0] == "id-photo-trouble" and worth[2:4] == ["600", "150"]
    assert [row[2] for row in told["steps"][1:]] == ["done"] * len(nightly.STEPS)
    assert len(told["runs"]) == 3 and told["runs"][1][3:] == [
        str(len(nightly.STEPS)),
        str(len(nightly.STEPS)),
        "0",
    ]
    assert len({row[0] for row in told["measures"][1:]}) == 1 and len(told["calibration"][1]) == 6
