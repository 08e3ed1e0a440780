"""No other way to the carrier: every call to a customer is a committed attempt, and every attempt was screened."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from callcenter.domain.ports import Carrier

ROOT = Path(__file__).parents[2]
CALLS_SOMEBODY = {"place": "customers", "place_agent": "agents", "place_supervisor": "supervisors"}
"""What of the port makes a telephone ring, and whose. A new way to call somebody must be named here."""
RINGS_NOBODY = {
    "hang_up", "move", "hold", "unhold", "mute", "set_mode", "remove", "end_room", "pause_recording",
    "recording", "lookup", "find", "calls_between", "identify", "softphone_credentials", "verify", "parse",
    "answer", "capabilities",
}  # fmt: skip


@cache
def _files() -> tuple[tuple[str, str, tuple[ast.FunctionDef, ...]], ...]:
    """Every file of the product, read once: where, its text, its functions."""
    found = []
    for folder in ("callcenter", "workers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            where = path.relative_to(ROOT).as_posix()
            if "/simulator/" in where or "/demo/" in where:
                continue
            text = path.read_text(encoding="utf-8")
            functions = (one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef))
            found.append((where, text, tuple(functions)))
    return tuple(found)


def _functions(said: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function of the product; of those files alone in which something is said."""
    return ((where, one) for where, text, functions in _files() if said in text for one in functions)


def _calls(function: ast.FunctionDef, name: str, of: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and ast.unparse(node.func.value).endswith(of)
    ]


def test_everything_the_port_can_do_is_known_to_ring_somebody_or_nobody() -> None:
    able = {name for name in vars(Carrier) if not name.startswith("_")}
    assert able == set(CALLS_SOMEBODY) | RINGS_NOBODY


def test_one_job_alone_asks_the_carrier_to_call_a_customer_and_takes_the_attempts_permission_first() -> None:
    asking = [(where, one) for where, one in _functions(".place") if _calls(one, "place", "carrier")]
    assert [(where, one.name) for where, one in asking] == [("workers/jobs.py", "place_attempt")]
    (job,) = (one for _, one in asking)
    permission = _calls(job, "begin_placing", "pipeline")
    assert permission and permission[0].lineno < _calls(job, "place", "carrier")[0].lineno


def _asks_at_the_dial(function: ast.FunctionDef) -> int:
    """The line in which a function asks the gate at the dial; 0 when it does not."""
    asked = _calls(function, "screen_task", "moves") + _calls(function, "screen_tasks", "moves")
    return min((one.lineno for one in asked if "ScreeningPoint.DIAL" in ast.unparse(one)), default=0)


def test_an_attempt_is_committed_to_only_behind_the_gate() -> None:
    functions = {(where, one.name): one for where, one in _functions()}
    claiming = {
        known
        for known, one in {(where, one.name): one for where, one in _functions(".claim")}.items()
        if _calls(one, "claim", "calls") or _calls(one, "claim_all", "calls")
    }
    by_hand, by_tick = ("callcenter/pipeline.py", "place_call"), ("callcenter/dialer.py", "_claim")
    assert claiming == {by_hand, by_tick}
    assert 0 < _asks_at_the_dial(functions[by_hand]) < _calls(functions[by_hand], "claim", "calls")[0].lineno
    assert "may_call" in ast.unparse(functions[by_hand])

    asking = functions["callcenter/dialer.py", "_may_be_called"]
    assert _asks_at_the_dial(asking) and "may_call" in ast.unparse(asking)
    users = [
        one.name
        for _, one in _functions("_claim(")
        if " _claim(" in ast.unparse(one) and one.name != "_claim"
    ]
    assert users == ["_dial"]
    tick = ast.unparse(functions["callcenter/dialer.py", "_dial"])
    assert 0 < tick.index("fit = _may_be_called(") < tick.index("_claim(session, house, fit,")
