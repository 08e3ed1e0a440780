"""What becomes of a dialed number: plans per number and per prefix, forced endings, chance. Pure.

The default shares and times are assumptions for a lively demonstration, not measurements.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from .chance import AmdModel, BadPlan, Outcome, Spread, known_keys, number, read_amd, read_spread, seconds

SHARES = {
    Outcome.HUMAN: 0.55,
    Outcome.NO_ANSWER: 0.25,
    Outcome.BUSY: 0.08,
    Outcome.FAILED: 0.02,
    Outcome.MACHINE: 0.10,
}
FORCED_BY_SUFFIX = {
    "900": Outcome.HUMAN,
    "901": Outcome.NO_ANSWER,
    "902": Outcome.BUSY,
    "903": Outcome.FAILED,
    "904": Outcome.MACHINE,
    "905": Outcome.HUMAN,
}
IMPATIENT_SUFFIX = "905"
HUMAN_RING = Spread(3.0, 9.0)
MACHINE_RING = Spread(8.0, 14.0)
MACHINE_TALK = Spread(8.0, 25.0)
TALK = Spread(0, 0, median=40.0, sigma=0.6)
BUSY_TONE_S = 1.0
PATIENCE_S = 20.0
IMPATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """How one number behaves, set by `PUT /_sim/numbers/...`; `stays`: it never hangs up by itself."""

    outcome: Outcome
    ring_s: float | None = None
    talk_s: float | None = None
    patience_s: float | None = None
    stays: bool = False
    amd: AmdModel | None = None

    def as_json(self) -> dict[str, Any]:
        shown = {
            "outcome": self.outcome.value,
            "ring_s": self.ring_s,
            "talk_s": self.talk_s,
            "patience_s": self.patience_s,
            "stays": self.stays,
        }
        return shown | ({"amd": self.amd.as_json()} if self.amd else {})


@dataclass(frozen=True, slots=True)
class Campaign:
    """How numbers of one prefix behave, in shares and distributions; what is None keeps the default."""

    shares: Mapping[Outcome, float] = field(default_factory=lambda: SHARES)
    ring: Spread | None = None
    talk: Spread | None = None
    patience: Spread | None = None
    amd: AmdModel | None = None

    def as_json(self) -> dict[str, Any]:
        spreads = {"ring_s": self.ring, "talk_s": self.talk, "patience_s": self.patience}
        return {
            "shares": {outcome.value: share for outcome, share in self.shares.items()},
            **{name: spread.as_json() for name, spread in spreads.items() if spread is not None},
            **({"amd": self.amd.as_json()} if self.amd else {}),
        }


@dataclass(frozen=True, slots=True)
class Fate:
    """One call's future, in simulated seconds. `talk_s` None: the far end never hangs up by itself.

    `talk_s` runs from the moment somebody is there to talk with; `patience_s` bounds the wait before that.
    """

    outcome: Outcome
    ring_s: float
    talk_s: float | None
    patience_s: float | None
    amd: AmdModel = field(default_factory=AmdModel)

    @property
    def alone_s(self) -> float | None:
        """Seconds until the far end hangs up while nobody talks with it."""
        limits = [limit for limit in (self.talk_s, self.patience_s) if limit is not None]
        return min(limits, default=None)


def decide(to: str, plan: NumberPlan | None, chance: Random, campaign: Campaign | None = None) -> Fate:
    """The fate of a call to `to`: its number plan, a softphone's, its campaign, a forced suffix, chance."""
    if plan is not None:
        return _planned(plan, chance)
    if to.startswith("client:"):
        return Fate(Outcome.HUMAN, ring_s=0.0, talk_s=None, patience_s=None)
    if campaign is not None:
        return _of_campaign(campaign, chance)
    outcome = FORCED_BY_SUFFIX.get(to[-3:]) or _drawn(SHARES, chance)
    patience = IMPATIENCE_S if to.endswith(IMPATIENT_SUFFIX) else PATIENCE_S
    if outcome is Outcome.MACHINE:
        return Fate(outcome, MACHINE_RING.draw(chance), MACHINE_TALK.draw(chance), None)
    return Fate(outcome, _ring(outcome, chance), TALK.draw(chance), patience)


