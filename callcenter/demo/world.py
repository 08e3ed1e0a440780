"""The world of the synthetic customers: who is followed, what they do next, and one heap of moments.

The world does not read the clock: `advance(now)` carries out what is due. Times are Unix seconds.
"""

import heapq
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from random import Random

from callcenter.demo import account, behaviour
from callcenter.demo.app_client import App
from callcenter.demo.behaviour import IDENTIFY, PAGE, TRACK, Value, VisitPlan
from callcenter.demo.memory import Act, Customer, Memory, Phase
from callcenter.demo.people import MACHINE, draw_person
from callcenter.demo.telephones import CallNews, Telephones
from callcenter.demo.truth import A_RINGING_TELEPHONE_REMINDS, CONVINCING_TALK_S, STEPS, Step, next_step

# Turns of a customer, beside the events the app reports
PASSES, STOPS, RETURNS, CLOSES, TALKED = "passes", "stops", "returns", "closes", "talked"
ARRANGES = "arranges"

FOLLOWED_LIMIT = 4_000  # beyond it the longest known are forgotten
FOLLOW_FOR_S = 12 * 3600.0
OPENING_PER_MIN = 120.0  # how fast the first customers of a new demo come in
INDEX_RESERVE = 1_000  # indices skipped after a restart, more than are used between two saves


