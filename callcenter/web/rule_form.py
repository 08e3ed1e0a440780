"""Between a rule's definition and the form it is edited in. What the form cannot show is kept as text.

The form's field names are the entries' own; a list has one field for each of its members; a condition is
`<name>-field`, `<name>-op` and `<name>-value`, in the order of the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any

import yaml
from werkzeug.datastructures import MultiDict

from callcenter.domain.fields import Field, FieldType, Takes
from callcenter.triggers.differences import ORDER, parts_of

TEXTS = (
    "step",
    "preset",
    "after",
    "event",
    "times",
    "within",
    "goal",
    "moment",
    "promise",
    "max_age",
    "window",
    "purpose",
    "fades",
    "exempt",
    "variant",
    "skill",
    "level",
    "team",
)
WHOLE = frozenset({"times", "priority", "value", "level"})
LISTS = ("errors", "unless")
TREES = ("conditions", "where")
COOL_DOWNS = ("rule", "journey", "customer")
SHOWN = frozenset(
    (*TEXTS, *LISTS, *TREES, "rule", "title", "journey", "priority", "value", "holdout", "cool_down", "band")
)
NEW_ROW = ("", "", "")
LONGEST_MORE = 10_000
"""So much text is read; a few hundred letters say everything a rule can say."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Comparisons as (field, op, typed value), joined by all or any. `is_flat` is False where only text will do."""

    joined: str = "all"
    rows: tuple[tuple[str, str, str], ...] = ()
    is_flat: bool = True


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, as typed."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    trees: Mapping[str, Rows]
    more: str = ""
    note: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Filled:
    """The definition a form makes, with what is wrong by the entry's name, `conditions.2` for a row."""

    raw: dict[str, Any]
    problems: dict[str, str] = field(default_factory=dict)


def typed_of(definition: Mapping[str, Any], note: str, seen: str) -> Typed:
    """Fill the form in from a definition."""
    title = definition.get("title", "")
    titles = {"en": title} if isinstance(title, str) else dict(title)
    cool_down = definition.get("cool_down") or {}
    values = {name: str(definition.get(name, "")) for name in (*TEXTS, "priority", "value")}
    values |= {f"title.{language}": str(titles.get(language, "")) for language in ("en", "zh")}
    values |= {f"cool_down.{name}": str(cool_down.get(name, "")) for name in COOL_DOWNS}
    band = definition.get("band") or {}
    values["band.share"] = f"{band['share'] * 100:g}" if "share" in band else ""
    values["band.waits"] = ", ".join(map(str, band.get("waits", ())))
    holdout = definition.get("holdout")
    values["holdout"] = "" if holdout is None else f"{holdout * 100:g}"
    values["preset"] = values["preset"] or "gone_quiet"
    values["purpose"] = values["purpose"] or "service"
    trees = {name: _rows_of(definition.get(name)) for name in TREES}
    rest = {name: value for name, value in definition.items() if name not in SHOWN}
    rest |= {name: definition[name] for name, tree in trees.items() if not tree.is_flat}
    lists = {name: tuple(map(str, definition.get(name) or ())) for name in LISTS}
    return Typed(values, lists, trees, as_yaml(rest) if rest else "", note, seen)


def typed_from(form: MultiDict[str, str]) -> Typed:
    """Take the form as it was sent."""
    names = [*TEXTS, "priority", "value", "holdout", "title.en", "title.zh", "band.share", "band.waits"]
    names += [f"cool_down.{name}" for name in COOL_DOWNS]
    values = {name: form.get(name, "").strip() for name in names}
    lists = {name: tuple(form.getlist(name)) for name in LISTS}
    trees = {}
    for name in TREES:
        columns = [form.getlist(f"{name}-{part}") for part in ("field", "op", "value")]
        joined = "any" if form.get(f"{name}-joined") == "any" else "all"
        is_flat = form.get(f"{name}-as-text") is None
        rows = tuple((one, op, value.strip()) for one, op, value in zip(*columns, strict=False))
        trees[name] = Rows(joined, rows, is_flat)
    more = form.get("more", "").replace("\r\n", "\n")
    return Typed(values, lists, trees, more, form.get("note", "").strip(), form.get("seen", ""))


def acted_on(typed: Typed, act: str) -> Typed:
    """Add or take away a row: `add-unless`, `remove-conditions-2`; anything else changes nothing."""
    word, _, name = act.partition("-")
    name, _, place = name.rpartition("-") if word == "remove" else (name, "", "")
    if word not in ("add", "remove") or name not in (*LISTS, *TREES) or (place and not place.isdigit()):
        return typed
    if name in LISTS:
        kept = list(typed.lists[name])
        _add_or_remove(kept, "", word, place)
        return replace(typed, lists={**typed.lists, name: tuple(kept)})
    tree = typed.trees[name]
    rows = list(tree.rows)
    _add_or_remove(rows, NEW_ROW, word, place)
    return replace(typed, trees={**typed.trees, name: replace(tree, rows=tuple(rows))})


def _add_or_remove(rows: list[Any], new: Any, word: str, place: str) -> None:
    if word == "add":
        rows.append(new)
    elif place and int(place) < len(rows):
        del rows[int(place)]


