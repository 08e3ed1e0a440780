"""Read a TwiML document into the few steps the simulator can carry out. Pure."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree import ElementTree

MAX_DOCUMENT_CHARS = 65_536
SPOKEN_WORDS_PER_SECOND = 2.5
PLAY_S = 3.0
GATHER_TIMEOUT_S = 5.0
ROOM_EVENTS = frozenset(
    {"start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"}
)
RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})
KNOWN_ATTRIBUTES = {
    "Say": "voice loop language",
    "Play": "loop digits",
    "Pause": "length",
    "Redirect": "method",
    "Hangup": "",
    "Reject": "reason",
    "Gather": "input action method timeout finishOnKey numDigits actionOnEmptyResult language hints speechTimeout "
    "speechModel bargeIn debug enhanced profanityFilter partialResultCallback partialResultCallbackMethod "
    "maxSpeechTime",
    "Dial": "action method timeout hangupOnStar timeLimit callerId record trim recordingStatusCallback "
    "recordingStatusCallbackMethod recordingStatusCallbackEvent answerOnBridge ringTone recordingTrack "
    "sequential referUrl referMethod events",
    "Conference": "muted beep startConferenceOnEnter endConferenceOnExit waitUrl waitMethod maxParticipants "
    "record recordingConfigurationId region coach trim statusCallbackEvent statusCallback statusCallbackMethod "
    "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent eventCallbackUrl "
    "jitterBufferSize participantLabel",
}


class TwimlError(Exception):
    """Twilio's alert code and what is wrong with the document."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Verb(StrEnum):
    WAIT = "wait"
    REDIRECT = "redirect"
    HANGUP = "hangup"
    REJECT = "reject"
    GATHER = "gather"
    JOIN_ROOM = "join room"


