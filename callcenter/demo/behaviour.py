"""What a customer does next: state and chance in, a plan out; no clock, no I/O.

Chance is a `random.Random` the caller hands over, so the same chance gives the same plan.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from callcenter.demo.truth import (
    CLOSES_APPLICATION,
    DECLINES_ON_THE_PHONE,
    LEAVES_WITHOUT_NUMBER,
    NO_TROUBLE,
    RETURNS_DURING_THE_CALL,
    START_MIX,
    STEP_TRUTHS,
    Step,
)

Value = str | int | float

PAGE = "page"
TRACK = "track"
IDENTIFY = "identify"

DWELL_SIGMA = 0.5
TROUBLE_ON_THE_WAY = 0.3  # of those who get past a step, the share that met an error first
BANKS = ("ICBC", "CCB", "ABC", "BOC", "CMB", "BOCOM")
REFUSAL_CODES = ("insufficient_data", "card_type_unsupported", "issuer_declined")
SYSTEM_CODES = ("503", "E-1042", "timeout")
ONCE = ("expired", "locked", "app_crashed")
UPLOAD_CODES = ("timeout", "413", "500")


@dataclass(frozen=True)
class Deed:
    """One thing the app reports, `after_s` seconds after the visit began."""

    after_s: float
    kind: str
    name: str = ""
    properties: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class VisitPlan:
    """One stay on a step: its deeds in order, how long it lasts, whether the step is passed at its end."""

    deeds: tuple[Deed, ...]
    lasts_s: float
    advances: bool
    trouble: str = NO_TROUBLE


@dataclass(frozen=True)
class Fate:
    """What becomes of a customer who stopped, if nobody calls; seconds since they stopped, None for never."""

    returns_after_s: float | None = None
    closes_after_s: float | None = None


@dataclass(frozen=True)
class Reaction:
    """What a conversation led to; seconds from the moment it convinced. Both None: nothing."""

    returns_in_s: float | None = None
    closes_in_s: float | None = None


def draw_start(chance: Random) -> Step:
    """Draw the step a session begins at."""
    return chance.choices(list(START_MIX), weights=list(START_MIX.values()))[0]


def plan_visit(step: Step, knows_number: bool, chance: Random) -> VisitPlan:
    """Plan a customer's stay on a step they have just come to.

    They stop with the step's own probability; who stops has met a trouble more often than who gets past.
    """
    advances = chance.random() >= STEP_TRUTHS[step].stops
    if advances:
        trouble = _draw_trouble(step, chance) if chance.random() < TROUBLE_ON_THE_WAY else NO_TROUBLE
    else:
        trouble = _draw_trouble(step, chance)
    gives_number = knows_number or advances or chance.random() >= LEAVES_WITHOUT_NUMBER
    return _compose(step, advances, trouble, needs_identify=gives_number and not knows_number, chance=chance)


def plan_return(step: Step, knows_number: bool, chance: Random) -> VisitPlan:
    """Plan the stay of a customer who came back to the step they stopped at, to get past it."""
    return _compose(step, True, NO_TROUBLE, needs_identify=not knows_number, chance=chance)


def draw_fate(step: Step, trouble: str, chance: Random) -> Fate:
    """Draw what a customer who has just stopped will do unaided."""
    truth = STEP_TRUTHS[step]
    if chance.random() < truth.unaided_with(trouble):
        return Fate(returns_after_s=_lognormal(truth.recovery_median_s, truth.recovery_sigma, chance))
    if step not in (Step.REGISTER, Step.SIGN_IN) and chance.random() < CLOSES_APPLICATION:
        return Fate(closes_after_s=_lognormal(900.0, 0.8, chance))
    return Fate()


def chance_to_convince(step: Step, trouble: str, stopped_for_s: float) -> float:
    """The chance that a conversation convinces a customer who would not have come back.

    Those who would have come back are among the customers a call reaches, the fewer the later the call:
    r = u(1-F(t)) / (1-uF(t)), by Bayes. For the share c of all talked-to customers to convert, whenever
    the call comes, the others must be convinced with probability (c-r)/(1-r).
    """
    truth = STEP_TRUTHS[step]
    unaided, aided = truth.unaided_with(trouble), truth.after_conversation_with(trouble)
    back = truth.recovered_by(stopped_for_s)
    still_coming = unaided * (1.0 - back) / (1.0 - unaided * back)
    return max(0.0, (aided - still_coming) / (1.0 - still_coming))


def react_to_conversation(
    step: Step, trouble: str, stopped_for_s: float, would_return: bool, chance: Random
) -> Reaction:
    """Draw what a customer does after having been talked to long enough.

    `would_return` says whether they were on their way back anyway.
    """
    if would_return or chance.random() < chance_to_convince(step, trouble, stopped_for_s):
        if chance.random() < RETURNS_DURING_THE_CALL:
            return Reaction(returns_in_s=chance.uniform(3.0, 30.0))
        return Reaction(returns_in_s=_lognormal(150.0, 0.7, chance))
    if step not in (Step.REGISTER, Step.SIGN_IN) and chance.random() < DECLINES_ON_THE_PHONE:
        return Reaction(closes_in_s=_lognormal(60.0, 0.5, chance))
    return Reaction()


def _draw_trouble(step: Step, chance: Random) -> str:
    troubles = STEP_TRUTHS[step].troubles
    return chance.choices(list(troubles), weights=[trouble.share for trouble in troubles.values()])[0]


def _lognormal(median: float, sigma: float, chance: Random) -> float:
    return median * math.exp(chance.gauss(0.0, sigma))


def _compose(step: Step, advances: bool, trouble: str, needs_identify: bool, chance: Random) -> VisitPlan:
    """Lay the deeds of one stay out in time: the page, the errors met, the success where there is one."""
    dwell = STEP_TRUTHS[step].dwell_median_s
    deeds: list[Deed] = []
    if step is not Step.CREDIT_GRANTED:  # a decision of the bank, not a page
        deeds.append(Deed(0.0, PAGE, "Loan", {"step": step.value}))
    at = 0.0
    if needs_identify:
        at = chance.uniform(3.0, 12.0)
        deeds.append(Deed(at, IDENTIFY))
    if trouble != NO_TROUBLE:
        for attempt in range(1, _attempts(trouble, advances, chance) + 1):
            at += _lognormal(dwell * 0.6, DWELL_SIGMA, chance)
            deeds.append(_trouble_deed(at, step, trouble, attempt, chance))
    at += _lognormal(dwell, DWELL_SIGMA, chance) * (1.0 if advances else 0.5)
    if advances:
        deeds.extend(_success(at, step, chance))
        at = max([at, *(deed.after_s for deed in deeds)])
    return VisitPlan(tuple(deeds), at, advances, trouble)


def _attempts(trouble: str, advances: bool, chance: Random) -> int:
    """How often the error is met: who gets past meets it once or twice, who leaves up to three times."""
    if trouble in ONCE:
        return 1
    return chance.randint(1, 2 if advances else 3)


def _trouble_deed(at: float, step: Step, trouble: str, attempt: int, chance: Random) -> Deed:
    match trouble:
        case "glare" | "blurred" | "expired":
            return Deed(
                at, TRACK, "photo_rejected", {"reason": trouble, "side": _side(step), "attempt": attempt}
            )
        case "too_dark" | "face_covered":
            return Deed(at, TRACK, "face_scan_failed", {"reason": trouble, "attempt": attempt})
        case "upload_failed":
            return Deed(at, TRACK, trouble, {"code": chance.choice(UPLOAD_CODES)})
        case "card_refused":
            return Deed(
                at, TRACK, trouble, {"bank": chance.choice(BANKS), "code": chance.choice(REFUSAL_CODES)}
            )
        case "phone_mismatch":
            return Deed(
                at, TRACK, "card_refused", {"bank": chance.choice(BANKS), "code": trouble, "reason": trouble}
            )
        case "locked":
            name = "password_wrong" if step is Step.SIGN_IN else "face_scan_failed"
            return Deed(at, TRACK, name, {"reason": trouble, "attempt": 5})
        case "system_error" | "withdraw_refused" | "payout_failed":
            return Deed(at, TRACK, trouble, {"code": chance.choice(SYSTEM_CODES)})
        case "password_wrong":
            return Deed(at, TRACK, trouble, {"attempt": attempt})
        case _:
            return Deed(at, TRACK, trouble)


def _side(step: Step) -> str:
    return "front" if step is Step.ID_PHOTO_FRONT else "back"


def _success(at: float, step: Step, chance: Random) -> list[Deed]:
    """What the app reports when a step is passed, beside the page of the next one."""
    if step in (Step.ID_PHOTO_FRONT, Step.ID_PHOTO_BACK):
        return [Deed(at, TRACK, "photo_accepted", {"side": _side(step)})]
    if step is Step.BIND_CARD:
        decided = at + chance.uniform(4.0, 25.0)
        return [Deed(decided, TRACK, "credit_granted"), Deed(decided, IDENTIFY)]
    if step is Step.WITHDRAW:
        return [Deed(at, TRACK, "loan_withdrawn")]
    return []
