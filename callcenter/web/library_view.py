"""The scripts library to read: every script with who uses it, and one in full as it stands in its file."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.effects import attempts_per_script
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.queries import current_rules
from callcenter.web.edge import chosen, frame, language
from callcenter.web.pages import studio as page
from callcenter.web.pages.script_results import SeenAfter
from callcenter.web.script_results_view import PathKey, results_of, script_named, seen_in
from callcenter.web.words import step_words
from scripts_library.catalog import Catalog
from scripts_library.model import CLOSE, NodeText, Script, Text, UnknownScript


def scripts_page(
    session: Session, catalog: Catalog, script_id: str | None, variant: str | None, now: datetime
) -> page.ScriptsPage:
    """Return the library; with an id ("id_photo.en") also that script. Raises NotFound when there is none."""
    journeys = journeys_loaded(session)
    specs = [one.spec for one in current_rules(session, journeys).all_current()]
    attempts = _attempts(attempts_per_script(session), catalog)
    rows = {
        page_id(script): _row(script, catalog, journeys, specs, attempts)
        for script in sorted(catalog.scripts, key=lambda one: _place(one, journeys))
    }
    read = None
    if script_id is not None:
        script = script_named(catalog, script_id)
        chosen_variant = variant if variant in script.variants else script.variants[0]
        read = _read(script, rows[script_id], chosen_variant, seen_in(session, script, now))
        read = replace(read, results=results_of(session, script, now))
    return page.ScriptsPage(frame=frame("scripts"), scripts=tuple(rows.values()), chosen=read)


def page_id(script: Script) -> str:
    """Return what names a script and its language in an address: id_photo.en."""
    return f"{script.id}.{script.language}"


def _place(script: Script, journeys: Mapping[str, JourneyDefinition]) -> tuple[str, int, str, str]:
    """By journey, then in the order in which customers come to the steps."""
    journey = journeys.get(script.journey)
    steps = [journey.order[step] for step in script.steps if journey and step in journey.order]
    return script.journey, min(steps, default=99), script.id, script.language


def _attempts(counts: Mapping[tuple[str, str], int], catalog: Catalog) -> Mapping[str, int]:
    """Attempts per script as it was read: a customer whose language it lacks heard the English one."""
    found: dict[str, int] = {}
    for (script_id, spoken), attempts in counts.items():
        try:
            key = page_id(catalog.get(script_id, spoken))
        except UnknownScript:
            continue
        found[key] = found.get(key, 0) + attempts
    return found


def _row(
    script: Script,
    catalog: Catalog,
    journeys: Mapping[str, JourneyDefinition],
    specs: list[RuleSpec],
    attempts: Mapping[str, int],
) -> page.ScriptRow:
    journey = journeys.get(script.journey)
    steps = [step_words(journey, step, language()) for step in script.steps]
    return page.ScriptRow(
        id=page_id(script),
        label=script.title,
        step=gettext(", ").join(steps) if steps else gettext("Any step"),
        journey=chosen(journey.title, journey.id) if journey else script.journey,
        language=script.language,
        version=script.version,
        href=f"/studio/scripts/{page_id(script)}",
        variants=script.variants,
        used_by=tuple(chosen(spec.title, spec.key) for spec in specs if _may_use(spec, script, catalog)),
        attempts=attempts.get(page_id(script), 0),
    )


def _may_use(spec: RuleSpec, script: Script, catalog: Catalog) -> bool:
    """Whether the catalogue gives this script to calls of a rule, with or without an error it is made for."""
    if spec.journey != script.journey or (script.steps and spec.step not in script.steps):
        return False
    for error in script.errors or (None,):
        try:
            found = catalog.find(spec.journey, spec.step, error, spec.moment, script.language, script.tags)
        except UnknownScript:
            continue
        if found.script == script:
            return True
    return False


def _read(
    script: Script, row: page.ScriptRow, variant: str, seen: Mapping[PathKey, SeenAfter]
) -> page.ReadScript:
    labels = {node.id: _humanized(node.id) for node in script.nodes} | {CLOSE: gettext("Closing words")}
    spoken = (
        ("opening", gettext("Opening"), script.opening.of(variant)),
        ("notice", gettext("Notice"), script.notice),
        ("right-person", gettext("The right person"), script.right_person),
        ("reason", gettext("Reason of the call"), script.reason.of(variant)),
    )
    notes = dict(script.variant_notes)
    return page.ReadScript(
        row=row,
        variant=variant if len(row.variants) > 1 else None,
        parts=(
            *(page.ReadPart(key, label, _lines(text, script.language)) for key, label, text in spoken),
            *(_node(node, labels, script.language, seen) for node in script.nodes),
            page.ReadPart(CLOSE, labels[CLOSE], _lines(script.close, script.language)),
        ),
        objections=tuple(
            (one.label.text, _lines(one.answer, script.language)[0]) for one in script.objections
        ),
        heard=tuple(seen.get(("", one.id)) for one in script.objections),
        required_notices=tuple(notice.text.text for notice in script.required_notices),
        versions=tuple(
            page.Choice(
                f"{name}: {notes[name]}" if name in notes else name,
                f"{row.href}?{urlencode({'variant': name})}",
                name == variant,
            )
            for name in row.variants
        ),
    )


def _node(
    node: NodeText, labels: Mapping[str, str], language: str, seen: Mapping[PathKey, SeenAfter]
) -> page.ReadPart:
    return page.ReadPart(
        node.id,
        labels[node.id],
        _lines(node.say, language),
        tuple(
            page.ReadBranch(
                branch.digit,
                branch.label.text,
                branch.hint.text,
                labels.get(branch.goto, branch.goto),
                seen.get((node.id, f"{branch.digit}-{branch.goto}")),
            )
            for branch in node.branches
        ),
    )


def _lines(text: Text, language: str) -> tuple[str, ...]:
    """The words as one flow: source lines are where the author broke them."""
    lines = (line.strip() for line in text.text.splitlines())
    return (("" if language == "zh" else " ").join(line for line in lines if line),)


def _humanized(node_id: str) -> str:
    return node_id.replace("_", " ").capitalize()
