"""What all samples share: the moment, the viewer, the two languages."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.web.pages.frame import Frame, NavItem

NOW = datetime(2026, 11, 19, 6, 22, 5, tzinfo=UTC)
CHENGDU = ZoneInfo("Asia/Shanghai")
URUMQI = ZoneInfo("Asia/Urumqi")
TASK = "8f7c5f0a-53a1-4f5e-9d52-6a4f0e7b1c11"


def at(clock: str, days: int = 0) -> datetime:
    """A time of the sample day in UTC+8, as aware UTC."""
    hour, minute, second = (int(part) for part in (clock + ":00").split(":")[:3])
    local = datetime(2026, 11, 19, hour, minute, second, tzinfo=CHENGDU) + timedelta(days=days)
    return local.astimezone(UTC)


GATE = {
    "gate": ("/compliance", "m"),
    "packs": ("/compliance/packs", "p"),
    "ledgers": ("/compliance/ledgers", "l"),
    "decisions": ("/compliance/decisions", "d"),
    "what_if": ("/compliance/what-if", "w"),
    "trail": ("/compliance/audit", "a"),
}


FLOOR = {
    "floor": ("/floor", "f"),
    "queue": ("/floor/queue", "q"),
    "alerts": ("/floor/alerts", "a"),
    "reports": ("/floor/reports", "r"),
    "quality": ("/floor/quality", "u"),
    "wallboard": ("/floor/wallboard", "b"),
}


class Texts:
    """Row texts in one language, so that a sample reads as the viewer would see it."""

    def __init__(self, language: str) -> None:
        self.is_chinese = language == "zh"

    def __call__(self, english: str, chinese: str) -> str:
        return chinese if self.is_chinese else english


def frame(language: str, theme: str, here: str, *, live: str | None = None) -> Frame:
    t = Texts(language)
    studio = tuple(
        NavItem(code, href, key)
        for code, href, key in (
            ("journeys", "/studio", "j"),
            ("analyses", "/studio/analyses", "n"),
            ("rules", "/studio/rules", "r"),
            ("effects", "/studio/effects", "e"),
            ("proposals", "/studio/proposals", "p"),
            ("scripts", "/studio/scripts", "s"),
            ("learning", "/studio/learning", "l"),
            ("offers", "/studio/offers", "f"),
            ("voice", "/studio/voice", "v"),
            ("segments", "/studio/segments", "t"),
            ("sources", "/admin/sources", "o"),
        )
    )
    nav: tuple[NavItem, ...] = studio
    if here == "console":
        nav = (NavItem("console", "/console", "c"),)
    elif here == "floor":
        nav = (NavItem("floor", "/floor", "f", badge=5), *studio)
    if here in FLOOR and here != "floor":
        nav = tuple(NavItem(code, href, key) for code, (href, key) in FLOOR.items())
    if here in ("people", "systems"):  # the administrator's: the longest there is
        last = (
            ("gate", "/compliance", "m"),
            ("people", "/admin/people", "h"),
            ("systems", "/admin/api-tokens", "y"),
        )
        nav = (NavItem("floor", "/floor", "f"), *studio, *(NavItem(*each) for each in last))
    if here in GATE:
        nav = tuple(NavItem(code, href, key) for code, (href, key) in GATE.items())
    return Frame(
        organisation=t("Harbour Bank", "海港银行"),
        user_name={"console": t("Lin Yue", "林悦"), "floor": t("Ma Lin", "马琳")}.get(
            here, t("G. Yan", "高岩")
        ),
        team=t("Loan desk A", "贷款一组"),
        language=language,
        theme=theme,
        now=NOW,
        csrf_token="sample-token",
        here=here,
        nav=nav,
        live_url=live,
        state_url=f"/{here}/state" if live else None,
    )
