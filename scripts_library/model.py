"""What a script is once read: frozen values that remember the file and line they came from."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("en", "zh")
FALLBACK_LANGUAGE = "en"
CAUSES = ("technical", "usability", "product", "price", "trust", "need")
CLOSE = "close"  # the one goto that is not a node: it leads to the close section
WORKS_NODE = "it_works"  # the node a live success leads to; the console lights the branch that goes there
CALLBACK_NODE = "callback"
REQUIRED_NOTICES = ("never_ask", "recording", "rates", "no_pressure", "do_not_call")


@dataclass(frozen=True, order=True)
class Finding:
    """One mistake, where it is (line counts from 1) and what to do about it."""

    path: Path
    line: int
    message: str
    is_warning: bool = False

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'warning: ' if self.is_warning else ''}{self.message}"


class ScriptLibraryError(Exception):
    """The library cannot do what was asked; `findings` lists the mistakes, where files are to blame."""

    def __init__(self, message: str, findings: tuple[Finding, ...] = ()) -> None:
        super().__init__("\n".join([message, *map(str, findings)]))
        self.findings = findings


class MissingPlaceholder(ScriptLibraryError):
    """A script wants a fact that was not given, or that no list of facts knows."""

    def __init__(self, name: str, script_id: str) -> None:
        super().__init__(f"script {script_id} needs the fact {name!r}, which is missing")
        self.name = name
        self.script_id = script_id


class UnknownScript(ScriptLibraryError):
    """No such script, journey or variant."""


@dataclass(frozen=True)
class Text:
    """Words as written, placeholders unfilled, with the file and line of the first one."""

    text: str
    path: Path
    line: int


@dataclass(frozen=True)
class PerVariant:
    """One text for each variant, in the order of their letters; the same text again where they do not differ."""

    texts: tuple[tuple[str, Text], ...]

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(letter for letter, _ in self.texts)

    @property
    def each(self) -> tuple[Text, ...]:
        """Every text once."""
        return tuple(dict.fromkeys(text for _, text in self.texts))

    def of(self, variant: str) -> Text:
        for letter, text in self.texts:
            if letter == variant:
                return text
        raise UnknownScript(f"no variant {variant!r}; there is {listed(self.variants)}")


@dataclass(frozen=True)
class BranchText:
    """One answer the customer may give: the key to press and the node it leads to."""

    digit: int
    label: Text
    hint: Text
    goto: str

    @property
    def line(self) -> int:
        return self.label.line


@dataclass(frozen=True)
class NodeText:
    """A line to say and the answers to it; no branches means the call ends here."""

    id: str
    say: Text
    branches: tuple[BranchText, ...]
    path: Path
    line: int


@dataclass(frozen=True)
class ObjectionText:
    """What a customer may hold against the call, the answer, and words to find it by."""

    id: str
    label: Text
    answer: Text
    words: tuple[str, ...]


@dataclass(frozen=True)
class NoticeText:
    """A rule shown to the agent during the whole call."""

    id: str
    text: Text


@dataclass(frozen=True)
class Script:
    """Everything an agent may say on one kind of call, in one language, all its variants.

    `version` counts this file, `common_version` the journey's common file it borrows from;
    together (`version_label`) they name the exact words.
    """

    id: str
    version: int
    common_version: int
    language: str
    title: str
    journey: str
    steps: tuple[str, ...]
    errors: tuple[str, ...]
    moments: tuple[str, ...]
    tags: tuple[str, ...]
    causes: tuple[str, ...]
    variant_notes: tuple[tuple[str, str], ...]
    opening: PerVariant
    notice: Text
    right_person: Text
    reason: PerVariant
    nodes: tuple[NodeText, ...]
    objections: tuple[ObjectionText, ...]
    close: Text
    required_notices: tuple[NoticeText, ...]
    path: Path

    @property
    def version_label(self) -> str:
        return f"{self.version}.{self.common_version}"

    @property
    def variants(self) -> tuple[str, ...]:
        """The letters of its variants, A first; at least one."""
        return self.opening.variants

    @property
    def is_general(self) -> bool:
        """True for the journey's fallback: bound to no step, error, moment or tag."""
        return not (self.steps or self.errors or self.moments or self.tags)

    def before_identity(self) -> Iterator[Text]:
        """The texts said before we know who is on the line."""
        yield from self.opening.each
        yield self.notice
        yield self.right_person

    def speech(self) -> Iterator[Text]:
        """Every text that is spoken aloud, each once."""
        yield from self.before_identity()
        yield from self.reason.each
        yield from (node.say for node in self.nodes)
        yield from (objection.answer for objection in self.objections)
        yield self.close

    def texts(self) -> Iterator[Text]:
        """Every text with placeholders in it, spoken or only shown, each once."""
        yield from self.speech()
        for node in self.nodes:
            for branch in node.branches:
                yield branch.label
                yield branch.hint
        yield from (objection.label for objection in self.objections)
        yield from (notice.text for notice in self.required_notices)


def listed(letters: tuple[str, ...]) -> str:
    """Letters as a sentence names them: "A", "A and B", "A, B and C"."""
    return " and ".join(filter(None, [", ".join(letters[:-1]), letters[-1]]))