def filled(typed: Typed, rule_key: str, journey: str, fields: Mapping[str, Mapping[str, Field]]) -> Filled:
    """Make a definition of what was typed; `fields` are the catalogues of `conditions` and `where`.

    Only what cannot be a definition at all is a problem here: no number where one must be, text that is no
    YAML. Whether the definition is right is asked of read_rule.
    """
    made = Filled({"rule": rule_key, "title": _title(typed, rule_key), "journey": journey})
    for name in TEXTS:
        if typed.values.get(name):
            made.raw[name] = typed.values[name]
    for name in WHOLE:
        _number(made, typed.values.get(name, ""), name)
    for name in LISTS:
        if members := [one for one in typed.lists[name] if one]:
            made.raw[name] = members
    cool_down = {
        name: typed.values[f"cool_down.{name}"] for name in COOL_DOWNS if typed.values[f"cool_down.{name}"]
    }
    if cool_down:
        made.raw["cool_down"] = cool_down
    _take_band(made, typed)
    _number(made, typed.values["holdout"], "holdout")
    if "holdout" in made.raw:
        made.raw["holdout"] = round(made.raw["holdout"] / 100, 4)
    _take_more(made, typed.more)
    for name in TREES:
        _take_rows(made, name, typed.trees[name], fields[name])
    return made


def _take_band(made: Filled, typed: Typed) -> None:
    """Waits tried beside the set one: both fields or none; a share that is no number is a problem of the form."""
    share, waits = typed.values["band.share"], _members(typed.values["band.waits"])
    if not share and not waits:
        return
    value = number_of(share)
    if share and value is None:
        made.problems["band"] = f"{share!r} is not a number"
        return
    made.raw["band"] = {"share": round((value or 0) / 100, 4), "waits": waits}


def _members(text: str) -> list[str]:
    return [one.strip() for one in text.replace("、", ",").replace("，", ",").split(",") if one.strip()]


def _title(typed: Typed, rule_key: str) -> dict[str, str]:
    titles = {name: typed.values[f"title.{name}"] for name in ("en", "zh") if typed.values[f"title.{name}"]}
    return titles or {"en": rule_key}


def _number(made: Filled, text: str, name: str) -> None:
    if not text:
        made.raw.pop(name, None)
        return
    value = number_of(text)
    if value is None:
        made.problems[name] = f"{text!r} is not a number"
        made.raw.pop(name, None)
    else:
        made.raw[name] = value


def number_of(text: str) -> int | float | None:
    """Read 50, 50,000 or 0.5; None for anything else."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return None
    if not isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _take_more(made: Filled, text: str) -> None:
    if not text.strip():
        return
    if len(text) > LONGEST_MORE:
        made.problems["more"] = f"at most {LONGEST_MORE} letters"
        return
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            made.problems["more"] = "write it out; references with * are not taken"
            return
        said = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        made.problems["more"] = f"line {mark.line + 1} is not YAML" if mark else "this is not YAML"
        return
    if not isinstance(said, dict) or not all(isinstance(name, str) for name in said):
        made.problems["more"] = "write entries, each as name: value"
        return
    if twice := sorted(set(said) & (SHOWN - set(TREES))):
        made.problems["more"] = f"{', '.join(twice)} is in the form already; change it there"
        return
    made.raw.update(said)


def _take_rows(made: Filled, name: str, tree: Rows, fields: Mapping[str, Field]) -> None:
    parts = []
    for place, (field_name, op, text) in enumerate(tree.rows):
        if not field_name:
            continue
        value, problem = _value(text, op, fields.get(field_name))
        if problem:
            made.problems[f"{name}.{place}"] = problem
        parts.append({"field": field_name, "op": op, "value": value})
    if not parts:
        return
    if name in made.raw:
        made.problems["more"] = f"{name} is in the form and in this text; keep one of them"
    made.raw[name] = parts[0] if len(parts) == 1 and tree.joined == "all" else {tree.joined: parts}


def _value(text: str, op: str, known: Field | None) -> tuple[Any, str | None]:
    takes = known.operators[op].takes if known and op in known.operators else Takes.ONE
    is_number = known is not None and known.type is FieldType.NUMBER
    if takes is Takes.DURATION or not is_number:
        if takes is Takes.LIST:
            members = _members(text)
            return members, None if members else "give at least one value"
        return text, None if text else "give a value"
    value = number_of(text)
    return (text, f"{text!r} is not a number") if value is None else (value, None)


def _rows_of(tree: Any) -> Rows:
    joined, parts = parts_of(tree)
    if not all(isinstance(part, Mapping) and set(part) == {"field", "op", "value"} for part in parts):
        return Rows(is_flat=False)
    return Rows(joined, tuple((part["field"], part["op"], _text(part["value"])) for part in parts))


def _text(value: Any) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, Sequence) and not isinstance(value, str)
        else str(value)
    )


def as_yaml(definition: Mapping[str, Any]) -> str:
    """Return a definition as the text one would write in a file, in the order in which rules are told."""
    text: str = yaml.safe_dump(_in_order(definition), allow_unicode=True, sort_keys=False, width=100)
    return text


_ORDER = {name: place for place, name in enumerate(("rule", *ORDER, "field", "op", "value"))}


def _in_order(value: Any) -> Any:
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
        return {name: _in_order(value[name]) for name in names}
    return [_in_order(one) for one in value] if isinstance(value, list | tuple) else value
