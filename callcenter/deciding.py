"""What people make of proposals, and what canaries make of themselves: accepted, tried, adopted, taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import acts, outbox, trials
from callcenter.accounts import service as accounts
from callcenter.domain.enums import ProposalKind, ProposalState, RuleState
from callcenter.errors import Conflict
from callcenter.journeys.queries import journeys_loaded
from callcenter.learning import proposals
from callcenter.learning.canaries import TriedVersion, canary_counts
from callcenter.learning.findings import canary_evidence
from callcenter.learning.proposal_queries import proposals_of_rule
from callcenter.learning.proposals import lock_proposal, move, said_reason
from callcenter.learning.proposing import JudgedCanary, judge_canary
from callcenter.models import Proposal, TriggerRule
from callcenter.proposing import steps_reached
from callcenter.triggers.policy import read_rule
from callcenter.triggers.trial_queries import trials_running

DECIDE_WITHIN = timedelta(days=14)
"""A canary whose time is over waits so long for a decision, and ends by itself then."""

_NOTHING: Mapping[tuple[str, int], str] = {}


def accept(session: Session, proposal_id: UUID, user_id: UUID, now: datetime, *, days: int) -> Proposal:
    """Take a proposal up: a wait goes on trial, a hold-out or a variant to review, a harmful rule is paused.

    Whoever accepts stands as the author of the new version, so that somebody else must make it live. Raises
    Conflict where it was decided before or the rule says something else by now.
    """
    row = lock_proposal(session, proposal_id, ProposalState.OPEN)
    rule = session.get(TriggerRule, row.rule_id, populate_existing=True)
    if rule is None or rule.state not in (RuleState.LIVE, RuleState.PAUSED):
        raise Conflict("The rule says something else by now, so this is out of date. Decline it.")
    note = f"Proposal, 建议 {row.made_at:%Y-%m-%d}"
    if row.kind == ProposalKind.PAUSE:
        acts.switch_rule(session, row.rule_key, user_id, now, live=False)
        _moved(session, row, ProposalState.ADOPTED, user_id, now)
    elif row.kind == ProposalKind.WAIT:
        version = trials.try_proposed(
            session, row.rule_key, row.definition, user_id, now, note=note, days=days
        )
        _moved(session, row, ProposalState.CANARY, user_id, now, trial=version)
    else:
        version = trials.write_proposed(session, row.rule_key, row.definition, user_id, now, note=note)
        _moved(session, row, ProposalState.IN_REVIEW, user_id, now, trial=version)
    return row


def decline(session: Session, proposal_id: UUID, user_id: UUID, now: datetime, *, reason: str) -> Proposal:
    """Say no to a proposal, and why; the same is not proposed again for a month. One in review is sent back."""
    row = lock_proposal(session, proposal_id, ProposalState.OPEN, ProposalState.IN_REVIEW)
    why = said_reason(reason)
    if row.state == ProposalState.IN_REVIEW:
        acts.send_rule_back(session, row.rule_key, _trial(session, row).version, user_id, now, reason=why)
    _moved(session, row, ProposalState.DECLINED, user_id, now, reason=why)
    return row


def adopt(session: Session, proposal_id: UUID, user_id: UUID, now: datetime) -> Proposal:
    """Make what was tried or reviewed live for everybody; raises Forbidden for whoever accepted it."""
    row = lock_proposal(session, proposal_id, ProposalState.CANARY, ProposalState.IN_REVIEW)
    acts.publish_rule(session, row.rule_key, _trial(session, row).version, user_id, now, migrate=False)
    _moved(session, row, ProposalState.ADOPTED, user_id, now)
    return row


def roll_back(session: Session, proposal_id: UUID, user_id: UUID, now: datetime, *, reason: str) -> Proposal:
    """Take a canary or an adopted change back, at once and by one person."""
    row = lock_proposal(session, proposal_id, ProposalState.CANARY, ProposalState.ADOPTED)
    why = said_reason(reason)
    if row.kind == ProposalKind.PAUSE:
        acts.switch_rule(session, row.rule_key, user_id, now, live=True)
    elif row.state == ProposalState.CANARY:
        trials.stop_trial(session, row.rule_key, _trial(session, row).version, user_id, now, reason=why)
    else:
        trial = _trial(session, row)
        if trial.state not in (RuleState.LIVE, RuleState.PAUSED):
            raise Conflict("Another version went live since. Go back on the rule's own page.")
        before = session.get_one(TriggerRule, row.rule_id)
        trials.roll_back_rule(session, row.rule_key, user_id, now, to_version=before.version, reason=why)
    _moved(session, row, ProposalState.ROLLED_BACK, user_id, now, reason=why)
    return row


@dataclass(frozen=True, slots=True)
class Ended:
    """A canary that ended by itself, and why."""

    rule_key: str
    version: int
    reason: str


def watch_canaries(session: Session, now: datetime) -> Sequence[Ended]:
    """Judge every canary: stop what harms, end what nobody decided on, and let proposals follow their versions.

    The evidence may be looked at as often as one likes, so it does not matter how often this runs.
    """
    ended = []
    for row in trials_running(session):
        judged = judge_trial(session, row, now)
        assert row.canary_until is not None
        reason = None
        if judged.must_stop:
            reason = "harm" if judged.verdict.value == "worse" else "split"
        elif now >= row.canary_until + DECIDE_WITHIN:
            reason = "undecided"
        for proposal in proposals_of_rule(session, row.rule_key):
            if proposal.trial_rule_id == row.id:
                proposals.note_figures(session, proposal, canary=canary_evidence(judged))
        if reason is None:
            continue
        try:
            trials.stop_trial(session, row.rule_key, row.version, None, now, reason=reason)
        except Conflict:  # a person was faster
            continue
        ended.append(Ended(row.rule_key, row.version, reason))
    follow(session, now, {(one.rule_key, one.version): one.reason for one in ended})
    return ended


def judge_trial(session: Session, row: TriggerRule, now: datetime) -> JudgedCanary:
    """How a version that is or was on trial stands beside the live one; up to its end where it has ended."""
    journey = journeys_loaded(session)[row.journey]
    spec = read_rule(row.definition, journey)
    assert row.canary_from is not None and row.canary_share is not None
    tried = TriedVersion(
        rule_key=row.rule_key,
        version=row.version,
        journey=row.journey,
        step=row.step,
        share=row.canary_share,
        since=row.canary_from,
        reached=steps_reached(spec, journey),
        window=spec.window,
    )
    return judge_canary(canary_counts(session, tried, row.canary_ended_at or now), row.canary_share)


def follow(session: Session, now: datetime, ended: Mapping[tuple[str, int], str] = _NOTHING) -> None:
    """Let proposals underway follow versions whose life went on elsewhere: on the rule's page, or by itself.

    `ended` says why canaries ended by themselves, by rule and version.
    """
    for row in proposals.proposals_underway(session):
        if row.trial_rule_id is None:
            continue
        version = session.get_one(TriggerRule, row.trial_rule_id, populate_existing=True)
        reason = ended.get((version.rule_key, version.version), "elsewhere")
        if version.state in (RuleState.LIVE, RuleState.PAUSED):
            _moved(session, row, ProposalState.ADOPTED, version.published_by, now)
        elif version.state == RuleState.CANARY and row.state == ProposalState.IN_REVIEW:
            _moved(session, row, ProposalState.CANARY, None, now)
        elif version.state in (RuleState.RETIRED, RuleState.DRAFT):
            state = ProposalState.EXPIRED if reason == "undecided" else ProposalState.ROLLED_BACK
            _moved(session, row, state, None, now, reason=reason)


def _trial(session: Session, row: Proposal) -> TriggerRule:
    assert row.trial_rule_id is not None
    return session.get_one(TriggerRule, row.trial_rule_id, populate_existing=True)


def _moved(
    session: Session,
    row: Proposal,
    state: ProposalState,
    user_id: UUID | None,
    now: datetime,
    *,
    reason: str = "",
    trial: TriggerRule | None = None,
) -> None:
    move(session, row, state, now, user_id=user_id, reason=reason, trial_rule_id=trial.id if trial else None)
    told: dict[str, Any] = {"kind": row.kind, "reason": reason} if reason else {"kind": row.kind}
    accounts.record(session, user_id, f"rule.proposal_{state.value}", row.rule_key, now, **told)
    outbox.ring(session, outbox.STUDIO)
