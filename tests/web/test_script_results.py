"""What came of scripts and what usually helps: in the studio, as CSV, and on the agent's card."""

import csv
import io

from flask.testing import FlaskClient

from callcenter import choosing
from callcenter.domain.enums import Role
from scripts_library.catalog import shipped_catalog
from tests.factories import Bank
from tests.past_calls import GLARE, Past, past_calls
from tests.web.conftest import SignIn
from tests.web.scenes import enter, waiting_task, words

PAGE = f"/studio/scripts/{GLARE}.en"


def table(browser: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = browser.get(address)
    assert answer.status_code == 200 and answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))


def test_a_script_shows_its_variants_branches_and_objections_with_what_came_of_them(
    bank: Bank, sign_in: SignIn
) -> None:
    tilt = (("where_from", "1-tilt"),)
    past_calls(
        bank,
        Past(300, 120, "A", path=tilt),
        Past(300, 45, "B", objection="rate"),
        Past(7, 0, "B", days_ago=1),  # still within their window
        Past(50, 50, "B", version="0.2"),  # older words
    )
    browser = enter(bank, sign_in, Role.STRATEGIST)
    text = words(browser.get(PAGE).text)
    assert "600 customers drew a variant" in text and "7 more are still within it." in text
    assert "A 50 % 40.0 % 120 of 300" in text and "+25.0 (" in text and "within agents +25.0" in text
    assert text.index("Better") < text.index("Worse")
    assert "in 300 calls · 120 of 300 went on, 35 % to 46 %" in text
    assert "in 300 calls · 45 of 300 went on, 11 % to 19 %" in text
    assert "Branches and objections below are not" in text
    rows = table(browser, f"{PAGE}/results.csv")
    kinds = [
        (row["kind"], row["name"], row["drawn_at_random"], row["customers"], row["converted"]) for row in rows
    ]
    assert kinds == [
        ("variant", "A", "yes", "300", "120"),
        ("variant", "B", "yes", "300", "45"),
        ("branch", "1-tilt", "no", "300", "120"),
        ("objection", "rate", "no", "300", "45"),
    ]
    assert rows[0]["verdict"] == "better" and float(rows[0]["difference_points"]) == 25
    assert rows[2]["difference_points"] == rows[2]["verdict"] == ""  # no effect is told of a branch


def test_effects_are_told_by_script_and_by_branch_on_the_page_and_as_a_file(
    bank: Bank, sign_in: SignIn
) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    for by in ("scripts", "branches"):
        assert "Nothing to tell by" in browser.get(f"/studio/effects/{by}").text
    tilt = (("where_from", "1-tilt"),)
    past_calls(bank, Past(300, 120, "A", path=tilt), Past(300, 45, "B", objection="rate"))
    by_script = words(browser.get("/studio/effects/scripts").text)
    assert "A 50 % 40.0 % 120 / 300" in by_script and "B 50 % 15.0 % 45 / 300" in by_script
    assert by_script.index("Better") < by_script.index("Worse")
    by_branch = words(browser.get("/studio/effects/branches").text)
    assert "300 40 % 120 / 300 35 % to 46 %" in by_branch and "objection" in by_branch
    told = table(browser, "/studio/effects.csv?by=scripts")
    assert [(one["variant"], one["converted"], one["verdict"]) for one in told] == [
        ("A", "120", "better"), ("B", "45", "worse"),
    ]  # fmt: skip
    seen = table(browser, "/studio/effects.csv?by=branches")
    assert {(one["kind"], one["went_on"], one["of"], one["drawn_at_random"]) for one in seen} == {
        ("branch", "120", "300", "no"), ("objection", "45", "300", "no"),
    }  # fmt: skip


