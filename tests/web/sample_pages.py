"""Sample pages: every screen in every state, in both languages, for tests and the preview."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from callcenter.web.pages import console as c
from callcenter.web.pages import floor as f
from callcenter.web.pages import studio as s
from callcenter.web.pages.frame import DemoSignIn, ErrorPage, Frame, Money, NavItem, SignInPage

NOW = datetime(2026, 11, 19, 6, 22, 5, tzinfo=UTC)
CHENGDU = ZoneInfo("Asia/Shanghai")
URUMQI = ZoneInfo("Asia/Urumqi")
TASK = "8f7c5f0a-53a1-4f5e-9d52-6a4f0e7b1c11"


def at(clock: str, days: int = 0) -> datetime:
    """A time of the sample day in UTC+8, as aware UTC."""
    hour, minute, second = (int(part) for part in (clock + ":00").split(":")[:3])
    local = datetime(2026, 11, 19, hour, minute, second, tzinfo=CHENGDU) + timedelta(days=days)
    return local.astimezone(UTC)


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
            ("rules", "/studio/rules", "r"),
            ("effects", "/studio/effects", "e"),
            ("scripts", "/studio/scripts", "s"),
        )
    )
    nav: tuple[NavItem, ...] = studio
    if here == "console":
        nav = (NavItem("console", "/console", "c"),)
    elif here == "floor":
        nav = (NavItem("floor", "/floor", "f", badge=5), *studio)
    return Frame(
        organisation=t("Harbour Bank", "海港银行"),
        user_name={"console": t("Lin Yue", "林悦"), "floor": t("Ma Lin", "马琳")}.get(here, t("G. Yan", "高岩")),
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


# ---- console ---------------------------------------------------------------------------------


def rail(t: Texts, work_state: str, since: datetime, **changes: object) -> c.Rail:
    base = c.Rail(
        agent_name=t("Lin Yue", "林悦"),
        signed_in_at=at("09:02"),
        presence="available",
        presence_reason=None,
        presence_since=at("14:21:31"),
        may_choose=("break", "training", "meeting", "admin"),
        work_state=work_state,
        work_state_since=since,
        waiting=6,
        callable_now=6,
        oldest_since=at("14:20:17"),
        last_wrap_up_seconds=41,
        callbacks=callbacks(t),
        numbers=(
            c.OwnNumber("attempts", "count", 31, 28, 55, target=45),
            c.OwnNumber("reached", "share", 0.45, 0.41, 0.9, 14, 31),
            c.OwnNumber("right_party", "share", 0.93, 0.66, 1.25, 13, 14),
            c.OwnNumber("verified", "share", 0.36, 0.33, 0.65, 5, 14),
            c.OwnNumber("wrap_up", "clock", 48, 55, 120, target=60),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def callbacks(t: Texts) -> tuple[c.CallbackDue, ...]:
    photo, card = t("ID photo", "证件照"), t("Bind card", "绑卡")
    return (
        c.CallbackDue(at("14:30"), t("Sun Li", "孙丽"), True, photo, t("“Call me at half past two”", "“两点半打给我”")),
        c.CallbackDue(at("15:00"), t("Guo Tao", "郭涛"), False, card, t("Had the other card at home", "另一张卡在家里")),
        c.CallbackDue(
            at("16:10"), t("Ma Jing", "马静"), True, t("Withdraw", "提款"), t("Asked about early repayment", "问过提前还款")
        ),
        c.CallbackDue(
            at("17:30"), t("Aynur Memet", "阿依努尔"), True, t("Face scan", "人脸识别"), t("Not before 15:30", "15:30 之后")
        ),
        c.CallbackDue(
            at("09:00", 1), t("Zhou Kai", "周凯"), False, t("Profile", "资料"), t("Payslip first", "先要工资单")
        ),
    )


def customer(t: Texts) -> c.Customer:
    glare = t("Photo rejected: glare", "证件照被拒：反光")
    return c.Customer(
        name=t("Chen Wei", "陈伟"),
        short_name=t("Mr Chen", "陈先生"),
        title=t("Mr", "先生"),
        masked_number="138 •••• 2046",
        place=t("Chengdu", "成都"),
        time_zone=CHENGDU,
        credit_limit=Money(Decimal(30000), "CNY"),
        credit_note=t("not yet granted", "尚未授信"),
        products=(t("Savings", "活期储蓄"), t("debit card", "借记卡")),
        consent=(t("Service care", "服务关怀"), t("marketing", "营销")),
        tags=(t("First loan", "首次贷款"), t("Android 14", "安卓 14")),
        crm_url="https://crm.example/customers/71",
        earlier=(
            c.EarlierAttempt(at("10:00", -1), t("No answer, rang 25 s", "无人接听，振铃 25 秒")),
            c.EarlierAttempt(
                at("10:00", -48),
                t("Reached by Wu Jing: “wants to see the rate first, will do it at home”", "吴静接通：“先看利率再办”"),
            ),
        ),
        timeline=(
            c.TimelineEvent("9", at("14:22:02"), "accepted", t("Photo accepted", "证件照通过")),
            c.TimelineEvent("8", at("14:21:48"), "returned", t("Back on ID photo", "回到证件照页")),
            c.TimelineEvent("7", at("14:21:23"), "call", t("Answered, Lin Yue", "接通，林悦")),
            c.TimelineEvent("6", at("14:20:58"), "rule", t("Rule fired: ID-photo trouble", "规则触发：证件照受阻")),
            c.TimelineEvent("5", at("14:20:53"), "rejected", glare + t(", 2nd", "，第 2 次")),
            c.TimelineEvent("4", at("14:19:40"), "rejected", glare + t(", 1st", "，第 1 次")),
            c.TimelineEvent("3", at("14:18:02"), "opened", t("Opened ID photo", "打开证件照页")),
            c.TimelineEvent("2", at("14:17:21"), "signed_in", t("Signed in", "登录")),
            c.TimelineEvent("1", at("14:16:47"), "registered", t("Registered", "注册")),
        ),
    )


def why(t: Texts, *, recovered: bool) -> c.WhyThisCall:
    names = (
        t("Register", "注册"), t("Sign in", "登录"), t("ID photo", "证件照"), t("Face scan", "人脸识别"),
        t("Profile", "资料"), t("Bind card", "绑卡"), t("Credit", "授信"), t("Withdraw", "提款"),
    )  # fmt: skip
    states = ["passed", "passed", "recovered" if recovered else "stopped", "next" if recovered else "ahead"]
    states += ["ahead"] * 4
    note = t("stopped 14:20:53", "14:20:53 停在此步")
    return c.WhyThisCall(
        headline=t("Photo rejected twice for glare", "证件照两次因反光被拒"),
        step=t("ID photo", "证件照"),
        stopped_at=at("14:20:53"),
        rule=t("ID-photo trouble", "证件照受阻"),
        rule_version=7,
        steps=tuple(
            c.StepMark(name, state, note if index == 2 else None)
            for index, (name, state) in enumerate(zip(names, states, strict=True))
        ),
        folded_in=1,
        ring_delay_seconds=19 if recovered else None,
        still=None if recovered else t("Still on the page.", "仍在此页。"),
        live=c.LiveNote(
            t("Photo accepted just now", "证件照刚刚通过"), at("14:22:02"), "good", NOW + timedelta(hours=9)
        )
        if recovered
        else None,
    )


def script(t: Texts, current: str) -> c.Script:
    opening = c.ScriptNode(
        "opening",
        t("Opening and recording notice", "开场白与录音告知"),
        (
            t(
                "Good afternoon, this is Lin Yue from Harbour Bank. This call is recorded. Am I speaking with Mr Chen?",
                "下午好，我是海港银行的林悦，本次通话将被录音。请问是陈先生吗？",
            ),
        ),
        (
            c.Branch(1, "yes", t("Yes, speaking", "是本人"), t("Go on", "继续"), "glare"),
            c.Branch(2, "no", t("Somebody else", "不是本人"), t("Say nothing of the loan", "不提贷款"), None),
        ),
        1,
        5,
    )
    glare = c.ScriptNode(
        "glare",
        t("Is there a lamp above?", "头顶是不是有灯？"),
        (
            t(
                "Mr Chen, the photo of your ID came out with a bright spot, so the app could not read it. "
                "Is there a lamp right above you?",
                "陈先生，您的证件照上有一块反光，系统没能识别。请问您头顶上方是不是有灯？",
            ),
        ),
        (
            c.Branch(1, "light", t("Bright light above", "头顶灯光太亮"), t("Tilt the card away from the lamp", "请把证件稍微倾斜，避开灯光"), "tilt"),
            c.Branch(2, "sleeve", t("Card in a sleeve", "证件套着卡套"), t("Take it out of the sleeve", "请先取下卡套"), "tilt"),
            c.Branch(3, "focus", t("Camera will not focus", "镜头无法对焦"), t("Wipe the lens, hold 20 cm away", "擦一下镜头，距离约 20 厘米"), "tilt"),
            c.Branch(4, "works", t("It works now", "现在可以了"), t("Stay for the face scan", "陪同人脸识别"), "tilt", t("Accepted. Stay for the face scan", "已通过。继续陪同人脸识别")),
            c.Branch(5, "later", t("Not a good time", "现在不方便"), t("Offer a callback", "预约回呼"), None),
        ),
        3,
        5,
    )  # fmt: skip
    tilt = c.ScriptNode(
        "tilt",
        t("Tilt the card", "倾斜证件"),
        (t("Please tilt the card a little, until the spot is gone.", "请把证件稍微倾斜，直到反光消失。"),),
        (),
        4,
        5,
    )
    path = (
        c.StepTaken(t("Opening and recording notice", "开场白与录音告知"), None, at("14:21:26"), is_notice=True),
        c.StepTaken(t("Right person?", "是否本人？"), t("Yes, speaking", "是本人"), at("14:21:34")),
    )
    return c.Script(
        label=t("ID-photo trouble", "证件照受阻"),
        version=7,
        variant="B",
        nodes=(opening, glare, tilt),
        current=current,
        path=path if current == "glare" else (),
        objections=(
            c.Objection("real", t("Is this really the bank?", "真的是银行吗？"), t("Hang up and call the number on your card; I will wait.", "您可以挂断后拨打卡背面的电话，我等您。"), True),
            c.Objection("why", t("Why my ID photo?", "为什么要证件照？"), t("The law asks us to know who borrows.", "法律要求核实借款人身份。"), True),
            c.Objection("rate", t("What is the rate?", "利率是多少？"), t("The app shows it before you sign.", "签约前 App 会显示。"), True),
            c.Objection("busy", t("I am busy", "我在忙"), t("When may I call again?", "什么时候方便？")),
        ),
        required_notices=(t("Never ask for a code, a password or the full ID number.", "切勿询问验证码、密码或完整证件号。"),),
    )  # fmt: skip


def wrap_up(t: Texts, *, may_save: bool) -> c.WrapUp:
    dispositions = (
        ("done", t("Done on the call", "通话中完成"), False),
        ("will_finish", t("Will finish now", "马上自行完成"), False),
        ("callback", t("Callback set", "已约回呼"), True),
        ("not_interested", t("Not interested", "无意愿"), False),
        ("wrong_person", t("Wrong person", "非本人"), False),
        ("cannot_talk", t("Cannot talk", "不便接听"), False),
        ("machine", t("Machine", "语音信箱"), False),
        ("do_not_call", t("Do not call", "不要再呼"), False),
    )
    causes = (
        ("technical", t("Technical", "技术")), ("usability", t("Usability", "易用性")),
        ("product", t("Product", "产品")), ("price", t("Price", "价格")),
        ("trust", t("Trust", "信任")), ("need", t("Need", "需求")),
    )  # fmt: skip
    return c.WrapUp(
        dispositions=tuple(c.DispositionChoice(*entry) for entry in dispositions),
        causes=tuple(c.CauseChoice(key, label, key == "technical") for key, label in causes),
        may_save=may_save,
        limit_seconds=60,
        causes_from=t("glare", "反光"),
        callback_times=(at("17:00"), at("19:00"), at("09:00", 1)),
    )


def call(t: Texts, phase: str, **changes: object) -> c.CurrentCall:
    is_running = phase in {"talking", "wrapping"}
    base = c.CurrentCall(
        call_task_id=TASK,
        phase=phase,
        customer=customer(t),
        why=why(t, recovered=is_running),
        script=script(t, "glare" if is_running else "opening"),
        wrap_up=wrap_up(t, may_save=phase == "wrapping"),
        attempt_id="a1" if phase in {"dialing", "talking", "wrapping"} else None,
        phase_since=NOW - timedelta(seconds=42),
        shown_as="0571 9555",
        is_recorded=True,
    )
    if phase in {"reserved", "previewing"}:
        base = replace(base, deadline_at=NOW + timedelta(seconds=24), allowed_seconds=30, own_number="139 •••• 7781")
    if phase == "wrapping":
        base = replace(
            base, deadline_at=NOW + timedelta(seconds=47), allowed_seconds=60, result="completed", may_ask_more_time=True
        )
    return replace(base, **changes)  # type: ignore[arg-type]


def idle(t: Texts) -> c.Idle:
    rows = (
        ("14:18", "Zhao Min", "赵敏", t("Face scan", "人脸识别"), t("Will finish now", "马上自行完成"), 21, t("Passed after 3 min", "3 分钟后通过"), "good"),
        ("14:09", "Xu Lan", "徐兰", t("ID photo", "证件照"), t("Callback set", "已约回呼"), 8, t("Callback 17:00", "回呼 17:00"), "plain"),
        ("14:02", "Hu Bo", "胡波", t("Bind card", "绑卡"), t("Done on the call", "通话中完成"), 12, t("Passed during the call", "通话中通过"), "good"),
        ("13:55", "Tian Yu", "田宇", t("ID photo", "证件照"), None, 25, t("Try 2 from 15:00", "15:00 起再试"), "plain"),
        ("13:49", "Feng Yi", "冯怡", t("Profile", "资料"), t("Will finish now", "马上自行完成"), 15, None, "wait"),
    )  # fmt: skip
    return c.Idle(
        place_in_line=1,
        idle_agents=3,
        skills=(t("loan", "贷款"), t("ID checks", "证件核验"), t("Mandarin", "普通话")),
        why_none=(
            c.WaitReason("outside_calling_hours", 3, at("15:00"), t("outside the customer’s calling hours", "不在允许时段")),
            c.WaitReason("attempt_cap_reached", 2, at("18:40"), t("attempt cap reached, 2 in 24 hours", "24 小时 2 次已满")),
            c.WaitReason("in_preview", 1, None, t("in preview with Wu Jing", "吴静预览中")),
        ),
        callbacks=callbacks(t),
        attempts=tuple(
            c.LastAttempt(at(when), t(en, zh), step, "completed" if said else "no_answer", said, rang, then, tone)
            for when, en, zh, step, said, rang, then, tone in rows
        ),
        notes=(
            c.Note(
                t("New in your scripts", "话术更新"),
                t(
                    "ID-photo trouble v7 from today: ask about the lamp first, then the sleeve. "
                    "The lamp was the cause in 58 of 96 calls that named one.",
                    "证件照受阻 v7 今天启用：先问灯光，再问卡套。96 通说明原因的通话中有 58 通是灯光。",
                ),
            ),
        ),
        team_size=24,
    )


def console(language: str, theme: str, state: str) -> c.ConsolePage:
    t = Texts(language)
    head = frame(language, theme, "console", live="/live/console")
    pauses = (c.PauseUse("break", 840, 1800), c.PauseUse("training", 1200, 1200), c.PauseUse("meeting", 0, 900))
    team = tuple(
        c.StateCount(*pair)
        for pair in (("talking", 11), ("wrapping", 3), ("previewing", 3), ("idle", 3), ("not_ready", 4))
    )
    waiting = rail(t, "idle", at("14:21:31"), pauses=pauses, team_now=team, callable_now=0)
    nothing = rail(t, "idle", at("14:21:31"), waiting=0, callable_now=0, oldest_since=None, callbacks=(), numbers=(),
                   last_wrap_up_seconds=None)  # fmt: skip
    off = {"presence": "signed_off", "signed_in_at": None}
    pages: dict[str, Callable[[], c.ConsolePage]] = {
        "idle": lambda: c.ConsolePage(head, waiting, None, idle(t)),
        "empty": lambda: c.ConsolePage(head, nothing),
        "signed-off": lambda: c.ConsolePage(head, replace(nothing, **off)),  # type: ignore[arg-type]
        "not-ready": lambda: c.ConsolePage(
            head, replace(waiting, presence="not_ready", presence_reason="break"), None, idle(t)
        ),
        "missed": lambda: c.ConsolePage(
            head, replace(waiting, presence="not_ready", presence_reason="missed_offer"), None, idle(t)
        ),
    }
    if state in pages:
        return pages[state]()
    return c.ConsolePage(head, rail(t, _work_state(state), NOW - timedelta(seconds=42)), _calls(t, state))


def _work_state(state: str) -> str:
    if state in {"failed", "unknown", "no-answer", "wrapping-errors"}:
        return "wrapping"
    return "previewing" if state in {"barred", "gone", "long", "bare"} else state


def _calls(t: Texts, state: str) -> c.CurrentCall:
    long_name = "Maria Theresia Wilhelmine von Hohenberg-Sonderburg-Augustenburg"
    if state == "barred":
        person = replace(customer(t), place=t("Urumqi", "乌鲁木齐"), time_zone=URUMQI)
        return call(
            t, "previewing", customer=person, barred=c.Barred(("outside_calling_hours",), at("11:00", 1))
        )
    if state == "gone":
        return call(t, "gone", cancel_reason="recovered", why=why(t, recovered=True))
    if state == "failed":
        return call(t, "wrapping", result="failed", failure=t("caller ID refused", "外显号码被拒"))
    if state in {"unknown", "no-answer"}:
        return call(t, "wrapping", result=state.replace("-", "_"))
    if state == "long":
        person = replace(
            customer(t), name=long_name, products=tuple(f"Product number {n} with a long name" for n in range(6))
        )
        reason = replace(why(t, recovered=True), headline="Photo rejected for glare, then blurred, then too dark, then expired")
        return call(t, "talking", customer=person, why=reason)
    if state == "bare":
        person = replace(
            customer(t), credit_limit=None, products=(), consent=(), tags=(), crm_url=None, earlier=(), timeline=(),
            time_zone=None,
        )  # fmt: skip
        empty = replace(wrap_up(t, may_save=False), callback_times=(), causes_from=None)
        return call(
            t, "previewing", customer=person, script=None, wrap_up=empty, own_number=None,
            barred=c.Barred(("unknown_time_zone", "no_consent")),
        )  # fmt: skip
    if state == "wrapping-errors":
        errors = {"disposition": t("Choose a result.", "请选择处理结果。"), "callback_at": t("That time is not allowed.", "该时间不允许。")}
        return call(t, "wrapping", wrap_up=replace(wrap_up(t, may_save=True), errors=errors))
    return call(t, state)


# ---- floor -----------------------------------------------------------------------------------


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
    return f.FloorPage(
        head, team, _figures(), _needs(t), _queue(t), _seats(t), at("13:40"),
        t("You freed Xie Bo at 14:06. Acts are logged.", "14:06 你释放了谢博。操作均有记录。"),
    )  # fmt: skip


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
        f.Need("1", "stuck", "urgent", t("Tang Rui is stuck in reserved", "唐蕊卡在占用中"), t("Browser silent since 14:19:01. Her call task waits with her.", "浏览器自 14:19:01 无响应，任务随之等待。"), ago(185), "tang"),
        f.Need("2", "stuck", "urgent", t("He Jun is stuck in reserved", "何军卡在占用中"), t("No answer from the browser for two minutes.", "浏览器两分钟无响应。"), ago(130), "he"),
        f.Need("3", "promise", "watch", t("Speed to call p90 is 1:34", "起呼时长 p90 为 1:34"), t("6 call tasks wait for an agent; 4 agents are not ready, 3 could be back.", "6 个任务等待坐席；4 名坐席未就绪，3 名可回来。"), ago(720)),
        f.Need("4", "loss", "watch", t("Face scan loss is up to 24 %", "人脸识别流失升至 24 %"), t("Usual 8 %; 148 visits since 14:00, 9 of 10 of the lost on Android 14.", "平时 8 %；14:00 起 148 次访问，流失的九成是安卓 14。"), ago(1200)),
        f.Need("5", "carrier", "watch", t("7 of 96 dials refused", "96 次拨号被拒 7 次"), t("The carrier refuses caller ID 0571 9555. 0571 9556 works.", "运营商拒绝外显 0571 9555；0571 9556 正常。"), ago(900)),
    )  # fmt: skip


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
    )  # fmt: skip


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
            "bad" if state == "reserved" else "warn" if name == "Meng Hao" else "plain", state == "reserved",
        )
        for name, state, age, step in rows
    )  # fmt: skip


# ---- studio ----------------------------------------------------------------------------------


def journeys(language: str, theme: str, state: str) -> s.JourneysPage:
    t = Texts(language)
    head = frame(language, theme, "journeys")
    if state == "empty":
        return s.JourneysPage(head, t("Loan journey", "贷款旅程"), date(2026, 11, 12), date(2026, 11, 18), 7)
    rows = (
        ("register", t("Register", "注册"), 14820, 916, 0.064, 48, 0.41, t("SMS code late", "短信验证码迟到")),
        ("sign_in", t("Sign in", "登录"), 13904, 1294, 0.091, 22, 0.66, t("Wrong password", "密码错误")),
        ("id_photo", t("ID photo", "证件照"), 12610, 3364, 0.241, 96, 0.70, t("Glare, 41 % of errors", "反光，占错误 41 %")),
        ("face_scan", t("Face scan", "人脸识别"), 9246, 774, 0.083, 41, 0.74, t("Too dark", "光线太暗")),
        ("profile", t("Profile", "资料"), 8472, 817, 0.102, 134, 0.58, None),
        ("bind_card", t("Bind card", "绑卡"), 7655, 843, 0.107, 112, 0.61, t("Card refused", "银行卡被拒")),
        ("credit", t("Credit granted", "授信"), 6812, 2686, 0.388, 100800, 0.35, None),
        ("withdrawn", t("Withdrawn", "提款"), 4126, None, None, None, None, None),
    )  # fmt: skip
    curve = tuple(
        s.CurvePoint(m, share, share - 0.015, share + 0.015)
        for m, share in ((0, 0.0), (2, 0.12), (5, 0.26), (10, 0.38), (15, 0.45), (20, 0.50), (30, 0.57), (45, 0.64), (60, 0.70))
    )  # fmt: skip
    return s.JourneysPage(
        head,
        t("Loan journey", "贷款旅程"),
        date(2026, 11, 12),
        date(2026, 11, 18),
        7,
        windows=(
            s.Choice(t("Today", "今天"), "/studio?days=1"),
            s.Choice(t("7 days", "7 天"), "/studio?days=7", True),
            s.Choice(t("28 days", "28 天"), "/studio?days=28"),
        ),
        steps=tuple(
            s.FunnelStep(key, label, entered, lost, f"/studio?step={key}", usual, median, back, error, key == "id_photo")
            for key, label, entered, lost, usual, median, back, error in rows
        ),
        drop=s.Drop(
            t("ID photo", "证件照"), 3364, 12610, 0.241, curve, 5, 9840,
            tuple(
                s.ShareRow(label, count, 3364)
                for label, count in ((t("Rejected: glare", "被拒：反光"), 1379), (t("Rejected: blurred", "被拒：模糊"), 740), (t("Left before a photo", "未拍照离开"), 706), (t("Rejected: expired ID", "被拒：证件过期"), 303))
            ),
            tuple(
                s.ShareRow(label, count, 3364)
                for label, count in ((t("Closed the app", "关闭 App"), 2052), (t("Home page", "首页"), 740), (t("Help", "帮助"), 303))
            ),
        ),
    )  # fmt: skip


def rules(language: str, theme: str, state: str) -> s.RulesPage:
    t = Texts(language)
    head = frame(language, theme, "rules")
    if state == "empty":
        return s.RulesPage(head, 28)
    loan = t("Loan journey", "贷款旅程")
    rows = (
        s.RuleRow("photo", t("ID-photo trouble", "证件照受阻"), 7, t("When a customer’s ID photo is rejected twice within 10 minutes, offer a call, unless the photo is accepted first. One in five is not called, to measure the effect.", "客户证件照 10 分钟内被拒两次且未通过时，安排外呼。五分之一不外呼，用于衡量效果。"), loan, "live", at("10:00", -17), t("by G. Yan", "高岩"), 12348, 7923, 2436, "helps", 4.7, True),
        s.RuleRow("withdraw", t("Loan not withdrawn", "额度未提款"), 5, t("When credit is granted and nothing is withdrawn for 24 hours, offer a call. One in five is not called.", "授信后 24 小时未提款时，安排外呼。五分之一不外呼。"), loan, "live", at("10:00", -40), None, 19224, 13206, 3864, "helps", 2.9, True),
        s.RuleRow("card", t("Bind card quiet", "绑卡停留"), 3, t("When a customer stops at bind card and does nothing for 5 minutes, offer a call.", "客户停在绑卡且 5 分钟无操作时，安排外呼。"), loan, "paused", at("13:10"), t("by G. Yan", "高岩"), 6912, 4170, 1404, "not_known", 6.5, True),
        s.RuleRow("signin", t("Sign-in trouble", "登录受阻"), 6, t("When sign-in fails three times, offer a call.", "登录失败三次时，安排外呼。"), loan, "live", at("10:00", -3), None, 6924, 4230, 1252, "sample_ratio", None, False),
        s.RuleRow("new", t("Face scan quiet", "人脸停留"), 1, t("When a customer stops at the face scan for 3 minutes, offer a call.", "客户停在人脸识别 3 分钟时，安排外呼。"), loan, "live", at("09:00"), None, 0, 0, 0, None, None, True),
    )  # fmt: skip
    return s.RulesPage(head, 28, rows)


def effects(language: str, theme: str, state: str) -> s.EffectsPage:
    t = Texts(language)
    head = frame(language, theme, "effects")
    if state == "empty":
        return s.EffectsPage(head, 8, date(2026, 11, 18), s.EffectTotals(None, 0, 0, None, None, 0, 0, 0))
    cny = "CNY"
    rows = (
        s.EffectRow("photo", t("ID-photo trouble", "证件照受阻"), 7, 12348, 2436, 7923, 3504, "helps", "?rule=photo", 4084, 9912, 889, 4.7, 0.5, 11.1, Money(Decimal(45), cny), 84, is_chosen=True),
        s.EffectRow("withdraw", t("Loan not withdrawn", "额度未提款"), 5, 19224, 3864, 13206, 5502, "helps", "?rule=withdraw", 3010, 15360, 645, 2.9, 0.2, 5.9, Money(Decimal(60), cny), 50),
        s.EffectRow("card", t("Bind card quiet", "绑卡停留"), 3, 6912, 1404, 4170, 1806, "not_known", "?rule=card", 2200, 5508, 470, 6.5, -0.3, 13.0, needs_firings=640, needs_weeks=1),
        s.EffectRow("face", t("Face scan quiet", "人脸停留"), 2, 4500, 888, 2754, 1113, "not_known", "?rule=face", 1690, 3612, 401, 1.6, -5.3, 12.1, needs_firings=14000, needs_weeks=25),
        s.EffectRow("profile", t("Profile quiet", "资料停留"), 4, 8499, 1713, 5265, 2202, "not_known", "?rule=profile", 2442, 6786, 621, -0.3, -5.5, 5.2, needs_firings=19000, needs_weeks=18),
        s.EffectRow("outflow", t("Large outflow", "大额转出"), 2, 3711, 753, 2520, 1206, "harms", "?rule=outflow", 783, 2958, 221, -2.9, -8.8, -0.4, evidence=23),
        s.EffectRow("salary", t("Salary arrival", "工资到账"), 1, 4230, None, 3366, 1245, "no_holdout", "?rule=salary", note=t("Service duty, by W. Ma", "服务义务，马雯批准")),
        s.EffectRow("signin", t("Sign-in trouble", "登录受阻"), 6, 6924, 1252, 4230, 1560, "sample_ratio", "?rule=signin", note=t("Sample ratio fails, p < 0.001", "样本比例异常 p < 0.001")),
    )  # fmt: skip
    variants = (
        s.VariantEffect(t("All reached", "全部接通"), 3.1, 0.5, 5.6, 3504, True),
        s.VariantEffect(t("Bright light", "灯光太亮"), 4.3, 0.3, 8.2, 1236, True),
        s.VariantEffect(t("Card in a sleeve", "有卡套"), 2.7, -2.6, 8.0, 564, False),
        s.VariantEffect(t("Not a good time", "不方便"), 0.3, -4.4, 5.0, 708, False),
    )
    detail = s.EffectDetail(
        t("ID-photo trouble", "证件照受阻"), 7, 0.412, 0.365, 1, 11, "helps", 0.197, 0.2, True,
        (1.0, 1.1, 0.9, 1.4, 1.3, 3, 22, 90, 84), 6, variants, t("Script variant B against A, pp", "话术变体 B 对 A，百分点"),
    )  # fmt: skip
    totals = s.EffectTotals(913, 2, 9870, Money(Decimal(52), cny), 58, 12310, 66348, 5720)
    return s.EffectsPage(head, 8, date(2026, 11, 18), totals, rows, detail)


def scripts(language: str, theme: str, state: str) -> s.ScriptsPage:
    t = Texts(language)
    head = frame(language, theme, "scripts")
    if state == "empty":
        return s.ScriptsPage(head)
    loan = t("Loan journey", "贷款旅程")
    photo = t("ID-photo trouble", "证件照受阻")
    rows = (
        s.ScriptRow("photo.en", photo, t("ID photo", "证件照"), loan, "en", 7, "/studio/scripts/photo.en", ("A", "B"), (photo,), date(2026, 11, 19), 3504),
        s.ScriptRow("photo.zh", photo, t("ID photo", "证件照"), loan, "zh", 7, "/studio/scripts/photo.zh", ("A", "B"), (photo,), date(2026, 11, 19), 21204),
        s.ScriptRow("card.zh", t("Bind card quiet", "绑卡停留"), t("Bind card", "绑卡"), loan, "zh", 3, "/studio/scripts/card.zh", ("A",), (), date(2026, 10, 2), 0),
    )  # fmt: skip
    if state == "list":
        return s.ScriptsPage(head, rows)
    sample = script(t, "opening")
    parts = tuple(
        s.ReadPart(
            node.key, node.label, node.say,
            tuple(s.ReadBranch(b.digit, b.label, b.hint, b.leads_to) for b in node.branches),
        )
        for node in sample.nodes
    )  # fmt: skip
    chosen = s.ReadScript(
        rows[0], "B", parts, tuple((o.label, o.answer) for o in sample.objections), sample.required_notices,
        (s.Choice("v7", "?version=7", True), s.Choice("v6", "?version=6")),
    )  # fmt: skip
    return s.ScriptsPage(head, rows, chosen)


def sign_in(language: str, theme: str, state: str) -> SignInPage:
    t = Texts(language)
    demos = tuple(
        DemoSignIn(t(en, zh), mail, "sample", role)
        for en, zh, mail, role in (
            ("Lin Yue", "林悦", "lin.yue@harbour.example", "agent"),
            ("Ma Lin", "马琳", "ma.lin@harbour.example", "supervisor"),
            ("G. Yan", "高岩", "g.yan@harbour.example", "strategist"),
        )
    )
    bank = t("Harbour Bank", "海港银行")
    if state == "failed":
        return SignInPage(
            bank, language, theme, "sample-token", "/console", "lin@harbour.example",
            t("E-mail or password is not right.", "邮箱或密码不正确。"),
        )  # fmt: skip
    return SignInPage(bank, language, theme, "sample-token", demo_sign_ins=demos)


def error(language: str, theme: str, state: str) -> ErrorPage:
    t = Texts(language)
    message = t("The call task was released.", "任务已释放。") if state == "409" else None
    return ErrorPage(t("Harbour Bank", "海港银行"), language, theme, int(state), message, "7f3a-21c0", "/console")


Page = (
    c.ConsolePage | f.FloorPage | s.JourneysPage | s.RulesPage | s.EffectsPage | s.ScriptsPage | SignInPage | ErrorPage
)

SCREENS: dict[str, tuple[str, str, Callable[[str, str, str], Page], tuple[str, ...]]] = {
    "console": (
        "console/page.html",
        "console/_body.html",
        console,
        (
            "idle", "empty", "signed-off", "not-ready", "missed", "reserved", "previewing", "dialing", "talking",
            "wrapping", "wrapping-errors", "gone", "failed", "unknown", "no-answer", "barred", "long", "bare",
        ),
    ),
    "floor": ("floor/page.html", "floor/_body.html", floor, ("full", "empty")),
    "journeys": ("studio/journeys.html", "studio/_journeys.html", journeys, ("full", "empty")),
    "rules": ("studio/rules.html", "studio/_rules.html", rules, ("full", "empty")),
    "effects": ("studio/effects.html", "studio/_effects.html", effects, ("full", "empty")),
    "scripts": ("studio/scripts.html", "studio/_scripts.html", scripts, ("read", "list", "empty")),
    "sign-in": ("auth/sign_in.html", "auth/sign_in.html", sign_in, ("demo", "failed")),
    "error": ("error.html", "error.html", error, ("403", "404", "409", "500")),
}  # fmt: skip


def states() -> list[str]:
    """Every sample as "screen-state", such as console-talking."""
    return [f"{screen}-{state}" for screen, (_, _, _, names) in SCREENS.items() for state in names]


def sample(name: str, language: str = "en", theme: str = "light") -> tuple[str, str, Page]:
    """Template of the page, template of its state fragment, and the view model."""
    screen = max((key for key in SCREENS if name.startswith(f"{key}-")), key=len)
    template, fragment, build, _ = SCREENS[screen]
    return template, fragment, build(language, theme, name.removeprefix(f"{screen}-"))
