"""Read the form of a create or update request: addresses, URLs, times, flags, what is to be reported where."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Request

from .records import AmdOrder, CallOrder, RecordingOrder
from .rest_shapes import RestError
from .twiml import RECORDING_EVENTS, Callback, method_of
from .urls import is_loopback_url

Form = MultiDict[str, str]

PHONE = re.compile(r"\+[1-9]\d{6,14}")
SOFTPHONE_OR_SIP = re.compile(r"client:[A-Za-z0-9_]{1,121}|sips?:[^\s@]+@[^\s@]+")
CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MAX_TWIML_CHARS = 4_000
# Twilio's published magic numbers for `To`; the last digit decides.
MAGIC_REFUSALS = {
    "+15005550001": (21217, "Phone number does not appear to be valid"),
    "+15005550002": (21214, "The phone number you are attempting to call cannot be reached"),
    "+15005550003": (21215, "Account not authorized to call this number: international permissions are off"),
    "+15005550004": (21216, "Account not allowed to call this number: it is blocked"),
}
MAGIC_BAD_CALLER = "+15005550001"
Ignored = Callable[[str], None]


def call_order(request: Request, ignored: Ignored) -> CallOrder:
    """A `Calls` create request. `ignored` hears of each event name that is not known."""
    form = request.form
    to, caller = form.get("To", "").strip(), form.get("From", "").strip()
    check_addresses(to, caller)
    url, twiml = form.get("Url"), form.get("Twiml")
    if not url and not twiml:
        raise RestError(400, 21205, "Url parameter is required")
    if twiml and len(twiml) > MAX_TWIML_CHARS:
        raise RestError(400, 21623, f"Twiml must be at most {MAX_TWIML_CHARS} characters")
    return replace(
        _leg(form, to, caller, ignored),
        url=url_of(form, "Url", 21205),
        method=method_of(form.get("Method")),
        fallback_url=url_of(form, "FallbackUrl"),
        fallback_method=method_of(form.get("FallbackMethod")),
        twiml=twiml if not url else None,
        amd=_amd(form, "AsyncAmdStatusCallback", is_async=flag(form, "AsyncAmd") is True),
    )


def participant_order(request: Request, ignored: Ignored) -> CallOrder:
    """A `Participants` create request without its room; the detector is asynchronous there."""
    form = request.form
    to, caller = form.get("To", "").strip(), form.get("From", "").strip()
    check_addresses(to, caller)
    if form.get("MachineDetection") and not form.get("AmdStatusCallback"):
        raise RestError(400, 21262, "AmdStatusCallback is required with MachineDetection")
    for name in ("AsyncAmd", "AsyncAmdStatusCallback"):
        if name in form:
            raise RestError(400, 21263, f"{name} is not a parameter of Participants; use AmdStatusCallback")
    return replace(_leg(form, to, caller, ignored), amd=_amd(form, "AmdStatusCallback", is_async=True))


def _leg(form: Form, to: str, caller: str, ignored: Ignored) -> CallOrder:
    """What both kinds of create request say about the leg itself."""
    return CallOrder(
        to=to,
        caller=caller,
        status_callback=url_of(form, "StatusCallback"),
        status_callback_method=method_of(form.get("StatusCallbackMethod")),
        events=_call_events(form.getlist("StatusCallbackEvent"), ignored),
        timeout_s=seconds(form, "Timeout", 60, 600),
        time_limit_s=seconds(form, "TimeLimit", 14_400, 86_400),
        recording=_leg_recording(form),
        asked=tuple(form.items(multi=True)),
    )


def check_addresses(to: str, caller: str) -> None:
    if not to:
        raise RestError(400, 21201, "No 'To' number is specified")
    if not caller:
        raise RestError(400, 21213, "No 'From' number is specified")
    if not (PHONE.fullmatch(caller) or SOFTPHONE_OR_SIP.fullmatch(caller)) or caller == MAGIC_BAD_CALLER:
        raise RestError(
            400, 21212, "The 'From' number is not a valid phone number, shortcode or alphanumeric"
        )
    if to in MAGIC_REFUSALS:
        raise RestError(400, *MAGIC_REFUSALS[to])
    if not (PHONE.fullmatch(to) or SOFTPHONE_OR_SIP.fullmatch(to)):
        raise RestError(400, 21211, "Invalid 'To' Phone Number")


def url_of(form: Form, name: str, code: int = 21609) -> str | None:
    """A URL this carrier may call, None when not given; else a refusal."""
    url = form.get(name) or None
    if url is not None and not is_loopback_url(url):
        raise RestError(
            400,
            code,
            f"{name} is not a valid URL: this carrier reaches http(s) on the loopback interface only",
        )
    return url


def seconds(form: Form, name: str, default: int, most: int) -> int:
    text = form.get(name)
    if not text:
        return default
    if not text.isdigit() or not 1 <= int(text) <= most:
        raise RestError(400, 20001, f"{name} must be a whole number of seconds from 1 to {most}")
    return int(text)


def flag(form: Form, name: str) -> bool | None:
    """`true` or `false` in any case; None when not given; else a refusal."""
    text = form.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise RestError(400, 20001, f"{name} must be true or false")
    return text == "true" if text else None


def recording_callback(form: Form, prefix: str = "Recording") -> Callback | None:
    """`RecordingStatusCallback` and its kin, or the conference's with its own prefix."""
    url = url_of(form, f"{prefix}StatusCallback")
    if url is None:
        return None
    events = listed(form, f"{prefix}StatusCallbackEvent") & RECORDING_EVENTS
    method = method_of(form.get(f"{prefix}StatusCallbackMethod"))
    return Callback(url, method, events or frozenset({"completed"}))


def listed(form: Form, name: str) -> frozenset[str]:
    """Values of a repeated key, or separated by spaces in one."""
    return frozenset(word for value in form.getlist(name) for word in value.split())


def channels_of(form: Form, default: int) -> int:
    return {"mono": 1, "dual": 2}.get(form.get("RecordingChannels", ""), default)


def _leg_recording(form: Form) -> RecordingOrder | None:
    if flag(form, "Record") is not True:
        return None
    return RecordingOrder("OutboundAPI", channels_of(form, 1), recording_callback(form))


def _amd(form: Form, callback_name: str, *, is_async: bool) -> AmdOrder | None:
    mode = form.get("MachineDetection", "")
    if mode not in ("", "Enable", "DetectMessageEnd"):
        raise RestError(400, 20001, "MachineDetection must be Enable or DetectMessageEnd")
    url = url_of(form, callback_name)
    if not mode or form.get("SendDigits"):
        return None
    timeout = seconds(form, "MachineDetectionTimeout", 30, 59)
    callback = Callback(url, method_of(form.get(f"{callback_name}Method"))) if url else None
    return AmdOrder(mode == "DetectMessageEnd", is_async, timeout, callback)


def _call_events(asked: Iterable[str], ignored: Ignored) -> frozenset[str]:
    """Each key names one event. A list in one value is not understood, exactly as at Twilio."""
    named = [event for event in asked if event]
    for event in named:
        if event not in CALL_EVENTS:
            ignored(event)
    return frozenset(named) & CALL_EVENTS if named else frozenset({"completed"})