def test_every_table_of_the_studio_comes_as_a_file(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    past_calls(bank, Past(300, 120, "A"), Past(300, 45, "B"))
    (effect,) = table(browser, "/studio/effects.csv")
    assert (effect["rule"], effect["called"], effect["verdict"]) == (
        "id-photo-trouble",
        "600",
        "sample_ratio",
    )
    assert effect["effect_points"] == effect["evidence"] == "", "what the page hides stays hidden"
    rules = {one["rule"]: one for one in table(browser, "/studio/rules.csv")}
    assert rules["id-photo-trouble"]["in_words"] and "sign-in-trouble" in rules
    scripts = {one["script"]: one for one in table(browser, "/studio/scripts.csv")}
    assert (scripts[f"{GLARE}.en"]["variants"], scripts[f"{GLARE}.zh"]["language"]) == ("A B", "zh")
    assert table(browser, "/studio/segments.csv") == [] == table(browser, "/studio/offers.csv")


def test_a_script_nobody_has_drawn_yet_says_so(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    text = words(browser.get(PAGE).text)
    assert "0 customers drew a variant" in text and "nothing to compare yet" in text and "Too early" in text
    assert [row["kind"] for row in table(browser, f"{PAGE}/results.csv")] == ["variant", "variant"]
    assert browser.get("/studio/scripts/no_such.en/results.csv").status_code == 404


def test_a_split_that_is_not_as_drawn_hides_the_comparison(bank: Bank, sign_in: SignIn) -> None:
    past_calls(bank, Past(200, 100, "A"), Past(80, 10, "B"))
    text = words(enter(bank, sign_in, Role.STRATEGIST).get(PAGE).text)
    assert (
        "The split is not as drawn; find the cause first." in text
        and "hidden" in text
        and "Better" not in text
    )


def test_what_usually_helps_stands_beside_why_it_is_no_effect(bank: Bank, sign_in: SignIn) -> None:
    browser = enter(bank, sign_in, Role.STRATEGIST)
    assert "Too few calls yet." in words(browser.get("/studio/scripts/what-helps").text)
    past_calls(bank, *_forty())
    choosing.note_what_helps(bank.session, bank.clock.now, bank.house.catalog)
    bank.session.commit()
    text = words(browser.get("/studio/scripts/what-helps").text)
    assert "Only calls that reached somebody are here" in text and "Too few calls yet." not in text
    assert "40 Technical 75 %, 30 of 40 Usability 25 %, 10 of 40" in text
    assert "24 of 30, 63 % to 90 %" in text
    rows = table(browser, "/studio/scripts/what-helps.csv")
    assert {(row["error"], row["kind"]) for row in rows} == {
        (error, kind)
        for error in ("", "photo_rejected", "photo_rejected:glare")
        for kind in ("cause", "branch")
    }
    assert all(row["calls"] == "40" for row in rows)


def test_the_agent_is_told_in_a_line_once_enough_calls_were_made(bank: Bank, sign_in: SignIn) -> None:
    task = waiting_task(bank)
    browser = enter(bank, sign_in, Role.AGENT)
    bank.agent_is_available()
    bank.offers(task)
    assert "why-helps" not in browser.get("/console/state").text
    past_calls(bank, *_forty())
    choosing.note_what_helps(bank.session, bank.clock.now, bank.house.catalog)
    bank.session.commit()
    text = words(browser.get("/console/state").text)
    assert "40 calls about “" in text and "Technical 75 %" in text
    assert "went on after" in text and "24 of 30 (63 % to 90 %)" in text


def test_the_effects_page_tells_the_variants_of_a_rules_scripts(bank: Bank, sign_in: SignIn) -> None:
    past_calls(bank, Past(300, 120, "A"), Past(300, 45, "B"))
    text = words(enter(bank, sign_in, Role.STRATEGIST).get("/studio/effects").text)
    assert "Script variants against the others, pp" in text
    assert ", variant B" in text and "−25.0" in text


def _forty() -> tuple[Past, ...]:
    """Forty calls about glare: thirty took a branch that helps, of whom twenty-four went on."""
    step = min(
        (node, branch) for id_, node, branch in choosing.helping_branches(shipped_catalog()) if id_ == GLARE
    )
    return (
        Past(30, 24, path=(step,), causes=("technical",)),
        Past(10, 1, causes=("usability",)),
    )
