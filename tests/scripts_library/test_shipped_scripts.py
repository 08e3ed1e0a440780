"""The scripts that come with the product are ready to be read aloud."""

import re
from pathlib import Path

import pytest

from scripts_library import PLACEHOLDERS, Catalog, lint, load_catalog, render, sample_facts
from scripts_library.model import CAUSES, REQUIRED_NOTICES

STEPS = ("register", "sign_in", "id_photo", "face_scan", "profile", "bind_card", "credit_granted", "withdraw")
ERRORS = {
    "id_photo": ("photo_rejected", "glare", "blurred", "expired", "upload_failed"),
    "face_scan": ("face_scan_failed", "too_dark"),
    "bind_card": ("card_refused", "sms_code_late"),
    "sign_in": ("password_wrong", "sms_code_late"),
    "register": ("sms_code_late",),
}
REQUIRED_FACTS = [name for name, p in PLACEHOLDERS.items() if not p.is_optional and name != "address"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog()


def test_the_shipped_scripts_are_free_of_findings_and_warnings() -> None:
    assert lint() == []


def test_every_step_and_every_error_has_its_own_script_in_both_languages(catalog: Catalog) -> None:
    for language in ("en", "zh"):
        for step in STEPS:
            choice = catalog.find("loan", step, None, None, language)
            assert (choice.why.code, choice.script.language) == ("step", language)
        for step, errors in ERRORS.items():
            for error in errors:
                choice = catalog.find("loan", step, error, None, language)
                assert (choice.why.code, choice.why.value) == ("error", error)
        assert catalog.find("loan", "withdraw", None, "high_limit", language).why.code == "moment"
    assert len({script.id for script in catalog.scripts}) >= 14


def test_every_script_reads_well_when_only_the_required_facts_are_known(catalog: Catalog) -> None:
    for script in catalog.scripts:
        samples = sample_facts(script.language)
        for facts in (samples, {name: samples[name] for name in REQUIRED_FACTS}):
            for variant in script.variants:
                shown = render(script, variant, facts)
                spoken = [shown.opening, shown.notice, shown.right_person, shown.reason, shown.close]
                spoken += [node.say for node in shown.nodes] + [o.answer for o in shown.objections]
                for text in spoken:
                    assert text and not re.search(r"[{}%|]|  |None|undefined| [,.]|，。|，，|。。", text), (
                        text
                    )


def test_twins_agree_on_nodes_branches_objections_and_notices(catalog: Catalog) -> None:
    english = {script.id: script for script in catalog.scripts if script.language == "en"}
    chinese = {script.id: script for script in catalog.scripts if script.language == "zh"}
    assert english.keys() == chinese.keys()
    for script_id, script in english.items():
        shapes = [
            (
                s.version,
                [(n.id, [(b.digit, b.goto) for b in n.branches]) for n in s.nodes],
                [o.id for o in s.objections],
                [n.id for n in s.required_notices],
            )
            for s in (script, chinese[script_id])
        ]
        assert shapes[0] == shapes[1]


def test_every_call_opens_with_who_calls_and_offers_a_way_out(catalog: Catalog) -> None:
    for script in catalog.scripts:
        shown = render(script, "B", sample_facts(script.language))
        assert "Lin Yue" in shown.opening or "林悦" in shown.opening
        first = shown.node(shown.first_node)
        assert 3 <= len(first.branches) <= 6
        assert {"it_works", "callback"} <= {branch.goto for branch in first.branches}
        assert 4 <= len(shown.objections) <= 8
        assert "wrong_person" in {objection.id for objection in shown.objections}
        assert {notice.id for notice in script.required_notices} >= {*REQUIRED_NOTICES, "machine"}
        assert set(script.causes) <= set(CAUSES)


def test_no_script_names_a_rate(catalog: Catalog) -> None:
    for script in catalog.scripts:
        for text in script.texts():
            assert not re.search(r"\d\s*(%|％|per ?cent)|百分之", text.text), text


def test_chinese_scripts_contain_no_english_sentence_and_english_none_chinese(catalog: Catalog) -> None:
    for script in catalog.scripts:
        for text in script.texts():
            words = re.sub(r"\{[{%].*?[}%]\}", "", text.text)
            if script.language == "en":
                assert not re.search(r"[一-鿿]", words), text
            else:
                assert not re.search(r"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+", words), text


def test_the_library_imports_nothing_of_the_rest_of_the_product() -> None:
    package = Path(__file__).parents[2] / "scripts_library"
    for path in package.glob("*.py"):
        assert not re.search(r"^\s*(from|import) (callcenter|workers)", path.read_text(), re.MULTILINE), path
