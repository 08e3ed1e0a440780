"""Read a whole folder of scripts; each script borrows from its journey's common file what it lacks."""

from dataclasses import dataclass, field
from pathlib import Path

from scripts_library.model import CLOSE, Finding, NodeText, ObjectionText, PerVariant, Script, Text
from scripts_library.parsing import Draft, parse_file

SCRIPTS_ROOT = Path(__file__).parent / "scripts"


@dataclass
class Library:
    """All scripts that could be read, and the mistakes met on the way."""

    root: Path
    scripts: list[Script] = field(default_factory=list)
    commons: dict[tuple[str, str], Draft] = field(default_factory=dict)  # by journey and language
    findings: list[Finding] = field(default_factory=list)


def read_library(root: Path | None = None) -> Library:
    """Read `<root>/<journey>/<id>.<language>.md`; the shipped scripts when no root is given.

    A file with mistakes is left out and its mistakes are listed.
    """
    library = Library(root or SCRIPTS_ROOT)
    drafts: list[Draft] = []
    for path in sorted(library.root.glob("*/*.md")):
        draft, findings = parse_file(path)
        library.findings += findings
        if draft is None:
            continue
        misplaced = _misplaced(draft)
        library.findings += misplaced
        if draft.is_common:
            library.commons[draft.front.journey, draft.front.language] = draft
        elif not findings and not misplaced:
            drafts.append(draft)
    for draft in drafts:
        script, findings = _assemble(draft, library.commons.get((draft.front.journey, draft.front.language)))
        library.findings += findings
        if script:
            library.scripts.append(script)
    if not list(library.root.glob("*/*.md")):
        library.findings.append(
            Finding(library.root, 1, "no scripts here: expected <journey>/<id>.<lang>.md")
        )
    return library


def _misplaced(draft: Draft) -> list[Finding]:
    front, path = draft.front, draft.path
    expected = f"{front.id or '_common'}.{front.language}.md"
    findings = []
    if path.name != expected:
        findings.append(Finding(path, 1, f"the file name should be {expected}, as its id and language say"))
    if path.parent.name != front.journey:
        findings.append(
            Finding(path, 1, f"the file belongs in the folder {front.journey}, as its journey says")
        )
    return findings


def _assemble(draft: Draft, common: Draft | None) -> tuple[Script | None, list[Finding]]:
    findings: list[Finding] = []

    def missing(what: str) -> None:
        findings.append(Finding(draft.path, 1, f"missing {what}"))

    def single(heading: str) -> Text | None:
        text = draft.single.get(heading) or (common.single.get(heading) if common else None)
        if not text:
            missing(f"section `## {heading}`")
        return text

    def per_variant(kind: str, own: dict[str, Text], borrowed: dict[str, Text]) -> PerVariant | None:
        texts = own or borrowed
        letters = [letter for letter, _ in draft.front.variants]
        found = [(letter, text) for letter in letters if (text := texts.get(letter) or texts.get(""))]
        for letter in letters:
            if letter not in dict(found):
                missing(f"{kind} of variant {letter}: write `## {kind} {letter}`")
        return PerVariant(tuple(found)) if len(found) == len(letters) else None

    opening = per_variant("opening", draft.opening, common.opening if common else {})
    reason = per_variant("reason", draft.reason, common.reason if common else {})
    notice, right_person, close = single("notice"), single("right person"), single("close")
    if not draft.nodes:
        missing("diagnosis: write at least one `## say now: name`")
    objections, unknown = _objections(draft, common)
    findings += unknown
    if not (opening and reason and notice and right_person and close) or findings:
        return None, findings
    front = draft.front
    script = Script(
        id=front.id,
        version=front.version,
        common_version=common.front.version if common else 0,
        language=front.language,
        title=front.title,
        journey=front.journey,
        steps=front.steps,
        errors=front.errors,
        moments=front.moments,
        tags=front.tags,
        causes=front.causes,
        variant_notes=front.variants,
        opening=opening,
        notice=notice,
        right_person=right_person,
        reason=reason,
        nodes=_nodes(draft, common),
        objections=objections,
        close=close,
        required_notices=tuple(draft.notices or (common.notices if common else ())),
        path=draft.path,
    )
    return script, []


def _nodes(draft: Draft, common: Draft | None) -> tuple[NodeText, ...]:
    """The script's own nodes, then those common ones its branches lead to, near or far."""
    nodes = {node.id: node for node in draft.nodes}
    lent = {node.id: node for node in common.nodes} if common else {}
    queue = list(draft.nodes)
    while queue:
        for branch in queue.pop(0).branches:
            if branch.goto not in nodes and branch.goto in lent and branch.goto != CLOSE:
                nodes[branch.goto] = lent[branch.goto]
                queue.append(lent[branch.goto])
    return tuple(nodes.values())


def _objections(draft: Draft, common: Draft | None) -> tuple[tuple[ObjectionText, ...], list[Finding]]:
    """Own objections first, then the common ones asked for by name (all, when none are named)."""
    own = {objection.id for objection in draft.objections}
    lent = {objection.id: objection for objection in common.objections} if common else {}
    if draft.borrowed_objections is None:
        borrowed = [objection for objection in lent.values() if objection.id not in own]
        return (*draft.objections, *borrowed), []
    findings = [
        Finding(draft.path, line, f"objection {name} is not in the common file")
        for line, name in draft.borrowed_objections
        if name not in lent
    ]
    wanted = [name for _, name in draft.borrowed_objections if name in lent and name not in own]
    return (*draft.objections, *(lent[name] for name in wanted)), findings
