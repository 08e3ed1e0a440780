# ruff: noqa: E501 - two languages side by side read best on one line
"""The administration of event sources, full and empty."""

from datetime import timedelta
from typing import Any

from callcenter.web.pages import sources as s
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import NOW, Texts, at, frame

HREF = "/admin/sources/7b1d"


def sources(language: str, theme: str, state: str) -> s.SourcesPage:
    """The list: full, empty, or as somebody who may only look sees it empty."""
    head = frame(language, theme, "sources")
    if state in ("empty", "look"):
        return s.SourcesPage(head, may_change=state == "empty")
    t = Texts(language)
    key, old = (
        s.KeyRow(1, "k3Qx", at("09:00", -30)),
        s.KeyRow(2, "a91f", at("09:00", -90), ends_at=NOW + timedelta(hours=5)),
    )
    rows = (
        s.SourceRow("mobile-app", HREF, True, 1204, NOW - timedelta(seconds=2), 12, 5, (key, old)),
        s.SourceRow("core-banking", HREF, True, 38, NOW - timedelta(minutes=3), 0, 0, (key,)),
        s.SourceRow(t("old web shop", "旧网店"), HREF, False, 0, None, 0, 0, (key,)),
        s.SourceRow("bpi-2012", HREF, True, 0, None, 3, 3),
    )
    return s.SourcesPage(head, rows, may_change=True)


def new_source(language: str, theme: str, state: str) -> s.NewSourcePage:
    """The form, untouched or come back with what is wrong."""
    head = frame(language, theme, "sources")
    if state == "failed":
        return s.NewSourcePage(head, 1000, "mobile-app", "5", "0", "There is a source of this name.")
    return s.NewSourcePage(head, 1000)


def new_key(language: str, theme: str, state: str) -> s.NewKeyPage:
    """A key shown once: of a new source, beside older ones, after them, or the first of a source without."""
    ends = {"beside": NOW + timedelta(hours=24), "after": NOW}.get(state)
    head = frame(language, theme, "sources")
    return s.NewKeyPage(
        head,
        "mobile-app",
        HREF,
        "u4LwzJkq0aYB7sVxk3QxTtPp9wEeRr2Y",
        "https://calls.bank.example",
        state == "empty",
        ends,
    )


def source(language: str, theme: str, state: str) -> s.SourcePage:
    """One source with one of its tabs, full or empty."""
    show, _, how = ("events", "", "empty") if state == "empty" else state.partition("-")
    t = Texts(language)
    tabs = (
        ("events", "Events", "事件"),
        ("schema", "Schema seen", "所见结构"),
        ("rejected", "Rejected, 5", "被拒，5"),
        ("settings", "Keys and limits", "密钥与限额"),
    )
    many = [0 if how == "empty" else 160 + (n * 37) % 90 + (240 if 30 < n < 36 else 0) for n in range(60)]
    bars = tuple(
        s.Bar(n * 6.0, round(one / 480 * 48, 1), NOW - timedelta(minutes=59 - n), one)
        for n, one in enumerate(many)
    )
    blank: dict[str, Any] = {"schema": s.Schema(0, 5000)}
    full = {"events": _events, "schema": _schema, "rejected": _rejected, "settings": _settings}[show]
    tab = blank if how == "empty" else full(t, how)
    return s.SourcePage(
        frame=frame(language, theme, "sources"),
        name="mobile-app",
        href=HREF,
        is_enabled=how != "empty",
        show=show,
        tabs=tuple(Choice(t(en, zh), f"{HREF}?show={one}", one == show) for one, en, zh in tabs),
        pulse=s.Pulse(many[-2], sum(many), max(many), bars, None if how == "empty" else NOW - timedelta(seconds=2), 0 if how == "empty" else 12, 0 if how == "empty" else 5),
        may_change=how != "look",
        lateness=5.0,
        requests_per_second=None if how == "empty" else 200,
        usual_requests=1000,
        **tab,
    )  # fmt: skip


