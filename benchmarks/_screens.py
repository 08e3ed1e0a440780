"""Screens for the live benchmark: consoles and floors as the browser's script keeps them, in a process of its own.

Each holds its stream open; at a ring it asks for its state, once at a time, and again when it was rung meanwhile.
Run as a program: reads a JSON job from standard input, says "ready" once every stream has had its first word,
watches until a line comes in, and writes what it saw as JSON.
"""

import asyncio
import json
import random
import re
import sys
import time
from dataclasses import asdict, dataclass, field
from typing import Any

_READ_AT = re.compile(rb'data-now=\\"(\d+)')


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: `who` it is told of in the result, its session cookie, and the two addresses it uses."""

    who: str
    cookie: str
    stream: str
    state: str


@dataclass(slots=True)
class Seen:
    """What the screens saw: of each state, who, when asked for and complete (CLOCK_MONOTONIC), and its bytes;
    and how many streams ended, to be opened anew."""

    fetched: list[tuple[str, float, float, int]] = field(default_factory=list)
    rings: int = 0
    ended: int = 0
    failures: dict[str, int] = field(default_factory=dict)


class Screens:
    """All screens of a job."""

    def __init__(self, port: int, screens: list[Screen]) -> None:
        self.port, self.screens, self.seen = port, screens, Seen()
        self.listening = 0
        self.clocks_apart = time.time() - time.monotonic()
        self.ended = False

    async def run(self) -> Seen:
        gate = asyncio.Semaphore(64)
        tasks = [asyncio.create_task(self._keep(one, gate)) for one in self.screens]
        while self.listening < len(self.screens):
            await asyncio.sleep(0.1)
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        self.ended = True
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.seen

    def _note_state(self, screen: Screen, line: bytes) -> None:
        """A state that came by the stream: read by the server at the time that it names, complete now."""
        found = _READ_AT.search(line)
        assert found, "a state says when it was read"
        read_at = int(found.group(1)) / 1_000 - self.clocks_apart
        self.seen.fetched.append((screen.who, read_at, time.monotonic(), len(line)))

    def _failed(self, what: str) -> None:
        self.seen.failures[what] = self.seen.failures.get(what, 0) + 1

    async def _keep(self, screen: Screen, gate: asyncio.Semaphore) -> None:
        """Listen, and connect anew as browsers do: as soon after a stream's end as it has said last."""
        rung, first, pause = asyncio.Event(), True, 2.0
        fetching = asyncio.create_task(self._fetch_when_rung(screen, rung))
        try:
            while not self.ended:
                try:
                    async with gate:
                        reader, writer = await self._ask(screen.stream, screen.cookie)
                        await reader.readuntil(b"\r\n\r\n")
                        await reader.readuntil(b"data: start")
                    pause = 2.0
                    if first:
                        self.listening += 1
                    else:
                        rung.set()
                    first = False
                    while line := await reader.readline():
                        if line.startswith(b"event: changed"):
                            self.seen.rings += 1
                            rung.set()
                        elif line.startswith(b"event: state"):
                            self._note_state(screen, await reader.readline())
                        elif line.startswith(b"retry: "):
                            pause = int(line.removeprefix(b"retry: ")) / 1_000
                    writer.close()
                    self.seen.ended += 1
                except (OSError, asyncio.IncompleteReadError):
                    self._failed("stream")
                await asyncio.sleep(pause * (0.9 + 0.2 * random.random()))
        finally:
            fetching.cancel()

    async def _fetch_when_rung(self, screen: Screen, rung: asyncio.Event) -> None:
        while True:
            await rung.wait()
            rung.clear()
            began = time.monotonic()
            try:
                reader, writer = await self._ask(screen.state, screen.cookie)
                body = await reader.read()
                writer.close()
            except OSError:
                self._failed("fetch")
                continue
            if not body.startswith(b"HTTP/1.1 200"):
                self._failed(body[9:12].decode(errors="replace") or "no answer")
                continue
            self.seen.fetched.append((screen.who, began, time.monotonic(), len(body)))

    async def _ask(self, path: str, cookie: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=2**22)
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: callcenter={cookie}\r\nHX-Request: true\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        return reader, writer


def main() -> None:
    """Run the job on standard input."""
    job: dict[str, Any] = json.loads(sys.stdin.readline())
    seen = asyncio.run(Screens(job["port"], [Screen(**one) for one in job["screens"]]).run())
    print(json.dumps(asdict(seen)), flush=True)


if __name__ == "__main__":
    main()
