# ruff: noqa: E501 - two languages side by side read best on one line
"""The compliance pages: full, empty, with what went wrong."""

from dataclasses import replace
from datetime import timedelta

from callcenter.web.pages import compliance as c
from callcenter.web.pages import compliance_ledgers as led
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import NOW, Texts, at, frame

YAML = "pack: cn-bank\nversions:\n- valid_from: '2026-12-01'\n  calling_hours:\n    value: {every_day: ['10:00-18:00']}\n    source: Letter"
LONG = "https://regulator.example/" + "a-very-long-address/" * 8
PURPOSES = (("service", "Service care", "服务关怀"), ("marketing", "Marketing", "营销"))


def _options(t: Texts) -> tuple[c.Option, ...]:
    return tuple(c.Option(code, t(en, zh)) for code, en, zh in PURPOSES)


def _change(t: Texts, state: str = "waiting", *, own: bool = False) -> c.ChangeRow:
    done = state != "waiting"
    return c.ChangeRow(
        7, "/compliance/changes/7", "pack_version",
        t("cn-bank: a new version from 1 Dec", "cn-bank：新版本，自 12月1日 起"),
        t("The regulator's letter asks for shorter hours.", "监管来函要求缩短时段。"), state, at("10:02"), t("Zhang Bei", "张蓓"),
        own, at("11:30") if done else None, t("Petra Lang", "兰佩拉") if done else None, t("Agreed.", "同意。") if done else "",
    )  # fmt: skip


def overview(language: str, theme: str, state: str) -> c.OverviewPage:
    """With all that can be the matter at once, with nothing, or while the packs cannot be read."""
    t, head = Texts(language), frame(language, theme, "gate")
    if state == "empty":
        return c.OverviewPage(head, ())
    broken = c.GateNeed(
        "packs",
        "packs",
        "urgent",
        t("The packs cannot be read", "政策包无法读取"),
        f"fr.yaml, line 12: {LONG}",
    )
    if state == "failed":
        return c.OverviewPage(head, (), (broken,))
    needs = (
        c.GateNeed("clock", "clock", "urgent", t("The clock was set back", "时钟被回拨"), t("Records reach to 16:40.", "记录已到 16:40。")),
        broken,
        c.GateNeed("registry-us-dnc", "registry", "watch", t("Registry us-dnc is too old", "公共名单过旧"), t("Our copy is of 2 Oct.", "副本截至 10月2日。"), "/compliance/ledgers", t("See the lists", "查看名单")),
        c.GateNeed("change-7", "change", "watch", t("Lift a bar", "解除禁呼"), t("Zhang Bei asks.", "张蓓提出。"), "/compliance/changes/7", t("Look and decide", "查看并决定"), at("10:02")),
    )  # fmt: skip
    shares = tuple(
        c.Share(t(en, zh), many, many / 40, "/compliance/decisions")
        for en, zh, many in (
            ("Calling hours", "时段", 40),
            ("Attempt cap", "上限", 12),
            ("No consent", "无同意", 1),
        )
    )
    campaigns = (
        c.CampaignRow(
            "loan", t("Loan", "贷款"), at("09:00"), ("10:00", "18:00"), at("09:00"), t("Ma Lin", "马琳")
        ),
        c.CampaignRow("card", t("Card", "信用卡")),
    )
    return c.OverviewPage(
        head,
        (),
        needs,
        486,
        433,
        shares,
        campaigns,
        (_change(t, "approved"), _change(t, "refused")),
        at("03:00"),
        "9f3c" * 6,
    )


def _differences(t: Texts) -> tuple[c.Difference, ...]:
    return (
        c.Difference(
            "changed", t("Calling hours", "允许时段"), t("Marketing", "营销"), "09:00–20:00", "10:00–18:00"
        ),
        c.Difference(
            "added", t("Cap", "次数上限"), "", "", t("at most 1 call in any 24 h", "任意 24 小时内最多 1 次")
        ),
        c.Difference("removed", t("Minimum gap", "最短间隔"), "", "2 h"),
    )


def change(language: str, theme: str, state: str) -> c.ChangePage:
    """To be decided, one's own, no longer possible, decided."""
    t, head = Texts(language), frame(language, theme, "gate")
    row = _change(t, "approved" if state == "decided" else "waiting", own=state == "own")
    page = c.ChangePage(
        head, (), row, ((t("Pack", "政策包"), "cn-bank"),), _differences(t), "cn-bank@2023-03-01", YAML
    )
    if state == "own":
        return replace(page, why_not=t("You asked for this.", "这是您提出的。"))
    if state in ("stale", "409"):
        return replace(
            page, differences=None, text=None, stale=t("This entry is lifted already.", "这条记录已经解除。")
        )
    return page


