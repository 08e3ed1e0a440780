"""The script of a call task as a chain of things to say, with the customer's facts filled in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext, pgettext

from callcenter.domain.enums import VisitEnd
from callcenter.domain.journey import JourneyDefinition
from callcenter.models import User
from callcenter.reporting.calls import Case
from callcenter.runtime import Runtime
from callcenter.scripting.queries import path_of_task, script_of_task
from callcenter.web import words
from callcenter.web.formats import money
from callcenter.web.pages import console as page
from scripts_library.model import CLOSE, WORKS_NODE, ScriptLibraryError
from scripts_library.rendering import Node, RenderedScript

OPENING, RIGHT_PERSON = "opening", "right_person"
_COMMON_OBJECTIONS = 3


def script_facts(
    runtime: Runtime, case: Case, journey: JourneyDefinition, user: User, now: datetime
) -> dict[str, Any]:
    """Collect what a script may say of this call, in the customer's language. None means not known."""
    customer, firing, spoken = case.customer, case.firing, case.customer.language
    traits, seen = customer.traits, case.visit.facts
    currency = str(traits.get("currency") or "CNY")
    zone = words.zone_of(customer)
    reason = firing.facts.get("error_reason")
    facts = {
        "customer_name": customer.name or ("您" if spoken == "zh" else "the customer"),
        "salutation": words.salutation(customer, spoken),
        "surname": words.surname(customer),
        "agent_name": user.name,
        "bank_name": runtime.settings.bank_name,
        "greeting": words.greeting(spoken, now.astimezone(zone) if zone else now),
        "callback_number": runtime.settings.caller_id,
        "step_title": words.step_words(journey, case.firing.step, spoken),
        "minutes_since_stop": max(1, int((now - firing.anchor_at).total_seconds() // 60)),
        "error_reason": words.event_words(journey, str(reason), spoken) if reason else None,
        "error_times": firing.facts.get("errors") or None,
        "credit_limit": _spoken_amount(traits.get("credit_limit") or seen.get("credit_limit"), currency),
        "product_name": seen.get("product"),
        "bank_card_bank": seen.get("bank"),
        "amount": _spoken_amount(seen.get("amount"), currency),
    }
    return {name: value for name, value in facts.items() if value not in (None, "")}


def _spoken_amount(value: Any, currency: str) -> str | None:
    amount = words.amount_of(value, currency)
    return money(amount) if amount else None


def script_of(
    runtime: Runtime, session: Any, case: Case, journey: JourneyDefinition, user: User, now: datetime
) -> page.Script | None:
    """Return the script with its placeholders filled; None when there is none or a fact it needs is missing."""
    facts = script_facts(runtime, case, journey, user, now)
    try:
        script = script_of_task(runtime.house.catalog, case.task, case.customer.language, facts)
    except ScriptLibraryError:
        return None
    if script is None:
        return None
    lit = _lit(case, journey)
    nodes = (
        _opening(script),
        _right_person(script),
        *(_node(script, node, lit) for node in script.nodes),
        _end(script),
    )
    path, current = _walk(session, case, {node.key: node for node in nodes})
    return page.Script(
        label=script.title,
        version=script.version,
        variant=script.variant,
        nodes=nodes,
        current=current,
        path=path,
        objections=tuple(
            page.Objection(one.id, one.label, one.answer, is_common=place < _COMMON_OBJECTIONS)
            for place, one in enumerate(script.objections)
        ),
        required_notices=tuple(script.required_notices[:1]),
    )


def _lit(case: Case, journey: JourneyDefinition) -> str | None:
    """The words for a success seen live, which lights the branch it answers."""
    if case.visit.end in (VisitEnd.ADVANCED, VisitEnd.GOAL):
        return gettext("They are past this step now")
    newest = next((event for event in case.events if event.journey == case.firing.journey), None)
    if newest and newest.role == "activity" and newest.received_at > case.firing.fired_at:
        return words.event_words(journey, newest.name, case.customer.language)
    return None


def _opening(script: RenderedScript) -> page.ScriptNode:
    go_on = page.Branch(1, f"1-{RIGHT_PERSON}", gettext("Read, go on"), "", RIGHT_PERSON)
    said = tuple(line for line in (script.opening, script.notice) if line)
    return page.ScriptNode(OPENING, gettext("Opening and recording notice"), said, (go_on,), 1, 4)


def _right_person(script: RenderedScript) -> page.ScriptNode:
    branches = (
        page.Branch(
            1, f"1-{script.first_node}", gettext("Yes, speaking"), gettext("Go on"), script.first_node
        ),
        page.Branch(
            2, f"2-{CLOSE}", gettext("Somebody else"), gettext("Say nothing of the bank's business"), CLOSE
        ),
    )
    return page.ScriptNode(RIGHT_PERSON, gettext("Right person?"), (script.right_person,), branches, 2, 4)


def _node(script: RenderedScript, node: Node, lit: str | None) -> page.ScriptNode:
    is_first = node.id == script.first_node
    say = (script.reason, node.say) if is_first else (node.say,)
    branches = tuple(
        page.Branch(
            branch.digit,
            f"{branch.digit}-{branch.goto}",
            branch.label,
            branch.hint,
            branch.goto,
            lit if branch.goto == WORKS_NODE else None,
        )
        for branch in node.branches
    )
    return page.ScriptNode(
        node.id,
        gettext("Reason and question") if is_first else gettext("Help"),
        say,
        branches,
        3 if is_first else None,
        4,
    )


def _end(script: RenderedScript) -> page.ScriptNode:
    return page.ScriptNode(CLOSE, pgettext("script", "Close"), (script.close,), (), 4, 4)


def _walk(
    session: Any, case: Case, nodes: Mapping[str, page.ScriptNode]
) -> tuple[tuple[page.StepTaken, ...], str]:
    """Follow the steps stored so far; a step of an older version of the script is passed over."""
    taken: list[page.StepTaken] = []
    current = OPENING
    for step in path_of_task(session, case.task.id):
        node = nodes.get(step.node or "")
        branch = next((b for b in node.branches if b.key == step.branch), None) if node else None
        if node is None or branch is None or branch.leads_to is None or branch.leads_to not in nodes:
            continue
        is_notice = node.key == OPENING
        taken.append(page.StepTaken(node.label, None if is_notice else branch.label, step.at, is_notice))
        current = branch.leads_to
    return tuple(taken), current
