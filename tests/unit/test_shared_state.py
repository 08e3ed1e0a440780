"""A state is made once for all who ask after the same change, and never shown older than the change."""

import threading
import time
from typing import Any, cast

from callcenter.runtime import Runtime
from callcenter.web.shared_state import SharedStates


class Bell:
    """Stands for the runtime: says how often the channel has rung."""

    def __init__(self) -> None:
        self.rung: int | None = 0

    def times_rung(self, channel: str) -> int | None:
        assert channel == "floor"
        return self.rung


class Floor:
    """Renders the floor and counts how often."""

    def __init__(self, *own_of: str, seconds: float = 0.0) -> None:
        self.bell, self.states, self.made, self.seconds = Bell(), SharedStates(), 0, seconds
        self.own_of = frozenset(own_of)

    def _make(self) -> tuple[str, frozenset[str]]:
        self.made += 1
        made = self.made
        time.sleep(self.seconds)
        return f"state {made}", self.own_of

    def seen_by(self, viewer: str, key: Any = "en") -> str:
        bell = cast(Runtime, self.bell)
        return self.states.get(bell, "floor", key, viewer, self.bell.rung, self._make).html


def test_who_asks_after_the_same_change_shares_and_a_ring_makes_anew() -> None:
    floor = Floor()
    assert [floor.seen_by(one) for one in "abc"] == ["state 1"] * 3
    floor.bell.rung = 1
    assert [floor.seen_by(one) for one in "abc"] == ["state 2"] * 3


def test_other_languages_and_teams_have_their_own() -> None:
    floor = Floor()
    assert floor.seen_by("a", ("en", "North")) == "state 1"
    assert floor.seen_by("b", ("zh", "North")) == "state 2"
    assert floor.seen_by("c", ("en", "North")) == "state 1"


def test_who_reads_words_of_their_own_shares_with_nobody() -> None:
    floor = Floor("a")
    assert floor.seen_by("a") == "state 1"
    assert floor.seen_by("b") == "state 2"
    assert floor.seen_by("a") == "state 3"
    assert floor.seen_by("c") == "state 2"


def test_a_state_is_made_anew_after_a_moment_though_nothing_rang() -> None:
    floor = Floor()
    assert floor.seen_by("a") == "state 1"
    time.sleep(0.55)
    assert floor.seen_by("a") == "state 2"


def test_without_the_doorbell_nothing_is_shared() -> None:
    floor = Floor()
    floor.bell.rung = None
    assert [floor.seen_by("a"), floor.seen_by("b")] == ["state 1", "state 2"]


def test_many_at_once_wait_for_the_first() -> None:
    floor, seen = Floor(seconds=0.05), []
    askers = [threading.Thread(target=lambda: seen.append(floor.seen_by("a"))) for _ in range(20)]
    for one in askers:
        one.start()
    for one in askers:
        one.join()
    assert seen == ["state 1"] * 20 and floor.made == 1


def test_a_change_while_it_is_made_is_not_missed() -> None:
    floor = Floor(seconds=0.1)
    first = threading.Thread(target=floor.seen_by, args=("a",))
    first.start()
    time.sleep(0.03)
    floor.bell.rung = 1
    assert floor.seen_by("b") == "state 2"
    first.join()
