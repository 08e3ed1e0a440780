"""Changes that the system proposes each night: another wait, a pause, a smaller hold-out, a script variant.

It composes what the stages know and decides nothing by itself: the gates are `learning/proposing.py`, and what
people make of a proposal is `deciding.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.backtest.run import Tried, run_back_test
from callcenter.backtest.store import StoredEvents
from callcenter.best_scripts import best_of_rule
from callcenter.domain.enums import ProposalKind, ProposalState, RuleState
from callcenter.domain.erlang import agents_needed
from callcenter.domain.journey import JourneyDefinition
from callcenter.errors import BadInput
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning import proposals
from callcenter.learning import service as learning
from callcenter.learning.bands import log_of, waits_of
from callcenter.learning.findings import (
    best_variant_evidence,
    definition_with_wait,
    effect_evidence,
    variant_evidence,
    wait_evidence,
)
from callcenter.learning.proposing import (
    judge_waits,
    proposed_holdout,
    proposed_variant,
    proposed_wait,
    proposes_pause,
)
from callcenter.learning.queries import counts_per_rule, variants_per_rule
from callcenter.learning.rules import VariantCounts, compare_variants, effect_of_rule
from callcenter.models import Proposal, TriggerRule
from callcenter.triggers.banded import SettledVisit, settle_entries, settled_visits, versions_to_settle
from callcenter.triggers.policy import RuleSpec, read_rule
from callcenter.triggers.queries import current_rules

LOAD_DAYS = 14
"""So many days are played back to say what load a change brings."""
HANDLE_TIME = timedelta(minutes=4)
"""Of an average call task, as the back-test assumes."""
ANSWER_WITHIN = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Standing:
    """A live rule as it stands: its row, compiled, and its journey."""

    row: TriggerRule
    spec: RuleSpec
    journey: JourneyDefinition


def propose(session: Session, global_holdout: float, now: datetime) -> str:
    """Settle the visits whose window is over, and propose what the evidence speaks for; say what was done.

    `global_holdout` is the share held out of all rules. May run as often as one likes: what is underway is not
    proposed again, and between two milestones of a log the answer stays the same.
    """
    journeys = journeys_loaded(session)
    settled = settle_visits(session, journeys, now)
    expired = _expire(session, now)
    standing = live_rules(session, journeys)
    made = 0
    for draft in _drafts(session, standing, global_holdout, now):
        row = proposals.make_proposal(session, draft, now)
        if row is not None:
            made += 1
            accounts.record(session, None, "rule.proposed", row.rule_key, now, kind=row.kind.value)
    if made or expired:
        outbox.ring(session, outbox.STUDIO)
    return f"{len(standing)} rules, {settled} visits settled, {made} proposals made, {expired} expired"


def settle_visits(session: Session, journeys: Mapping[str, JourneyDefinition], now: datetime) -> int:
    """Fill in what came of banded visits whose window is over; return of how many."""
    reached = {}
    for row in versions_to_settle(session, now):
        journey = journeys.get(row.journey)
        if journey is not None:
            try:
                reached[row.id] = steps_reached(read_rule(row.definition, journey), journey)
            except BadInput:  # it fits its journey no more: nothing can be said of what it counted
                continue
    return settle_entries(session, reached, now)


def steps_reached(spec: RuleSpec, journey: JourneyDefinition) -> list[str]:
    """The steps whose reaching counts as converted for a rule."""
    goal = journey.order[spec.goal] if spec.goal else journey.order[spec.step] + 1
    return [step for step, place in journey.order.items() if place >= goal]


def live_rules(session: Session, journeys: Mapping[str, JourneyDefinition]) -> list[Standing]:
    """Every rule that is live and fits its journey, by name."""
    found = {one.id: one for one in current_rules(session, journeys).all_current()}
    rows = session.exec(
        select(TriggerRule)
        .where(TriggerRule.state == RuleState.LIVE)
        .where(col(TriggerRule.id).in_(list(found)))
        .order_by(col(TriggerRule.rule_key))
    )
    return [Standing(row, found[row.id].spec, journeys[row.journey]) for row in rows]


def _drafts(
    session: Session, standing: list[Standing], global_holdout: float, now: datetime
) -> Iterator[proposals.Draft]:
    counts, variants = counts_per_rule(session), variants_per_rule(session)
    for one in standing:
        if draft := _wait_draft(session, one, one.spec.share_of_all(global_holdout)):
            yield draft
        key, definition = one.row.rule_key, one.row.definition
        if key in counts:
            effect = effect_of_rule(counts[key].arms, counts[key].share_drawn(one.spec.holdout))
            if proposes_pause(effect):
                yield _draft(one, ProposalKind.PAUSE, {}, effect_evidence(effect))
            if (share := proposed_holdout(effect, one.spec.holdout)) is not None:
                told = effect_evidence(effect, share=share, share_now=one.spec.holdout)
                yield _draft(one, ProposalKind.HOLDOUT, {**definition, "holdout": share}, told)
        if one.spec.variant is None and (best := _best_variant(session, key, variants.get(key), now)):
            yield _draft(one, ProposalKind.VARIANT, {**definition, "variant": best["variant"]}, best)


def _best_variant(
    session: Session, rule_key: str, halves: tuple[VariantCounts, VariantCounts] | None, now: datetime
) -> Mapping[str, Any] | None:
    """What speaks for one variant of a rule's scripts: of two with half each, or of three and more."""
    if halves is not None:
        compared = compare_variants(*halves)
        if (variant := proposed_variant(compared.verdict)) is not None:
            return variant_evidence(compared, variant)
    best = best_of_rule(session, rule_key, now)
    return best_variant_evidence(best) if best else None


