"""The two languages of a script, and of a common file, stay the same script."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import combinations
from pathlib import Path

from scripts_library.assembling import Library
from scripts_library.model import LANGUAGES, Finding, NodeText, Script
from scripts_library.parsing import Draft


def check_twins(library: Library) -> Iterator[Finding]:
    """Every script and every common file has its twin, and both say the same in the same places."""
    scripts: dict[tuple[str, str], dict[str, Script]] = defaultdict(dict)
    commons: dict[str, dict[str, Draft]] = defaultdict(dict)
    for script in library.scripts:
        scripts[script.journey, script.id][script.language] = script
    for (journey, language), draft in library.commons.items():
        commons[journey][language] = draft
    on_disk = {path.relative_to(library.root) for path in library.root.glob("*/*.md")}
    for (journey, script_id), by_language in scripts.items():
        first = next(iter(by_language.values()))
        yield from _missing(first.path, Path(journey), script_id, by_language.keys(), on_disk)
        for twin in by_language.values():
            yield from _script_differences(first, twin)
    for journey, drafts in commons.items():
        one = next(iter(drafts.values()))
        yield from _missing(one.path, Path(journey), "_common", drafts.keys(), on_disk)
        for other in drafts.values():
            yield from _common_differences(one, other)


def _missing(
    path: Path, folder: Path, stem: str, languages: Collection[str], on_disk: set[Path]
) -> Iterator[Finding]:
    for language in LANGUAGES:
        name = f"{stem}.{language}.md"
        if language not in languages and folder / name not in on_disk:
            yield Finding(path, 1, f"its twin {name} is missing")


def _script_differences(first: Script, twin: Script) -> Iterator[Finding]:
    for what in ("version", "steps", "errors", "moments", "tags", "causes", "variants"):
        if getattr(first, what) != getattr(twin, what):
            yield Finding(twin.path, 1, f"{what} differs from its twin {first.path.name}")
    for what in ("opening", "reason"):
        ours, theirs = getattr(first, what), getattr(twin, what)
        for one, other in combinations(sorted({*ours.variants} & {*theirs.variants}), 2):
            differs = [both.of(one).text != both.of(other).text for both in (ours, theirs)]
            if differs[0] != differs[1]:
                message = (
                    f"in one language {one} and {other} have the same {what}, "
                    f"in {first.path.name} it is otherwise"
                )
                yield Finding(twin.path, theirs.of(one).line, message)
    yield from _ids_differ(
        first.path,
        twin.path,
        {
            "node ids": [[node.id for node in script.nodes] for script in (first, twin)],
            "objections": [[objection.id for objection in script.objections] for script in (first, twin)],
            "required notices": [[notice.id for notice in one.required_notices] for one in (first, twin)],
        },
    )
    yield from _branches_differ(first.path, first.nodes, twin.nodes)


def _common_differences(first: Draft, twin: Draft) -> Iterator[Finding]:
    if first.front.version != twin.front.version:
        yield Finding(twin.path, 1, f"version differs from its twin {first.path.name}")
    yield from _ids_differ(
        first.path,
        twin.path,
        {
            "sections": [sorted([*one.single, *one.opening, *one.reason]) for one in (first, twin)],
            "node ids": [[node.id for node in one.nodes] for one in (first, twin)],
            "objections": [[objection.id for objection in one.objections] for one in (first, twin)],
            "required notices": [[notice.id for notice in one.notices] for one in (first, twin)],
        },
    )
    yield from _branches_differ(first.path, first.nodes, twin.nodes)


def _ids_differ(path: Path, twin: Path, pairs: dict[str, list[list[str]]]) -> Iterator[Finding]:
    for what, (ours, theirs) in pairs.items():
        if ours != theirs:
            yield Finding(twin, 1, f"{what} differ from its twin {path.name}")


def _branches_differ(path: Path, ours: Sequence[NodeText], theirs: Sequence[NodeText]) -> Iterator[Finding]:
    known = {node.id: [(branch.digit, branch.goto) for branch in node.branches] for node in ours}
    for node in theirs:
        if node.id in known and known[node.id] != [(branch.digit, branch.goto) for branch in node.branches]:
            yield Finding(node.path, node.line, f"branches of {node.id} differ from its twin {path.name}")
