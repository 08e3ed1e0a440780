"""What the app reports, agents note and press in the demo's past, in the product's terms. Pure."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from callcenter.demo.app_client import context_of, properties_of, traits_of
from callcenter.demo.behaviour import IDENTIFY, PAGE, Deed
from callcenter.demo.past import Stopped
from callcenter.demo.people import MACHINE, Person
from callcenter.demo.truth import CONVINCING_TALK_S
from callcenter.domain.enums import Cause
from callcenter.models import CallTask
from callcenter.outcomes.rules import WrapUp
from scripts_library.catalog import Catalog

NOTES = {"en": "Did not see where to reset it.", "zh": "没找到重设密码的入口。"}
WISHES = {
    "en": "Show how to reset the password after the first wrong one.",
    "zh": "第一次输错就提示如何重设密码。",
}
MOST_DIGITS = 3


def event_of(person: Person, deed: Deed, at: datetime, number: int) -> dict[str, Any]:
    """Return an event as the app's SDK sends it; `number` makes its id one of its own on its day."""
    told: dict[str, Any] = {
        "type": deed.kind,
        "messageId": f"past-{person.user_id}-{number}",
        "userId": person.user_id,
        "anonymousId": person.anonymous_id,
        "timestamp": at.isoformat(),
        "context": context_of(person),
    }
    if deed.kind == IDENTIFY:
        return {**told, "traits": traits_of(person)}
    name = {"name": deed.name} if deed.kind == PAGE else {"event": deed.name}
    return {**told, **name, "properties": properties_of(person, deed.properties)}


def wrap_up_of(one: Stopped, talk_s: float, *, is_back: bool) -> WrapUp:
    """What the agent says of a call, by how it went."""
    if one.person.telephone.outcome == MACHINE:
        return WrapUp("machine")
    if not talk_s:
        return WrapUp("no_answer")
    chance = one.chance("said")
    if talk_s < CONVINCING_TALK_S:
        return WrapUp("not_interested")
    code = "done_on_call" if is_back else chance.choice(("will_finish", "will_finish", "not_interested"))
    language = "zh" if one.person.language == "zh" else "en"
    return WrapUp(
        code,
        causes=(Cause.USABILITY if chance.random() < 0.6 else Cause.TECHNICAL,),
        note=NOTES[language] if chance.random() < 0.2 else "",
        suggestion=WISHES[language] if chance.random() < 0.1 else "",
    )


def digits_of(catalog: Catalog, task: CallTask, one: Stopped, talk_s: float) -> Iterator[tuple[str, str]]:
    """The first answers of a conversation: node and branch, as the console sends them."""
    known = [script for script in catalog.scripts if script.id == task.script_id]
    if talk_s < CONVINCING_TALK_S or not known:
        return
    nodes = {node.id: node for node in known[0].nodes}
    node, chance = next(iter(known[0].nodes), None), one.chance("digits")
    for _ in range(MOST_DIGITS):
        if node is None or not node.branches:
            return
        branch = chance.choices(node.branches, weights=[2.0, *[1.0] * (len(node.branches) - 1)])[0]
        yield node.id, f"{branch.digit}-{branch.goto}"
        node = nodes.get(branch.goto)
