"""What every page shares: who looks, in which language and theme, and where they may go."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units of an ISO 4217 currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """One place the viewer may go.

    `code` names label and icon, such as console, floor, journeys, gate and systems.
    `key` is the letter after `g`. `badge` is a count worth a look, None or 0 for none.
    """

    code: str
    href: str
    key: str
    badge: int | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """The head of the document and the navigation.

    `theme` is auto, light or dark; `language` is en or zh. `now` is the server's clock, which
    corrects every clock in the browser. `here` is the code of the chosen `NavItem`.
    `live_url` is the event stream, `state_url` answers with the page's state fragment;
    both are None on pages that do not change by themselves.
    """

    organisation: str
    user_name: str
    team: str
    language: str
    theme: str
    now: datetime
    csrf_token: str
    here: str
    nav: tuple[NavItem, ...] = ()
    live_url: str | None = None
    state_url: str | None = None


@dataclass(frozen=True, slots=True)
class DemoSignIn:
    """A sign-in of the sample set-up. `email` is what is typed as login; `role` is a code."""

    name: str
    email: str
    password: str
    role: str


@dataclass(frozen=True, slots=True)
class SignInPage:
    """The sign-in form.

    `email` is the login typed before, `error` a finished sentence, `next_url` a path on this site.
    """

    organisation: str
    language: str
    theme: str
    csrf_token: str
    next_url: str | None = None
    email: str = ""
    error: str | None = None
    demo_sign_ins: tuple[DemoSignIn, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """A refusal or a fault. `message` is a finished, safe sentence, or None for the usual one.

    `request_id` finds the fault in the log; `retry_url` is the page to ask for again, if that may help.
    """

    organisation: str
    language: str
    theme: str
    status: int
    message: str | None = None
    request_id: str | None = None
    retry_url: str | None = None
    home_url: str = "/"
    details: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A labelled share with its counts."""

    label: str
    count: int
    of: int

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.count / self.of if self.of else 0.0