def campaign_of(to: str, campaigns: Mapping[str, Campaign]) -> Campaign | None:
    """The campaign with the longest prefix that fits."""
    fitting = [prefix for prefix in campaigns if to.startswith(prefix)]
    return campaigns[max(fitting, key=len)] if fitting else None


def _planned(plan: NumberPlan, chance: Random) -> Fate:
    ring_s = plan.ring_s if plan.ring_s is not None else _ring(plan.outcome, chance)
    amd = plan.amd or AmdModel()
    if plan.stays or (plan.outcome is Outcome.MANUAL and plan.talk_s is None):
        return Fate(plan.outcome, ring_s, None, plan.patience_s, amd)
    if plan.talk_s is not None:
        return Fate(plan.outcome, ring_s, plan.talk_s, plan.patience_s, amd)
    return Fate(plan.outcome, ring_s, TALK.draw(chance), plan.patience_s or PATIENCE_S, amd)


def _of_campaign(campaign: Campaign, chance: Random) -> Fate:
    outcome = _drawn(campaign.shares, chance)
    ring_s = campaign.ring.draw(chance) if campaign.ring else _ring(outcome, chance)
    amd = campaign.amd or AmdModel()
    if outcome in (Outcome.MACHINE, Outcome.FAX):
        return Fate(outcome, ring_s, MACHINE_TALK.draw(chance), None, amd)
    talk_s = (campaign.talk or TALK).draw(chance)
    return Fate(
        outcome, ring_s, talk_s, campaign.patience.draw(chance) if campaign.patience else PATIENCE_S, amd
    )


def _drawn(shares: Mapping[Outcome, float], chance: Random) -> Outcome:
    return chance.choices(list(shares), weights=list(shares.values()))[0]


def _ring(outcome: Outcome, chance: Random) -> float:
    if outcome is Outcome.BUSY:
        return BUSY_TONE_S
    return (MACHINE_RING if outcome in (Outcome.MACHINE, Outcome.FAX) else HUMAN_RING).draw(chance)


def number_plan(body: Any) -> NumberPlan:
    """Read `{"outcome": ..., "ring_s": s, "talk_s": s or null, "patience_s": s}`; null talk_s: it stays."""
    known_keys("a number's plan", body, ("outcome", "ring_s", "talk_s", "patience_s", "amd"))
    outcome = _outcome(body.get("outcome", "human"))
    times = {name: seconds(name, body.get(name)) for name in ("ring_s", "talk_s", "patience_s")}
    stays = "talk_s" in body and body["talk_s"] is None
    return NumberPlan(outcome, **times, stays=stays, amd=read_amd(body.get("amd")))


def read_campaign(body: Any) -> Campaign:
    """Read `{"shares": {"human": 0.4, ...}, "ring_s": ..., "talk_s": ..., "patience_s": ..., "amd": {...}}`."""
    known_keys("a campaign", body, ("shares", "ring_s", "talk_s", "patience_s", "amd"))
    asked = body.get("shares")
    if asked is None:
        shares: Mapping[Outcome, float] = SHARES
    elif isinstance(asked, dict):
        shares = {_outcome(name): number(f"shares.{name}", share, 1_000) for name, share in asked.items()}
    else:
        raise BadPlan("shares must be an object of outcomes and their weights")
    if sum(shares.values()) <= 0:
        raise BadPlan("shares must add up to more than nothing")
    return Campaign(
        shares,
        read_spread("ring_s", body.get("ring_s")),
        read_spread("talk_s", body.get("talk_s")),
        read_spread("patience_s", body.get("patience_s")),
        read_amd(body.get("amd")),
    )


def _outcome(name: Any) -> Outcome:
    try:
        return Outcome(name)
    except ValueError as error:
        raise BadPlan(f"outcome must be one of {', '.join(Outcome)}") from error
