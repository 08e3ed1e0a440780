"""A team of synthetic agents at their browsers: one thread, one heap of who looks at their console next."""

import heapq
import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from callcenter.demo.agent_words import CHINESE, ENGLISH
from callcenter.demo.agents import Agent
from callcenter.demo.console_client import Away, Console, ConsoleClient, Refused, SignedOut, SignInRefused

LOG = logging.getLogger("callcenter.demo")

TEAM_SIZE = 5
LOGIN = "desk-b-{}"
POLL_S = (1.8, 2.4)
AFTER_REFUSAL_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 15.0
WRONG_SIGN_IN_PAUSE_S = 30.0
LONGEST_NAP_S = 0.5


@dataclass
class Member:
    """One agent at one browser."""

    login: str
    agent: Agent
    console: Console
    is_signed_in: bool = False
    pause_s: float = FIRST_PAUSE_S

    def take_turn(self, now: float, counts: Counter[str]) -> float:
        """Look at the console and do one thing; returns after how many seconds to look again."""
        try:
            self._look_and_act(now, counts)
        except SignedOut:
            self.is_signed_in = False
            counts["signed_out"] += 1
            return AFTER_REFUSAL_S
        except SignInRefused:
            counts["sign_ins_refused"] += 1
            LOG.warning("demo.agent_sign_in_refused login=%s", self.login)
            return WRONG_SIGN_IN_PAUSE_S
        except Refused as refusal:
            counts[f"refused_{refusal.status}"] += 1
            return AFTER_REFUSAL_S if self.is_signed_in else self._longer_pause()
        except Away:
            counts["away"] += 1
            return self._longer_pause()
        self.pause_s = FIRST_PAUSE_S
        return self.agent.chance.uniform(*POLL_S)

    def _look_and_act(self, now: float, counts: Counter[str]) -> None:
        if self.is_signed_in:
            page = self.console.look()
        else:
            page = self.console.sign_in()
            self.is_signed_in = True
        act = self.agent.act(page, now)
        if act is not None:
            self.console.post(act.path, act.fields)
            counts[act.name] += 1

    def _longer_pause(self) -> float:
        pause, self.pause_s = self.pause_s, min(LONGEST_PAUSE_S, self.pause_s * 2)
        return pause


class Desk:
    """The whole team. `advance` carries out what is due; `start` does so in a thread until `stop`."""

    def __init__(self, members: Sequence[Member], now: float) -> None:
        self.members = members
        self.counts: Counter[str] = Counter()
        self._turns = [(now + 0.3 * number, number) for number in range(len(members))]
        heapq.heapify(self._turns)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agents", daemon=True)

    @property
    def signed_in(self) -> int:
        """How many are at their console."""
        return sum(member.is_signed_in for member in self.members)

    def start(self) -> None:
        """Begin to work; a desk without members does nothing."""
        if self.members:
            self._thread.start()

    def stop(self) -> None:
        """Stop working, without waiting for a request under way."""
        self._stopping.set()

    def advance(self, now: float) -> float:
        """Let the member whose turn is due take it; returns when the next one is."""
        if self._turns[0][0] <= now:
            _, number = heapq.heappop(self._turns)
            after_s = self.members[number].take_turn(now, self.counts)
            heapq.heappush(self._turns, (now + after_s, number))
        return self._turns[0][0]

    def _run(self) -> None:
        while not self._stopping.is_set():
            nap_s = self.advance(time.time()) - time.time()
            self._stopping.wait(min(LONGEST_NAP_S, max(0.0, nap_s)))


def open_desk(url: str, size: int, password: str, seed: int, now: float) -> Desk:
    """Return a team of `size` agents who sign in at `url`; every other one writes Chinese."""
    members = []
    for number in range(1, size + 1):
        login = LOGIN.format(number)
        chance = Random(f"{seed}:{login}:{now:.0f}")  # a restart must not repeat what was said before it
        agent = Agent(chance, CHINESE if number % 2 else ENGLISH, tempo=chance.uniform(0.8, 1.25))
        members.append(Member(login, agent, ConsoleClient(url, login, password)))
    return Desk(members, now)
