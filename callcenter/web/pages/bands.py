"""The waits that a rule tries beside the set one, and how far their evidence is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TriedBand:
    """A live rule's band. `waits` are finished texts with the share of visits, from 0 to 1, that draw them.

    `settled` visits are over, of `running` ones the window still runs. The evidence was looked at `look` times of
    `looks`; the next time is after `next_at` settled visits, None where there is none.
    """

    waits: tuple[tuple[str, float], ...]
    settled: int
    running: int
    look: int
    looks: int
    next_at: int | None
