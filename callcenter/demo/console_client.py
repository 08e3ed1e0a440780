"""An agent's browser: signs in through the form, reads the console's HTML, posts its forms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol

import requests

TIMEOUT_S = (2.0, 8.0)
SIGN_IN, CONSOLE, STATE, PRESENCE = "/sign-in", "/console", "/console/state", "/console/presence"

Fields = Sequence[tuple[str, str]]


class ConsoleError(Exception):
    """Something stood between the agent and the console."""


class SignedOut(ConsoleError):
    """The session has ended, or its forms are too old: sign in again."""


class SignInRefused(ConsoleError):
    """The login or the password is not right, or there were too many tries."""


class Refused(ConsoleError):
    """The product said no to an act (409, 400, 403, 404): look at what is true now."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused with {status}")
        self.status = status


class Away(ConsoleError):
    """No answer, or one that says to come again later; whether an act was carried out is not known."""


@dataclass(frozen=True)
class ConsolePage:
    """What an agent sees on the console.

    `result` is what the head of the page calls the state of the call, in the viewer's language;
    `node` and `branches` are the step of the script that is open, `grants` where the offers that may be granted
    now are sent to. `recovered` says that the customer
    went on by themselves meanwhile.
    """

    phase: str = "idle"
    presence: str = "signed_off"
    reason: str = ""
    csrf_token: str = ""
    call_task: str = ""
    result: str = ""
    recovered: bool = False
    may_dial: bool = False
    may_save: bool = False
    end_path: str = ""
    not_ready_reasons: tuple[str, ...] = ()
    skip_reasons: tuple[str, ...] = ()
    node: str = ""
    branches: tuple[str, ...] = ()
    dispositions: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    causes_prefilled: tuple[str, ...] = ()
    callback_times: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


class Console(Protocol):
    """What an agent needs of a browser. Every method raises ConsoleError."""

    def sign_in(self) -> ConsolePage:
        """Sign in and show the console."""

    def look(self) -> ConsolePage:
        """Show what is true now."""

    def post(self, path: str, fields: Fields) -> ConsolePage:
        """Send a form."""


class ConsoleClient:
    """One agent's browser session against the product at `base_url`."""

    def __init__(self, base_url: str, login: str, password: str) -> None:
        self._base_url = base_url.rstrip("/")
        self._login, self._password = login, password
        self._http = requests.Session()
        self._csrf_token = ""

    def sign_in(self) -> ConsolePage:
        """Fetch the form, send it with its token, and land on the console."""
        self._http.cookies.clear()
        form = read_html(self._ask("GET", SIGN_IN).text)
        sent = [("csrf_token", form.csrf_token), ("email", self._login), ("password", self._password)]
        answer = self._ask("POST", SIGN_IN, sent)
        if answer.status_code in (401, 429):
            raise SignInRefused(f"sign-in refused with {answer.status_code}")
        return self._page(answer)

    def look(self) -> ConsolePage:
        """Poll the console, as an open page does."""
        return self._page(self._ask("GET", STATE))

    def post(self, path: str, fields: Fields) -> ConsolePage:
        """Send a form of the page last shown."""
        return self._page(self._ask("POST", path, [("csrf_token", self._csrf_token), *fields]))

    def _ask(self, method: str, path: str, form: Fields = ()) -> requests.Response:
        headers = {} if path == SIGN_IN else {"HX-Request": "true", "X-CSRFToken": self._csrf_token}
        try:
            answer = self._http.request(
                method, self._base_url + path, data=list(form), headers=headers, timeout=TIMEOUT_S
            )
        except requests.RequestException as error:
            raise Away(type(error).__name__) from None
        if answer.status_code >= 500 or (answer.status_code == 429 and path != SIGN_IN):
            raise Away(str(answer.status_code))
        return answer

    def _page(self, answer: requests.Response) -> ConsolePage:
        if answer.status_code == 401:
            raise SignedOut
        if answer.status_code >= 400:
            raise Refused(answer.status_code)
        seen = read_html(answer.text)
        if not seen.is_console:
            raise SignedOut
        page = read_console(seen)
        self._csrf_token = page.csrf_token or self._csrf_token
        return page