def is_held_out(spec: RuleSpec, visit: SettledVisit, of_all: float) -> bool:
    """Whether a banded visit's customer was not to be called, whether or not a firing came of it.

    `of_all` is the share held out of all rules that counts for this one; drawn as the firing's own (`pipeline`).
    """
    return learning.draw_arm(spec.key, visit.customer_id, spec.holdout, visit.at, of_all).held_out


def _wait_draft(session: Session, one: Standing, of_all: float) -> proposals.Draft | None:
    band, spec = one.spec.band, one.spec
    if band is None:
        return None
    log = log_of((visit, is_held_out(spec, visit, of_all)) for visit in settled_visits(session, one.row.id))
    current = spec.after.total_seconds()
    judged = judge_waits(log, current, waits_of(band), max(spec.holdout, of_all))
    best = proposed_wait(judged)
    if best is None:
        return None
    changed = definition_with_wait(one.row.definition, current, best.wait)
    read_rule(changed, one.journey)
    return _draft(one, ProposalKind.WAIT, changed, wait_evidence(judged, best, log, current))


def _draft(
    one: Standing, kind: ProposalKind, definition: Mapping[str, Any], evidence: Mapping[str, Any]
) -> proposals.Draft:
    return proposals.Draft(one.row.rule_key, one.row.id, kind, definition, evidence)


def _expire(session: Session, now: datetime) -> int:
    """End open proposals that nobody took up in time, or whose rule says something else by now."""
    expired = 0
    for row in proposals.proposals_underway(session):
        if row.state != ProposalState.OPEN:
            continue
        rule = session.get(TriggerRule, row.rule_id)
        is_current = rule is not None and rule.state in (RuleState.LIVE, RuleState.PAUSED)
        if now >= row.expires_at or not is_current:
            reason = "time" if is_current else "overtaken"
            proposals.move(session, row, ProposalState.EXPIRED, now, reason=reason)
            accounts.record(session, None, "rule.proposal_expired", row.rule_key, now, reason=reason)
            expired += 1
    return expired


# -- load --------------------------------------------------------------------------------------------------


def proposal_without_load(session: Session) -> UUID | None:
    """The next open proposal of which it is not known yet what load it would bring."""
    return session.exec(
        select(Proposal.id)
        .where(Proposal.state == ProposalState.OPEN)
        .where(col(Proposal.definition) != {})
        .where(col(Proposal.evidence)["load"].is_(None))
        .order_by(col(Proposal.made_at))
        .limit(1)
    ).first()


def load_of(session: Session, proposal_id: UUID, archive: Path | None, now: datetime) -> Mapping[str, Any]:
    """Play the last two weeks back under the rule as it is and as it would be: calls a day, agents at the peak.

    The session must have read nothing of the events yet; its transaction becomes read-only.
    """
    row = session.get_one(Proposal, proposal_id)
    rule = session.get_one(TriggerRule, row.rule_id)
    journey = journeys_loaded(session)[rule.journey]
    tried, beside = (
        Tried(read_rule(one, journey), one.get("conditions")) for one in (row.definition, rule.definition)
    )
    since = now - timedelta(days=LOAD_DAYS)
    stored = StoredEvents(session, journey, archive, now)
    run = run_back_test(stored, journey, tried, others=[beside], since=since, until=now)
    after = [one.fired_at for one in run.back_test.firings]
    before = [one.fired_at for one in run.others[rule.rule_key]]
    return {
        "days": LOAD_DAYS,
        "fired": len(after),
        "fired_now": len(before),
        "agents": _agents(after),
        "agents_now": _agents(before),
    }


def note_load(session: Session, proposal_id: UUID, load: Mapping[str, Any]) -> None:
    """Write the load of an open proposal down; of one decided meanwhile it is not wanted any more."""
    row = session.get(Proposal, proposal_id, with_for_update=True, populate_existing=True)
    if row is not None and row.state == ProposalState.OPEN:
        proposals.note_figures(session, row, load=load)
        outbox.ring(session, outbox.STUDIO)


def _agents(times: list[datetime]) -> int:
    """Agents for the busiest hour, 80 % of the calls within 20 s, nobody giving up."""
    hours: dict[datetime, int] = {}
    for at in times:
        hour = at.replace(minute=0, second=0, microsecond=0)
        hours[hour] = hours.get(hour, 0) + 1
    busiest = max(hours.values(), default=0)
    return agents_needed(busiest, HANDLE_TIME, ANSWER_WITHIN, 0.8, None).agents
