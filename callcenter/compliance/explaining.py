"""Why the gate answers as it does: which packs apply, which of their figures counts, who says so. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callcenter.compliance.hours import next_open
from callcenter.compliance.packs import PackBook
from callcenter.compliance.packs_combining import Applied
from callcenter.compliance.packs_reading import Version
from callcenter.compliance.packs_words import NAMES, figure_words
from callcenter.compliance.rules import screen_customer
from callcenter.domain.contact import ContactPolicy, CustomerFacts, Verdict


@dataclass(frozen=True, slots=True)
class Said:
    """One figure that is about a call: what it says, which pack says so, and whether it is one that counts."""

    name: str
    words: str
    label: str
    source: str
    note: str
    counts: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """The gate's answer and everything it rests on. `open_at`: when calling hours alone next allow the call."""

    facts: CustomerFacts
    at: datetime
    versions: tuple[Version, ...]
    missing_home: tuple[str, ...]
    said: tuple[Said, ...]
    policy: ContactPolicy | None
    verdict: Verdict
    open_at: datetime | None

    @property
    def local_times(self) -> list[datetime]:
        """The time of the call in each zone the customer may be in."""
        return [self.at.astimezone(zone) for zone in self.facts.time_zones]


def explain(book: PackBook, facts: CustomerFacts, at: datetime) -> Explanation:
    """Ask the gate about a call and tell what its answer rests on."""
    policy = book.policy(facts.regions, facts.purpose, at)
    versions = book.versions_for(facts.regions, at) or ()
    figures = book.figures(facts.regions, facts.purpose, at)
    order = {name: place for place, name in enumerate(NAMES)}
    return Explanation(
        facts=facts,
        at=at,
        versions=tuple(versions),
        missing_home=tuple(key for key in book.home if book.in_force(key, at) is None),
        said=tuple(_said(one, policy) for one in sorted(figures, key=lambda one: order[one.figure.name])),
        policy=policy,
        verdict=screen_customer(facts, policy, at),
        open_at=next_open(policy.hours, facts.time_zones, at) if policy else None,
    )


def _said(applied: Applied, policy: ContactPolicy | None) -> Said:
    version, figure = applied
    return Said(
        name=NAMES[figure.name],
        words=figure_words(figure.name, figure.value),
        label=version.label,
        source=figure.source,
        note=figure.note,
        counts=policy is not None and _counts(figure.name, figure.value, policy),
    )


def _counts(name: str, value: Any, policy: ContactPolicy) -> bool:
    """Whether a figure is the strictest of its name; of hours, caps, registries and bars each one holds."""
    if name == "abandonment":
        limit, span = value
        return bool(limit == policy.abandonment_limit or span == policy.guaranteed_after_abandonment)
    strictest = {
        "minimum_gap": policy.minimum_gap,
        "conversation_pause": policy.conversation_pause,
        "refusal_stop": policy.refusal_stop,
        "consent": policy.needs_consent,
    }
    return name not in strictest or bool(value == strictest[name])
