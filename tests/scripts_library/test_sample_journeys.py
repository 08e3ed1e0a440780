"""The sample's journeys and rules find a script of their own, in both languages, and say why."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.commands.sample import read_sample
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.policy import read_journey
from callcenter.triggers.policy import RuleSpec, read_rule
from scripts_library import Catalog, load_catalog

ROOT = Path(__file__).parents[2]
JOURNEYS = {"loan": "rules.yaml", "account": "account_rules.yaml"}
REASONS = {
    "id_photo": ("glare", "blurred", "expired", "too_dark"),
    "face_scan": ("too_dark", "face_covered", "locked"),
    "sign_in": ("locked",),
    "bind_card": ("phone_mismatch",),
}
"""Reasons an error may give, and which have a script of their own on that step."""
MOMENTS_ONLY = {"account"}
"""Nobody is stuck there: a step without a moment falls to the general script on purpose."""
FOR_RULES_OF_A_BANK = {
    "loan": {
        "not_withdrawn",
        "rate_question",
        "repayment_question",
        "callback",
        "second_reminder",
        "declined_asked",
    },
    "account": {"callback"},
}
"""Moments that have a script and that no rule of the sample names."""


@cache
def catalog() -> Catalog:
    return load_catalog()


@cache
def journey(name: str) -> JourneyDefinition:
    return read_journey(read_sample(f"{name}.yaml"))


@cache
def rules(name: str) -> tuple[RuleSpec, ...]:
    return tuple(read_rule(raw, journey(name)) for raw in read_sample(JOURNEYS[name]))


def cases() -> Iterator[tuple[str, str, str | None]]:
    """Every step and every error at which a call task can be opened."""
    for name in JOURNEYS:
        for step in journey(name).steps:
            if step.id != journey(name).goal:
                yield name, step.id, None
                yield from ((name, step.id, error) for error in step.errors)


def chosen(name: str, step: str, error: str | None, moment: str | None, language: str) -> tuple[str, str]:
    found = catalog().find(name, step, error, moment, language)
    assert found.script.language == language and not found.why.is_fallback_language
    return found.why.code, found.why.value


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("name", "step", "error"), list(cases()))
def test_every_step_and_error_of_the_sample_has_a_script_of_its_own(
    name: str, step: str, error: str | None, language: str
) -> None:
    why = chosen(name, step, error, None, language)
    if error:
        assert why == ("error", error)
    elif name in MOMENTS_ONLY:
        assert why == ("journey", name)
        moments = {rule.moment for rule in rules(name) if rule.step == step and rule.moment}
        assert moments and all(
            chosen(name, step, None, moment, language) == ("moment", moment) for moment in moments
        )
    else:
        assert why == ("step", step)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("step", "reason"), [(step, one) for step, many in REASONS.items() for one in many])
def test_a_reason_is_tried_before_its_error_and_an_unknown_one_falls_to_the_error(
    step: str, reason: str, language: str
) -> None:
    error = journey("loan").step(step).errors[0]
    assert chosen("loan", step, f"{error}:{reason}", None, language) == ("error", reason)
    assert chosen("loan", step, f"{error}:unheard_of", None, language) == ("error", error)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", JOURNEYS)
def test_every_rule_of_the_sample_finds_its_script_and_the_reason_is_shown(name: str, language: str) -> None:
    for rule in rules(name):
        if rule.moment:
            assert chosen(name, rule.step, None, rule.moment, language) == ("moment", rule.moment), rule.key
        for error in rule.errors:
            assert chosen(name, rule.step, error, rule.moment, language) == ("error", error), rule.key


def test_no_script_waits_for_a_step_an_error_or_a_moment_that_nobody_knows() -> None:
    for name in JOURNEYS:
        steps = {step.id for step in journey(name).steps}
        errors = {error for step in journey(name).steps for error in step.errors}
        errors |= {reason for many in REASONS.values() for reason in many}
        moments = {rule.moment for rule in rules(name)} | FOR_RULES_OF_A_BANK[name]
        for script in catalog().scripts:
            if script.journey == name:
                assert set(script.steps) <= steps, script.path
                assert set(script.errors) <= errors, script.path
                assert set(script.moments) <= moments, script.path
        used = {moment for one in catalog().scripts if one.journey == name for moment in one.moments}
        assert used == {moment for moment in moments if moment}, name


def test_every_script_can_be_chosen_by_something() -> None:
    for script in catalog().scripts:
        found = {
            catalog().find(script.journey, step, error, moment, script.language).script.id
            for step in script.steps or ("any",)
            for error in script.errors or (None,)
            for moment in script.moments or (None,)
        }
        assert found == {script.id}


def test_the_journeys_of_the_sample_share_no_event() -> None:
    names = [key for name in JOURNEYS for key in journey(name).roles]
    assert len(names) == len(set(names))


def test_every_event_and_reason_people_are_shown_has_words_in_both_languages() -> None:
    labels = journey("account").labels
    for name in journey("account").roles:
        assert set(labels[name]) == {"en", "zh"}, name


def test_only_who_was_not_called_or_refused_lately_is_called_for_more_than_service() -> None:
    for key in ("large-sum-in", "salary-received", "high-limit-unused"):
        rule = next(one for one in rules("account") if one.key == key)
        assert "history.refused" in rule.history
        assert rule.cool_down and rule.cool_down.rule


def _examples() -> list[dict[str, Any]]:
    text = (ROOT / "docs" / "how-to-add-a-script.md").read_text(encoding="utf-8")
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_the_rules_shown_in_the_guide_are_right_and_find_their_scripts() -> None:
    examples = _examples()
    assert examples
    for raw in examples:
        rule = read_rule(raw, journey(raw["journey"]))
        assert chosen(rule.journey, rule.step, None, rule.moment, "zh") == ("moment", rule.moment)


def test_every_moment_with_a_script_is_named_in_the_guide() -> None:
    text = (ROOT / "docs" / "how-to-add-a-script.md").read_text(encoding="utf-8")
    for script in catalog().scripts:
        for moment in script.moments:
            assert f"`{moment}`" in text, moment
