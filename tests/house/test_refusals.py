"""What people are refused with on console and floor reads in their language; each sentence is found by the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2] / "callcenter"
KINDS = {"BadInput", "Conflict", "Forbidden", "NotFound"}
OF_CALLS = (
    "pipeline.py",
    "talk.py",
    "dialer.py",
    "dispatching.py",
    "alerting.py",
    "domain/dispatching.py",
    "moves.py",
    "listening.py",
    "segmenting.py",
    "voice",
    "segments",
    "intake/kept_apart.py",
    "web/voice.py",
    "web/segments.py",
    "promises.py",
    "following_up.py",
    "offering.py",
    "offers",
    "helping.py",
    "reviewing.py",
    "checking.py",
    "aiming.py",
    "list_acts.py",
    "quality",
    "targets",
    "web/quality.py",
    "web/targets.py",
    "web/lists.py",
    "transferring.py",
    "people.py",
    "forcing.py",
    "domain/handing_over.py",
    "outcomes",
    "calls",
    "calltasks",
    "routing",
    "web/console.py",
    "web/console_acts.py",
    "web/console_transfers.py",
    "web/handing_over_view.py",
    "web/people_admin.py",
    "web/people_view.py",
)


def _refusals() -> Iterator[str]:
    """Sentences that are written out; those with a value in them stay as they are written."""
    for name in OF_CALLS:
        place = ROOT / name
        for path in [place] if place.is_file() else sorted(place.glob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in KINDS:
                    continue
                if node.args and isinstance(node.args[0], ast.Constant):
                    yield str(node.args[0].value)


def test_every_refusal_of_console_and_floor_has_its_chinese() -> None:
    with (ROOT / "translations/zh/LC_MESSAGES/messages.po").open("rb") as source:
        catalog = read_po(source, locale="zh")
    said = set(_refusals())
    assert len(said) > 20
    missing = sorted(text for text in said if not (catalog.get(text) and catalog[text].string))
    assert missing == []
