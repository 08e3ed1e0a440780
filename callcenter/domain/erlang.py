"""How many agents does a load of calls need? The formulas of Erlang (C) and Palm (A); pure.

Calls come at random and evenly (Poisson) and take an exponential time; whoever finds all agents busy waits, in
Erlang C for as long as it takes, in Erlang A until their patience, exponential too, runs out. `load` is in
erlangs: calls per hour times their mean handle time in hours.

Sources: A. K. Erlang, Solution of some problems in the theory of probabilities of significance in automatic
telephone exchanges, 1917 (B and C); C. Palm, Methods of judging the annoyance caused by congestion, 1957 (A),
in the notation of O. Garnett, A. Mandelbaum, M. Reiman, Designing a call center with impatient customers,
Manufacturing & Service Operations Management 4(3), 2002.
"""

from dataclasses import dataclass
from datetime import timedelta
from math import exp, expm1, lgamma, log

MOST_AGENTS = 10_000
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Staffing:
    """What so many agents give: shares lie in [0, 1], `mean_wait` is over all calls.

    `service_level` is the share of calls that begin within the target; in Erlang A, the share of those that
    would by then have been begun had they waited. `abandoned` is None without patience.
    """

    agents: int
    wait_share: float
    service_level: float
    occupancy: float
    mean_wait: timedelta
    abandoned: float | None = None


def load_of(calls_per_hour: float, handle_time: timedelta) -> float:
    """Return the load in erlangs."""
    return calls_per_hour * (handle_time / _HOUR)


def erlang_b(load: float, agents: int) -> float:
    """Return the share of calls that find all agents busy where nobody waits: B(0) = 1, then
    B(n) = a B(n-1) / (n + a B(n-1))."""
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked


def erlang_c(load: float, agents: int) -> float:
    """Return the share of calls that wait: C = n B / (n - a (1 - B)); 1 where the load is too high to clear."""
    if load >= agents:
        return 1.0
    blocked = erlang_b(load, agents)
    return agents * blocked / (agents - load * (1 - blocked))


def staffing_c(calls_per_hour: float, handle_time: timedelta, agents: int, target: timedelta) -> Staffing:
    """Return what so many agents give when everybody waits.

    Service level 1 - C exp(-(n - a) t / h), mean wait C h / (n - a). Below the load the queue only grows.
    """
    load = load_of(calls_per_hour, handle_time)
    waits, spare = erlang_c(load, agents), agents - load
    if spare <= 0:
        return Staffing(agents, 1.0, 0.0, 1.0, timedelta.max)
    level = 1 - waits * exp(-spare * (target / handle_time))
    return Staffing(agents, waits, level, load / agents, handle_time * (waits / spare))


def staffing_a(
    calls_per_hour: float, handle_time: timedelta, agents: int, target: timedelta, patience: timedelta
) -> Staffing:
    """Return what so many agents give when those who wait give up after `patience` on average.

    The stationary probabilities p(j) of j calls present follow from a birth and death process with the death
    rate min(j, n) / h + max(j - n, 0) / patience. A call that finds k others waiting begins after k + 1
    departures, at the rates n / h + i / patience, i = 0..k: the time of these is distributed as -log(X) times
    the patience, X being Beta(c, k + 1) with c = n patience / h.
    """
    load = load_of(calls_per_hour, handle_time)
    ratio = agents * (patience / handle_time)
    weights, log_weight = [], 0.0
    number = 0
    while True:  # log p(j) up to a constant, until what is left adds nothing
        weights.append(log_weight)
        number += 1
        departures = min(number, agents) + max(number - agents, 0) * (handle_time / patience)
        log_weight += log(load / departures)
        if number > agents and log_weight < max(weights) - 40:
            break
    top = max(weights)
    shares = [exp(weight - top) for weight in weights]
    total = sum(shares)
    waiting = [share / total for share in shares[agents:]]
    waits = sum(waiting)
    in_queue = sum(place * share for place, share in enumerate(waiting))
    late = _still_waiting(ratio, exp(-(target / patience)), waiting)
    per_second = calls_per_hour / _HOUR.total_seconds()
    abandoned = in_queue / patience.total_seconds() / per_second
    return Staffing(
        agents=agents,
        wait_share=waits,
        service_level=1 - late,
        occupancy=load * (1 - abandoned) / agents,
        mean_wait=timedelta(seconds=in_queue / per_second),
        abandoned=abandoned,
    )


def _still_waiting(ratio: float, left: float, waiting: list[float]) -> float:
    """The share of calls that would not have begun when the share `left` of patience has not run out yet.

    P(Beta(c, k+1) <= x) = sum over i = 0..k of x^c (1-x)^i G(c+i) / (G(c) i!): k departures at most by then.
    """
    if left >= 1:
        return sum(waiting)
    so_far, found = 0.0, 0.0
    for place, share in enumerate(waiting):
        term = ratio * log(left) + place * log(-expm1(log(left)))
        so_far += exp(term + lgamma(ratio + place) - lgamma(ratio) - lgamma(place + 1))
        found += share * so_far
    return found


def agents_needed(
    calls_per_hour: float,
    handle_time: timedelta,
    target: timedelta,
    share: float,
    patience: timedelta | None = None,
) -> Staffing:
    """Return the least number of agents with whom so large a share of calls begins within the target.

    None are needed for no calls. Raises ValueError for times or shares that make no sense, or beyond MOST_AGENTS.
    """
    if handle_time <= timedelta(0) or not 0 < share < 1 or target < timedelta(0):
        raise ValueError("a handle time above 0, a target of 0 or more and a share between 0 and 1")
    if calls_per_hour <= 0:
        return Staffing(0, 0.0, 1.0, 0.0, timedelta(0))
    low, high = 1, 1
    while _level(calls_per_hour, handle_time, high, target, patience).service_level < share:
        low, high = high + 1, high * 2
        if high > MOST_AGENTS:
            raise ValueError(f"more than {MOST_AGENTS} agents would be needed")
    while low < high:
        middle = (low + high) // 2
        if _level(calls_per_hour, handle_time, middle, target, patience).service_level >= share:
            high = middle
        else:
            low = middle + 1
    return _level(calls_per_hour, handle_time, high, target, patience)


def _level(
    calls_per_hour: float, handle_time: timedelta, agents: int, target: timedelta, patience: timedelta | None
) -> Staffing:
    if patience is None:
        return staffing_c(calls_per_hour, handle_time, agents, target)
    return staffing_a(calls_per_hour, handle_time, agents, target, patience)
