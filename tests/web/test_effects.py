"""Effects by window: counts are of the days chosen, what is judged of all the time; who is behind a count."""

import csv
import io
import re
from datetime import datetime, timedelta

from sqlmodel import col, select, update

from callcenter.domain.enums import FiringFate, Role
from callcenter.models import AuditEntry, TriggerFiring, TriggerRule
from tests.factories import Bank
from tests.web.conftest import SignIn
from tests.web.scenes import RULE, enter, reached_call, waiting_task, words
from tests.web.test_studio import history

PAGE = "/studio/effects"


def _moved(bank: Bank, fate: FiringFate, count: int, at: datetime) -> None:
    """Let so many firings of an arm have been at another time."""
    every = select(TriggerFiring.id).where(TriggerFiring.fate == fate).order_by(col(TriggerFiring.id))
    ids = bank.session.exec(every.limit(count)).all()
    bank.session.execute(update(TriggerFiring).where(col(TriggerFiring.id).in_(ids)).values(fired_at=at))
    bank.session.commit()


def test_counts_are_of_the_window_and_the_verdict_of_all_the_time(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(800, 400), held_out=(200, 60))
    # Within the quarter, so that nobody counts twice; half of both arms a month ago.
    for fate, count in ((FiringFate.TASK, 400), (FiringFate.HELD_OUT, 100)):
        _moved(bank, fate, count, bank.clock.now - timedelta(days=30))
    browser = enter(bank, sign_in, Role.STRATEGIST)
    whole = words(browser.get(PAGE).text)
    assert "1,000 200" in whole and "+20.0" in whole and "Counts and shares are of" not in whole
    week = words(browser.get(PAGE + "?window=7").text)
    assert "ID-photo trouble v1 500 100 0 0" in week and "100 of 500 firings" not in whole
    assert re.search(r"\d+ / 400 .* \d+ / 100 ", week), "shares are of the window's firings"
    assert "+20.0" in week and "Calling helps" in week and "160 customers, 1 rule with a verdict" in week
    assert "Effect, cost and verdict are of all the time" in week
    month_ago = (bank.clock.now - timedelta(days=30)).date().isoformat()
    own = words(browser.get(f"{PAGE}?window=own&from={month_ago}&to={month_ago}").text)
    assert "ID-photo trouble v1 500 100 0 0" in own
    assert "ID-photo trouble v1 1,000 200" in words(browser.get(PAGE + "?window=90").text)
    (row,) = csv.DictReader(io.StringIO(browser.get(PAGE + ".csv?window=7").data.decode("utf-8-sig")))
    assert (row["fired"], row["held_out"], row["verdict"], row["counts_of"]) == (
        "500",
        "100",
        "helps",
        "7 days",
    )


def test_a_window_in_which_a_rule_did_nothing_keeps_its_row(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(80, 40), held_out=(20, 6))
    bank.clock.go_on(days=10)
    row = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE + "?window=7").text)
    assert "ID-photo trouble v1 0 0 0 0 – 0 / 0 – 0 / 0" in row


def test_the_version_on_show_counts_only_its_own_firings(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(80, 40), held_out=(20, 6))
    other = select(TriggerRule.id).where(TriggerRule.rule_key != RULE).limit(1)
    older = bank.session.exec(other).one()
    every = select(TriggerFiring.id).where(TriggerFiring.fate == FiringFate.TASK).limit(30)
    ids = bank.session.exec(every).all()
    bank.session.execute(update(TriggerFiring).where(col(TriggerFiring.id).in_(ids)).values(rule_id=older))
    bank.session.execute(update(TriggerRule).where(col(TriggerRule.id) == older).values(state="retired"))
    bank.session.commit()
    browser = enter(bank, sign_in, Role.STRATEGIST)
    assert "ID-photo trouble v1 100 20" in words(browser.get(PAGE).text)
    assert "ID-photo trouble v1 70 20" in words(browser.get(PAGE + "?window=version").text)


def test_days_that_are_none_are_refused_in_words_and_the_page_stays(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(80, 40), held_out=(20, 6))
    browser = enter(bank, sign_in, Role.STRATEGIST)
    answer = browser.get(PAGE + "?window=own&from=2026-11-18&to=2026-11-01")
    assert answer.status_code == 400 and "The first day comes before the last" in words(answer.text)
    assert "ID-photo trouble v1 100 20" in words(answer.text)
    assert "Give days as 2026-11-18." in words(browser.get(PAGE + "?window=own&from=soon").text)
    assert browser.get(PAGE + ".csv?window=own&from=soon").status_code == 400


def test_every_count_leads_to_its_customers_and_that_is_kept(bank: Bank, sign_in: SignIn) -> None:
    reached_call(bank, waiting_task(bank), "done_on_call")
    history(bank, treated=(8, 4), held_out=(4, 1))
    browser = enter(bank, sign_in, Role.STRATEGIST)
    html = browser.get(f"{PAGE}?rule={RULE}&window=28").text
    hrefs = {one.replace("&amp;", "&") for one in re.findall(r'href="(/studio/effects/people[^"]*)"', html)}
    assert all("window=28" in one for one in hrefs)
    listed = {}
    for href in hrefs:
        told = browser.get(href).text
        (part,) = re.findall(r"part=(\w+)", href)
        listed[part] = told.count('href="/studio/people/')
        assert f"{listed[part]} p" in words(told) and "28 days" in words(told)
    # Nobody's figures without a hold-out large enough are hidden: what is hidden leads nowhere.
    assert {part: listed[part] for part in ("fired", "held_out", "called", "reached")} == {
        "fired": 13, "held_out": 4, "called": 1, "reached": 1,
    }  # fmt: skip
    direct = browser.get(f"{PAGE}/people?rule={RULE}&part=converted").text
    assert direct.count('href="/studio/people/') == 4
    kept = bank.session.exec(select(AuditEntry).where(AuditEntry.act == "people.listed")).all()
    assert {one.subject for one in kept} == {RULE} and len(kept) == len(hrefs) + 1
    assert browser.get(f"{PAGE}/people?rule=none").status_code == 404


def test_evidence_beyond_all_measure_is_told_and_breaks_nothing(bank: Bank, sign_in: SignIn) -> None:
    history(bank, treated=(800, 700), held_out=(200, 6))
    text = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text)
    assert "Calling helps evidence over 1,000,000" in text
