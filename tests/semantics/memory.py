"""The live path without a database: the product's own rules move visits and look at them, in memory."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from callcenter.domain.enums import RuleState
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import VisitRecord
from callcenter.intake.rules import read_batch
from callcenter.journeys.policy import read_journey
from callcenter.journeys.records import VisitKey, new_visit
from callcenter.journeys.rules import advance_visit, place_event
from callcenter.triggers.policy import read_rule
from callcenter.triggers.queries import RuleSet, RuleVersion
from callcenter.triggers.service import look
from tests.semantics.oracle import Fired, Moment
from tests.semantics.player import START, at, raw_event
from tests.semantics.worlds import Story, World


def told_in_memory(world: World) -> Story:
    """What the product's rules find in a world whose events all name their customers."""
    return _Memory(world).story


class _Memory:
    """Visits by course, as the rows would hold them; a look finds those whose clock has run out."""

    def __init__(self, world: World) -> None:
        self.journey = read_journey(world.journey)
        self.rules = _live(world)
        self.lateness = timedelta(seconds=world.lateness)
        self.visits: dict[VisitKey, VisitRecord] = {}
        self.last_seq: dict[VisitKey, int] = {}
        self.names: dict[UUID, str] = {}
        self.known: set[str] = set()
        self.story: Story = {}
        for moment in world.history:
            self._look(self._takes(moment) if moment.events else self._due(moment), moment)
        for found in self.story.values():
            found.sort()

    def _due(self, moment: Moment) -> list[VisitRecord]:
        now = at(moment.at)
        return [one for one in self.visits.values() if one.wake_at is not None and one.wake_at <= now]

    def _takes(self, moment: Moment) -> list[VisitRecord]:
        batch = read_batch([raw_event(one) for one in moment.events], {}, at(moment.at))
        once = {one.message_id: one for one in reversed(batch.events) if one.message_id not in self.known}
        self.known |= set(once)
        touched: dict[VisitKey, None] = {}
        for event in sorted(once.values(), key=lambda one: one.order):
            place = place_event({self.journey.id: self.journey}, event)
            if place is None or event.historical:
                continue
            key = (derived_id("customer", event.user_id or ""), place.journey, place.journey_key)
            self.names[key[0]] = event.user_id or ""
            touched[key] = None
            visit = self.visits.get(key)
            last_seq = self.last_seq.get(key, 0)
            advance = advance_visit(self.journey, visit.state if visit else None, last_seq, place, event)
            if advance.current is None:
                self.visits.pop(key, None)
            elif advance.is_new or visit is None:
                self.visits[key] = new_visit(key, advance.current, self.lateness)
                self.last_seq[key] = advance.current.visit_seq
            else:
                visit.state = advance.current
        return [self.visits[key] for key in touched if key in self.visits]

    def _look(self, visits: list[VisitRecord], moment: Moment) -> None:
        for draft in look(self.rules, visits, lambda ids, asked: {}, at(moment.at)):
            course = (self.names[draft.visit.customer_id], draft.visit.journey_key)
            anchor, due = (
                (one - START) // timedelta(seconds=1) for one in (draft.clock.anchor_at, draft.clock.due_at)
            )
            fired = Fired(draft.rule_key, draft.visit.state.visit_seq, anchor, due)
            self.story.setdefault(course, []).append(fired)


def _live(world: World) -> RuleSet:
    journey = read_journey(world.journey)
    versions: Mapping[str, list[RuleVersion]] = {
        rule["rule"]: [
            RuleVersion(
                id=derived_id("rule", rule["rule"], 1),
                version=1,
                state=RuleState.LIVE,
                state_at=START,
                applies_from=None,
                conditions=rule.get("conditions"),
                spec=read_rule(rule, journey),
            )
        ]
        for rule in world.rules
    }
    return RuleSet(versions)
