"""The front matter of a script file, checked by marshmallow, each mistake with its line."""

import re
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import yaml
from frontmatter.default_handlers import YAMLHandler
from marshmallow import RAISE, Schema, ValidationError, fields, post_load, validate, validates

from scripts_library.model import CAUSES, LANGUAGES, Finding

NAME_PATTERN = r"[a-z][a-z0-9_]*"
_KEY = re.compile(r"^(\w+)\s*:")


@dataclass(frozen=True)
class FrontMatter:
    """Who a script is for. A common file fills only version, language and journey."""

    version: int
    language: str
    journey: str
    id: str = ""
    title: str = ""
    steps: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    variants: tuple[tuple[str, str], ...] = ()


_name = validate.Regexp(f"^{NAME_PATTERN}$", error="use small letters, digits and _ only.")


def _names(*, required: bool = False) -> fields.List[str]:
    return fields.List(fields.String(validate=_name), required=required)


class CommonSchema(Schema):
    """Front matter of `_common.<language>.md`."""

    class Meta:
        unknown = RAISE

    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1))
    language = fields.String(required=True, validate=validate.OneOf(LANGUAGES))
    journey = fields.String(required=True, validate=_name)

    @post_load
    def freeze(self, data: dict[str, Any], **_: object) -> FrontMatter:
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in data.items()
        }
        if "variants" in frozen:
            frozen["variants"] = tuple(sorted(frozen["variants"].items()))
        return FrontMatter(**frozen)


class ScriptSchema(CommonSchema):
    """Front matter of `<id>.<language>.md`."""

    id = fields.String(required=True, validate=_name)
    title = fields.String(required=True, validate=validate.Length(min=1, max=60))
    steps = _names(required=True)
    errors = _names()
    moments = _names()
    tags = _names()
    causes = fields.List(
        fields.String(validate=validate.OneOf(CAUSES)), required=True, validate=validate.Length(min=1)
    )
    variants = fields.Dict(
        keys=fields.String(), values=fields.String(validate=validate.Length(min=1)), required=True
    )

    @validates("variants")
    def lettered(self, value: dict[str, str], **_: object) -> None:
        if not value or sorted(value) != list(ascii_uppercase[: len(value)]):
            raise ValidationError("name the variants A, B, C and so on, each with a short note.")


def read_front_matter(
    path: Path, text: str, schema: Schema
) -> tuple[FrontMatter | None, str, int, list[Finding]]:
    """Split a file and check its head.

    Returns the front matter (None when it is wrong), the body, the line the body
    starts on, and the findings.
    """
    handler = YAMLHandler()
    start = handler.FM_BOUNDARY.match(text)
    if not start or len(handler.FM_BOUNDARY.split(text, 2)) < 3:
        return None, "", 1, [Finding(path, 1, "front matter is missing: start the file with --- lines")]
    head, body = handler.split(text)
    first_line = text[: start.end()].count("\n") + 1
    body_line = text[: len(text) - len(body)].count("\n") + 1
    try:
        data = handler.load(head)
        lines, findings = _key_lines(path, head, first_line)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = first_line + (mark.line if mark else 0)
        return (
            None,
            body,
            body_line,
            [
                Finding(
                    path,
                    line,
                    f"front matter not understood ({error.problem}); put text with a colon in quotes",
                )
            ],
        )
    try:
        front: FrontMatter = schema.load(data if isinstance(data, dict) else {})
    except ValidationError as error:
        problems = error.messages if isinstance(error.messages, dict) else {"": error.messages}
        for key, problem in problems.items():
            findings.append(Finding(path, lines.get(key, 1), f"{key}: {_flatten(problem)}"))
        return None, body, body_line, findings
    return (None if findings else front), body, body_line, findings


def _key_lines(path: Path, head: str, first_line: int) -> tuple[dict[str, int], list[Finding]]:
    """The line of each key; YAML itself would let the second of two equal keys win in silence."""
    lines: dict[str, int] = {}
    findings = []
    for line, row in enumerate(head.split("\n"), start=first_line):
        if key := _KEY.match(row):
            if key[1] in lines:
                findings.append(Finding(path, line, f"{key[1]}: is here twice"))
            lines[key[1]] = line
    return lines, findings


def _flatten(problem: object) -> str:
    if isinstance(problem, dict):
        return " ".join(_flatten(value) for value in problem.values())
    if isinstance(problem, list):
        return " ".join(map(str, problem))
    return str(problem)
