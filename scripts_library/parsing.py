"""From the body of a script file to typed sections. The syntax is described in README.md."""

import re
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from scripts_library.model import BranchText, Finding, NodeText, NoticeText, ObjectionText, Text, listed
from scripts_library.schemas import (
    NAME_PATTERN,
    CommonSchema,
    FrontMatter,
    ScriptSchema,
    read_front_matter,
)

# Full-width brackets, colons and commas are accepted: a Chinese keyboard types them.
_HEADING = re.compile(r"^##\s+(.+?)\s*$")
_NAMED = re.compile(r"^(say now|objections)\s*[:：]\s*(.*)$")
_LETTERED = re.compile(r"^(opening|reason)(?:\s+(\S+))?$")
_BRANCH = re.compile(rf"^(\d+)\.\s+\*\*(.+?)\*\*\s*[(（](.+)[)）]\s*(?:->|→)\s*({NAME_PATTERN})\s*$")
_NUMBERED = re.compile(r"^\s*\d+\.\s")
_OBJECTION = re.compile(rf"^###\s+({NAME_PATTERN})\s*[:：]\s*(.+?)\s*$")
_WORDS = re.compile(r"^words\s*[:：]\s*(.+)$")
_NOTICE = re.compile(rf"^-\s+({NAME_PATTERN})\s*[:：]\s*(.+?)\s*$")
_COMMA = re.compile(r"\s*[,，、]\s*")
_BRANCH_SHAPE = "a branch is written `1. **Label** (short hint) -> node`"
_OBJECTION_SHAPE = "an objection starts with `### id: What the customer says`, then `words: ...`"

Lines = list[tuple[int, str]]


@dataclass
class Draft:
    """One file as it stands, before it borrows from the journey's common file.

    `opening` and `reason` by the letter of their variant; "" is the text of all variants.
    """

    path: Path
    front: FrontMatter
    opening: dict[str, Text] = field(default_factory=dict)
    reason: dict[str, Text] = field(default_factory=dict)
    single: dict[str, Text] = field(default_factory=dict)  # notice, right person, close
    nodes: list[NodeText] = field(default_factory=list)
    objections: list[ObjectionText] = field(default_factory=list)
    borrowed_objections: list[tuple[int, str]] | None = None
    notices: list[NoticeText] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_common(self) -> bool:
        return not self.front.id

    def complain(self, line: int, message: str) -> None:
        self.findings.append(Finding(self.path, line, message))


