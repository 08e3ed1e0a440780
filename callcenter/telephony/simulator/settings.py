"""What one run of the simulator is told at start, and the checks it makes before it listens."""

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .urls import is_loopback_url

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 4010
DEFAULT_ACCOUNT_SID = "AC00000000000000000000000000000510"
DEFAULT_AUTH_TOKEN = "carrier-sim-token-for-loopback-only"  # noqa: S105  opens nothing but this program
DEFAULT_API_KEY_SID = "SK00000000000000000000000000000510"
DEFAULT_API_KEY_SECRET = "carrier-sim-secret-for-loopback-only"  # noqa: S105  the same
DEFAULT_APPLICATION_SID = "AP00000000000000000000000000000510"


class BadSettings(Exception):
    """The simulator cannot start so; the text is one line for the person who started it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Speed divides every ring and talk time; calls per second (cps) is real time and never scaled."""

    port: int = DEFAULT_PORT
    seed: int = 1
    speed: float = 1.0
    cps: float = 1.0
    concurrency: int = 0
    """Live calls the account may have; 0 is no limit."""
    account_sid: str = DEFAULT_ACCOUNT_SID
    auth_token: str = DEFAULT_AUTH_TOKEN
    api_key_sid: str = DEFAULT_API_KEY_SID
    api_key_secret: str = DEFAULT_API_KEY_SECRET
    application_sid: str = DEFAULT_APPLICATION_SID
    voice_url: str | None = None
    """What the application answers with when a softphone calls out."""
    signature: str = "sha1"
    scenario: str | None = None
    is_manual: bool = False
    kept_calls: int = 20_000


def read_settings(argv: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Command line first, environment second, defaults last. Raises `BadSettings` on nonsense."""
    asked = _parser(environ).parse_args(argv)
    if asked.host != LOOPBACK:
        raise BadSettings(f"carrier-sim listens on {LOOPBACK} only; --host {asked.host} is refused")
    for name, url in (
        ("PUBLIC_BASE_URL", environ.get("PUBLIC_BASE_URL")),
        ("--voice-url", asked.voice_url),
    ):
        if url and not is_loopback_url(url):
            raise BadSettings(f"{name} is not on the loopback interface; carrier-sim calls back nowhere else")
    for name in ("speed", "cps"):
        if not 0 < getattr(asked, name) <= 10_000:
            raise BadSettings(f"--{name} must be above 0 and at most 10000")
    return Settings(
        port=_port(asked.port),
        seed=asked.seed,
        speed=asked.speed,
        cps=asked.cps,
        concurrency=max(0, asked.concurrency),
        account_sid=_sid(environ, "TWILIO_ACCOUNT_SID", "AC", DEFAULT_ACCOUNT_SID),
        auth_token=environ.get("TWILIO_AUTH_TOKEN") or DEFAULT_AUTH_TOKEN,
        api_key_sid=_sid(environ, "TWILIO_API_KEY_SID", "SK", DEFAULT_API_KEY_SID),
        api_key_secret=environ.get("TWILIO_API_KEY_SECRET") or DEFAULT_API_KEY_SECRET,
        application_sid=_sid(environ, "TWILIO_APP_SID", "AP", DEFAULT_APPLICATION_SID),
        voice_url=asked.voice_url or None,
        signature=asked.signature,
        scenario=asked.scenario,
        is_manual=asked.manual_clock,
    )


def _port(text: str) -> int:
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65_535:
        raise BadSettings("the port must be a number from 0 to 65535 (0 picks a free one)")
    return port


def _sid(environ: Mapping[str, str], name: str, prefix: str, default: str) -> str:
    sid = environ.get(name) or default
    if not re.fullmatch(prefix + r"[0-9a-fA-F]{32}", sid):
        raise BadSettings(f"{name} must be {prefix} followed by 32 hexadecimal digits")
    return sid


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carrier-sim",
        description="A Twilio-shaped telephone carrier on the loopback interface, for development and tests.",
    )
    parser.add_argument("--port", default=environ.get("CARRIER_SIM_PORT") or str(DEFAULT_PORT))
    parser.add_argument("--host", default=LOOPBACK, help=f"only {LOOPBACK} is accepted")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same order of calls: same outcomes")
    parser.add_argument("--speed", type=float, default=1.0, help="ring and talk times are divided by this")
    parser.add_argument(
        "--manual-clock", action="store_true", help="time stands until POST /_sim/clock/advance"
    )
    parser.add_argument("--cps", type=float, default=1.0, help="calls that may leave the queue per second")
    parser.add_argument("--concurrency", type=int, default=0, help="live calls allowed at once; 0: no limit")
    parser.add_argument("--signature", choices=("sha1", "sha256"), default="sha1")
    parser.add_argument("--voice-url", default="", help="TwiML for calls that softphones make")
    parser.add_argument("--scenario", default=None, help="a YAML file of what is to happen when")
    return parser


def settings_from_process(argv: Sequence[str]) -> Settings:
    """`read_settings` over this process's own environment."""
    return read_settings(argv, os.environ)
