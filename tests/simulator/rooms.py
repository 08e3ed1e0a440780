"""Put legs into rooms, for tests."""

from typing import Any

from .sim import CALLER, Product, Simulator, wait_for

EVENTS = "start end join leave mute hold modify"


def dial(product: Product, room: str, *, reports: bool = False, **attributes: str) -> str:
    if reports:
        attributes |= {"statusCallback": f"{product.base_url}/room", "statusCallbackEvent": EVENTS}
    written = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"<Response><Dial><Conference {written}>{room}</Conference></Dial></Response>"


def join(simulator: Simulator, product: Product, to: str, path: str, document: str) -> Any:
    product.answers[path] = document
    call = simulator.twilio.calls.create(to=to, from_=CALLER, url=product.base_url + path, timeout=600)
    wait_for(lambda: simulator.call(call.sid)["joined_room_at"])
    return call


def told(product: Product) -> list[str]:
    return [params["StatusCallbackEvent"] for params in product.at("/room")]