@dataclass
class Form:
    """One form of a page: its attributes, and those of its inputs and buttons."""

    attributes: dict[str, str]
    inputs: list[dict[str, str]] = field(default_factory=list)
    buttons: list[dict[str, str]] = field(default_factory=list)

    @property
    def action(self) -> str:
        """Where it is sent."""
        return self.attributes.get("action", "")

    def value(self, name: str) -> str:
        """Return the value of the first input of this name, empty if there is none."""
        return next((each.get("value", "") for each in self.inputs if each.get("name") == name), "")

    def values(self, name: str, *, checked: bool = False) -> tuple[str, ...]:
        """Return the values of the inputs of this name, or only of those checked."""
        return tuple(
            each.get("value", "")
            for each in self.inputs
            if each.get("name") == name and (not checked or "checked" in each)
        )


class Reader(HTMLParser):
    """Keeps of a page what an agent looks at: the state's attributes, the forms, the head of the call."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.state: dict[str, str] = {}
        self.forms: list[Form] = []
        self.presence = ""
        self.label = ""
        self.recovered = False
        self._form: Form | None = None
        self._in_label = False

    @property
    def is_console(self) -> bool:
        """Whether this is the console, and not the sign-in form or another page."""
        return "data-phase" in self.state

    @property
    def csrf_token(self) -> str:
        """The token every form of the page carries."""
        return next((token for form in self.forms if (token := form.value("csrf_token"))), "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        found = {name: value or "" for name, value in attrs}
        classes = found.get("class", "").split()
        if found.get("id") == "state":
            self.state = found
        elif found.get("id") == "presence":
            self.presence = next((name[9:] for name in classes if name.startswith("presence-")), "")
        self._in_label = "call-bar-label" in classes
        self.recovered = self.recovered or "step-recovered" in classes
        if tag == "form":
            self._form = Form(found)
            self.forms.append(self._form)
        elif self._form is not None and tag == "input":
            self._form.inputs.append(found)
        elif self._form is not None and tag == "button":
            self._form.buttons.append(found)

    def handle_endtag(self, tag: str) -> None:
        """Note the end of an element."""
        self._in_label = False
        if tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        """Note text."""
        if self._in_label:
            self.label += data


def read_html(html: str) -> Reader:
    """Read a page; any text is read, what is not a page of ours has nothing in it."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def read_console(seen: Reader) -> ConsolePage:
    """Return what an agent makes of the console's HTML."""
    presences = [form for form in seen.forms if form.action == PRESENCE and form.value("reason")]
    current = [form for form in presences if any("aria-current" in button for button in form.buttons)]
    dial, wrap_up, end = _sent_to(seen, "/dial"), _sent_to(seen, "/wrap-up"), _sent_to(seen, "/end")
    step = next((form for form in seen.forms if _is_open_step(form)), None)
    return ConsolePage(
        phase=seen.state.get("data-phase", "idle"),
        presence=seen.presence or "signed_off",
        reason=current[0].value("reason") if current else "",
        csrf_token=seen.csrf_token,
        call_task=seen.state.get("data-call-task", ""),
        result=seen.label.strip(),
        recovered=seen.recovered,
        may_dial=_has_enabled_button(dial),
        may_save=_has_enabled_button(wrap_up),
        end_path=end.action if end else "",
        not_ready_reasons=tuple(form.value("reason") for form in presences),
        skip_reasons=tuple(form.value("reason") for form in seen.forms if form.action.endswith("/skip")),
        node=step.value("node") if step else "",
        branches=tuple(button["value"] for button in step.buttons if button.get("value")) if step else (),
        dispositions=wrap_up.values("disposition") if wrap_up else (),
        causes=wrap_up.values("causes") if wrap_up else (),
        causes_prefilled=wrap_up.values("causes", checked=True) if wrap_up else (),
        callback_times=wrap_up.values("callback_at") if wrap_up else (),
        grants=tuple(form.action for form in seen.forms if "/offers/" in form.action),
    )


def _sent_to(seen: Reader, ending: str) -> Form | None:
    return next((form for form in seen.forms if form.action.endswith(ending)), None)


def _has_enabled_button(form: Form | None) -> bool:
    return form is not None and any(map(_is_enabled, form.buttons))


def _is_enabled(button: Mapping[str, str]) -> bool:
    return "disabled" not in button and button.get("aria-disabled") != "true"


def _is_open_step(form: Form) -> bool:
    return "data-node" in form.attributes and "hidden" not in form.attributes
