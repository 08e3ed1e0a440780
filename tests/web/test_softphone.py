"""What a browser is given to be a telephone, to whom, and where the console's page may connect."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from callcenter.config import Settings
from callcenter.domain.enums import Role
from callcenter.domain.ports import SoftphoneCredentials
from callcenter.errors import ConfigError
from callcenter.models import Agent
from callcenter.runtime import Runtime
from callcenter.web.softphone import TOKEN_LASTS, softphone_of, sources_of
from tests.factories import Bank
from tests.web.conftest import SignIn, app_on, signed_in

URL = "/console/softphone"
PROGRAM = {"Accept": "application/json"}


class Carrier:
    """A carrier that only knows softphones, or is not set up for them."""

    def __init__(self, *, is_set_up: bool = True) -> None:
        self.is_set_up = is_set_up
        self.asked: list[tuple[UUID, timedelta]] = []

    def softphone_credentials(self, agent_id: UUID, ttl: timedelta, now: datetime) -> SoftphoneCredentials:
        if not self.is_set_up:
            raise ConfigError("TWILIO_API_KEY_SID is not set")
        self.asked.append((agent_id, ttl))
        return SoftphoneCredentials("a-token", f"agent_{agent_id.hex}", now + ttl)


@pytest.fixture
def carrier(runtime: Runtime) -> Carrier:
    made = Carrier()
    vars(runtime)["carrier"] = made
    return made


def talks_on(bank: Bank, address: str) -> None:
    bank.session.get_one(Agent, bank.agent_id).address = address
    bank.session.commit()


def test_an_agent_at_the_browser_is_given_a_token_of_their_own(
    desk: FlaskClient, bank: Bank, carrier: Carrier, settings: Settings
) -> None:
    identity = f"agent_{bank.agent_id.hex}"
    talks_on(bank, f"client:{identity}")
    answer = desk.post(URL, headers=PROGRAM)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json() == {
        "kind": "simulator",
        "url": settings.carrier_base_url,
        "token": "a-token",
        "identity": identity,
        "expires_at": (bank.clock.now + TOKEN_LASTS).isoformat(),
    }
    assert carrier.asked == [(bank.agent_id, TOKEN_LASTS)]


def test_an_agent_with_a_telephone_is_told_so(desk: FlaskClient, bank: Bank, carrier: Carrier) -> None:
    talks_on(bank, "+8613900007781")
    answer = desk.post(URL, headers=PROGRAM)
    assert answer.status_code == 409 and answer.get_json() == {
        "code": "conflict",
        "message": "You talk on a telephone of your own; this page needs no softphone.",
    }
    assert carrier.asked == []


def test_without_an_api_key_the_agent_reads_whom_to_ask_and_no_setting(
    desk: FlaskClient, bank: Bank, carrier: Carrier
) -> None:
    carrier.is_set_up = False
    talks_on(bank, "client:agent_1")
    answer = desk.post(URL, headers=PROGRAM)
    assert answer.status_code == 409
    assert answer.get_json()["message"] == "The softphone is not set up yet; tell your administrator."


@pytest.mark.parametrize(
    ("role", "status"), [(Role.SUPERVISOR, 403), (Role.STRATEGIST, 403), (Role.ADMIN, 409)]
)
def test_nobody_else_is_given_one(sign_in: SignIn, carrier: Carrier, role: Role, status: int) -> None:
    assert sign_in(role).post(URL, headers=PROGRAM).status_code == status
    assert carrier.asked == []


def test_a_stranger_or_another_page_is_given_none(
    client: FlaskClient, runtime: Runtime, bank: Bank, carrier: Carrier
) -> None:
    assert client.post(URL, headers=PROGRAM).status_code == 401
    talks_on(bank, "client:agent_1")
    foreign = signed_in(app_on(runtime, csrf=True).test_client(), bank.agent_id)
    assert foreign.post(URL, headers=PROGRAM).status_code == 400
    assert carrier.asked == []


def test_only_the_console_may_connect_elsewhere(desk: FlaskClient, settings: Settings) -> None:
    own = desk.get("/sign-in").headers["Content-Security-Policy"]
    console = desk.get("/console").headers["Content-Security-Policy"]
    assert "connect-src" not in own and "default-src 'self'" in own
    assert console == f"{own}; {sources_of(settings)}"


def test_the_policy_names_the_softphones_own_places_and_no_others(settings: Settings) -> None:
    twilio = replace(settings, carrier="twilio", carrier_base_url=None)
    assert "wss://voice-js.roaming.twilio.com https://eventgw.twilio.com" in sources_of(twilio)
    assert "127.0.0.1" not in sources_of(twilio)
    simulator = replace(settings, carrier="simulator", carrier_base_url=None, carrier_sim_port=8091)
    assert "http://127.0.0.1:8091 ws://127.0.0.1:8091" in sources_of(simulator)
    assert "twilio" not in sources_of(simulator)


def test_the_kind_follows_the_carrier(settings: Settings) -> None:
    twilio = softphone_of(replace(settings, carrier="twilio"), "client:agent_1")
    assert twilio is not None and (twilio.kind, twilio.url) == ("twilio", None)
    assert softphone_of(settings, "+8613900007781") is None