class World:
    """The customers and their agendas. `pace` divides every delay; `arrivals_per_min` new ones come in.

    The first `opening` of them come faster, so that a new demo need not wait for its first calls.
    """

    def __init__(
        self,
        app: App,
        telephones: Telephones,
        memory: Memory,
        now: float,
        pace: float = 1.0,
        arrivals_per_min: float = 12.0,
        opening: int = 0,
    ) -> None:
        self._app = app
        self._telephones = telephones
        self._seed = memory.seed
        self._pace = pace
        self._arrivals_per_min = arrivals_per_min
        self._opening = opening
        self._next_index = memory.next_index
        self._customers: dict[int, Customer] = {}
        self._by_phone: dict[str, int] = {}
        self._moments: list[tuple[float, int, int]] = []
        self._ties = count()
        self._arrivals = Random(f"{memory.seed}:arrivals:{memory.next_index}")
        self.counts: Counter[str] = Counter()
        self._arrives_at = self._next_arrival(now)
        for customer in memory.customers:
            self._follow(customer)

    def __len__(self) -> int:
        return len(self._customers)

    def remember(self, calls_after: int) -> Memory:
        """Return what to keep: after a restart no index is used twice, even if this is somewhat old."""
        return Memory(
            self._seed, self._next_index + INDEX_RESERVE, calls_after, list(self._customers.values())
        )

    def next_due(self) -> float:
        """Return when there is something to do next."""
        return min(self._arrives_at, self._moments[0][0]) if self._moments else self._arrives_at

    def advance(self, now: float) -> None:
        """Hear of the calls and do all that is due by `now`."""
        if self._telephones.take_carrier_restart():
            self._announce_all()
        for news in self._telephones.news():
            self.hear(news, now)
        while self._moments and self._moments[0][0] <= now:
            _, _, index = heapq.heappop(self._moments)
            self._live(index, now)
        if self._arrives_at <= now:
            self._arrive(now)
            self._arrives_at = self._next_arrival(now)  # from now: a machine that slept owes nobody

    def hear(self, news: CallNews, now: float) -> None:
        """Let the customer whose telephone it is react to a call."""
        customer = self._customers.get(self._by_phone.get(news.phone, -1))
        if customer is None:
            return
        if news.ringing and customer.rung_sid != news.sid:
            customer.rung_sid = news.sid
            self._be_reminded(customer, now)
        if news.talking and customer.call_sid != news.sid:
            customer.call_sid = news.sid
            # in the carrier's seconds: a telephone is not any faster because the customers are
            convinced_at = now + CONVINCING_TALK_S / self._telephones.speed
            self._add(customer, [Act(convinced_at, TALKED, news.sid)])
        if news.ended:
            customer.call_sid = ""
            if news.talked_s >= CONVINCING_TALK_S:
                self._converse(customer, news.sid, now)

    def _next_arrival(self, now: float) -> float:
        is_opening = self.counts["arrived"] < self._opening
        per_min = max(self._arrivals_per_min, OPENING_PER_MIN) if is_opening else self._arrivals_per_min
        return now + self._arrivals.expovariate(per_min / 60.0)

    def _arrive(self, now: float) -> None:
        """A new session begins: at registration by a stranger, at a later step by a returning customer."""
        person = draw_person(self._seed, self._next_index, datetime.fromtimestamp(now, UTC))
        self._next_index += 1
        customer = Customer(person, Step.REGISTER)
        customer.step = behaviour.draw_start(self._chance(customer))
        self.counts["arrived"] += 1
        self._forget_surplus(now)
        self._follow(customer)
        if moment := account.draws_moment(self._seed, person.index):
            return self._begin_moment(customer, moment, now)
        if customer.step is not Step.REGISTER:
            self._report(customer, Act(now, IDENTIFY), now)
        if customer.step is Step.CREDIT_GRANTED:
            self._report(customer, Act(now, TRACK, "credit_granted"), now)
        self._visit(customer, now)
        return None

    def _begin_moment(self, customer: Customer, moment: str, now: float) -> None:
        """Something happens on the account of a customer who has been with the bank for a while."""
        self.counts["moments"] += 1
        customer.moment, customer.step = moment, Step.WITHDRAW
        customer.phase, customer.stopped_at = Phase.STOPPED, now
        chance, person = self._chance(customer), customer.person
        deeds = account.plan_moment(moment, self._product(customer), person.credit_limit, chance)
        acts = [
            Act(now + one.after_s / self._pace, one.kind, one.name, dict(one.properties)) for one in deeds
        ]
        after_s = account.arranges_after_s(chance)
        self._replace(customer, acts + ([self._arranging(customer, now, after_s)] if after_s else []))
        self._live(person.index, now)

    def _product(self, customer: Customer) -> str:
        return f"P-{customer.person.index}"

    def _arranging(self, customer: Customer, now: float, after_s: float) -> Act:
        name = account.MOMENTS[customer.moment].arranged
        return Act(now + after_s / self._pace, ARRANGES, name, {"product": self._product(customer)})

    def _visit(self, customer: Customer, now: float) -> None:
        chance = self._chance(customer)
        self._begin(customer, behaviour.plan_visit(customer.step, customer.known, chance), now)

    def _begin(self, customer: Customer, plan: VisitPlan, now: float) -> None:
        customer.phase, customer.trouble = Phase.VISITING, plan.trouble
        acts = [
            Act(now + deed.after_s / self._pace, deed.kind, deed.name, dict(deed.properties))
            for deed in plan.deeds
        ]
        turn = PASSES if plan.advances else STOPS
        self._replace(customer, [*acts, Act(now + plan.lasts_s / self._pace, turn)])
        self._live(customer.person.index, now)

    def _live(self, index: int, now: float) -> None:
        """Carry out what is due of one customer's agenda, then wait for the rest."""
        while (customer := self._customers.get(index)) and customer.agenda and customer.agenda[0].at <= now:
            self._do(customer, customer.agenda.pop(0), now)
        if customer and customer.agenda:
            heapq.heappush(self._moments, (customer.agenda[0].at, next(self._ties), index))

    def _do(self, customer: Customer, act: Act, now: float) -> None:
        match act.kind:
            case "page" | "track" | "identify":
                self._report(customer, act, now)
            case "passes":
                self._pass(customer, now)
            case "stops":
                self._stop(customer, now)
            case "returns":
                self.counts["returned"] += 1
                plan = behaviour.plan_return(customer.step, customer.known, self._chance(customer))
                self._begin(customer, plan, now)
            case "closes":
                self._report(customer, Act(now, TRACK, "application_closed"), now)
                self.counts["closed"] += 1
                self._forget(customer)
            case "arranges":
                self._report(customer, Act(now, TRACK, act.name, act.properties), now)
                self.counts["arranged"] += 1
                self._forget(customer)
            case "talked":
                if customer.call_sid == act.name:
                    self._converse(customer, act.name, now)

    def _pass(self, customer: Customer, now: float) -> None:
        self.counts["passed"] += 1
        following = next_step(customer.step)
        if following is None:
            self.counts["withdrawn"] += 1
            self._forget(customer)
            return
        customer.step = following
        self._visit(customer, now)

    def _stop(self, customer: Customer, now: float) -> None:
        """The app goes quiet. Who was never identified and will not come back cannot be called: forgotten."""
        self.counts["stopped"] += 1
        customer.phase, customer.stopped_at, customer.decided = Phase.STOPPED, now, False
        fate = behaviour.draw_fate(customer.step, customer.trouble, self._chance(customer))
        if fate.returns_after_s is not None:
            self._replace(customer, [Act(now + fate.returns_after_s / self._pace, RETURNS)])
        elif fate.closes_after_s is not None:
            self._replace(customer, [Act(now + fate.closes_after_s / self._pace, CLOSES)])
        elif not customer.known:
            self._forget(customer)

    def _be_reminded(self, customer: Customer, now: float) -> None:
        """Some who would have come back later do so while it rings; nobody else does."""
        chance = self._chance(customer)
        if self._is_coming_back(customer) and chance.random() < A_RINGING_TELEPHONE_REMINDS:
            self._replace(customer, [Act(now + chance.uniform(2.0, 15.0) / self._pace, RETURNS)])

    def _converse(self, customer: Customer, sid: str, now: float) -> None:
        """A customer was talked to long enough. A stop is decided once, however often they are called."""
        if customer.heard_sid == sid or customer.person.telephone.outcome == MACHINE:
            return
        customer.heard_sid = sid
        self.counts["talked_to"] += 1
        if customer.phase is not Phase.STOPPED or customer.decided:
            return
        customer.decided = True
        if customer.moment:
            after_s = account.arranges_once_told_s(self._chance(customer))
            if after_s is not None:
                self._replace(customer, [self._arranging(customer, now, after_s)])
            return
        reaction = behaviour.react_to_conversation(
            customer.step,
            customer.trouble,
            (now - customer.stopped_at) * self._pace,
            self._is_coming_back(customer),
            self._chance(customer),
        )
        if reaction.returns_in_s is not None:
            self.counts["convinced"] += 1
            self._replace(customer, [Act(now + reaction.returns_in_s / self._pace, RETURNS)])
        elif reaction.closes_in_s is not None:
            self._replace(customer, [Act(now + reaction.closes_in_s / self._pace, CLOSES)])

    def _is_coming_back(self, customer: Customer) -> bool:
        return customer.phase is Phase.STOPPED and any(act.kind == RETURNS for act in customer.agenda)

    def _report(self, customer: Customer, act: Act, now: float) -> None:
        person = customer.person
        properties: dict[str, Value] = dict(act.properties)
        if act.kind == IDENTIFY:
            if not customer.known:
                self._telephones.announce(person.phone, person.telephone)
            customer.known = True
            if self._has_credit(customer):
                properties["credit_limit"] = person.credit_limit
        elif act.name == "credit_granted":
            properties["credit_limit"] = person.credit_limit
        elif act.name == "loan_withdrawn":
            properties["amount"] = person.loan
        elif act.kind == PAGE and customer.step is Step.WITHDRAW:
            properties["credit_limit"] = person.credit_limit
        at = datetime.fromtimestamp(now, UTC)
        self._app.report(person, customer.known, act.kind, act.name, properties, at)

    def _has_credit(self, customer: Customer) -> bool:
        """Whether the bank has granted a limit: an identify on the card page is sent for that very reason."""
        return STEPS.index(customer.step) >= STEPS.index(Step.BIND_CARD) and (
            customer.known or customer.step is not Step.BIND_CARD
        )

    def _chance(self, customer: Customer) -> Random:
        customer.draws += 1
        return Random(f"{self._seed}:{customer.person.index}:{customer.draws}")

    def _replace(self, customer: Customer, acts: list[Act]) -> None:
        """Change a customer's mind: only what belongs to a call under way stays on the agenda."""
        customer.agenda = [act for act in customer.agenda if act.kind == TALKED]
        self._add(customer, acts)

    def _add(self, customer: Customer, acts: Iterable[Act]) -> None:
        customer.agenda = sorted([*customer.agenda, *acts], key=lambda act: act.at)
        heapq.heappush(self._moments, (customer.agenda[0].at, next(self._ties), customer.person.index))

    def _follow(self, customer: Customer) -> None:
        self._customers[customer.person.index] = customer
        self._by_phone[customer.person.phone] = customer.person.index
        if customer.agenda:
            heapq.heappush(self._moments, (customer.agenda[0].at, next(self._ties), customer.person.index))

    def _forget(self, customer: Customer) -> None:
        customer.agenda = []
        self._customers.pop(customer.person.index, None)
        if self._by_phone.get(customer.person.phone) == customer.person.index:
            del self._by_phone[customer.person.phone]

    def _forget_surplus(self, now: float) -> None:
        """Make room: the longest known go first when there are too many, or when they stopped long ago."""
        while self._customers:
            oldest = next(iter(self._customers.values()))
            is_stale = oldest.phase is Phase.STOPPED and now - oldest.stopped_at > FOLLOW_FOR_S
            if len(self._customers) < FOLLOWED_LIMIT and not is_stale:
                return
            self._forget(oldest)

    def _announce_all(self) -> None:
        for customer in self._customers.values():
            if customer.known:
                self._telephones.announce(customer.person.phone, customer.person.telephone)
