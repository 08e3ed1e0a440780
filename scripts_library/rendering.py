"""Fill a script with the facts of one call. What is missing is an error with a name, never a blank.

Script files are edited by many hands, so they get a very small language: `{{ fact }}`, the filters
`minutes` and `times`, and `{% if fact %}`. Everything else is refused before the sandbox sees it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from scripts_library.facts import PLACEHOLDERS
from scripts_library.model import MissingPlaceholder, Script, ScriptLibraryError, Text

_LANGUAGE = "_language"
_CHINESE_MEETS_LATIN = re.compile(r"(?<=[一-鿿])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[一-鿿])")
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.Const,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Compare,
    nodes.Operand,
    nodes.Filter,
)


class _NamedUndefined(StrictUndefined):
    """Fails on every use; its message is the bare name, so that the error can carry it."""

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name)


class _AbsentFact(_NamedUndefined):
    """An optional fact that is not known: `{% if %}` may ask for it, nobody may print it."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


@pass_context
def _minutes(context: Context, value: object) -> str:
    """A span given in minutes as it is spoken: "1 minute", "3 hours", "12 分钟"."""
    minutes = int(value)  # type: ignore[call-overload]
    is_chinese = context[_LANGUAGE] == "zh"
    for size, english, chinese in ((1440, "day", "天"), (60, "hour", "小时")):
        if minutes >= 1.5 * size:
            count = round(minutes / size)
            return f"{count} {chinese}" if is_chinese else f"{count} {english}s"
    return f"{minutes} 分钟" if is_chinese else f"{minutes} minute{'' if minutes == 1 else 's'}"


@pass_context
def _times(context: Context, value: object) -> str:
    """A count as it is spoken: "once", "twice", "3 times", "两次"."""
    count = int(value)  # type: ignore[call-overload]
    if context[_LANGUAGE] == "zh":
        return {1: "一次", 2: "两次"}.get(count, f"{count} 次")
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


# No autoescape: these are plain words; the page that shows them escapes them.
_environment = ImmutableSandboxedEnvironment(undefined=_NamedUndefined, autoescape=False)
_environment.globals.clear()
_environment.filters = {"minutes": _minutes, "times": _times}
_environment.tests = {}


@dataclass(frozen=True)
class Branch:
    """An answer the agent chooses with a digit key; `goto` is a node id or `close`."""

    digit: int
    label: str
    hint: str
    goto: str


@dataclass(frozen=True)
class Node:
    """A line to say now; without branches the call ends with it."""

    id: str
    say: str
    branches: tuple[Branch, ...]