@dataclass(frozen=True, slots=True)
class Callback:
    """Where something is reported, how, and which of its events."""

    url: str
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True)
class RoomEntry:
    """The attributes of `<Conference>`. `wait_url` None is the carrier's own music, "" is silence."""

    name: str
    muted: bool = False
    start_on_enter: bool = True
    end_on_exit: bool = False
    beep: str = "true"
    label: str | None = None
    coach: str | None = None
    wait_url: str | None = None
    wait_method: str = "POST"
    max_participants: int = 250
    is_recorded: bool = False
    recording: Callback | None = None
    callback_url: str | None = None
    callback_method: str = "POST"
    callback_events: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `url` is a redirect's target or a verb's action; `seconds` is simulated time."""

    verb: Verb
    seconds: float = 0.0
    url: str | None = None
    method: str = "POST"
    says: str = ""
    room: RoomEntry | None = None
    digits: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Script:
    """What a document asks for, and what in it the carrier does not know but lets pass."""

    steps: list[Step] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_document(text: str) -> Script:
    """The steps of a `<Response>`, in order; an empty text is an empty document.

    Raises `TwimlError`: 12100 not XML, 12200 not TwiML or a verb the simulator does not know.
    """
    if not text.strip():
        return Script()
    if len(text) > MAX_DOCUMENT_CHARS or "<!" in text.replace("<!--", ""):
        raise TwimlError(12100, "document too large, or with a declaration or CDATA")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  size-bound and without declarations, see above
    except ElementTree.ParseError as error:
        raise TwimlError(12100, f"not well-formed XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12200, f"the root element is <{root.tag}>, not <Response>")
    steps = [step for element in root for step in _steps(element)]
    return Script(steps, _warnings(root))


def _warnings(root: ElementTree.Element) -> list[str]:
    return [
        f"<{element.tag}> has no attribute {name}"
        for element in root.iter()
        if element.tag in KNOWN_ATTRIBUTES
        for name in element.attrib
        if name not in KNOWN_ATTRIBUTES[element.tag].split()
    ]


def _steps(element: ElementTree.Element) -> list[Step]:
    text = (element.text or "").strip()
    match element.tag:
        case "Say":
            text = " ".join("".join(element.itertext()).split())
            words = max(1, len(text.split()))
            seconds = words / SPOKEN_WORDS_PER_SECOND * _count(element)
            return [Step(Verb.WAIT, seconds=seconds, says=f"Say: {text}")]
        case "Play":
            return [Step(Verb.WAIT, seconds=PLAY_S * _count(element), says=f"Play: {text}")]
        case "Pause":
            return [Step(Verb.WAIT, seconds=_number(element.get("length"), 1.0))]
        case "Redirect":
            return [Step(Verb.REDIRECT, url=text, method=method_of(element.get("method")))]
        case "Hangup":
            return [Step(Verb.HANGUP)]
        case "Reject":
            return [Step(Verb.REJECT, reason=element.get("reason") or "rejected")]
        case "Gather":
            return _gather(element)
        case "Dial":
            return [_dial(element)]
    raise TwimlError(12200, f"<{element.tag}> is not a verb this carrier knows")


def _gather(element: ElementTree.Element) -> list[Step]:
    """Its prompts, each of which a key may cut short, then the wait for keys."""
    if any(child.tag not in ("Say", "Play", "Pause") for child in element):
        raise TwimlError(12200, "<Gather> takes Say, Play and Pause")
    prompts = [step for child in element for step in _steps(child)]
    seconds = sum(step.seconds for step in prompts) + _number(element.get("timeout"), GATHER_TIMEOUT_S)
    return [
        Step(
            Verb.GATHER,
            seconds=seconds,
            url=element.get("action") or "",
            method=method_of(element.get("method")),
            says="; ".join(step.says for step in prompts if step.says),
            digits=int(_number(element.get("numDigits"), 0)),
        )
    ]


def _dial(element: ElementTree.Element) -> Step:
    nouns = list(element)
    if len(nouns) != 1 or nouns[0].tag != "Conference":
        raise TwimlError(12200, "<Dial> is understood here with exactly one <Conference>")
    action = element.get("action")
    room = _room(nouns[0])
    return Step(Verb.JOIN_ROOM, url=action, method=method_of(element.get("method")), room=room)


def _room(noun: ElementTree.Element) -> RoomEntry:
    name = (noun.text or "").strip()
    if not name:
        raise TwimlError(13213, "a conference needs a name")
    recording_url = noun.get("recordingStatusCallback")
    return RoomEntry(
        name=name,
        muted=_flag(noun, "muted", default=False),
        start_on_enter=_flag(noun, "startConferenceOnEnter", default=True),
        end_on_exit=_flag(noun, "endConferenceOnExit", default=False),
        beep=noun.get("beep") or "true",
        label=noun.get("participantLabel"),
        coach=noun.get("coach"),
        wait_url=noun.get("waitUrl"),
        wait_method=method_of(noun.get("waitMethod")),
        max_participants=int(_number(noun.get("maxParticipants"), 250)),
        is_recorded=noun.get("record") in ("record-from-start", "true"),
        recording=Callback(
            recording_url,
            method_of(noun.get("recordingStatusCallbackMethod")),
            words_of(noun.get("recordingStatusCallbackEvent")) or frozenset({"completed"}),
        )
        if recording_url
        else None,
        callback_url=noun.get("statusCallback"),
        callback_method=method_of(noun.get("statusCallbackMethod")),
        callback_events=words_of(noun.get("statusCallbackEvent")),
    )


def words_of(text: str | None) -> frozenset[str]:
    """Names separated by spaces, as TwiML writes a list of events."""
    return frozenset((text or "").split())


def method_of(value: str | None) -> str:
    """GET when asked for, else POST."""
    return "GET" if (value or "").upper() == "GET" else "POST"


def _flag(element: ElementTree.Element, name: str, *, default: bool) -> bool:
    value = element.get(name)
    return default if value is None else value.strip().lower() == "true"


def _count(element: ElementTree.Element) -> float:
    """Loop 0 means for ever in TwiML; an hour is for ever here."""
    times = _number(element.get("loop"), 1.0)
    return times if times > 0 else 3_600.0


def _number(value: str | None, default: float) -> float:
    return float(value) if value and re.fullmatch(r"\d{1,5}(\.\d+)?", value) else default