def _figures(t: Texts) -> tuple[c.FigureRow, ...]:
    return (
        c.FigureRow(t("Calling hours", "允许时段"), "09:00–20:00", t("Marketing", "营销"), LONG, t("An hour of margin.", "留一小时余量。"), "cn-bank@2023-03-01"),
        c.FigureRow(t("Consent", "同意"), t("not needed", "不需要"), "", "47 CFR 64.1200", "", "us-tcpa@2025-04-11", False),
    )  # fmt: skip


def packs(language: str, theme: str, state: str) -> c.PacksPage:
    """Two packs with a version to come, or packs that cannot be read."""
    t, head = Texts(language), frame(language, theme, "packs")
    if state == "failed":
        return c.PacksPage(
            head, (), problem="fr.yaml, line 12, versions[0].caps[1].value.calls: must be a number"
        )
    rows = (
        c.PackRow(
            "cn-bank",
            t("Bank, mainland China", "中国内地银行"),
            "/compliance/packs?pack=cn-bank",
            "CN",
            "cn-bank@2023-03-01",
            t("1 Dec", "12月1日"),
            True,
            True,
        ),
        c.PackRow(
            "xx",
            t("A pack that has not begun", "尚未生效"),
            "/compliance/packs?pack=xx",
            "US-FL, US-TX",
            None,
        ),
    )
    versions = (
        c.VersionRow(
            "cn-bank@2026-12-01", "/compliance/packs", "2026-12-01", "upcoming", t("Petra Lang", "兰佩拉")
        ),
        c.VersionRow("cn-bank@2023-03-01", "/compliance/packs", "2023-03-01", "in_force", None, True),
    )
    return c.PacksPage(head, (), rows, rows[0], versions, _figures(t), _differences(t), "cn-bank@2020-01-01")


def proposal(language: str, theme: str, state: str) -> c.ProposalPage:
    """Untouched, checked and right, or wrong on a line."""
    t, head = Texts(language), frame(language, theme, "packs")
    page = c.ProposalPage(head, (), "cn-bank", YAML)
    if state == "failed":
        return replace(
            page,
            problem="line 5, value.every_day[0]: 'ten' is not a window",
            line=5,
            shown_line="    value: ten",
        )
    if state == "right":
        return replace(
            page,
            label="cn-bank@2026-12-01",
            against="cn-bank@2023-03-01",
            differences=_differences(t),
            why_problem=t("Say why.", "请写明原因。"),
        )
    return page


def _lists(t: Texts) -> tuple[led.ListRow, ...]:
    one = led.ListRow(
        1,
        "us-dnc",
        t("file of 2 October", "10月2日文件"),
        t("Calls for Marketing", "营销类外呼"),
        at("09:00", -48),
        at("09:00", -40),
        t("command line", "命令行"),
        241882,
        12,
        True,
        True,
    )
    return (
        one,
        replace(one, id=2, key="bank-own", is_stale=False, waits=True),
        replace(one, id=3, in_force=False),
    )


def ledgers(language: str, theme: str, state: str) -> led.LedgersPage:
    """Lists, none, and somebody nobody knows."""
    t, head = Texts(language), frame(language, theme, "ledgers")
    if state == "failed":
        return led.LedgersPage(
            head, (), "p-404", (), t("Nobody is known by this id.", "没有此客户号的客户。")
        )
    return led.LedgersPage(head, (), "", () if state == "empty" else _lists(t))


def person(language: str, theme: str, state: str) -> led.PersonPage:
    """Somebody with everything, with nothing, and a number alone."""
    t, head = Texts(language), frame(language, theme, "ledgers")
    kinds = (c.Option("do_not_call", t("Do not call", "勿呼名单")),)
    campaigns = (c.Option("loan", t("Loan", "贷款")),)
    tabs = tuple(
        Choice(t(en, zh), f"/compliance/people/1?purpose={code}", code == "service")
        for code, en, zh in PURPOSES
    )
    page = led.PersonPage(
        head, (), t("Chen Wei", "陈伟"), "138 •••• 2046", (), kinds, _options(t), campaigns,
        href="/compliance/people/1", bank_id="p-1", customer_id="1", time_zone="Asia/Shanghai",
        budget_tabs=tabs, decisions_href="/compliance/decisions?person=p-1",
    )  # fmt: skip
    if state == "empty":
        return page
    entry = led.EntryRow(
        1,
        t("Do not call", "勿呼名单"),
        t("Every call", "所有外呼"),
        t("person", "本人"),
        t("letter", "来信"),
        LONG,
        at("09:00"),
        t("Petra Lang", "兰佩拉"),
        "in_force",
        at("09:00", 30),
    )
    entries = (
        entry,
        replace(entry, id=2, waits=True),
        replace(entry, id=3, state="lifted", lifted=t("Lifted by Zhang Bei", "张蓓解除")),
        replace(entry, id=4, state="ended"),
    )
    if state == "number":
        people = (led.PersonLink("/compliance/people/1", t("Chen Wei", "陈伟"), "p-1"),)
        return replace(
            page,
            href=None,
            customer_id=None,
            number="+8613800138000",
            entries=entries,
            people=people,
            done=t("The bar counts from now on.", "禁呼即刻生效。"),
            decisions_href=None,
        )
    consent = led.ConsentRow(
        1,
        "given",
        t("Marketing", "营销"),
        "v3",
        "app",
        "event:app",
        at("09:00", -9),
        t("system", "系统"),
        True,
        at("09:00", 90),
        at("11:00"),
    )
    budgets = (
        led.BudgetRow(t("Calls to the person", "对本人的呼叫"), "24 h", 2, 2, NOW + timedelta(hours=5)),
        led.BudgetRow(t("Calls to the number", "对号码的呼叫"), "24 h", 0, 2),
        led.BudgetRow(t("Minimum gap", "最短间隔"), "2 h"),
    )
    return replace(
        page,
        entries=entries,
        consents=(consent, replace(consent, id=2, act="withdrawn", stands=False)),
        on_lists=_lists(t)[:1],
        budgets=budgets,
        is_frozen=True,
    )


