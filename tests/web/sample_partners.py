"""The administration of the bank's other systems, full, empty and refused."""

from datetime import timedelta

from callcenter.domain.partners import Scope, WebhookKind
from callcenter.web.pages import partners as p
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import NOW, Texts, at, frame

HREF = "/admin/webhooks/5d0c8a52-6b1e-4f0e-9c57-0a9f64a1c0de"
KINDS = (WebhookKind.CALL_TASK_CLOSED, WebhookKind.DISPOSITION_SAVED, WebhookKind.CUSTOMER_OPTED_OUT)


def _tabs(language: str, here: str) -> tuple[Choice, ...]:
    t = Texts(language)
    return (
        Choice(t("API tokens", "API 令牌"), "/admin/api-tokens", here == "tokens"),
        Choice(t("Webhooks", "系统通知"), "/admin/webhooks", here == "webhooks"),
    )


def tokens(language: str, theme: str, state: str) -> p.TokensPage:
    """The list of tokens."""
    head = frame(language, theme, "systems")
    if state == "empty":
        return p.TokensPage(head, _tabs(language, "tokens"))
    t = Texts(language)
    by = t("Root", "管理员")
    rows = (
        p.TokenRow(
            3,
            "crm",
            "x3Qk",
            (Scope.CUSTOMERS_WRITE, Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.OUTCOMES_READ),
            "works",
            600,
            at("09:00", -30),
            by,
            at("09:00", 60),
            last_used_at=NOW - timedelta(minutes=4),
        ),
        p.TokenRow(
            2, t("campaign desk", "营销平台"), "9aFe", (Scope.LISTS_WRITE,), "works", 60, at("10:00", -3), by
        ),
        p.TokenRow(
            4,
            "warehouse",
            "Tt0p",
            (Scope.OUTCOMES_READ,),
            "ended",
            600,
            at("09:00", -120),
            by,
            at("09:00", -30),
        ),
        p.TokenRow(
            1,
            "old-crm",
            "k21L",
            (Scope.CUSTOMERS_READ,),
            "revoked",
            600,
            at("09:00", -200),
            by,
            None,
            at("12:00", -31),
            at("11:00", -31),
        ),
    )
    return p.TokensPage(head, _tabs(language, "tokens"), rows)


def new_token(language: str, theme: str, state: str) -> p.NewTokenPage:
    """The form of a token."""
    head = frame(language, theme, "systems")
    t = Texts(language)
    scopes = tuple(
        p.Tick(scope, t("what it lets the system do", "允许系统做什么"), scope is Scope.TASKS_READ)
        for scope in Scope
    )
    error = "There is a token of this name. Choose another name, or revoke that one first."
    return (
        p.NewTokenPage(head, scopes, "crm", error=error)
        if state == "failed"
        else p.NewTokenPage(head, scopes)
    )


def new_secret(language: str, theme: str, state: str) -> p.SecretPage:
    """A token or a secret, shown once."""
    head, t = frame(language, theme, "systems"), Texts(language)
    if state == "token":
        return p.SecretPage(
            head,
            t("Token of crm", "crm 的令牌"),
            "cc_Jx0vS2mQd8cVb1yT4nRk7uWp3zLf6hGa5eXi9oNs0qE",
            True,
            "/admin/api-tokens",
            "https://calls.bank.example",
        )
    ends = NOW + timedelta(hours=24) if state == "rotated" else None
    return p.SecretPage(
        head,
        t("Secret of a webhook", "系统通知的密钥"),
        "whsec_2mQd8cVb1yT4nRk7uWp3zLf6hGa5eXi9oNs0qEJx0vS",
        False,
        HREF,
        "https://bank.example/hooks",
        ends,
    )


def _endpoint(state: str = "full") -> p.EndpointRow:
    resting = NOW + timedelta(minutes=4) if state == "resting" else None
    return p.EndpointRow(
        "5d0c",
        "https://crm.bank.example/hooks/calls?tenant=loans",
        HREF,
        tuple(KINDS),
        state != "off",
        3,
        12,
        4210,
        NOW - timedelta(seconds=40),
        resting,
    )


def endpoints(language: str, theme: str, state: str) -> p.EndpointsPage:
    """The list of webhooks."""
    head, tabs = frame(language, theme, "systems"), _tabs(language, "webhooks")
    rows = () if state == "empty" else (_endpoint(), _endpoint("resting"), _endpoint("off"))
    return p.EndpointsPage(head, tabs, rows)


def new_endpoint(language: str, theme: str, state: str) -> p.NewEndpointPage:
    """The form of a webhook."""
    t = Texts(language)
    kinds = tuple(p.Tick(kind, t("what happened", "发生的事情"), kind in KINDS) for kind in WebhookKind)
    error = "This address lies in a private network; give one that can be reached from outside."
    head = frame(language, theme, "systems")
    return (
        p.NewEndpointPage(head, kinds, "https://10.0.0.1/", error)
        if state == "failed"
        else p.NewEndpointPage(head, kinds)
    )


def endpoint(language: str, theme: str, state: str) -> p.EndpointPage:
    """One webhook with its deliveries."""
    t, head = Texts(language), frame(language, theme, "systems", live="/live/studio")
    tabs = (
        Choice(t("All, 4,225", "全部，4,225"), HREF, True),
        Choice(t("Waiting, 3", "等待，3"), f"{HREF}?show=pending"),
        Choice(t("Failed, 12", "失败，12"), f"{HREF}?show=failed"),
    )
    if state == "empty":
        return p.EndpointPage(head, _endpoint("off"), tabs)
    ids = "0e6f3c1a-5f0d-4b7e-8f57-6a4f0e7b1c1"
    rows = (
        p.DeliveryRow(
            9,
            f"{ids}1",
            KINDS[0],
            "pending",
            2,
            NOW - timedelta(minutes=1),
            NOW + timedelta(minutes=3),
            "503",
            "upstream connect error or disconnect/reset before headers",
        ),
        p.DeliveryRow(8, f"{ids}2", KINDS[1], "delivered", 1, NOW - timedelta(minutes=2), NOW, "200"),
        p.DeliveryRow(
            7,
            f"{ids}3",
            KINDS[2],
            "failed",
            22,
            at("09:00", -4),
            at("09:00", -1),
            t("did not answer in time", "未及时响应"),
        ),
    )
    return p.EndpointPage(
        head, _endpoint("resting"), tabs, rows, f"{HREF}?before=7", "root", NOW + timedelta(hours=20)
    )
