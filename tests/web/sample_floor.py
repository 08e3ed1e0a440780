# ruff: noqa: E501 - two languages side by side read best on one line
"""The supervisor floor: full and empty, dialing by each kind of mode, the viewer on an agent's call."""

from dataclasses import replace
from datetime import datetime, timedelta

from callcenter.web.pages import floor as f
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.studio import Choice
from tests.web.sample_frame import NOW, Texts, at, frame


def floor(language: str, theme: str, state: str) -> f.FloorPage:
    t = Texts(language)
    head = frame(language, theme, "floor", live="/live/floor")
    team = t("Loan desk A", "贷款一组")
    if state == "empty":
        none = tuple(
            f.Figure(code, kind, None if kind != "count" else 0)
            for code, kind in (
                ("waiting", "count"), ("oldest", "clock"), ("speed_to_call", "clock"), ("attempts", "count"),
                ("reached", "share"), ("right_party", "share"), ("verified", "share"), ("occupancy", "share"),
                ("abandonment", "share"),
            )
        )  # fmt: skip
        return f.FloorPage(head, team, none, last_alert_at=at("13:40"))
    full = f.FloorPage(
        head, team, _figures(), _needs(t), _queue(t), _seats(t), at("13:40"),
        t("You freed Xie Bo at 14:06. Acts are logged.", "14:06 你释放了谢博。操作均有记录。"),
        _dialing_off(t), asked=_asked(t, by_rule=state == "by-rule"),
    )  # fmt: skip
    if state == "by-rule":
        return replace(full, queue=_by_rule(t, full.queue))
    if state.startswith("dialing-"):
        return replace(full, dialing=DIALING[state.removeprefix("dialing-")](t))
    if state.startswith("watch-"):
        return _watched(t, replace(full, dialing=_dialing_on(t)), state.removeprefix("watch-"))
    return full


