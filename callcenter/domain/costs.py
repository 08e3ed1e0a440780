"""What a conversion that calling added has cost. Figures in, figure out; no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent on the firings an effect is made of: seconds of agents' time, offers granted.

    `granted` counts offers that stand, `cost` is what they cost together by currency, in major units.
    """

    seconds: int = 0
    granted: int = 0
    cost: Mapping[str, Decimal] = field(default_factory=dict)


def together(spent: list[Spent]) -> Spent:
    """Return what several rules have spent."""
    cost: dict[str, Decimal] = {}
    for one in spent:
        for currency, amount in one.cost.items():
            cost[currency] = cost.get(currency, Decimal(0)) + amount
    return Spent(sum(one.seconds for one in spent), sum(one.granted for one in spent), cost)


def cost_in_all(spent: Spent, hour: tuple[Decimal, str] | None) -> tuple[Decimal, str] | None:
    """Return what was spent in one currency: the offers granted, and agents' time where an hour has a price.

    None where there is neither, or where amounts are in several currencies, which cannot be added.
    """
    costs = dict(spent.cost)
    if hour is not None:
        price, currency = hour
        costs[currency] = costs.get(currency, Decimal(0)) + price * spent.seconds / 3600
    if len(costs) != 1:
        return None
    ((currency, amount),) = costs.items()
    return amount, currency


def cost_each(
    spent: Spent, incremental: float, hour: tuple[Decimal, str] | None
) -> tuple[Decimal, str] | None:
    """Return the cost of one conversion that calling added (`incremental` of them); None where there is none."""
    whole = cost_in_all(spent, hour)
    if whole is None or incremental <= 0:
        return None
    return (whole[0] / Decimal(incremental)).quantize(Decimal("0.01")), whole[1]
