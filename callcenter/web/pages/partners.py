"""The administration of the bank's other systems: their tokens, and the webhooks that tell them."""

from dataclasses import dataclass
from datetime import datetime

from callcenter.web.pages.frame import Frame
from callcenter.web.pages.studio import Choice


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token by its name and last letters. `state` is works, ended or revoked."""

    id: int
    name: str
    hint: str
    scopes: tuple[str, ...]
    state: str
    requests_per_minute: int
    created_at: datetime
    created_by: str | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokensPage:
    """All tokens, those that work first."""

    frame: Frame
    tabs: tuple[Choice, ...]
    tokens: tuple[TokenRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """One box to tick: its value, what it means, whether it is ticked."""

    value: str
    about: str
    is_ticked: bool = False


@dataclass(frozen=True, slots=True)
class NewTokenPage:
    """The form of a new token, with what was typed before when something was wrong with it."""

    frame: Frame
    scopes: tuple[Tick, ...]
    name: str = ""
    days: str = "90"
    requests: str = ""
    usual_requests: int = 600
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SecretPage:
    """A token or a webhook's secret, shown this once. `is_token` says which; `other_ends_at`: of the one before."""

    frame: Frame
    title: str
    secret: str
    is_token: bool
    href: str
    address: str = ""
    other_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint of the list; counts are of the last 30 days."""

    id: str
    url: str
    href: str
    kinds: tuple[str, ...]
    is_enabled: bool
    pending: int
    failed: int
    delivered: int
    last_delivered_at: datetime | None = None
    rests_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndpointsPage:
    """All endpoints."""

    frame: Frame
    tabs: tuple[Choice, ...]
    endpoints: tuple[EndpointRow, ...] = ()


@dataclass(frozen=True, slots=True)
class NewEndpointPage:
    """The form of a new endpoint."""

    frame: Frame
    kinds: tuple[Tick, ...]
    url: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One telling: `said` is what the endpoint answered last, a status or a code."""

    id: int
    event_id: str
    kind: str
    state: str
    tries: int
    created_at: datetime
    due_at: datetime
    said: str | None = None
    response: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointPage:
    """One endpoint with its deliveries, narrowed to a state."""

    frame: Frame
    endpoint: EndpointRow
    tabs: tuple[Choice, ...]
    deliveries: tuple[DeliveryRow, ...] = ()
    older_href: str | None = None
    created_by: str = ""
    former_ends_at: datetime | None = None
