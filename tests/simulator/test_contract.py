"""Every REST answer against Twilio's published OpenAPI.

The fixture `simulator` checks what each test of this directory was answered; here every operation the
simulator offers is asked once, so that none is left out.
"""

from typing import Any

import pytest
import requests

from .contract import OPENAPI, openapi
from .rooms import dial, join
from .sim import ACCOUNT_SID, APPLICATION_SID, AUTH_TOKEN, CALLER, Product, Simulator, wait_for

pytestmark = pytest.mark.slow

RESOURCES = ("/Calls", "/Conferences", "/Recordings", "/Applications")


@pytest.fixture(autouse=True)
def document() -> dict[str, Any]:
    found = openapi()
    if found is None:
        pytest.skip(f"{OPENAPI} is absent; set CALLCENTER_SHARED_DATA to check against the published OpenAPI")
    return found


def test_every_operation_is_answered_as_twilio_could_have(simulator: Simulator, product: Product) -> None:
    twilio = simulator.twilio
    first = join(simulator, product, "client:agent_a", "/first", dial(product, "contract", record="true"))
    second = join(simulator, product, "client:agent_b", "/second", dial(product, "contract"))
    failed = twilio.calls.create(to="+12025555903", from_=CALLER, url=f"{product.base_url}/first")
    wait_for(lambda: simulator.call(failed.sid)["status"] == "failed")
    for sid in (first.sid, failed.sid):
        twilio.calls(sid).fetch()
        twilio.calls(sid).events.list()
    assert len(twilio.calls.list(limit=3, page_size=2)) == 3
    [room] = twilio.conferences.list(friendly_name="contract", status="in-progress")
    conference = twilio.conferences(room.sid)
    conference.fetch()
    third = conference.participants.create(from_=CALLER, to="client:agent_c", label="third")
    conference.participants.list()
    wait_for(lambda: simulator.call(third.call_sid)["status"] == "in-progress")
    leg = conference.participants(second.sid)
    leg.fetch()
    leg.update(muted=False, coaching=True, call_sid_to_coach=first.sid)
    leg.update(hold=True)
    leg.delete()
    of_call = twilio.calls(first.sid).recordings.create()
    twilio.calls(first.sid).recordings(of_call.sid).fetch()
    twilio.calls(first.sid).recordings(of_call.sid).update(status="paused", pause_behavior="silence")
    twilio.calls(first.sid).recordings("Twilio.CURRENT").update(status="stopped")
    twilio.calls(first.sid).recordings.list()
    [of_room] = conference.recordings.list()
    conference.recordings(of_room.sid).fetch()
    conference.recordings("Twilio.CURRENT").update(status="paused")
    twilio.recordings(of_room.sid).fetch()
    conference.update(status="completed")
    wait_for(lambda: twilio.recordings(of_room.sid).fetch().status == "completed")
    twilio.recordings.list(limit=5)
    conference.recordings(of_room.sid).delete()
    twilio.calls(first.sid).recordings(of_call.sid).delete()
    again = join(simulator, product, "client:agent_d", "/fourth", dial(product, "contract-2"))
    last = twilio.calls(again.sid).recordings.create()
    twilio.calls(again.sid).update(status="completed")
    twilio.recordings(last.sid).delete()
    twilio.applications.list()
    twilio.applications(APPLICATION_SID).fetch()
    twilio.applications(APPLICATION_SID).update(voice_url=f"{product.base_url}/voice")
    assert len(simulator.http.bodies) > 35


def test_what_the_published_document_has_and_the_simulator_lacks_is_known(
    document: dict[str, Any], simulator: Simulator
) -> None:
    """A resource is either offered or listed here as left out."""
    lacking = set()
    prefix = "/2010-04-01/Accounts/{AccountSid}"
    for template, operations in document["paths"].items():
        path = template.removeprefix(prefix).removesuffix(".json")
        if path.startswith(RESOURCES) and path.count("/") <= 4:
            for method in ("get", "post", "delete"):
                if method in operations and not _is_offered(simulator, template, method):
                    lacking.add(f"{method} {path}")
    left_out = {each for each in lacking if not any(part in each for part in OTHER_PRODUCTS)}
    assert left_out == {"post /Applications", "delete /Applications/{Sid}", "delete /Calls/{Sid}"}


OTHER_PRODUCTS = (
    "Notifications",
    "Payments",
    "Siprec",
    "Streams",
    "Transcriptions",
    "UserDefinedMessage",
    "AddOnResults",
)


def _is_offered(simulator: Simulator, template: str, method: str) -> bool:
    path = template.replace("{AccountSid}", ACCOUNT_SID)
    for name, sid in (
        ("{CallSid}", "CA"),
        ("{ConferenceSid}", "CF"),
        ("{RecordingSid}", "RE"),
        ("{Sid}", "XX"),
    ):
        path = path.replace(name, sid + "0" * 32)
    answer = requests.request(method, simulator.base_url + path, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=5)
    # An offered resource that is not there names itself; a path nobody serves does not.
    return answer.status_code not in (404, 405) or "was not found" in answer.json()["message"].replace(
        "The requested resource was not found", ""
    )