@dataclass(frozen=True)
class Objection:
    """What the customer may object, what to answer, and words that find it."""

    id: str
    label: str
    answer: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class RenderedScript:
    """A script with the facts of one call filled in, ready to be shown."""

    id: str
    version: int
    version_label: str
    variant: str
    language: str
    title: str
    opening: str
    notice: str
    right_person: str
    reason: str
    nodes: tuple[Node, ...]
    first_node: str
    objections: tuple[Objection, ...]
    close: str
    required_notices: tuple[str, ...]

    def node(self, node_id: str) -> Node:
        """The node of that id; KeyError when there is none."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise KeyError(node_id)


def render(script: Script, variant: str, facts: Mapping[str, object]) -> RenderedScript:
    """Fill one variant of a script.

    `facts` holds values by the names in PLACEHOLDERS; other names are ignored, None and ""
    count as not known. Raises MissingPlaceholder for a required fact that is not known.
    """
    context = fill_context(script.language, facts)

    def fill(text: Text) -> str:
        return fill_text(text, context, script.id)

    return RenderedScript(
        id=script.id,
        version=script.version,
        version_label=script.version_label,
        variant=variant,
        language=script.language,
        title=script.title,
        opening=fill(script.opening.of(variant)),
        notice=fill(script.notice),
        right_person=fill(script.right_person),
        reason=fill(script.reason.of(variant)),
        nodes=tuple(
            Node(
                node.id,
                fill(node.say),
                tuple(Branch(b.digit, fill(b.label), fill(b.hint), b.goto) for b in node.branches),
            )
            for node in script.nodes
        ),
        first_node=script.nodes[0].id,
        objections=tuple(Objection(o.id, fill(o.label), fill(o.answer), o.words) for o in script.objections),
        close=fill(script.close),
        required_notices=tuple(fill(notice.text) for notice in script.required_notices),
    )


def fill_context(language: str, facts: Mapping[str, object]) -> dict[str, object]:
    """The values a template may see: numbers and plain strings only, optional facts as absent."""
    context: dict[str, object] = {_LANGUAGE: language}
    for name, placeholder in PLACEHOLDERS.items():
        value = facts.get(name)
        plain = value if isinstance(value, int | float | Decimal) else " ".join(str(value or "").split())
        if plain != "":
            context[name] = plain
        elif placeholder.is_optional:
            context[name] = _AbsentFact(name=name)
    context.setdefault("address", _address(language, context))
    if context["address"] is None:
        del context["address"]
    return context


def _address(language: str, context: Mapping[str, object]) -> object:
    """How to speak to the customer: "Mr Chen", "陈先生", or the whole name when we know no title."""
    surname, salutation = context.get("surname"), context.get("salutation")
    if not surname or not salutation:
        return context.get("customer_name")
    return f"{surname}{salutation}" if language == "zh" else f"{salutation} {surname}"


def fill_text(text: Text, context: Mapping[str, object], script_id: str) -> str:
    """One text with its placeholders filled and its lines joined as the language writes them."""
    return _join(_fill(text, context, script_id), str(context[_LANGUAGE]))


def fill_lines(text: Text, context: Mapping[str, object], script_id: str) -> list[tuple[int, str]]:
    """The same, not joined: each line of the file that is spoken, with its number in the file."""
    lines = enumerate(_fill(text, context, script_id).split("\n"), start=text.line)
    joined = ((number, _join(line, str(context[_LANGUAGE]))) for number, line in lines)
    return [(number, line) for number, line in joined if line]


def _fill(text: Text, context: Mapping[str, object], script_id: str) -> str:
    if "{" not in text.text:
        return text.text
    try:
        return _compile(text.text).render(context)
    except UndefinedError as error:
        raise MissingPlaceholder(error.message or "", script_id) from error
    except (TemplateSyntaxError, ValueError, TypeError) as error:
        raise ScriptLibraryError(f"{text.path}:{text.line}: {error}") from error


def _join(filled: str, language: str) -> str:
    """Source lines are where the author broke them; spoken words are one flow."""
    lines = [" ".join(line.split()) for line in filled.split("\n")]
    if language != "zh":
        return " ".join(line for line in lines if line)
    return _CHINESE_MEETS_LATIN.sub(" ", "".join(lines))


@lru_cache(maxsize=4096)
def _compile(text: str) -> Template:
    for line, message in template_faults(text):
        raise TemplateSyntaxError(message, line)
    return _environment.from_string(text)


@lru_cache(maxsize=4096)
def template_faults(text: str) -> tuple[tuple[int, str], ...]:
    """What is wrong with the placeholders of a text: (line within it from 1, message)."""
    try:
        tree = _environment.parse(text)
    except TemplateSyntaxError as error:
        return ((error.lineno, f"placeholder not understood: {error.message}"),)
    return tuple(
        (node.lineno, "only {{ fact }}, the filters minutes and times, and {% if fact %} may be used")
        for node in tree.find_all(nodes.Node)
        if not isinstance(node, _ALLOWED)
        or (isinstance(node, nodes.Filter) and node.name not in _environment.filters)
    )


@lru_cache(maxsize=4096)
def placeholders_in(text: str) -> Mapping[str, int]:
    """The facts a sound text asks for, each with its first line within the text (from 1)."""
    names: dict[str, int] = {}
    for node in _environment.parse(text).find_all(nodes.Name):
        names.setdefault(node.name, node.lineno)
    return MappingProxyType(names)
