# ruff: noqa: E501 - two languages side by side read best on one line
"""The floor's other pages: the queue with acts on many, one act in each state, alerts, reports, the wallboard."""

from dataclasses import replace
from datetime import timedelta

from callcenter.reporting.reports import ReportCounts, total_of
from callcenter.web.pages import alerts as a
from callcenter.web.pages import dispatch as d
from callcenter.web.pages import reports as r
from callcenter.web.pages import wallboard as w
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.studio import Choice
from tests.web.sample_floor import floor, whom
from tests.web.sample_frame import NOW, TASK, Texts, at, frame

_NAMES = ("Chen Hao", "Li Na", "Sun Mei", "Zhou Lei", "Wu Di", "Yang Liu", "Zhu Rong", "Shen Yi", "Qin Fen", "Aynur Memet", "Tursun Ali", "Ma Chao", "Gu Xin", "Du Juan")  # fmt: skip


def queue(language: str, theme: str, state: str) -> d.QueuePage:
    t = Texts(language)
    rules = (t("ID-photo trouble", "证件照受阻"), t("Bind card quiet", "绑卡停留"))
    choices = {
        "rule": tuple(Option(f"r{n}", f"{one} ({9 - n})") for n, one in enumerate(rules)),
        "journey": (Option("loan", t("Loan application (17)", "贷款申请 (17)")),),
        "why": (Option("no_agent", t("No free agent (6)", "无空闲坐席 (6)")),),
        "language": (Option("zh", t("Simplified Chinese (15)", "简体中文 (15)")),),
        "act": tuple(
            Option(code, t(english, chinese))
            for code, english, chinese in (
                ("assign_agent", "Assign to an agent", "分给坐席"), ("assign_team", "Assign to a team, evenly", "平均分给团队"), ("assign_skill", "Assign by skill, evenly", "按技能平均分配"),
                ("bring_back", "Bring back for anybody", "收回，任何人可接"), ("priority_up", "Priority up", "提高优先级"),
                ("priority_down", "Priority down", "降低优先级"), ("expire", "Expire", "过期"),
            )
        ),
        "agent": (Option("a1", t("Lin Yue, available", "林悦，可用")),),
        **dict(zip(("team", "skill", "level"), whom(t), strict=True)),
    }  # fmt: skip
    page = d.QueuePage(frame(language, theme, "queue"), (), choices, {}, 0, 0)
    if state == "empty":
        return page
    rows = tuple(
        d.QueueTask(
            f"{n}{TASK[1:]}"[:36], name, rules[n % 2], NOW + timedelta(seconds=3600 * (n > 8) - 252 + 18 * n), 60,
            t("No free agent", "无空闲坐席") if n < 9 else t("Calling hours", "呼叫时段"), t("Simplified Chinese", "简体中文"), 50 + 10 * (n % 3),
            t("Tang Rui", "唐蕊") if n in (2, 5) else None, n == 2,
        )
        for n, name in enumerate(_NAMES)
    )  # fmt: skip
    done = (
        d.DoneAct("/floor/queue/1", t("Assign to a team, evenly", "平均分给团队"), at("14:02"), t("Ma Lin", "马琳"), 46, 50),
        d.DoneAct("/floor/queue/2", t("Priority up", "提高优先级"), at("13:40"), t("Ma Lin", "马琳"), 12, 12, True),
    )  # fmt: skip
    full = replace(page, matched=317, held=2, rows=rows, done=done)
    if state == "failed":
        error = t(
            "Say why these call tasks shall expire; it is kept.", "请说明这些任务为何过期；原因会保留。"
        )
        return replace(full, values={"act": "expire", "which": "count", "count": "50"}, error=error)
    return replace(full, ticked=frozenset({rows[3].id, rows[4].id, rows[5].id}))


