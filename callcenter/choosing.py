"""Which script a customer hears, and each night: how many hear which variant, and what usually helps.

Composes the scripts library, scripting and learning. Like the pipeline it commits nothing and takes `now`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sqlmodel import Session

from callcenter.learning import service as learning
from callcenter.learning.associations import BranchCount, Seen, what_was_seen
from callcenter.learning.help_queries import BranchAbout, CallsAbout, branches_about, calls_about
from callcenter.learning.rules import VariantCounts
from callcenter.learning.script_choice import FEWEST_PAST_CUSTOMERS, AllocationMethod, allocate, prior_from
from callcenter.learning.script_queries import Matured, matured_counts
from callcenter.models import Customer, TriggerFiring
from callcenter.scripting import service as scripting
from scripts_library.catalog import Catalog, shipped_catalog
from scripts_library.model import CALLBACK_NODE, CLOSE, WORKS_NODE, Script

LOOKS_BACK = timedelta(days=90)
"""What usually helps is told of the calls of the last 90 days: the app and its errors change."""


def script_for(
    session: Session,
    catalog: Catalog,
    firing: TriggerFiring,
    customer: Customer,
    moment: str | None,
    variant: str | None = None,
    *,
    heeds_error: bool = True,
) -> scripting.Choice:
    """Choose the script that fits a firing best and the variant its customer hears of it.

    With `heeds_error` off only step and moment count. `variant` is what the rule has its agents say wherever the
    script has it; then none is drawn.
    Raises scripts_library's UnknownScript for a journey without scripts.
    """
    facts = firing.facts
    error = facts.get("error") if heeds_error else None
    fit = scripting.fit(
        catalog,
        journey=firing.journey,
        step=firing.step,
        error=f"{error}:{facts['error_reason']}" if error and facts.get("error_reason") else error,
        moment=moment,
        language=customer.language,
        tags=(*customer.tags, *customer.agent_tags),
    )
    script = fit.script
    if variant is not None and variant in script.variants:
        return scripting.choice_of(fit, variant, 1.0, None)
    drawn = learning.draw_script(session, script.id, script.version, script.variants, customer.id)
    return scripting.choice_of(fit, drawn.variant, drawn.propensity, drawn.allocated_on)


def allocate_scripts(session: Session, now: datetime, catalog: Catalog | None = None) -> str:
    """Share the next day's customers out among the variants of every script, and say what was done.

    Run once a night; a second run on the same day (UTC) changes nothing, because draws refer to the first.
    Also renews what usually helps (`note_what_helps`). Without a catalogue the shipped scripts are read.
    """
    catalog = catalog or shipped_catalog()
    matured = matured_counts(session, now)
    made = [_allocation(script, matured) for script in _scripts(catalog)]
    kept = learning.keep_allocations(session, made, now.astimezone(UTC).date(), now)
    weighed = sum(one.allocation.method is AllocationMethod.THOMPSON for one in made)
    customers = sum(one.counts.n for one in matured)
    told = note_what_helps(session, now, catalog)
    by = f"{kept} new today, {weighed} by outcomes"
    return f"{len(made)} scripts shared out ({by}) from {customers} customers; {told}"


def note_what_helps(session: Session, now: datetime, catalog: Catalog | None = None) -> str:
    """Work out, for every step and error, which causes were found and after which branches customers went on."""
    catalog = catalog or shipped_catalog()
    since = now - LOOKS_BACK
    helping = helping_branches(catalog)
    seen = seen_by_place(
        calls_about(session, since, now),
        [
            one
            for one in branches_about(session, since, now)
            if (one.count.script_id, one.count.node, one.count.branch) in helping
        ],
    )
    learning.keep_what_helps(session, seen, since, now)
    return f"{len(seen)} steps and errors with enough calls"


def seen_by_place(
    calls: Sequence[CallsAbout], branches: Sequence[BranchAbout]
) -> Mapping[tuple[str, str, str], Seen]:
    """Sum calls and branches up for each step, each error on it and each reason of the error; pure.

    Keys are (journey, step, error), with error "", "photo_rejected" or "photo_rejected:glare". What has not
    enough calls is left out.
    """
    about: dict[tuple[str, str, str], list[CallsAbout]] = defaultdict(list)
    taken: dict[tuple[str, str, str], dict[tuple[str, str, str], list[int]]] = defaultdict(
        lambda: defaultdict(lambda: [0, 0])
    )
    for one in calls:
        for error in _levels(one.error, one.reason):
            about[one.journey, one.step, error].append(one)
    for branch in branches:
        count = branch.count
        for error in _levels(branch.error, branch.reason):
            sums = taken[branch.journey, branch.step, error][count.script_id, count.node, count.branch]
            sums[0] += count.calls
            sums[1] += count.went_on
    found = {}
    for place, those in about.items():
        causes = {cause: sum(one.causes[cause] for one in those) for cause in those[0].causes}
        counts = [BranchCount(*key, *sums) for key, sums in taken[place].items()]
        seen = what_was_seen(
            sum(one.calls for one in those), sum(one.with_cause for one in those), causes, counts
        )
        if seen is not None:
            found[place] = seen
    return found


def helping_branches(catalog: Catalog) -> frozenset[tuple[str, str, str]]:
    """Return (script, node, branch) of the branches that lead to help of the script's own.

    Not those that end the call, promise another or say that it works by now, nor the common ways out.
    """
    found = set()
    for script in catalog.scripts:
        helps = {
            node.id
            for node in script.nodes
            if node.branches
            and node.path == script.path
            and node.id not in (WORKS_NODE, CALLBACK_NODE, CLOSE)
        }
        for node in script.nodes:
            found |= {
                (script.id, node.id, f"{one.digit}-{one.goto}") for one in node.branches if one.goto in helps
            }
    return frozenset(found)


def _levels(error: str, reason: str) -> list[str]:
    """The whole step, the error, and the error with its reason."""
    return ["", *([error] if error else []), *([f"{error}:{reason}"] if error and reason else [])]


def _scripts(catalog: Catalog) -> list[Script]:
    """Every script once: its languages share variants and version."""
    return list({script.id: script for script in catalog.scripts}.values())


def _allocation(script: Script, matured: Sequence[Matured]) -> learning.MadeAllocation:
    """The script's own counts, and a prior from the journey's other variants and this one's older words."""
    mine = [one for one in matured if (one.script_id, one.version) == (script.id, script.version)]
    past = [one.counts for one in matured if one.journey == script.journey and one not in mine]
    counted = {one.variant: one.counts for one in mine}
    counts = {name: counted.get(name, VariantCounts(0, 0)) for name in script.variants}
    prior = prior_from(past, list(counts.values()))
    known = sum(one.n >= FEWEST_PAST_CUSTOMERS for one in past)
    return learning.MadeAllocation(
        script.id, script.version, script.journey, allocate(counts, prior), counts, known
    )
