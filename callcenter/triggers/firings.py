"""What fired, and what entered a band, between a look at visits and the rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.domain.draws import visit_identity
from callcenter.domain.enums import FiringFate, SuppressReason
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import VisitRecord
from callcenter.triggers.banded import BandEntry, store_entries
from callcenter.triggers.policy import RuleSpec
from callcenter.triggers.rules import Clock


@dataclass(frozen=True, slots=True)
class FiringDraft:
    """A rule that ran out for a visit, to be stored once the visit is; the best of a look shadows the others.

    `spec` is the rule as it ran for the visit, its wait drawn where it has a band. With `enters_band` nothing
    fired: the shortest wait of the band ran out, and the visit is one by which the waits are judged.
    """

    rule_id: UUID
    rule_key: str
    visit: VisitRecord
    clock: Clock
    fired_at: datetime
    reason: SuppressReason | None
    spec: RuleSpec

    @property
    def enters_band(self) -> bool:
        """Whether this is a visit that waits are judged by, and no firing."""
        return self.spec.enters_band


def identity_of(visit: VisitRecord) -> str:
    """Name a visit as its draws know it."""
    return visit_identity(visit.customer_id, visit.journey, visit.journey_key, visit.state.visit_seq)


_STORE = """
INSERT INTO trigger_firing (id, rule_id, rule_key, visit_id, customer_id, journey, journey_key, step, visit_seq,
                            anchor_at, due_at, wake_at, fired_at, tries, fate, suppress_reason, decided_at, facts,
                            wait_probability)
SELECT * FROM unnest(
    %(id)b::uuid[], %(rule_id)b::uuid[], %(rule_key)b::text[], %(visit_id)b::uuid[], %(customer_id)b::uuid[],
    %(journey)b::text[], %(journey_key)b::text[], %(step)b::text[], %(visit_seq)b::int[],
    %(anchor_at)b::timestamptz[], %(due_at)b::timestamptz[], %(wake_at)b::timestamptz[],
    %(fired_at)b::timestamptz[], %(tries)b::int[], %(fate)b::text[], %(suppress_reason)b::text[],
    %(decided_at)b::timestamptz[], %(facts)b::text[]::jsonb[],
    %(wait_probability)b::float8[]) AS f
ON CONFLICT DO NOTHING
"""


def store_firings(session: Session, drafts: Sequence[FiringDraft]) -> None:
    """Store firings, their visits being written: at most one per rule and visit, whatever happens.

    The visits that entered a band are stored beside them.
    """
    store_entries(session, [_entry_of(one) for one in drafts if one.enters_band])
    rows = [_firing_row(draft) for draft in drafts if not draft.enters_band]
    if not rows:
        return
    cursor_of(session).execute(_STORE, {name: [row[name] for row in rows] for name in rows[0]})


def _entry_of(draft: FiringDraft) -> BandEntry:
    visit, spec = draft.visit, draft.spec
    assert spec.band is not None
    drawn = spec.band.draw(spec.key, identity_of(visit))
    at = draft.clock.due_at
    return BandEntry(
        rule_id=draft.rule_id,
        rule_key=draft.rule_key,
        visit_id=visit.id,
        customer_id=visit.customer_id,
        at=at,
        until_at=at + spec.window,
        wait_seconds=drawn.wait.total_seconds(),
        probability=drawn.probability,
        errors=visit.state.errors,
        minutes=(at - visit.state.entered_at).total_seconds() / 60,
    )


def _firing_row(draft: FiringDraft) -> dict[str, Any]:
    visit, state, clock = draft.visit, draft.visit.state, draft.clock
    key = (draft.rule_key, visit.customer_id, visit.journey, visit.journey_key, state.visit_seq)
    facts = {
        "error": state.last_error,
        "error_reason": state.last_error_reason,
        "errors": state.errors,
        **state.facts,
    }
    at_once = clock.due_at == clock.anchor_at
    return {
        "id": derived_id("firing", *key),
        "rule_id": draft.rule_id,
        "rule_key": draft.rule_key,
        "visit_id": visit.id,
        "customer_id": visit.customer_id,
        "journey": visit.journey,
        "journey_key": visit.journey_key,
        "step": state.step,
        "visit_seq": state.visit_seq,
        "anchor_at": clock.anchor_at,
        "due_at": clock.due_at,
        "wake_at": clock.due_at if at_once else clock.due_at + visit.lateness,
        "fired_at": draft.fired_at,
        "tries": 0,
        "fate": FiringFate.SUPPRESSED.value if draft.reason else None,
        "suppress_reason": draft.reason.value if draft.reason else None,
        "decided_at": draft.fired_at if draft.reason else None,
        "facts": orjson.dumps(facts).decode(),
        "wait_probability": draft.spec.wait_probability,
    }
