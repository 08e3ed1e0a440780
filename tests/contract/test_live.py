"""One call at the real Twilio, by whoever asks for it: never in continuous integration.

Set TWILIO_LIVE_TO to a telephone of your own, CARRIER=twilio and the account's settings (see docs/settings.md).
The call rings once and is ended; what only the real service can tell is printed (pytest -s).
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from callcenter.config import load_settings
from callcenter.domain.enums import AttemptState
from callcenter.domain.ports import CallWish, Placed
from callcenter.telephony.twilio import TwilioCarrier, account_from

TO = os.environ.get("TWILIO_LIVE_TO", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not TO, reason="set TWILIO_LIVE_TO to call a telephone of your own at the real Twilio"
    ),
    pytest.mark.skipif(bool(os.environ.get("CI")), reason="never in continuous integration: it really calls"),
]
LAG_SECONDS = 120


def _wait_until(what: str, holds: Callable[[], object]) -> None:
    start = time.monotonic()
    while time.monotonic() - start < LAG_SECONDS:
        if holds():
            sys.stdout.write(f"{what}: {time.monotonic() - start:.1f} s\n")
            return
        time.sleep(0.5)
    pytest.fail(f"{what}: not within {LAG_SECONDS} s")


def test_a_real_call_is_placed_found_told_apart_and_ended() -> None:
    settings = load_settings(os.environ)
    if settings.carrier != "twilio":
        pytest.skip("CARRIER is not twilio")
    carrier = TwilioCarrier(account_from(settings))
    attempt, since = uuid4(), datetime.now(UTC)
    placed = carrier.place(CallWish(attempt, TO, timedelta(seconds=15), timedelta(seconds=30)))
    assert isinstance(placed, Placed), placed
    try:
        _wait_until("in the list of calls to the number", lambda: carrier.find(TO, since))
        _wait_until("in the list of all calls", lambda: carrier.calls_between(since, datetime.now(UTC)))
        _wait_until("attempt read from Call Events", lambda: carrier.identify(placed.ref) == attempt)
    finally:
        assert carrier.hang_up(placed.ref)
    _wait_until("seen as ended", lambda: _has_ended(carrier, placed.ref))
    assert carrier.hang_up(placed.ref), "ended already is success"


def _has_ended(carrier: TwilioCarrier, ref: str) -> bool:
    call = carrier.lookup(ref)
    return call is not None and call.state is AttemptState.ENDED