def parse_file(path: Path) -> tuple[Draft | None, list[Finding]]:
    """Read one script or common file. The draft is None when its front matter is wrong."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return None, [Finding(path, 1, "save the file as UTF-8")]
    schema = CommonSchema() if path.name.startswith("_common.") else ScriptSchema()
    front, body, body_line, findings = read_front_matter(path, text, schema)
    if front is None:
        return None, findings
    draft = Draft(path, front, findings=findings)
    for line, heading, lines in _sections(draft, body, body_line):
        _read_section(draft, line, heading, lines)
    return draft, draft.findings


def _sections(draft: Draft, body: str, body_line: int) -> list[tuple[int, str, Lines]]:
    sections: list[tuple[int, str, Lines]] = []
    for number, raw in enumerate(body.split("\n"), start=body_line):
        row = raw.rstrip()
        if heading := _HEADING.match(row):
            sections.append((number, heading[1], []))
        elif sections:
            sections[-1][2].append((number, row))
        elif row:
            draft.complain(number, "this text stands before the first ## heading")
    return sections


def _read_section(draft: Draft, line: int, heading: str, lines: Lines) -> None:
    if (named := _NAMED.match(heading)) and named[1] == "say now":
        _read_node(draft, line, named[2], lines)
    elif named or heading == "objections":
        if named:
            wanted = [name for name in _COMMA.split(named[2]) if name]
            draft.borrowed_objections = [(line, name) for name in wanted]
        _read_objections(draft, lines)
    elif lettered := _LETTERED.match(heading):
        _read_lettered(draft, line, lettered[1], lettered[2], lines)
    elif heading == "required notices":
        _read_notices(draft, lines)
    elif heading in ("notice", "right person", "close"):
        if heading in draft.single:
            draft.complain(line, f"`## {heading}` is here twice")
        if text := _text(draft, line, heading, lines):
            draft.single[heading] = text
    else:
        draft.complain(line, f"`## {heading}` is not a section; see README.md for the list")


def _text(draft: Draft, line: int, heading: str, lines: Lines) -> Text | None:
    filled = [index for index, (_, row) in enumerate(lines) if row.strip()]
    if not filled:
        draft.complain(line, f"`## {heading}` has nothing to say")
        return None
    chosen = lines[filled[0] : filled[-1] + 1]
    return Text("\n".join(row.strip() for _, row in chosen), draft.path, chosen[0][0])


def _read_lettered(draft: Draft, line: int, kind: str, letter: str | None, lines: Lines) -> None:
    known = tuple(name for name, _ in draft.front.variants)
    if letter is not None and (letter not in known if known else not re.fullmatch("[A-Z]", letter)):
        named = f"the variants are {listed(known)}" if known else "a variant is one capital letter"
        return draft.complain(line, f"`## {kind} {letter}`: {named}")
    texts = draft.opening if kind == "opening" else draft.reason
    text = _text(draft, line, kind, lines)
    if letter in texts or "" in texts or (letter is None and texts):
        whose = f"variant {letter}" if letter else "every variant"
        draft.complain(line, f"the {kind} of {whose} is here twice")
    if text:
        texts[letter or ""] = text
    return None


def _read_node(draft: Draft, line: int, node_id: str, lines: Lines) -> None:
    if not re.fullmatch(NAME_PATTERN, node_id):
        return draft.complain(line, f"`## say now: {node_id}` needs a name of small letters, digits and _")
    if any(node.id == node_id for node in draft.nodes) or node_id == "close":
        return draft.complain(line, f"node {node_id} is here twice, or takes the name of the close section")
    first = next((i for i, (_, row) in enumerate(lines) if _NUMBERED.match(row)), len(lines))
    say = _text(draft, line, f"say now: {node_id}", lines[:first])
    branches: list[BranchText] = []
    for number, row in lines[first:]:
        if not row.strip():
            continue
        if not (match := _BRANCH.match(row.strip())):
            draft.complain(number, _BRANCH_SHAPE)
            continue
        digit = int(match[1])
        if not 1 <= digit <= 9:
            draft.complain(number, f"digit {digit}: only the keys 1 to 9 choose a branch")
        if any(branch.digit == digit for branch in branches):
            draft.complain(number, f"digit {digit} is used twice in node {node_id}")
        label, hint = (Text(match[group].strip(), draft.path, number) for group in (2, 3))
        branches.append(BranchText(digit, label, hint, match[4]))
    if say:
        draft.nodes.append(NodeText(node_id, say, tuple(branches), draft.path, line))
    return None


def _read_objections(draft: Draft, lines: Lines) -> None:
    starts = [index for index, (_, row) in enumerate(lines) if row.startswith("###")]
    for number, row in lines[: starts[0] if starts else len(lines)]:
        if row.strip():
            draft.complain(number, _OBJECTION_SHAPE)
    for start, end in pairwise([*starts, len(lines)]):
        line, row = lines[start]
        head = _OBJECTION.match(row)
        rest = [(number, text) for number, text in lines[start + 1 : end] if text.strip()]
        words = _WORDS.match(rest[0][1].strip()) if rest else None
        if not head or not words:
            draft.complain(line, _OBJECTION_SHAPE)
            continue
        if any(objection.id == head[1] for objection in draft.objections):
            draft.complain(line, f"objection {head[1]} is here twice")
        if answer := _text(draft, line, f"objection {head[1]}", rest[1:]):
            label = Text(head[2], draft.path, line)
            found_by = tuple(word for word in _COMMA.split(words[1].strip()) if word)
            draft.objections.append(ObjectionText(head[1], label, answer, found_by))


def _read_notices(draft: Draft, lines: Lines) -> None:
    known = {notice.id for notice in draft.notices}
    for number, row in lines:
        if not row.strip():
            continue
        match = _NOTICE.match(row.strip())
        if not match:
            draft.complain(number, "a notice is written `- id: What the agent must keep to`")
        elif match[1] in known:
            draft.complain(number, f"notice {match[1]} is here twice")
        else:
            known.add(match[1])
            draft.notices.append(NoticeText(match[1], Text(match[2], draft.path, number)))
