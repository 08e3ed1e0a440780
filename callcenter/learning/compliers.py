"""The effect on those who were reached, from who was *assigned*; pure, no I/O.

Being reached is not drawn: who answers the telephone converts more often anyway. The random assignment is,
so it serves as the instrument: the difference of conversion over the difference of the shares reached
(A. Wald, 1940). Under the assumptions in `ASSUMPTIONS` this is the mean effect on the compliers, those who
are reached if and only if they are called (G. Imbens and J. Angrist, Econometrica 62 (1994) 467-475;
J. Angrist, G. Imbens and D. Rubin, JASA 91 (1996) 444-455).
"""

import math
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from callcenter.learning.evidence import Interval, Share

FEWEST_REACHED = 30
"""More customers than this must have been reached because they were assigned (net of the hold-out's share)."""

WEAKEST_CONTACT = 10.0
"""The squared z of the difference in contact below which the assignment is too weak an instrument: the rule
of thumb F > 10 of D. Staiger and J. Stock, Econometrica 65 (1997) 557-586."""

ASSUMPTIONS = (
    "The assignment was random: who was held out was not chosen, by anybody, for any reason.",
    "A call that reaches nobody changes nothing: assigned customers who are not reached do as they would have "
    "done (a voice message or a missed call that is seen breaks this).",
    "Nobody is reached because of being held out who would not have been reached when assigned.",
    "One customer's call does not change what another customer does.",
    "It is the effect on those whom such calls reach, and on nobody else.",
)


class ReachRefusal(StrEnum):
    """Why no effect on the reached may be told."""

    NOBODY_REACHED = "nobody_reached"
    TOO_FEW_REACHED = "too_few_reached"
    WEAK_CONTACT = "weak_contact"


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm's customers: how many, reached, converted, and both. Raises ValueError for what cannot be."""

    n: int
    reached: int
    converted: int
    reached_and_converted: int

    def __post_init__(self) -> None:
        both = self.reached_and_converted
        fits = 0 <= both <= min(self.reached, self.converted) and max(self.reached, self.converted) <= self.n
        if not fits or self.reached + self.converted - both > self.n:
            raise ValueError(f"counts do not fit together: {self}")

    @property
    def conversion(self) -> Share:
        """The converted of all of the arm."""
        return Share(self.converted, self.n)

    @property
    def contact(self) -> Share:
        """The reached of all of the arm."""
        return Share(self.reached, self.n)

    def __add__(self, other: "Arm") -> "Arm":
        return Arm(
            self.n + other.n,
            self.reached + other.reached,
            self.converted + other.converted,
            self.reached_and_converted + other.reached_and_converted,
        )


@dataclass(frozen=True, slots=True)
class ReachedEffect:
    """The complier average effect in shares, or why there is none.

    `net_contact`: share reached of the assigned less that of the held out, the share of compliers.
    `instrument_strength`: its squared z. `standard_error`: of the Wald ratio by the delta method.
    """

    net_contact: float
    instrument_strength: float
    effect: Interval | None = None
    standard_error: float | None = None
    refusal: ReachRefusal | None = None


def effect_on_reached(
    assigned: Arm, held_out: Arm, alpha: float = 0.05, difference: Interval | None = None
) -> ReachedEffect:
    """Effect of being reached on the conversion of compliers, in shares within [-1, 1].

    The interval holds every `t` for which `difference - t * net_contact` is not significantly different
    from 0 (E. Fieller 1954; T. Anderson and H. Rubin 1949), so it excludes 0 when the difference itself
    does. With `difference`, an interval that may be looked at every day, that one over the net contact is
    told instead, as the live page tells it. Refuses with too few reached; both arms need a customer.
    """
    net = assigned.reached / assigned.n - held_out.reached / held_out.n
    contact_variance = _variance(assigned.contact) + _variance(held_out.contact)
    strength = net**2 / contact_variance if contact_variance else (math.inf if net else 0.0)
    refusal = _why_refused(net, net * assigned.n, strength)
    if refusal is not None:
        return ReachedEffect(net, strength, refusal=refusal)
    gap = assigned.converted / assigned.n - held_out.converted / held_out.n
    spread = _variance(assigned.conversion) + _variance(held_out.conversion)
    together = _covariance(assigned) + _covariance(held_out)
    wald = gap / net
    error = math.sqrt(max(0.0, spread - 2 * wald * together + wald**2 * contact_variance)) / net
    effect = (
        difference.scaled(1 / net, limit=1)
        if difference is not None
        else _fieller(gap, net, spread, contact_variance, together, alpha)
    )
    return ReachedEffect(net, strength, effect, error)


def _why_refused(net: float, net_reached: float, strength: float) -> ReachRefusal | None:
    if net <= 0:
        return ReachRefusal.NOBODY_REACHED
    if net_reached < FEWEST_REACHED:
        return ReachRefusal.TOO_FEW_REACHED
    return ReachRefusal.WEAK_CONTACT if strength < WEAKEST_CONTACT else None


def _fieller(
    gap: float, net: float, spread: float, contact_variance: float, together: float, alpha: float
) -> Interval:
    """Roots of `(gap - t net)^2 = z^2 var(gap - t net)`: an interval, as the contact is far from 0."""
    z = NormalDist().inv_cdf(1 - alpha / 2)
    a = net**2 - z**2 * contact_variance
    if a <= 0:  # only for an alpha far stricter than the weakest contact allows
        return Interval(-1.0, max(-1.0, min(1.0, gap / net)), 1.0)
    b = gap * net - z**2 * together
    c = gap**2 - z**2 * spread
    root = math.sqrt(max(0.0, b * b - a * c))
    point = gap / net
    low, high = min((b - root) / a, point), max((b + root) / a, point)
    return Interval(*(max(-1.0, min(1.0, end)) for end in (low, point, high)))


def _variance(share: Share) -> float:
    return share.count / share.of * (1 - share.count / share.of) / share.of


def _covariance(arm: Arm) -> float:
    """Of the two sample means, converted and reached, in one arm."""
    return (arm.reached_and_converted / arm.n - arm.reached * arm.converted / arm.n**2) / arm.n