def _budget(abandoned: int, answers: int, tone: str = "plain") -> f.Budget:
    allowed = int(0.03 * answers + 1e-9)
    return f.Budget(
        abandoned, answers, 0.03, allowed, allowed - abandoned, -(-(abandoned + 1) * 100 // 3), tone
    )


def _campaign(t: Texts, mode: str, in_force: str | None = None, budget: f.Budget | None = None) -> f.Campaign:
    return f.Campaign(
        "loan", t("Loan application", "贷款申请"), mode, in_force or mode, 1.5, False, "v1", budget or _budget(0, 12),
        changed_at=at("09:02"), changed_by=t("Ma Lin", "马琳"), signed_on=20, ready=6,
    )  # fmt: skip


def _dialing_off(t: Texts) -> f.Dialing:
    return f.Dialing(False, (_campaign(t, "predictive", "preview"),), at("13:02"), t("Chen Qi", "陈琦"))


def _dialing_on(t: Texts) -> f.Dialing:
    row = replace(_campaign(t, "predictive", budget=_budget(26, 2140)), ringing=4)
    row = replace(
        row, decision=_decision(t, 3, 4), decisions=tuple(_decision(t, 3 + n, n % 5) for n in range(20))
    )
    card = replace(
        _campaign(t, "power", budget=_budget(1, 96)), key="card", title=t("Card activation", "信用卡激活")
    )
    small = f.Decision(
        NOW - timedelta(seconds=41), "power",
        t(
            "Dialing 0: one line for each agent, as more need 15 agents and 12 are signed on; agents ready 0, calls ringing 0.",
            "拨 0 通：每名坐席一条线路，因多线拨号需 15 名坐席而现有 12 名；空闲坐席 0 名，振铃 0 通。",
        ),
        0, 0,
    )  # fmt: skip
    card = replace(card, decision=small, decisions=(small,))
    deposit = replace(
        _campaign(t, "manual"), key="deposit", title=t("Time deposit", "定期存款"), changed_at=None
    )
    return f.Dialing(True, (row, card, deposit), at("09:12"), t("Ma Lin", "马琳"))


def _dialing_near(t: Texts) -> f.Dialing:
    near = replace(_campaign(t, "predictive", budget=_budget(61, 2140, "warn")), ringing=9, waiting=1)
    near = replace(near, decision=_decision(t, 2, 1, "2.9", 3), decisions=(_decision(t, 2, 1, "2.9", 3),))
    over = _campaign(t, "power", budget=_budget(12, 310, "bad"))
    over = replace(over, key="card", title=t("Card activation", "信用卡激活"))
    return f.Dialing(True, (near, over), at("09:12"), t("Ma Lin", "马琳"))


def _decision(t: Texts, ago: int, dial: int, rate: str = "1.2", left: int = 38) -> f.Decision:
    return f.Decision(
        NOW - timedelta(seconds=ago), "predictive",
        t(
            f"Dialing {dial}: agents ready 6, 3.2 more free within 30 s; calls ringing 4, of which 1.9 will answer; abandoned {rate} % of 2140 answers in 30 days, budget left {left}, today 5.",
            f"拨 {dial} 通：空闲坐席 6 名，30 秒内预计再空出 3.2 名；振铃 4 通，预计接听 1.9 通；30 天 2140 次接听的放弃率 {rate} %，预算余额 {left} 通，今日 5 通。",
        ),
        dial, 0,
    )  # fmt: skip


DIALING = {
    "on": _dialing_on,
    "off": _dialing_off,
    "near": _dialing_near,
    "empty": lambda t: f.Dialing(False),
    "fresh": lambda t: f.Dialing(
        True, (replace(_campaign(t, "predictive"), signed_on=0, ready=0),), at("14:22")
    ),
}


def _watched(t: Texts, page: f.FloorPage, state: str) -> f.FloorPage:
    words = {
        "monitor": t("You listen", "你在监听"), "whisper": t("You whisper", "你在密语"),
        "barge": t("You speak to both", "你在与双方通话"), "connecting": t("You: connecting…", "你：接通中…"),
    }  # fmt: skip
    mode = state if state in ("monitor", "whisper", "barge") else None
    wanted = {"monitor": "barge"}.get(state, mode or "monitor")
    watch = f.Watch(
        "w1", "Qiu Shan", mode, wanted, NOW - timedelta(seconds=34),
        is_leaving=state == "leaving", has_failed=state == "failed", on_call=state != "between",
    )  # fmt: skip
    if state in ("leaving", "between"):
        watch = replace(watch, mode="barge", wanted="barge")
    others = {"qiu": (words[state],)} if state in words else {}
    others["deng"] = (t("Chen listens", "陈琦在监听"),)
    seats = tuple(
        replace(seat, may_watch=False, watchers=others.get(seat.agent_id, ())) for seat in page.seats
    )
    return replace(page, watch=watch, seats=seats)


def _figures() -> tuple[f.Figure, ...]:
    rise = (4, 5, 5, 7, 6, 8, 9, 12, 11, 15, 17)
    wave = (2.0, 2.4, 3.1, 2.2, 2.6, 1.8, 2.2, 2.9, 2.7)
    return (
        f.Figure("waiting", "count", 17, numerator=9, trend=rise),
        f.Figure("oldest", "clock", 252, "bad", since=NOW - timedelta(seconds=252), threshold=60, trend=(40, 50, 45, 70, 66, 120, 252)),
        f.Figure("speed_to_call", "clock", 21, second=94, second_tone="warn", denominator=212, threshold=60, trend=(30, 34, 38, 52, 58, 70, 94)),
        f.Figure("attempts", "count", 486, denominator=460, trend=wave),
        f.Figure("reached", "share", 201 / 486, numerator=201, denominator=486, threshold=2.0, trend=wave),
        f.Figure("right_party", "share", 171 / 201, numerator=171, denominator=201, threshold=2.0, trend=wave),
        f.Figure("verified", "share", 64 / 171, numerator=64, denominator=171, threshold=2.0, trend=wave),
        f.Figure("occupancy", "share", 0.78, base_seconds=349_920, threshold=3.3, trend=wave),
        f.Figure("abandonment", "share", 26 / 2140, numerator=26, denominator=2140, threshold=0.03, trend=(0.012, 0.011, 0.013, 0.012)),
    )  # fmt: skip


def _needs(t: Texts) -> tuple[f.Need, ...]:
    def ago(seconds: int) -> datetime:
        return NOW - timedelta(seconds=seconds)

    return (
        f.Need("0", "line", "urgent", t("The line of Lin Yue dropped; the customer waits", "林悦的线路中断，客户在等待"), t("The customer hears a message and the agent is called back. After 20 s another free agent takes over; without one the call ends.", "客户正在听等候提示，系统在回拨坐席。20 秒后由其他空闲坐席接手，若无空闲则结束通话。"), ago(8)),
        f.Need("9", "help", "urgent", t("Qiu Shan asks for help", "邱珊请求协助"), t("On a call with a customer. Listen, or whisper what to say.", "正在与客户通话。可监听，或密语提示。"), ago(41), help_id="5a1f0000-0000-4000-8000-0000000000e1", watch_agent_id="5a1f0000-0000-4000-8000-000000000001"),
        f.Need("10", "help", "watch", t("Deng Ke asks for help", "邓可请求协助"), t("Ma Lin has seen it. Listen in, or close it.", "马琳已知悉。可监听或结束请求。"), ago(75), help_id="5a1f0000-0000-4000-8000-0000000000e2", is_seen=True),
        f.Need("1", "stuck", "urgent", t("Tang Rui is stuck in reserved", "唐蕊卡在占用中"), t("Browser silent since 14:19:01. Her call task waits with her.", "浏览器自 14:19:01 无响应，任务随之等待。"), ago(185), "tang"),
        f.Need("2", "stuck", "urgent", t("He Jun is stuck in reserved", "何军卡在占用中"), t("No answer from the browser for two minutes.", "浏览器两分钟无响应。"), ago(130), "he"),
        f.Need("11", "transfer", "watch", t("Deng Ke hands a call task over", "邓可 申请移交任务"), t("Zhao Lei, to Loan desk B: Another skill is needed. “Wants a fixed rate.” Goes back to them at 14:36.", "赵磊，移交给 信贷二组：需要其他技能。 “想要固定利率。” 14:36 退回原坐席。"), ago(60), transfer_id="5a1f0000-0000-4000-8000-0000000000f1"),
        f.Need("3", "promise", "watch", t("Speed to call p90 is 1:34", "起呼时长 p90 为 1:34"), t("6 call tasks wait for an agent; 4 agents are not ready, 3 could be back.", "6 个任务等待坐席；4 名坐席未就绪，3 名可回来。"), ago(720)),
        f.Need("4", "loss", "watch", t("Face scan loss is up to 24 %", "人脸识别流失升至 24 %"), t("Usual 8 %; 148 visits since 14:00, 9 of 10 of the lost on Android 14.", "平时 8 %；14:00 起 148 次访问，流失的九成是安卓 14。"), ago(1200)),
        f.Need("5", "carrier", "watch", t("7 of 96 dials refused", "96 次拨号被拒 7 次"), t("The carrier refuses caller ID 0571 9555. 0571 9556 works.", "运营商拒绝外显 0571 9555；0571 9556 正常。"), ago(900)),
    )  # fmt: skip


def _asked(t: Texts, *, by_rule: bool) -> f.AskedChoices:
    campaigns = (
        Choice(t("All campaigns", "全部活动"), "/floor", is_chosen=not by_rule),
        Choice(t("Loan application", "贷款申请"), "/floor?campaign=loan", is_chosen=by_rule),
    )
    days = (
        Choice(t("Today", "今天"), "/floor", is_chosen=not by_rule),
        Choice(t("Yesterday", "昨天"), "/floor?day=1", is_chosen=by_rule),
        Choice(t("Mon 16 Nov", "周一 11月16日"), "/floor?day=2"),
    )
    return f.AskedChoices(campaigns, days, not by_rule, by_rule, by_rule)


def _by_rule(t: Texts, queue: f.Queue) -> f.Queue:
    """The same rows by rule; of one rule more wait than are shown, and of one nobody may be called."""
    titles = sorted({row.rule for row in queue.rows})
    groups = tuple(
        f.RuleGroup(
            f"r{n}", title, 9 - n, 5 - n, max(0, 2 - n), NOW - timedelta(seconds=252 - 60 * n) if n < 3 else None, 60 if n < 3 else None,
            sum(row.rule == title for row in queue.rows),
        )
        for n, title in enumerate(titles)
    )  # fmt: skip
    rows = tuple(replace(row, rule_key=f"r{titles.index(row.rule)}") for row in queue.rows)
    return replace(queue, groups=groups, rows=rows)


def _queue(t: Texts) -> f.Queue:
    photo, card = t("ID-photo trouble", "证件照受阻"), t("Bind card quiet", "绑卡停留")
    withdrawn = t("Loan not withdrawn", "额度未提款")
    free = ("no_agent", None)
    rows = (
        ("Chen Hao", photo, 252, free), ("Li Na", photo, 227, free),
        ("Sun Mei", card, 185, ("stuck", t("Reserved, Tang Rui", "占用中，唐蕊"))), ("Zhou Lei", photo, 140, free),
        ("Wu Di", t("Face scan quiet", "人脸停留"), 122, free), ("Yang Liu", photo, 108, free),
        ("Zhu Rong", card, 55, ("carrier_limit", t("Carrier limit, 1/s", "运营商限速 1/s"))), ("Shen Yi", photo, 31, free),
        ("Qin Fen", card, 24, ("carrier_limit", t("Carrier limit, 1/s", "运营商限速 1/s"))),
        ("Aynur Memet", withdrawn, None, ("outside_calling_hours", t("Urumqi, from 15:30", "乌鲁木齐 15:30 起"))),
        ("Tursun Ali", withdrawn, None, ("outside_calling_hours", t("Kashgar, from 15:30", "喀什 15:30 起"))),
        ("Ma Chao", withdrawn, None, ("outside_calling_hours", t("Lunch, from 15:00", "午休，15:00 起"))),
        ("Gu Xin", t("Profile quiet", "资料停留"), None, ("attempt_cap_reached", t("Cap 2 in 24 h, 18:40", "24 小时 2 次，18:40"))),
        ("Du Juan", t("Large outflow", "大额转出"), None, ("rule_paused", t("Rule paused, G. Yan", "规则已暂停，高岩"))),
    )  # fmt: skip
    return f.Queue(
        17,
        tuple(
            f.ReasonCount(*pair)
            for pair in (("no_agent", 6), ("outside_calling_hours", 3), ("attempt_cap_reached", 3), ("carrier_limit", 2), ("rule_paused", 2), ("stuck", 1))
        ),
        tuple(
            f.QueueRow(f"q{n}", name, rule, why_code, note, NOW - timedelta(seconds=age) if age else None, 60 if age else None)
            for n, (name, rule, age, (why_code, note)) in enumerate(rows)
        ),
        *whom(t),
    )  # fmt: skip


def whom(t: Texts) -> tuple[tuple[Option, ...], ...]:
    """Teams, skills and levels."""
    return (
        (Option("Loan desk A", t("Loan desk A, 24 signed in", "贷款一组，24 人已登录")),),
        (
            Option("loans", t("Loans, 18 signed in", "贷款，18 人已登录")),
            Option("cards", t("Bank cards, 9 signed in", "银行卡，9 人已登录")),
        ),
        (
            Option("1", t("of any level", "不限级别")),
            Option("3", t("level 3 or higher", "3 级及以上")),
            Option("5", t("level 5", "5 级")),
        ),
    )


def _seats(t: Texts) -> tuple[f.Seat, ...]:
    photo, card, face = t("ID photo", "证件照"), t("Bind card", "绑卡"), t("Face scan", "人脸识别")
    rows = (
        ("An Ning", "talking", 252, photo), ("Meng Hao", "wrapping", 228, photo), ("Bai Lu", "talking", 97, face),
        ("Ning Rui", "talking", 69, face), ("Cai Wen", "wrapping", 22, card), ("Pan Xue", "training", 271, None),
        ("Deng Ke", "talking", 125, photo), ("Qiu Shan", "talking", 40, card), ("Fan Yi", "previewing", 12, photo),
        ("Ren Jie", "wrapping", 34, t("Profile", "资料")), ("Gao Yan", "dialing", 9, t("Profile", "资料")),
        ("Shi Yu", "talking", 15, photo), ("He Jun", "reserved", 130, card), ("Tang Rui", "reserved", 185, photo),
        ("Jiang Mo", "break", 664, None), ("Wan Qing", "meeting", 48, None), ("Kong Li", "talking", 51, photo),
        ("Wu Jing", "previewing", 12, photo), ("Lei Ting", "previewing", 18, t("Withdraw", "提款")),
        ("Xie Bo", "talking", 302, t("Profile", "资料")), ("Lin Yue", "talking", 42, photo), ("Yan Fei", "dialing", 7, face),
        ("Liu Fan", "talking", 200, t("Credit", "授信")), ("Zeng Ya", "break", 135, None),
    )  # fmt: skip
    reasons = {"training", "break", "meeting"}
    return tuple(
        f.Seat(
            name.split()[0].lower(), name, "not_ready" if state in reasons else state, NOW - timedelta(seconds=age),
            state if state in reasons else None, step,
            "bad" if state == "reserved" or name == "Lin Yue" else "warn" if name == "Meng Hao" else "plain",
            state == "reserved",
            line={"Lin Yue": "connecting", "Jiang Mo": "down", "Pan Xue": "down"}.get(name, "up"),
            may_watch=state == "talking" and name != "Lin Yue",
            hand_since={"Qiu Shan": NOW - timedelta(seconds=41), "Deng Ke": NOW - timedelta(seconds=75)}.get(name),
        )
        for name, state, age, step in rows
    )  # fmt: skip