def decisions(language: str, theme: str, state: str) -> c.DecisionsPage:
    """A page of answers, one of them read, none, and a question that is none."""
    t, head = Texts(language), frame(language, theme, "decisions")
    options = (c.Option("no_consent", t("No consent", "无同意")),)
    page = c.DecisionsPage(head, (), {"person": "p-1"}, options, options)
    if state == "failed":
        return replace(page, problem=t("This cannot be looked for.", "无法这样查询。"))
    if state == "empty":
        return page
    row = c.DecisionRow(
        1,
        "/compliance/decisions?decision=1",
        at("14:20"),
        at("14:20"),
        t("at the dial", "拨打时"),
        t("Chen Wei", "陈伟"),
        t("Loan", "贷款"),
        t("Marketing", "营销"),
        False,
        (t("No consent", "无同意"), t("Calling hours", "时段")),
        at("09:00", 1),
        "cn-bank@2023-03-01+us-tcpa@2025-04-11",
    )
    rows = tuple(
        replace(
            row,
            id=n,
            may_call=n % 3 == 0,
            reasons=() if n % 3 == 0 else row.reasons,
            next_allowed_at=None if n % 2 else row.next_allowed_at,
        )
        for n in range(1, 41)
    )
    page = replace(
        page,
        rows=rows,
        older_href="/compliance/decisions?before=1",
        newest_href="/compliance/decisions",
        csv_href="/compliance/decisions.csv",
        most_rows=5000,
    )
    if state == "read":
        return replace(
            page,
            read=replace(row, for_at=at("16:00")),
            helps=(t("None is on record.", "没有记录。"), ""),
            facts=((t("Regions", "地区"), "US, US-FL"), (t("Zones", "时区"), LONG)),
            person_href="/compliance/people/1",
            close_href="/compliance/decisions",
        )
    return page


def trail(language: str, theme: str, state: str) -> c.TrailPage:
    """A page of acts, or none."""
    t, head = Texts(language), frame(language, theme, "trail")
    options = (c.Option("change", t("Changes", "变更")),)
    rows = tuple(
        c.TrailRow(
            at("14:20"),
            t("Petra Lang", "兰佩拉"),
            t("approved a change", "批准变更"),
            "pack cn-bank",
            LONG if n == 3 else "change 7",
            "/compliance/changes/7" if n % 2 else None,
        )
        for n in range(30)
    )
    return c.TrailPage(
        head, (), {}, options, options, () if state == "empty" else rows, "/compliance/audit?before=9"
    )


def what_if(language: str, theme: str, state: str) -> c.WhatIfPage:
    """Nothing asked yet, a call that is barred, one that is allowed, and somebody nobody knows."""
    t, head = Texts(language), frame(language, theme, "what_if")
    page = c.WhatIfPage(
        head,
        (),
        {"who": "+1 305 555 0143", "purpose": "marketing"},
        _options(t),
        (c.Option("loan", t("Loan", "贷款")),),
    )
    if state == "failed":
        return replace(page, problem=t("Give the bank's id.", "请填写本行客户号。"))
    zones = (
        c.ZoneTime("New York, UTC−5", "26 Nov 23:08", False),
        c.ZoneTime("Chicago, UTC−6", "26 Nov 22:08", True),
    )
    answer = c.Answer(
        False,
        t("Not before 09:00 tomorrow in New York.", "纽约时间明天 09:00 前不可呼。"),
        ((t("No consent", "无同意"), t("None is on record.", "没有记录。")),),
        zones,
        "US, US-FL",
        t("mobile", "手机"),
        ("cn-bank@2023-03-01",),
        _figures(t),
        t("Waiting alone does not help.", "等待无济于事。"),
    )
    if state == "allowed":
        answer = replace(
            answer,
            may_call=True,
            reasons=(),
            next_at=None,
            headline=t("This call may be placed.", "此次外呼可以拨打。"),
        )
    return page if state == "empty" else replace(page, answer=answer)
