"""What a synthetic agent does at the console: what they see and chance in, one act out; no clock, no I/O.

An agent knows only what the console shows. Times are Unix seconds; the seconds people take are drawn.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from callcenter.demo.agent_words import ENGLISH, NOTES, SUGGESTIONS
from callcenter.demo.console_client import PRESENCE, ConsolePage, Fields

READS_S = (2.0, 6.0)
SPEAKS_S = (6.0, 16.0)  # between two digits of the script
WRAPS_UP_S = (5.0, 20.0)
BREATHES_S = (1.0, 4.0)
BREAK_S = (60.0, 150.0)
RETURNS_S = (4.0, 12.0)  # from an offer missed, or a break somebody else began
ENDS_CALL_AFTER_S = (30.0, 110.0)
LONGEST_TALK_S = 300.0

ENDS_THE_CALL = 0.4
TAKES_A_BREAK = 0.04
WRITES_A_NOTE = 0.35
SUGGESTS = 0.07
GRANTS = 0.35  # to a customer who listens, where the console shows an offer
NAMES_A_CAUSE = 0.5
MOST_DIGITS = 5
MOST_TRIES = 3

MACHINE_WORDS = ("Machine", "语音信箱")
A_TALK_S = 12.0  # somebody who hangs up sooner has not listened

# Shares of what an agent says of a call, by how it went
AFTER_A_TALK = {
    "will_finish": 50,
    "callback": 16,
    "not_interested": 25,
    "done_on_call": 4,
    "wrong_person": 3,
    "do_not_call": 2,
}
AFTER_THE_ANSWER = {
    "wrong_person": {"wrong_person": 1},
    "do_not_call": {"do_not_call": 1},
    "callback": {"callback": 75, "will_finish": 25},
    "do_it_later": {"will_finish": 70, "callback": 30},
    "it_works": {"will_finish": 85, "done_on_call": 15},
    "still_stuck": {"will_finish": 40, "callback": 30, "not_interested": 30},
}
"""By where the last answer in the script led; answers that say nothing of the result are not here."""
AFTER_THE_GRANT = {"will_finish": 75, "done_on_call": 15, "not_interested": 10}
"""Somebody was reached who took what was offered; another word would contradict it."""
AFTER_HANGING_UP = {
    "not_interested": 45,
    "callback": 20,
    "will_finish": 12,
    "wrong_person": 15,
    "do_not_call": 8,
}
AFTER_WATCHING_THEM_PASS = {"done_on_call": 85, "will_finish": 15}
SELDOM_GIVEN = {"close": 0.08, "do_not_call": 0.08, "callback": 0.5}
"""How likely an answer is that leads there, against 1 for others and 2 for the first."""
CAUSES = {"usability": 30, "technical": 20, "price": 18, "trust": 14, "product": 10, "need": 8}


@dataclass(frozen=True)
class Act:
    """One form an agent sends."""

    name: str
    path: str
    fields: Fields = ()


@dataclass
class Call:
    """What an agent has in mind about the call task before them."""

    call_task: str
    dials_at: float
    dials: int = 0
    talks_since: float | None = None
    talked_s: float = 0.0
    ends_at: float = 0.0
    says_at: float = 0.0
    digits_left: int = 0
    answer: str = ""
    is_right_person: bool = False
    has_offered: bool = False
    has_granted: bool = False
    saves_at: float | None = None
    saves: int = 0


@dataclass
class Agent:
    """One agent's habits and what they are in the middle of. `tempo` stretches reading and writing."""

    chance: Random
    language: str = ENGLISH
    tempo: float = 1.0
    call: Call | None = None
    back_at: float | None = None
    wants_break: bool = False
    counts: dict[str, int] = field(default_factory=dict)

    def act(self, page: ConsolePage, now: float) -> Act | None:
        """Return what to do now, None to wait and look again."""
        match page.phase:
            case "reserved" | "previewing":
                return self._open(page, self._call(page, now), now)
            case "talking":
                return self._talk(page, self._call(page, now), now)
            case "wrapping":
                return self._wrap_up(page, self._call(page, now), now)
            case "dialing":
                self._call(page, now)
                return None
            case _:
                return self._between_calls(page, now)

    def _call(self, page: ConsolePage, now: float) -> Call:
        """Return the call in mind; another call task begins anew."""
        if self.call is None or self.call.call_task != page.call_task:
            self.call = Call(page.call_task, now + self._span(READS_S))
        return self.call

    def _open(self, page: ConsolePage, call: Call, now: float) -> Act | None:
        """Dial after reading; what will not be dialed is given back."""
        if page.phase != "previewing" or now < call.dials_at:
            return None
        task = f"/console/call-tasks/{page.call_task}"
        if call.dials < MOST_TRIES and page.may_dial:
            call.dials += 1
            call.dials_at = now + self._span(READS_S)
            return Act("dialed", f"{task}/dial")
        reason = "other" if "other" in page.skip_reasons else next(iter(page.skip_reasons), "")
        return Act("skipped", f"{task}/skip", [("reason", reason)]) if reason else None

    def _talk(self, page: ConsolePage, call: Call, now: float) -> Act | None:
        """Follow the script; mostly it is the customer who hangs up."""
        if call.talks_since is None:
            call.talks_since = now
            ends_early = self.chance.random() < ENDS_THE_CALL
            call.ends_at = now + (self.chance.uniform(*ENDS_CALL_AFTER_S) if ends_early else LONGEST_TALK_S)
            call.digits_left = self.chance.randint(1, MOST_DIGITS)
            call.says_at = now + self.chance.uniform(*SPEAKS_S)
        call.talked_s = now - call.talks_since
        if now >= call.ends_at and page.end_path:
            call.ends_at = now + BREAK_S[0]
            return Act("ended", page.end_path)
        if now < call.says_at or call.digits_left <= 0 or not page.branches:
            return None
        if call.is_right_person and page.grants and not call.has_offered:
            call.has_offered, call.says_at = True, now + self.chance.uniform(*SPEAKS_S)
            call.has_granted = self.chance.random() < GRANTS
            return Act("granted", self.chance.choice(page.grants)) if call.has_granted else None
        call.digits_left -= 1
        call.says_at = now + self.chance.uniform(*SPEAKS_S)
        branch = self._branch(page.branches)
        call.answer = leads_to(branch)
        if page.node == "right_person":
            call.is_right_person = call.answer != "close"
            call.answer = call.answer if call.is_right_person else "wrong_person"
        path = f"/console/call-tasks/{page.call_task}/script"
        return Act("script_steps", path, [("node", page.node), ("branch", branch)])

    def _branch(self, branches: tuple[str, ...]) -> str:
        """Scripts put the answer hoped for first; it comes somewhat more often than the others."""
        weights = [SELDOM_GIVEN.get(leads_to(branch), 1.0) for branch in branches]
        return self.chance.choices(branches, weights=[2.0 * weights[0], *weights[1:]])[0]

    def _wrap_up(self, page: ConsolePage, call: Call, now: float) -> Act | None:
        if call.saves_at is None:
            call.saves_at = now + self._span(WRAPS_UP_S)
        if now < call.saves_at or not page.may_save:
            return None
        call.saves += 1
        call.saves_at = now + self.chance.uniform(*BREATHES_S) * call.saves
        self.wants_break = self.wants_break or self.chance.random() < TAKES_A_BREAK
        path = f"/console/call-tasks/{page.call_task}/wrap-up"
        return Act("wrapped_up", path, self.write_wrap_up(page, call))

    def write_wrap_up(self, page: ConsolePage, call: Call) -> Fields:
        """Fill in the form from what the agent saw; a form refused before is filled in more plainly."""
        said = self._disposition(page, call)
        causes = list(page.causes_prefilled)
        was_reached = said not in ("no_answer", "machine", "wrong_person")
        if was_reached and not causes and page.causes and self.chance.random() < NAMES_A_CAUSE:
            causes = [self._drawn(CAUSES, page.causes)]
        fields = [("disposition", said), *(("causes", cause) for cause in causes)]
        notes = NOTES.get(said, {}).get(self.language, ())
        writes = notes and self.chance.random() < WRITES_A_NOTE
        fields.append(("note", self.chance.choice(notes) if writes else ""))
        suggests = was_reached and self.chance.random() < SUGGESTS
        fields.append(("suggestion", self.chance.choice(SUGGESTIONS[self.language]) if suggests else ""))
        if said == "callback":
            fields.append(("callback_at", self.chance.choice(page.callback_times)))
        fields.append(("callback_owner", self.chance.choice(("personal", "personal", "anyone"))))
        return fields

    def _disposition(self, page: ConsolePage, call: Call) -> str:
        offered = page.dispositions
        if call.has_granted:
            return self._drawn(AFTER_THE_GRANT, offered)
        if page.result in MACHINE_WORDS:
            return self._drawn({"machine": 1}, offered)
        if call.talks_since is None:
            return self._drawn({"no_answer": 1}, offered)
        if page.recovered:
            shares: Mapping[str, int] = AFTER_WATCHING_THEM_PASS
        elif call.answer in AFTER_THE_ANSWER:
            shares = AFTER_THE_ANSWER[call.answer]
        else:
            shares = AFTER_A_TALK if call.talked_s >= A_TALK_S else AFTER_HANGING_UP
        ruled_out = {"wrong_person"} if call.is_right_person else set()
        if not page.callback_times or call.saves > 1:
            ruled_out.add("callback")
        return self._drawn(shares, tuple(said for said in offered if said not in ruled_out))

    def _between_calls(self, page: ConsolePage, now: float) -> Act | None:
        """Be available, but for a break now and then."""
        self.call = None
        if page.presence == "available":
            self.back_at = None
            if not self.wants_break or not page.not_ready_reasons:
                return None
            self.wants_break = False
            self.back_at = now + self.chance.uniform(*BREAK_S)
            reason = "break" if "break" in page.not_ready_reasons else page.not_ready_reasons[0]
            return Act("breaks", PRESENCE, [("presence", "not_ready"), ("reason", reason)])
        if self.back_at is None:
            is_new = page.presence == "signed_off"
            self.back_at = now + self.chance.uniform(*(BREATHES_S if is_new else RETURNS_S))
        if now < self.back_at:
            return None
        self.back_at = now + self.chance.uniform(*RETURNS_S)
        return Act("became_available", PRESENCE, [("presence", "available")])

    def _span(self, seconds: tuple[float, float]) -> float:
        """Draw a span that stays within its bounds whatever the tempo."""
        return min(seconds[1], max(seconds[0], self.chance.uniform(*seconds) * self.tempo))

    def _drawn(self, shares: Mapping[str, int], offered: tuple[str, ...]) -> str:
        """Draw among what the form offers; of a form that offers none of these, its first."""
        known = {name: share for name, share in shares.items() if name in offered}
        if not known:
            return offered[0] if offered else next(iter(shares))
        return self.chance.choices(list(known), weights=list(known.values()))[0]


def leads_to(branch: str) -> str:
    """Return where a branch leads, as its value tells: a digit, a dash, the step."""
    return branch.partition("-")[2]