def dispatch(language: str, theme: str, state: str) -> d.DispatchPage:
    t = Texts(language)
    page = d.DispatchPage(
        frame(language, theme, "queue"), (), TASK, state, t("Assign to a team, evenly", "平均分给团队"),
        (t("Rule: ID-photo trouble", "规则：证件照受阻"), t("The oldest 50", "最早的 50 个")), 317, 44, 0,
        NOW - timedelta(seconds=20), t("Ma Lin", "马琳"), True,
        whose=(d.Part(t("Nobody", "无人"), 42), d.Part(t("Tang Rui", "唐蕊"), 2)),
        to=tuple(d.Part(name, 11) for name in ("Bai Lu", "Cai Wen", "Fan Yi", "Lin Yue")),
        refused=(d.Part(t("The gate bars it now: Calling hours", "合规闸门现在禁止：呼叫时段"), 4), d.Part(t("Nobody chosen speaks their language", "所选坐席无人会其语言"), 2)),
    )  # fmt: skip
    if state in ("done", "partly"):
        changed = 43 if state == "done" else 20
        return replace(page, changed=changed, undo_until=NOW + timedelta(seconds=41))
    if state == "undone":
        return replace(
            page, changed=43, lost=(d.Part(t("Taken or changed meanwhile", "期间被接走或更改"), 3),)
        )
    if state == "empty":
        return replace(page, state="planned", planned=0, whose=(), to=())
    return page


def alerts(language: str, theme: str, state: str) -> a.AlertsPage:
    t = Texts(language)
    limits = (
        a.TeamLimits("", t("The queue, and teams without their own", "队列，以及未单独设置的团队"), "180", "", "", "1"),
        a.TeamLimits("Loan desk A", t("Loan desk A", "贷款一组"), "120", "15", "20", "1", True),
        a.TeamLimits("Loan desk B", t("Loan desk B", "贷款二组"), "180", "", "", "1"),
    )  # fmt: skip
    page = a.AlertsPage(frame(language, theme, "alerts"), (), limits=limits)
    if state == "empty":
        return page
    if state == "failed":
        error = t("Give whole numbers, or leave a field empty.", "请填整数，或留空。")
        return replace(page, limits=(limits[0], replace(limits[1], not_ready="soon", error=error)))
    # Raised hands and transfers are seen to on the floor; they are no alerts.
    needs = [one for one in floor(language, theme, "full").needs if not one.help_id and not one.transfer_id]
    held = replace(
        needs[2], has=t("Zhang Bei", "张蓓"), note=t("asked the app team", "已询问应用团队"), is_quiet=True
    )
    worse = replace(needs[1], has=t("Zhang Bei", "张蓓"), is_worse=True)
    past = (
        a.PastAlert(t("Stuck in reserved: He Jun", "卡在占用：何军"), at("11:02"), at("11:05"), t("Ma Lin", "马琳"), at("11:03"), t("browser crashed", "浏览器崩溃")),
        a.PastAlert(t("Call tasks past twice their promise", "超过承诺两倍的任务"), at("09:40"), at("10:12")),
    )  # fmt: skip
    return replace(page, needs=(needs[0], worse, *needs[3:5], held), past=past)


