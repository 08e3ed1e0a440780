"""What is shown is complete, or fails by name; a script cannot reach beyond its facts."""

from dataclasses import replace
from pathlib import Path

import pytest

from scripts_library import MissingPlaceholder, Script, ScriptLibraryError, load_catalog, render, sample_facts
from scripts_library.model import Text
from tests.scripts_library.conftest import SmallLibrary

FACTS = {"agent_name": "Lin Yue", "bank_name": "Harbour Bank", "customer_name": "Chen Wei"}


@pytest.fixture
def script(library: SmallLibrary) -> Script:
    return load_catalog(library.root).get("general", "en")


def closing_with(script: Script, text: str, language: str = "en") -> Script:
    """The script with other words in its close; what lint would refuse can be tried so."""
    return replace(script, close=Text(text, Path("general.en.md"), 40), language=language)


def test_a_script_is_filled_and_ready_to_show(script: Script) -> None:
    shown = render(script, "B", FACTS)
    assert shown.opening == "This is Lin Yue from Harbour Bank."
    assert shown.right_person == "Is that Chen Wei?"
    assert shown.reason == "It stopped, so I call."
    assert (shown.id, shown.version, shown.variant, shown.language) == ("general", 1, "B", "en")
    assert shown.first_node == "ask"
    first = shown.node("ask").branches[0]
    assert (first.digit, first.label, first.hint, first.goto) == (1, "Error", "Try again", "help")
    assert shown.objections[0].words == ("fake", "fraud")
    assert shown.required_notices[0] == "Never ask."
    assert render(script, "A", FACTS).reason == "It stopped."


@pytest.mark.parametrize("absent", ["agent_name", "bank_name"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_or_empty_fact_is_an_error_with_its_name(
    script: Script, absent: str, value: str | None
) -> None:
    with pytest.raises(MissingPlaceholder) as error:
        render(script, "A", {**FACTS, absent: value})
    assert (error.value.name, error.value.script_id) == (absent, "general")
    assert isinstance(error.value, ScriptLibraryError)


def test_a_missing_customer_name_is_told_by_the_placeholder_that_needs_it(script: Script) -> None:
    with pytest.raises(MissingPlaceholder, match="'address'"):
        render(script, "A", {**FACTS, "customer_name": ""})


def test_an_unknown_placeholder_is_an_error_even_when_a_value_is_given(script: Script) -> None:
    with pytest.raises(MissingPlaceholder, match="'secret'"):
        render(closing_with(script, "It is {{ secret }}."), "A", {**FACTS, "secret": "x"})


def test_an_optional_fact_may_be_asked_for_but_never_printed_blank(script: Script) -> None:
    asked = closing_with(script, "Bye{% if amount %}, {{ amount }}{% endif %}.")
    assert render(asked, "A", FACTS).close == "Bye."
    assert render(asked, "A", {**FACTS, "amount": "5 yuan"}).close == "Bye, 5 yuan."
    for text in ("Bye, {{ amount }}.", "{{ error_times | times }}", "{% if error_times > 1 %}x{% endif %}"):
        with pytest.raises(MissingPlaceholder):
            render(closing_with(script, text), "A", FACTS)


@pytest.mark.parametrize(
    "text",
    [
        "{{ agent_name.__class__ }}",
        "{{ agent_name['__class__'] }}",
        "{{ ''.__class__.__mro__ }}",
        "{{ agent_name | attr('__class__') }}",
        "{{ self.__init__.__globals__ }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ range(1000000000) }}",
        "{{ 'x' * 1000000000 }}",
        "{% for x in agent_name %}{{ x }}{% endfor %}",
        "{% set x = 1 %}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ agent_name | safe }}",
        "{{ agent_name is defined }}",
    ],
)
def test_a_script_cannot_leave_its_sandbox(script: Script, text: str) -> None:
    with pytest.raises(ScriptLibraryError):
        render(closing_with(script, text), "A", FACTS)


def test_a_fact_is_never_run_as_a_template(script: Script) -> None:
    shown = render(script, "A", {**FACTS, "customer_name": "{{ agent_name }}{% if x %}\n\nZ"})
    assert shown.right_person == "Is that {{ agent_name }}{% if x %} Z?"


@pytest.mark.parametrize(
    ("language", "facts", "address"),
    [
        ("en", {"salutation": "Mr", "surname": "Chen"}, "Mr Chen"),
        ("en", {"salutation": "", "surname": "Chen"}, "Chen Wei"),
        ("en", {}, "Chen Wei"),
        ("zh", {"salutation": "先生", "surname": "陈"}, "陈先生"),
    ],
)
def test_the_customer_is_addressed_as_the_language_does(
    script: Script, language: str, facts: dict[str, str], address: str
) -> None:
    shown = render(closing_with(script, "{{ address }}", language), "A", {**FACTS, **facts})
    assert shown.close == address


@pytest.mark.parametrize(
    ("minutes", "english", "chinese"),
    [
        (1, "1 minute ago", "1 分钟前"),
        (12, "12 minutes ago", "12 分钟前"),
        (89, "89 minutes ago", "89 分钟前"),
        (90, "2 hours ago", "2 小时前"),
        (2160, "2 days ago", "2 天前"),
    ],
)
def test_a_span_is_spoken_as_people_say_it(script: Script, minutes: int, english: str, chinese: str) -> None:
    facts = {**FACTS, "minutes_since_stop": minutes}
    in_english = closing_with(script, "{{ minutes_since_stop | minutes }} ago")
    in_chinese = closing_with(script, "{{ minutes_since_stop | minutes }}前", "zh")
    assert render(in_english, "A", facts).close == english
    assert render(in_chinese, "A", facts).close == chinese


@pytest.mark.parametrize(
    ("count", "english", "chinese"), [(1, "once", "一次"), (2, "twice", "两次"), (3, "3 times", "3 次")]
)
def test_a_count_is_spoken_as_people_say_it(script: Script, count: int, english: str, chinese: str) -> None:
    facts = {**FACTS, "error_times": count}
    assert render(closing_with(script, "{{ error_times | times }}"), "A", facts).close == english
    assert render(closing_with(script, "{{ error_times | times }}", "zh"), "A", facts).close == chinese


def test_source_lines_flow_together_as_the_language_writes_them(script: Script) -> None:
    text = "One.\n{% if amount %}Two.{% endif %}\n\nThree."
    assert render(closing_with(script, text), "A", FACTS).close == "One. Three."
    chinese = render(closing_with(script, "请打开\nApp，\n等 5\n分钟", "zh"), "A", FACTS)
    assert chinese.close == "请打开 App，等 5 分钟"


def test_a_variant_the_script_does_not_have_is_refused(script: Script) -> None:
    with pytest.raises(ScriptLibraryError, match="'C'"):
        render(script, "C", sample_facts("en"))
