"""Reads of proposals."""

from collections.abc import Sequence
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.enums import ProposalState
from callcenter.errors import NotFound
from callcenter.models import Proposal

UNDERWAY = (ProposalState.OPEN, ProposalState.IN_REVIEW, ProposalState.CANARY)


def proposals(session: Session, limit: int = 500) -> Sequence[Proposal]:
    """Return proposals, those that wait for somebody first, then the latest."""
    rows = session.exec(select(Proposal).order_by(col(Proposal.state_at).desc()).limit(limit)).all()
    order = {state: place for place, state in enumerate(UNDERWAY)}
    return sorted(rows, key=lambda one: order.get(ProposalState(one.state), len(order)))


def proposal_of(session: Session, proposal_id: UUID) -> Proposal:
    """Return one. Raises NotFound."""
    row = session.get(Proposal, proposal_id)
    if row is None:
        raise NotFound("There is no such proposal.")
    return row


def proposals_of_rule(session: Session, rule_key: str) -> Sequence[Proposal]:
    """Return a rule's proposals, the latest first."""
    return session.exec(
        select(Proposal).where(Proposal.rule_key == rule_key).order_by(col(Proposal.made_at).desc())
    ).all()
