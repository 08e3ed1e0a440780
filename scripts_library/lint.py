"""Find the mistakes in a folder of scripts before an agent reads them aloud."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path

import click

from scripts_library.assembling import Library, read_library
from scripts_library.facts import PLACEHOLDERS
from scripts_library.model import (
    CALLBACK_NODE,
    CLOSE,
    REQUIRED_NOTICES,
    WORKS_NODE,
    BranchText,
    Finding,
    MissingPlaceholder,
    Script,
    ScriptLibraryError,
    Text,
)
from scripts_library.rendering import fill_text, placeholders_in, template_faults
from scripts_library.twins import check_twins
from scripts_library.wording import check_wording, sample_context

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
        faults = {text: list(_text_faults(text, script)) for text in script.texts()}
        yield from chain.from_iterable(faults.values())
        yield from check_wording(script, {text: not found for text, found in faults.items()})
        yield from _check_graph(script)
        yield from _check_promises(script)
    yield from check_twins(library)
    yield from _check_names(library)
    yield from _check_fallbacks(library)
    yield from _check_overlaps(library)
    yield from _check_unused(library)


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
                filled = fill_text(text, sample_context(script.language, absent), script.id)
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


def _check_graph(script: Script) -> Iterator[Finding]:
    known = {node.id: node for node in script.nodes}
    for node in script.nodes:
        for branch in node.branches:
            if branch.goto != CLOSE and branch.goto not in known:
                yield Finding(node.path, branch.line, f"-> {branch.goto}: there is no such node")
    reached = _closure(script.nodes[0].id, {node.id: node.branches for node in script.nodes})
    for node in script.nodes:
        if node.id not in reached:
            yield Finding(node.path, node.line, f"node {node.id} cannot be reached from the first node")
        labels = Counter(branch.label.text for branch in node.branches)
        for branch in node.branches:
            if labels[branch.label.text] > 1:
                message = f"two branches of {node.id} are called {branch.label.text}"
                yield Finding(node.path, branch.line, message, is_warning=True)
    yield from _check_endings(script, reached)
    ways_out = {branch.goto for branch in script.nodes[0].branches}
    for needed, meaning in ((WORKS_NODE, "it works now"), (CALLBACK_NODE, "not a good time")):
        if needed not in ways_out:
            message = f"the first question has no branch -> {needed} ({meaning})"
            yield Finding(script.path, script.nodes[0].line, message)


def _closure(start: str, branches: Mapping[str, Sequence[BranchText]]) -> set[str]:
    """The node ids that can be come to from one, itself and perhaps the close among them."""
    reached: set[str] = set()
    queue = [start]
    while queue:
        node_id = queue.pop()
        if node_id not in reached:
            reached.add(node_id)
            queue += [branch.goto for branch in branches.get(node_id, ())]
    return reached


def _check_endings(script: Script, reached: set[str]) -> Iterator[Finding]:
    """From every node the call can come to an end, and the closing words are said on some way."""
    branches = {node.id: node.branches for node in script.nodes}
    ends = {CLOSE, *(node_id for node_id, ways in branches.items() if not ways)}
    for node in script.nodes:
        ways = _closure(node.id, branches)
        if not ways & ends and ways <= branches.keys():
            yield Finding(node.path, node.line, f"from node {node.id} the call can never come to an end")
    if CLOSE not in reached:
        yield Finding(script.close.path, script.close.line, f"{script.id}: no branch leads to the close")


def _check_promises(script: Script) -> Iterator[Finding]:
    """What every call owes the customer: who calls, privacy first, the notices."""
    for opening in script.opening.each:
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
    for one, other in combinations(script.variants, 2):
        if all(part.of(one).text == part.of(other).text for part in (script.opening, script.reason)):
            at = script.reason.of(other)
            message = f"variants {one} and {other} are the same: change opening or reason"
            yield Finding(at.path, at.line, message)
    present = {notice.id for notice in script.required_notices}
    for needed in REQUIRED_NOTICES:
        if needed not in present:
            yield Finding(script.path, 1, f"missing required notice {needed}")
    if not script.objections:
        yield Finding(script.path, 1, "no objections: write `## objections`")


def _check_fallbacks(library: Library) -> Iterator[Finding]:
    general = Counter((script.journey, script.language) for script in library.scripts if script.is_general)
    for journey, language in sorted({(script.journey, script.language) for script in library.scripts}):
        if general[journey, language] == 0:
            message = f"no general script in {language}: one without steps, errors, moments and tags"
            yield Finding(library.root / journey, 1, message)


def _check_names(library: Library) -> Iterator[Finding]:
    """A call task keeps the id alone, so two journeys may not use one id for two scripts."""
    owners: dict[tuple[str, str], Script] = {}
    for script in library.scripts:
        owner = owners.setdefault((script.id, script.language), script)
        if owner is not script:
            message = f"id {script.id} is taken by {owner.journey}/{owner.path.name}: choose another"
            yield Finding(script.path, 1, message)


def _check_unused(library: Library) -> Iterator[Finding]:
    """What stands in a common file and no script reads."""
    read = {(node.path, node.line) for script in library.scripts for node in script.nodes}
    read |= {(one.label.path, one.label.line) for script in library.scripts for one in script.objections}
    for common in library.commons.values():
        for name, line in (
            *((f"node {node.id}", node.line) for node in common.nodes),
            *((f"objection {one.id}", one.label.line) for one in common.objections),
        ):
            if (common.path, line) not in read:
                yield Finding(common.path, line, f"{name} is read by no script", is_warning=True)


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
