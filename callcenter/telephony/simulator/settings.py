"""What one run of the simulator is told at start, and the checks it makes before it listens."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 4010
DEFAULT_ACCOUNT_SID = "AC00000000000000000000000000000510"
DEFAULT_AUTH_TOKEN = "carrier-sim-token-for-loopback-only"  # noqa: S105  opens nothing but this program


class BadSettings(Exception):
    """The simulator cannot start so; the text is one line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Speed divides every ring and talk time; calls per second (cps) is real time and never scaled."""

    port: int = DEFAULT_PORT
    seed: int = 1
    speed: float = 1.0
    cps: float = 1.0
    account_sid: str = DEFAULT_ACCOUNT_SID
    auth_token: str = DEFAULT_AUTH_TOKEN
    signature: str = "sha1"
    kept_calls: int = 50_000


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Command line first, environment second, defaults last. Raises `BadSettings` on nonsense."""
    asked = _parser(environ).parse_args(argv)
    if asked.host != LOOPBACK:
        raise BadSettings(f"carrier-sim listens on {LOOPBACK} only; --host {asked.host} is refused")
    account_sid = environ.get("TWILIO_ACCOUNT_SID") or DEFAULT_ACCOUNT_SID
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", account_sid):
        raise BadSettings("TWILIO_ACCOUNT_SID must be AC followed by 32 hexadecimal digits")
    for name in ("speed", "cps"):
        if not 0 < getattr(asked, name) <= 10_000:
            raise BadSettings(f"--{name} must be above 0 and at most 10000")
    try:
        port = int(asked.port)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:
        raise BadSettings("the port must be a number from 0 to 65535 (0 picks a free one)")
    return Settings(
        port=port,
        seed=asked.seed,
        speed=asked.speed,
        cps=asked.cps,
        account_sid=account_sid,
        auth_token=environ.get("TWILIO_AUTH_TOKEN") or DEFAULT_AUTH_TOKEN,
        signature=asked.signature,
    )


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carrier-sim",
        description="A Twilio-shaped telephone carrier on the loopback interface, for development and tests.",
    )
    parser.add_argument("--port", default=environ.get("CARRIER_SIM_PORT") or str(DEFAULT_PORT))
    parser.add_argument("--host", default=LOOPBACK, help=f"only {LOOPBACK} is accepted")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same order of calls: same outcomes")
    parser.add_argument("--speed", type=float, default=1.0, help="ring and talk times are divided by this")
    parser.add_argument("--cps", type=float, default=1.0, help="calls that may leave the queue per second")
    parser.add_argument("--signature", choices=("sha1", "sha256"), default="sha1")
    return parser


def settings_from_process(argv: Sequence[str]) -> Settings:
    """`read_settings` over this process's own environment."""
    return read_settings(argv, os.environ)
