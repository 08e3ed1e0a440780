"""Read a TwiML document into the few steps the simulator can carry out. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree import ElementTree

MAX_DOCUMENT_CHARS = 65_536
SPOKEN_WORDS_PER_SECOND = 2.5
PLAY_S = 3.0


class TwimlError(Exception):
    """Twilio's alert code and what is wrong with the document."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Verb(StrEnum):
    WAIT = "wait"
    REDIRECT = "redirect"
    HANGUP = "hangup"
    JOIN_ROOM = "join room"


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """The attributes of `<Conference>` that change who hears and what ends."""

    name: str
    muted: bool = False
    start_on_enter: bool = True
    end_on_exit: bool = False
    label: str | None = None
    coach: str | None = None
    callback_url: str | None = None
    callback_method: str = "POST"
    callback_events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `url` is a redirect's target or a Dial's action; `seconds` is simulated time."""

    verb: Verb
    seconds: float = 0.0
    url: str | None = None
    method: str = "POST"
    room: RoomEntry | None = field(default=None)


def read_document(text: str) -> list[Step]:
    """The steps of a `<Response>`, in order; an empty text is an empty document.

    Raises `TwimlError`: 12100 not XML, 12200 not TwiML or a verb the simulator does not know.
    """
    if not text.strip():
        return []
    if len(text) > MAX_DOCUMENT_CHARS or "<!" in text.replace("<!--", ""):
        raise TwimlError(12100, "document too large, or with a declaration or CDATA")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  size-bound and without declarations, see above
    except ElementTree.ParseError as error:
        raise TwimlError(12100, f"not well-formed XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12200, f"the root element is <{root.tag}>, not <Response>")
    return [_step(element) for element in root]


def _step(element: ElementTree.Element) -> Step:
    text = (element.text or "").strip()
    match element.tag:
        case "Say":
            words = max(1, len(text.split()))
            return Step(Verb.WAIT, seconds=words / SPOKEN_WORDS_PER_SECOND * _count(element))
        case "Play":
            return Step(Verb.WAIT, seconds=PLAY_S * _count(element))
        case "Pause":
            return Step(Verb.WAIT, seconds=_number(element.get("length"), 1.0))
        case "Redirect":
            return Step(Verb.REDIRECT, url=text, method=_method(element.get("method")))
        case "Hangup" | "Reject":
            return Step(Verb.HANGUP)
        case "Dial":
            return _dial(element)
    raise TwimlError(12200, f"<{element.tag}> is not a verb this carrier knows")


def _dial(element: ElementTree.Element) -> Step:
    nouns = list(element)
    if len(nouns) != 1 or nouns[0].tag != "Conference":
        raise TwimlError(12200, "<Dial> is understood here with exactly one <Conference>")
    action = element.get("action")
    room = _room(nouns[0])
    return Step(Verb.JOIN_ROOM, url=action, method=_method(element.get("method")), room=room)


def _room(noun: ElementTree.Element) -> RoomEntry:
    name = (noun.text or "").strip()
    if not name:
        raise TwimlError(13213, "a conference needs a name")
    return RoomEntry(
        name=name,
        muted=_flag(noun, "muted", default=False),
        start_on_enter=_flag(noun, "startConferenceOnEnter", default=True),
        end_on_exit=_flag(noun, "endConferenceOnExit", default=False),
        label=noun.get("participantLabel"),
        coach=noun.get("coach"),
        callback_url=noun.get("statusCallback"),
        callback_method=_method(noun.get("statusCallbackMethod")),
        callback_events=frozenset((noun.get("statusCallbackEvent") or "").split()),
    )


def _flag(element: ElementTree.Element, name: str, *, default: bool) -> bool:
    value = element.get(name)
    return default if value is None else value.strip().lower() == "true"


def _count(element: ElementTree.Element) -> float:
    """Loop 0 means for ever in TwiML; an hour is for ever here."""
    times = _number(element.get("loop"), 1.0)
    return times if times > 0 else 3_600.0


def _number(value: str | None, default: float) -> float:
    return float(value) if value and re.fullmatch(r"\d{1,5}(\.\d+)?", value) else default


def _method(value: str | None) -> str:
    return "GET" if (value or "").upper() == "GET" else "POST"
