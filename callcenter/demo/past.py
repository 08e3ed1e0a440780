"""The days before the demo began: who stopped at sign-in, and what became of them. Seeded; no clock, no I/O.

The same people, troubles and chances as in the world that follows (`people.py`, `behaviour.py`, `truth.py`); only
that the days are told at once and not lived through. `commands/past.py` takes them through the product.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from callcenter.demo import behaviour
from callcenter.demo.behaviour import IDENTIFY, PAGE, TRACK, Deed, VisitPlan
from callcenter.demo.people import Person, awake_places, draw_person
from callcenter.demo.truth import Step

DAYS = 13
OLDEST, NEWEST = 14, 2
"""Days ago: long enough for the window of every rule of a day to be over."""
A_DAY = 28
"""Customers who stop on one of these days."""
FIRST_INDEX = 1
"""Customers of the world that follows are counted from its start on, far above."""
STEP = Step.SIGN_IN
TROUBLE = "password_wrong"
GOES_ON = ("id_photo_front", "photo_accepted", "face_scan", "profile", "bind_card")
ARRIVES_WITHIN_S = 120.0
ANSWERS_A_SURVEY = 0.45
SCORES_CONVERTED, SCORES_OTHERS = (10, 9, 9, 8, 7), (9, 8, 7, 6, 5, 3)
SAID = {
    "en": ("Quick and friendly.", "I could have found that in the app.", "It worked at once.", ""),
    "zh": ("解决得很快。", "提示再清楚一些就好了。", "态度很好，马上就能登录了。", ""),
}


@dataclass(frozen=True, slots=True)
class Stopped:
    """A customer who met the same trouble twice at sign-in and stopped. Seconds count from `at`.

    `returns_after_s` is when they come back by themselves, None for never.
    """

    person: Person
    at: datetime
    deeds: tuple[Deed, ...]
    lasts_s: float
    returns_after_s: float | None

    def chance(self, about: str) -> Random:
        """What is left to chance of this customer, always the same for the same matter."""
        return Random(f"{self.person.user_id}:{about}")

    def goes_on(self) -> tuple[Deed, ...]:
        """What the app reports of a customer who has come back: every step to the payout, without a stop."""
        chance, at, deeds = self.chance("goes on"), 0.0, []
        for name in (*GOES_ON, "credit_granted", Step.WITHDRAW.value, "loan_withdrawn"):
            is_page = name in set(Step) and name != "credit_granted"
            deeds.append(Deed(at, PAGE, "Loan", {"step": name}) if is_page else Deed(at, TRACK, name))
            at += chance.uniform(8.0, 30.0)
        return tuple(deeds)

    def once_told(self, stopped_for_s: float) -> float | None:
        """After how many seconds a conversation brings them back; None when it does not."""
        would = self.returns_after_s is not None
        reaction = behaviour.react_to_conversation(STEP, TROUBLE, stopped_for_s, would, self.chance("told"))
        return reaction.returns_in_s

    def answers_survey(self, *, came_back: bool) -> tuple[int, str] | None:
        """The number and the words with which they answer a survey; None when they do not."""
        chance = self.chance("survey")
        if chance.random() >= ANSWERS_A_SURVEY:
            return None
        said = SAID["zh" if self.person.language == "zh" else "en"]
        return chance.choice(SCORES_CONVERTED if came_back else SCORES_OTHERS), chance.choice(said)


def days_before(seed: int, now: datetime) -> Iterator[Sequence[Stopped]]:
    """Tell the days before `now`, the earliest first: the customers who stopped on each, in order of time."""
    index = FIRST_INDEX
    for ago in range(OLDEST, NEWEST - 1, -1):
        day, found = now - timedelta(days=ago), list[Stopped]()
        awake = {place.zone for place in awake_places(day)}
        while len(found) < A_DAY:
            person = draw_person(seed, index, day)
            index += 1
            if not awake or person.time_zone in awake:
                found.append(_stopped(person, day))
        yield sorted(found, key=lambda one: one.at)


def _stopped(person: Person, day: datetime) -> Stopped:
    chance = Random(f"past:{person.user_id}")
    plan = _plan(chance)
    fate = behaviour.draw_fate(STEP, TROUBLE, chance)
    at = day + timedelta(seconds=chance.uniform(0.0, ARRIVES_WITHIN_S))
    deeds = (Deed(0.0, IDENTIFY), *plan.deeds)
    return Stopped(person, at, deeds, plan.lasts_s, fate.returns_after_s)


def _plan(chance: Random) -> VisitPlan:
    """Draw a stay at sign-in that ends there, after the trouble was met twice at least."""
    while True:
        plan = behaviour.plan_visit(STEP, True, chance)
        errors = sum(one.kind == TRACK for one in plan.deeds)
        if not plan.advances and plan.trouble == TROUBLE and errors > 1:
            return plan
