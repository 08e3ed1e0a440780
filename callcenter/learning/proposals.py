"""Keep proposals: made by the system, decided on by people, never two of a kind underway for one rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from callcenter.domain.enums import ProposalKind, ProposalState
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.learning.proposal_queries import UNDERWAY
from callcenter.models import Proposal

OPEN_FOR = timedelta(days=30)
"""So long a proposal waits for somebody; then its figures are old."""
QUIET_AFTER_NO = timedelta(days=30)
"""So long the same change is not proposed again after somebody declined it or it was rolled back."""
REASON_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that may be proposed: of which rule's version, what it would say then, and why."""

    rule_key: str
    rule_id: UUID
    kind: ProposalKind
    definition: Mapping[str, Any]
    evidence: Mapping[str, Any]


def make_proposal(session: Session, draft: Draft, now: datetime) -> Proposal | None:
    """Keep a proposal; None where one of its kind is underway, or the same was said no to lately."""
    known = session.exec(
        select(Proposal).where(Proposal.rule_key == draft.rule_key, Proposal.kind == draft.kind)
    ).all()
    for one in known:
        refused = one.state in (ProposalState.DECLINED, ProposalState.ROLLED_BACK)
        if one.state in UNDERWAY:
            return None
        if refused and one.definition == draft.definition and now - one.state_at < QUIET_AFTER_NO:
            return None
    row = Proposal(
        id=derived_id("proposal", draft.rule_key, draft.kind, draft.rule_id, now.isoformat()),
        rule_key=draft.rule_key,
        rule_id=draft.rule_id,
        kind=draft.kind,
        state=ProposalState.OPEN,
        state_at=now,
        made_at=now,
        expires_at=now + OPEN_FOR,
        definition=dict(draft.definition),
        evidence=dict(draft.evidence),
    )
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:  # another process has just made it
        return None
    return row


def lock_proposal(session: Session, proposal_id: UUID, *states: ProposalState) -> Proposal:
    """Lock a proposal until the commit. Raises NotFound, or Conflict when it is in none of these states."""
    row = session.get(Proposal, proposal_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such proposal.")
    if row.state not in states:
        raise Conflict(
            f"This proposal is {row.state.replace('_', ' ')} by now. Reload the page to see it as it is."
        )
    return row


def move(
    session: Session,
    row: Proposal,
    state: ProposalState,
    now: datetime,
    *,
    user_id: UUID | None = None,
    reason: str = "",
    trial_rule_id: UUID | None = None,
) -> None:
    """Put a proposal into its next state."""
    row.state, row.state_at = state, now
    row.decided_by, row.reason = user_id, reason[:REASON_LENGTH]
    if trial_rule_id is not None:
        row.trial_rule_id = trial_rule_id
    session.flush()


def said_reason(reason: str) -> str:
    """Return a reason that was given. Raises BadInput where it is empty."""
    if not reason.strip():
        raise BadInput("Say why; whoever reads the proposal later wants to know.", {"reason": ["Say why."]})
    return reason.strip()[:REASON_LENGTH]


def note_figures(session: Session, row: Proposal, **figures: Mapping[str, Any]) -> None:
    """Write down figures of a proposal: `canary` as last looked at, `load` once it is known."""
    if "canary" in figures:
        row.canary = dict(figures["canary"])
    if "load" in figures:
        row.evidence = {**row.evidence, "load": dict(figures["load"])}
    session.flush()


def proposals_underway(session: Session) -> Sequence[Proposal]:
    """Lock and return the proposals that are open, in review or on trial; those held elsewhere are left out."""
    return session.exec(
        select(Proposal)
        .where(col(Proposal.state).in_(UNDERWAY))
        .order_by(col(Proposal.id))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
