"""A pack's text: YAML whose every entry knows its line, read strictly. Pure.

Plain words stay words: `NO` is Norway and `20:00` a time, whatever YAML makes of them elsewhere. Anchors and
repeated keys are refused: a text says what it says once, where one reads it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import NoReturn

import yaml

from callcenter.domain.durations import parse_duration
from callcenter.errors import BadInput

MOST_CHARACTERS = 262_144
MOST_LEVELS = 20
MIDNIGHT = time.max
"""24:00, as the end of a window."""
_LONGEST = timedelta(days=36_500)
_WHOLE = re.compile(r"[0-9]{1,9}")
_SHARE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(%?)")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class _Once(yaml.SafeLoader):
    """Reads nodes only; an alias could make a small text enormous, and depth could exhaust the stack."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) is not None:
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not read here", problem_mark=event.start_mark
            )
        self.depth += 1
        if self.depth > MOST_LEVELS:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a pack's text, and where it stands: `file, line 12, caps[0].value.calls`."""

    node: yaml.Node
    file: str
    path: str = ""

    @property
    def line(self) -> int:
        """The line it begins on, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def fail(self, problem: str) -> NoReturn:
        """Refuse the text, naming file, line and entry."""
        where = f"{self.file}, line {self.line}"
        raise BadInput(f"{where}, {self.path}: {problem}" if self.path else f"{where}: {problem}")

    def entries(self, required: Sequence[str] = (), optional: Sequence[str] = ()) -> dict[str, "Item"]:
        """Return the entries of a mapping that has all the required ones and no unknown ones."""
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(f"must be entries ({', '.join((*required, *optional))})")
        found: dict[str, Item] = {}
        for key, value in self.node.value:
            name = Item(key, self.file, self.path).text()
            item = Item(value, self.file, f"{self.path}.{name}" if self.path else name)
            if name in found:
                Item(key, self.file, item.path).fail("is there twice")
            if name not in required and name not in optional:
                known = ", ".join((*required, *optional))
                Item(key, self.file, item.path).fail(f"is not known; known are {known}")
            found[name] = item
        missing = [name for name in required if name not in found]
        if missing:
            self.fail(f"needs {' and '.join(missing)}")
        return found

    def members(self) -> list["Item"]:
        """Return the members of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail("must be a list")
        return [
            Item(node, self.file, f"{self.path}[{number}]") for number, node in enumerate(self.node.value)
        ]

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_scalar(self) -> bool:
        """Whether it is one plain value."""
        return isinstance(self.node, yaml.ScalarNode)

    def text(self) -> str:
        """Return a text that is not empty."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value.strip():
            self.fail("must be a text that says something")
        return str(self.node.value).strip()

    def whole(self, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        raw = self.text()
        if not _WHOLE.fullmatch(raw) or not least <= int(raw) <= most:
            self.fail(f"{raw!r} is not a whole number from {least} to {most}")
        return int(raw)

    def share(self) -> float:
        """Return a share from 0 to 1, written as 0.03 or 3%."""
        raw = self.text()
        match = _SHARE.fullmatch(raw)
        value = float(match[1]) / (100 if match[2] else 1) if match else -1.0
        if not 0 <= value <= 1:
            self.fail(f"{raw!r} is not a share such as 0.03 or 3%")
        return value

    def truth(self) -> bool:
        """Return true or false, and nothing that merely looks like it."""
        raw = self.text()
        if raw not in ("true", "false"):
            self.fail(f"{raw!r} is neither true nor false")
        return raw == "true"

    def duration(self, most: timedelta = _LONGEST, least: timedelta = timedelta(0)) -> timedelta:
        """Return a duration within bounds, written as 90s, 5m, 24h or 7d."""
        raw = self.text()
        try:
            value = parse_duration(raw, self.path)
        except (BadInput, OverflowError, ValueError):
            self.fail(f"{raw!r} is not a duration such as 90s, 5m, 24h or 7d")
        if not least <= value <= most:
            self.fail(f"{raw} is not between {least} and {most.days} days")
        return value

    def day(self) -> date:
        """Return a date."""
        raw = self.text()
        try:
            return date.fromisoformat(raw if _DAY.fullmatch(raw) else "")
        except ValueError:
            self.fail(f"{raw!r} is not a date such as 2026-01-31")

    def window(self) -> tuple[time, time]:
        """Return a window of one day, written as 09:00-20:00; 24:00 is the end of the day."""
        raw = self.text()
        first, dash, last = (part.strip() for part in raw.partition("-"))
        if not dash or not _CLOCK.fullmatch(first) or not (_CLOCK.fullmatch(last) or last == "24:00"):
            self.fail(f"{raw!r} is not a window such as 09:00-20:00")
        opens = time.fromisoformat(first)
        closes = MIDNIGHT if last == "24:00" else time.fromisoformat(last)
        if opens >= closes:
            self.fail(f"{raw} closes before it opens; a window ends on the day it began")
        return opens, closes


def read_item(text: str, file: str) -> Item:
    """Read a text into its root entry. Raises BadInput naming file and line when it is not YAML."""
    if len(text) > MOST_CHARACTERS:
        raise BadInput(f"{file}: longer than {MOST_CHARACTERS} characters")
    try:
        node = yaml.compose(text, Loader=_Once)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise BadInput(f"{file}{line}: not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise BadInput(f"{file}: not YAML: {type(error).__name__}") from None
    if node is None:
        raise BadInput(f"{file}: is empty")
    return Item(node, file)