def _counts(attempts: int) -> ReportCounts:
    reached = attempts * 41 // 100
    right = reached * 85 // 100
    return ReportCounts(attempts, reached, right, right * 37 // 100, reached, reached * 140, reached, reached * 38, attempts * 140, attempts * 180)  # fmt: skip


def reports(language: str, theme: str, state: str) -> r.ReportPage:
    t = Texts(language)
    kinds = (("Hour", "小时"), ("Day", "日"), ("Agent", "坐席"), ("Team", "团队"), ("Rule", "规则"), ("Campaign", "活动"), ("Disposition", "结果"), ("Purpose", "目的"))  # fmt: skip
    by, title = ("agent", t("Agent", "坐席")) if state == "agents" else ("hour", t("Hour", "小时"))
    spans = (
        (t("Today", "今日"), True),
        (t("Yesterday", "昨天"), False),
        (t("7 days", "7 天"), False),
        (t("30 days", "30 天"), False),
    )
    page = r.ReportPage(
        frame(language, theme, "reports"), (),
        tuple(Choice(t(*one), "/floor/reports?by=x", t(*one) == title) for one in kinds),
        tuple(Choice(one, "/floor/reports?from=x", chosen) for one, chosen in spans),
        by, title, "2026-11-19", "2026-11-19", "by=hour&from=2026-11-19&to=2026-11-19", has_occupancy=True,
    )  # fmt: skip
    if state == "empty":
        return page
    hours = {"09:00": 52, "10:00": 92, "11:00": 104, "12:00": 58, "13:00": 118, "14:00": 62}
    people = {name: 61 - 3 * n for n, name in enumerate(_NAMES)}
    rows = tuple(r.ReportRow(label, _counts(n)) for label, n in (people if by == "agent" else hours).items())
    full = replace(page, rows=rows, total=total_of([one.counts for one in rows]))
    if state == "failed":
        return replace(full, error=t("Give days as 2026-11-18.", "日期格式如 2026-11-18。"))
    return full


def wallboard(language: str, theme: str, state: str) -> w.WallboardPage:
    t = Texts(language)
    strip = floor(language, theme, "empty" if state == "empty" else "full").figures
    head = replace(frame(language, theme, "wallboard"), state_url="/wallboard/state")
    today = t("Thursday 19 November", "11月19日星期四")
    page = w.WallboardPage(head, t("Loan desk A", "贷款一组"), today, {one.code: one for one in strip})
    hours = {9: 52, 10: 92, 11: 104, 12: 58, 13: 118, 14: 62}
    values = [
        (f"{hour:02d}", n := hours.get(hour, 0) if state != "empty" else 0, n * 41 // 100, n * 13 // 100)
        for hour in range(8, 21)
    ]
    chart = r.bar_chart(values, 1000, 180, 6)
    if state == "empty":
        return replace(
            page, chart=chart, states=(w.StatePart("talking", 0, 0, 1), w.StatePart("idle", 0, 0, 5))
        )
    states = (("talking", 11, 1), ("wrapping", 3, 2), ("dialing", 5, 3), ("reserved", 1, 4), ("idle", 0, 5), ("not_ready", 4, 6))  # fmt: skip
    parts = tuple(w.StatePart(code, many, many / 24, place) for code, many, place in states)
    return replace(page, chart=chart, states=parts, without_agent=6)


def links(language: str, theme: str, state: str) -> w.WallboardLinksPage:
    t = Texts(language)
    page = w.WallboardLinksPage(frame(language, theme, "wallboard"), ())
    if state == "empty":
        return page
    if state == "failed":
        error = t("Give the link a name, such as the television's place.", "请为链接命名，例如电视的位置。")
        return replace(page, error=error)
    rows = tuple(
        w.LinkRow(n, name, "aB3_", "zh", "dark", kind, at("09:00", -3), at("09:00", 27), t("Ma Lin", "马琳"))
        for n, (name, kind) in enumerate(
            (
                (t("Hall, second floor", "二楼大厅"), "works"),
                (t("Canteen", "食堂"), "ended"),
                (t("Old hall", "旧大厅"), "revoked"),
            )
        )
    )
    made = "https://calls.harbour.example/wallboard/link#3Yk1cKZ2vQm8nT0bWfXhR5uJ7pLs9dEaG4iO6yCqVxM"
    return replace(page, links=rows, made=made if state == "made" else None)


def opening(language: str, theme: str, state: str) -> w.OpeningPage:
    t = Texts(language)
    error = t("This link does not work any more.", "此链接已失效。") if state == "failed" else None
    return w.OpeningPage(t("Harbour Bank", "海港银行"), language, theme, "sample-token", error)
