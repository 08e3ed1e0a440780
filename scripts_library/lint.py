"""Find the mistakes in a folder of scripts before an agent reads them aloud."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations
from pathlib import Path

import click

from scripts_library.assembling import Library, read_library
from scripts_library.facts import PLACEHOLDERS, sample_facts
from scripts_library.model import (
    CALLBACK_NODE,
    CLOSE,
    LANGUAGES,
    REQUIRED_NOTICES,
    WORKS_NODE,
    Finding,
    MissingPlaceholder,
    Script,
    ScriptLibraryError,
    Text,
)
from scripts_library.rendering import fill_context, fill_text, placeholders_in, template_faults

CLAUSE_COLUMNS = 52  # the widest clause the console shows on one line; a Chinese character takes two
_CLAUSE_END = re.compile(r"[.,;:?!。，；：？！、—]+\s*|\n+")
_OPTIONAL = frozenset(name for name, placeholder in PLACEHOLDERS.items() if placeholder.is_optional)
_REVEALING = frozenset(name for name, placeholder in PLACEHOLDERS.items() if placeholder.is_revealing)


def lint(root: Path | None = None) -> list[Finding]:
    """All findings for the scripts under `root` (the shipped ones by default), by file and line."""
    library = read_library(root)
    return sorted({*library.findings, *check_library(library)})


def lint_command(root: Path | None = None) -> int:
    """Print every finding and a count; returns the exit code, 1 when anything but a warning was found."""
    findings = lint(root)
    for finding in findings:
        click.echo(str(finding))
    mistakes = sum(not finding.is_warning for finding in findings)
    click.echo(f"mistakes: {mistakes}, warnings: {len(findings) - mistakes}")
    return 1 if mistakes else 0


def check_library(library: Library) -> Iterator[Finding]:
    """What can be said only of scripts that could be read: their words, their paths, their twins."""
    for script in library.scripts:
        yield from _check_placeholders(script)
        yield from _check_graph(script)
        yield from _check_promises(script)
    yield from _check_twins(library)
    yield from _check_fallbacks(library)
    yield from _check_overlaps(library)


def _check_placeholders(script: Script) -> Iterator[Finding]:
    spoken = set(script.speech())
    for text in script.texts():
        faults = list(_text_faults(text, script))
        yield from faults
        if not faults and text in spoken:
            yield from _check_clauses(text, script)


def _text_faults(text: Text, script: Script) -> Iterator[Finding]:
    def at(line: int, message: str) -> Finding:
        return Finding(text.path, text.line + line - 1, message)

    if "{" not in text.text:
        return
    faults = template_faults(text.text)
    yield from (at(line, message) for line, message in faults)
    if faults:
        return
    names = placeholders_in(text.text)
    unknown = [name for name in names if name not in PLACEHOLDERS]
    yield from (at(names[name], f"unknown placeholder {name!r}; see PLACEHOLDERS") for name in unknown)
    if unknown:
        return
    optional = sorted(_OPTIONAL & names.keys())
    for size in range(len(optional) + 1):
        for absent in combinations(optional, size):
            try:
                filled = fill_text(text, _sample_context(script.language, absent), script.id)
            except MissingPlaceholder as error:
                line = names.get(error.name, 1)
                yield at(line, f"{error.name} may be unknown: put it inside {{% if {error.name} %}}")
                return
            except ScriptLibraryError as error:
                yield at(1, f"cannot be filled: {error}")
                return
            if not filled:
                yield at(1, f"nothing is left to say without {', '.join(absent)}")
                return


@lru_cache(maxsize=256)
def _sample_context(language: str, absent: tuple[str, ...] = ()) -> Mapping[str, object]:
    known = {name: value for name, value in sample_facts(language).items() if name not in absent}
    return fill_context(language, known)


def _check_clauses(text: Text, script: Script) -> Iterator[Finding]:
    filled = fill_text(text, _sample_context(script.language), script.id)
    for clause in _CLAUSE_END.split(filled):
        columns = sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in clause.strip())
        if columns > CLAUSE_COLUMNS:
            message = f"{columns} columns without a pause, over {CLAUSE_COLUMNS}: {clause.strip()[:30]}..."
            yield Finding(text.path, text.line, message, is_warning=True)


def _check_graph(script: Script) -> Iterator[Finding]:
    known = {node.id: node for node in script.nodes}
    for node in script.nodes:
        for branch in node.branches:
            if branch.goto != CLOSE and branch.goto not in known:
                yield Finding(node.path, branch.line, f"-> {branch.goto}: there is no such node")
    reached: set[str] = set()
    queue = [script.nodes[0].id]
    while queue:
        node_id = queue.pop()
        if node_id in known and node_id not in reached:
            reached.add(node_id)
            queue += [branch.goto for branch in known[node_id].branches]
    for node in script.nodes:
        if node.id not in reached:
            yield Finding(node.path, node.line, f"node {node.id} cannot be reached from the first node")
    ways_out = {branch.goto for branch in script.nodes[0].branches}
    for needed, meaning in ((WORKS_NODE, "it works now"), (CALLBACK_NODE, "not a good time")):
        if needed not in ways_out:
            message = f"the first question has no branch -> {needed} ({meaning})"
            yield Finding(script.path, script.nodes[0].line, message)


def _check_promises(script: Script) -> Iterator[Finding]:
    """What every call owes the customer: who calls, privacy first, the notices."""
    for opening in {script.opening.a: None, script.opening.b: None}:
        for name in ("agent_name", "bank_name"):
            if not re.search(rf"\{{\{{\s*{name}\s*\}}\}}", opening.text):
                yield Finding(opening.path, opening.line, f"the opening must say {{{{ {name} }}}}")
    for text in script.before_identity():
        if template_faults(text.text):
            continue
        for name, line in placeholders_in(text.text).items():
            if name in _REVEALING:
                message = f"{name} may not be said before the person is confirmed; move it to the reason"
                yield Finding(text.path, text.line + line - 1, message)
    if script.opening.a == script.opening.b and script.reason.a == script.reason.b:
        line = script.reason.b.line
        yield Finding(script.reason.b.path, line, "variants A and B are the same: change opening or reason")
    present = {notice.id for notice in script.required_notices}
    for needed in REQUIRED_NOTICES:
        if needed not in present:
            yield Finding(script.path, 1, f"missing required notice {needed}")
    if not script.objections:
        yield Finding(script.path, 1, "no objections: write `## objections`")


def _check_twins(library: Library) -> Iterator[Finding]:
    twins: dict[tuple[str, str], dict[str, Script]] = defaultdict(dict)
    for script in library.scripts:
        twins[script.journey, script.id][script.language] = script
    on_disk = {path.relative_to(library.root) for path in library.root.glob("*/*.md")}
    for (journey, script_id), by_language in twins.items():
        first = next(iter(by_language.values()))
        for language in LANGUAGES:
            twin = by_language.get(language)
            if twin:
                yield from _twin_differences(first, twin)
            elif Path(journey, f"{script_id}.{language}.md") not in on_disk:
                yield Finding(first.path, 1, f"its twin {script_id}.{language}.md is missing")


def _twin_differences(first: Script, twin: Script) -> Iterator[Finding]:
    for what in ("version", "steps", "errors", "moments", "tags", "causes"):
        if getattr(first, what) != getattr(twin, what):
            yield Finding(twin.path, 1, f"{what} differs from its twin {first.path.name}")
    pairs = {
        "node ids": [[node.id for node in script.nodes] for script in (first, twin)],
        "objections": [[objection.id for objection in script.objections] for script in (first, twin)],
        "required notices": [[notice.id for notice in script.required_notices] for script in (first, twin)],
    }
    for what, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield Finding(twin.path, 1, f"{what} differ from its twin {first.path.name}")
    ours_by_id = {node.id: node for node in first.nodes}
    for node in twin.nodes:
        ours_node = ours_by_id.get(node.id)
        if ours_node and [(b.digit, b.goto) for b in ours_node.branches] != [
            (b.digit, b.goto) for b in node.branches
        ]:
            yield Finding(
                node.path, node.line, f"branches of {node.id} differ from its twin {first.path.name}"
            )


def _check_fallbacks(library: Library) -> Iterator[Finding]:
    general = Counter((script.journey, script.language) for script in library.scripts if script.is_general)
    for journey, language in sorted({(script.journey, script.language) for script in library.scripts}):
        if general[journey, language] == 0:
            message = f"no general script in {language}: one without steps, errors, moments and tags"
            yield Finding(library.root / journey, 1, message)


def _check_overlaps(library: Library) -> Iterator[Finding]:
    """Two scripts for exactly the same case: nobody could tell which one is read."""
    taken: dict[tuple[str, ...], Script] = {}
    for script in library.scripts:
        for step in script.steps or ("",):
            for error in script.errors or ("",):
                for moment in script.moments or ("",):
                    for tag in script.tags or ("",):
                        case = (script.journey, script.language, step, error, moment, tag)
                        other = taken.setdefault(case, script)
                        if other is not script:
                            message = f"is for the same case as {other.id}: {', '.join(filter(None, case))}"
                            yield Finding(script.path, 1, message)