def _events(t: Texts, how: str) -> dict[str, Any]:
    loan, photo = t("Loan journey", "贷款旅程"), t("ID photo", "证件照")
    kinds = (
        ("track", "photo_rejected", photo),
        ("page", "Loan", t("Register", "注册")),
        ("identify", "identify", None),
        ("track", "looked_at_rates", None),
    )
    rows = tuple(
        s.EventRow(
            f"e{n}", f"{HREF}?event=e{n}", NOW - timedelta(seconds=2 + n * 3), kind, name, f"••{4100 + n * 7}" if n % 4 else t("device 3f2a", "设备 3f2a"),
            step, loan if step else None, not n % 4, n == 9, n == 11, n == 2 and how == "read",
        )
        for n in range(40)
        for kind, name, step in (kinds[n % 4],)
    )  # fmt: skip
    if how != "read":
        return {"events": rows}
    properties = '{\n  "application_id": "a-20931",\n  "attempt": 2,\n  "customer": {\n    "phone": "•••"\n  },\n  "reason": "glare"\n}'
    return {
        "events": rows,
        "event": s.ReadEvent(
            rows[2], "2f0a9c1e-77b1-4c1e-9a52-0d2f6ad3b1aa", NOW - timedelta(seconds=9), properties, "error"
        ),
    }


def _schema(t: Texts, how: str) -> dict[str, Any]:
    text, number = t("text", "文本"), t("number", "数字")
    photo = (
        s.PropertyRow("application_id", (text,), 1840, 1.0, "a-20931"),
        s.PropertyRow("attempt", (number, text), 1800, 0.98, "2"),
        s.PropertyRow("reason", (text,), 1213, 0.66, "glare"),
        s.PropertyRow("customer.phone", (text,), 92, 0.05, "•••"),
    )
    names = (
        s.SchemaRow("photo_rejected", ("track",), 1840, at("13:20"), at("14:21"), photo),
        s.SchemaRow("Loan", ("page",), 1720, at("13:18"), at("14:21"), photo[:1]),
        s.SchemaRow("identify", ("identify",), 1440, at("13:18"), at("14:20")),
    )
    return {"schema": s.Schema(5000, 5000, at("13:18"), names)}


def _rejected(t: Texts, how: str) -> dict[str, Any]:
    nobody, poison = t("Nobody named", "没有指明对象"), t("Breaks processing", "处理中断")
    reasons = (
        s.ReasonRow("no_user_anon_id", nobody, t("Give userId, or anonymousId before sign-in.", "请给出 userId；登录前给 anonymousId。"), 3, at("14:20"), f"{HREF}?show=rejected&code=no_user_anon_id"),
        s.ReasonRow("poison", poison, t("The fault is ours.", "是我方的问题。"), 1, at("13:59"), f"{HREF}?show=rejected&code=poison"),
        s.ReasonRow("invalid_phone", t("Telephone not valid", "电话号码无效"), None, 1, at("11:02"), f"{HREF}?show=rejected&code=invalid_phone", may_redrive=False),
    )  # fmt: skip
    rows = tuple(
        s.RefusedRow(90 - n, f"{HREF}?show=rejected&refused={90 - n}", NOW - timedelta(minutes=2 + n * 7), nobody if n < 3 else poison, "give userId or anonymousId" if n < 3 else "the event cannot be processed: KeyError", "{'type': 'track', 'event': 'photo_rejected', 'properties': {'reason': 'glare'}}", n == 0 and how == "read")
        for n in range(5)
    )  # fmt: skip
    acts = (
        s.ActRow(t("Tried 12 again, 9 taken in", "重试 12 条，收下 9 条"), at("14:05"), t("G. Yan", "高岩")),
    )
    body = '{\n  "event": "photo_rejected",\n  "properties": {\n    "reason": "glare"\n  },\n  "type": "track"\n}'
    read = (
        s.ReadRefused(rows[0], "no_user_anon_id", body, True, True, reasons[0].advice, "open")
        if how == "read"
        else None
    )
    return {"reasons": reasons, "refused": rows, "acts": acts, "read": read}


def _settings(t: Texts, how: str) -> dict[str, Any]:
    by = t("G. Yan", "高岩")
    keys = (
        s.KeyRow(3, "k3Qx", at("09:00", -1), by),
        s.KeyRow(2, "a91f", at("09:00", -90), by, NOW + timedelta(hours=5)),
        s.KeyRow(1, "", at("09:00", -300), None, at("09:00", -90), True),
    )
    acts = (
        s.ActRow(
            t("Made key …k3Qx; older keys end at 19:22", "新建密钥 …k3Qx；旧密钥 19:22 失效"),
            at("09:00", -1),
            by,
        ),
        s.ActRow(t("Changed lateness or limit", "修改了迟到时限或限额"), at("16:40", -4), by),
    )
    return {"keys": keys, "acts": acts}
