# ruff: noqa: E501 - two languages side by side read best on one line
"""The agent console in every state."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from callcenter.domain.enums import TransferReason
from callcenter.web.pages import console as c
from callcenter.web.pages.frame import Money, ShareRow
from callcenter.web.pages.handing_over import HandedOver, HandOverForm, OfferWhy, Receiver
from callcenter.web.pages.offers import OfferDesk, OfferRow
from callcenter.web.pages.script_results import BranchSeen, Helps
from tests.web import sample_long as long
from tests.web.sample_agenda import callbacks, done, follow_ups, known
from tests.web.sample_frame import CHENGDU, NOW, TASK, URUMQI, Texts, at, frame
from tests.web.sample_quality import own_work


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
        overdue=2,
        numbers=(
            c.OwnNumber("attempts", "count", 31, 28, 55, target=45),
            c.OwnNumber("reached", "share", 0.45, 0.41, 0.9, 14, 31),
            c.OwnNumber("right_party", "share", 0.93, 0.66, 1.25, 13, 14),
            c.OwnNumber("verified", "share", 0.36, 0.33, 0.65, 5, 14),
            c.OwnNumber("wrap_up", "clock", 48, 55, 120, None, 29, target=60),
        ),
    )
    return replace(base, **changes)  # type: ignore[arg-type]


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
                t(
                    "Reached by Wu Jing: “wants to see the rate first, will do it at home”",
                    "吴静接通：“先看利率再办”",
                ),
            ),
        ),
        timeline=(
            c.TimelineEvent("9", at("14:22:02"), "accepted", t("Photo accepted", "证件照通过")),
            c.TimelineEvent("8", at("14:21:48"), "returned", t("Back on ID photo", "回到证件照页")),
            c.TimelineEvent("7", at("14:21:23"), "call", t("Answered, Lin Yue", "接通，林悦")),
            c.TimelineEvent(
                "6", at("14:20:58"), "rule", t("Rule fired: ID-photo trouble", "规则触发：证件照受阻")
            ),
            c.TimelineEvent("5", at("14:20:53"), "rejected", glare + t(", 2nd", "，第 2 次")),
            c.TimelineEvent("4", at("14:19:40"), "rejected", glare + t(", 1st", "，第 1 次")),
            c.TimelineEvent("3", at("14:18:02"), "opened", t("Opened ID photo", "打开证件照页")),
            c.TimelineEvent("2", at("14:17:21"), "signed_in", t("Signed in", "登录")),
            c.TimelineEvent("1", at("14:16:47"), "registered", t("Registered", "注册")),
        ),
    )


def also(t: Texts) -> tuple[c.AlsoWhy, ...]:
    large = t("Large sum leaves", "大额转出")
    coupon = t("High limit unused", "高额度未使用")
    return (
        c.AlsoWhy("a-1", large, t("Large movement", "大额资金变动"), at("14:02"), large),
        c.AlsoWhy("a-2", coupon, coupon, at("10:30"), coupon, ("no_consent",)),
    )


def offers(t: Texts, *, may_grant: bool) -> OfferDesk:
    name = t("Interest coupon, 30 days", "30 天免息券")
    said = t("We can give you 30 days free of interest on your first withdrawal.", "首次提款可享 30 天免息。")
    fee, grant_id = t("No transfer fee", "转账免手续费"), "5a1f0000-0000-4000-8000-00000000000a"
    free = OfferRow("fee", fee, said, Money(Decimal(12), "CNY"))
    return OfferDesk(
        (
            OfferRow("rate-30", name, said, Money(Decimal(30), "CNY")),
            replace(free, grant_id=grant_id, granted_at=at("14:21:50")) if may_grant else free,
            OfferRow(
                "points",
                t("Points", "积分"),
                said,
                Money(Decimal(5), "CNY"),
                ("customer_limit",),
                at("09:00", 40),
            ),
        ),
        may_grant,
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
        also=also(t),
        ring_delay_seconds=19 if recovered else None,
        still=None if recovered else t("Still on the page.", "仍在此页。"),
        live=c.LiveNote(
            t("Photo accepted just now", "证件照刚刚通过"), at("14:22:02"), "good", NOW + timedelta(hours=9)
        )
        if recovered
        else None,
        helps=None
        if recovered
        else Helps(
            t("Photo rejected: glare", "照片被拒：反光"),
            2140,
            (
                ShareRow(t("Technical", "技术"), 1310, 2140),
                ShareRow(t("Usability", "易用性"), 471, 2140),
            ),
            (
                BranchSeen("", t("Bright light above", "头顶灯光太亮"), 812, 640, 0.759, 0.815),
                BranchSeen("", t("Card in a sleeve", "证件套着卡套"), 318, 190, 0.543, 0.650),
            ),
        ),
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
        c.StepTaken(
            t("Opening and recording notice", "开场白与录音告知"), None, at("14:21:26"), is_notice=True
        ),
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


def colleagues(t: Texts) -> tuple[c.Colleague, ...]:
    team = t("Loan desk A", "贷款一组")
    return (
        c.Colleague("5a1f0000-0000-4000-8000-000000000001", t("Wu Jing", "吴静"), team, False),
        c.Colleague("5a1f0000-0000-4000-8000-000000000002", t("Zhang Rui", "张睿"), team, True),
        c.Colleague("5a1f0000-0000-4000-8000-000000000003", t("He Qian", "何倩"), t("Loan desk B", "贷款二组"), True),
        c.Colleague("5a1f0000-0000-4000-8000-000000000004", t("Luo Fan", "罗凡"), team, False),
    )  # fmt: skip


def hand_over(t: Texts) -> HandOverForm:
    desk = t("Loan desk B", "贷款二组")
    return HandOverForm(
        (Receiver(f"team:{desk}", desk),),
        tuple(
            Receiver(f"agent:{one.id}", f"{one.name}, {one.team}", "idle" if one.is_free else "talking")
            for one in colleagues(t)
        ),
        tuple(TransferReason),
        needs_approval=True,
    )


def offer_why(t: Texts, *, handed: bool = False) -> OfferWhy:
    if handed:
        return OfferWhy(
            t("Handed over by a colleague.", "由同事移交。"),
            t("Priority 60.", "优先级 60。"),
            from_whom=t("From Deng Ke: Another skill is needed.", "来自 邓可：需要其他技能。"),
            note=t("Wants a fixed rate; has the card at hand.", "想要固定利率；卡在手边。"),
        )
    return OfferWhy(
        t(
            "Best fit of the free agents: Simplified Chinese, Loans 4 (3 asked); idle for 2 min.",
            "空闲坐席中最合适：简体中文、贷款 4（要求 3）；已空闲 2 分钟。",
        ),
        t("Priority 60, and 4 more for waiting 4 min.", "优先级 60，等待 4 分钟再加 4。"),
        t(
            "Not asked any more, as nobody signed on has it: Loan desk B.",
            "因无在线坐席具备，已不再要求：贷款二组。",
        ),
    )


def handed_over(t: Texts) -> tuple[HandedOver, ...]:
    desk, skill = t("Loan desk B", "贷款二组"), t("Another skill is needed", "需要其他技能")
    return (
        HandedOver(
            "f1",
            t("Zhao Min", "赵敏"),
            desk,
            skill,
            t("Waits for your supervisor's word.", "等待主管决定。"),
            "plain",
            at("14:20"),
            NOW + timedelta(minutes=9),
            may_take_back=True,
        ),
        HandedOver(
            "f2",
            t("Xu Lan", "徐兰"),
            t("Wu Jing", "吴静"),
            skill,
            t("Nobody answered in time. It is yours again.", "无人及时接手。 任务已回到您这里。"),
            "warn",
            at("14:02"),
        ),
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
        may_hold=True,
        may_transfer=True,
        colleagues=colleagues(t),
        follow_ups=known(t),
        offers=offers(t, may_grant=is_running),
    )
    if phase in {"reserved", "previewing"}:
        base = replace(
            base, deadline_at=NOW + timedelta(seconds=24), allowed_seconds=30, own_number="139 •••• 7781"
        )
        base = replace(base, hand_over=hand_over(t), offer_why=offer_why(t, handed=phase == "reserved"))
    if phase == "wrapping":
        base = replace(base, hand_over=replace(hand_over(t), needs_approval=False))
        base = replace(
            base,
            deadline_at=NOW + timedelta(seconds=47),
            allowed_seconds=60,
            result="completed",
            may_ask_more_time=True,
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
            c.WaitReason(
                "outside_calling_hours",
                3,
                at("15:00"),
                t("outside the customer’s calling hours", "不在允许时段"),
            ),
            c.WaitReason(
                "attempt_cap_reached",
                2,
                at("18:40"),
                t("attempt cap reached, 2 in 24 hours", "24 小时 2 次已满"),
            ),
            c.WaitReason("in_preview", 1, None, t("in preview with Wu Jing", "吴静预览中")),
        ),
        callbacks=callbacks(t),
        handed_over=handed_over(t),
        hand_over=hand_over(t),
        follow_ups=replace(follow_ups(t), done=done(t)),
        attempts=tuple(
            c.LastAttempt(
                at(when), t(en, zh), step, "completed" if said else "no_answer", said, rang, then, tone
            )
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


def choices(t: Texts, many: int = 3) -> c.Choices:
    photo, card = t("ID photo", "证件照"), t("Bind card", "绑卡")
    glare = t("Photo rejected: glare, 2 times", "证件照被拒：反光，2 次")
    people = (
        ("Chen Wei", "陈伟"),
        ("Maria von Hohenberg-Sonderburg-Augustenburg", "欧阳晓芳"),
        ("Guo Tao", "郭涛"),
    )
    now = tuple(
        c.Choice(f"5a1f0000-0000-4000-8000-0000000000{n:02d}", t(*people[n % 3]), f"138 •••• {2046 + n}", glare, photo,
                 80 - n, NOW - timedelta(seconds=134 - 7 * n), t("Kazakh", "哈萨克语") if n == 1 else None)
        for n in range(many)
    )  # fmt: skip
    later = (
        c.Choice("5a1f0000-0000-4000-8000-000000000091", t("Aynur Memet", "阿依努尔"), "139 •••• 7781", glare, photo, 80, NOW,
                 reasons=(t("Calling hours", "拨打时段"),), not_before=t("Not before 09:00 tomorrow in Urumqi.", "乌鲁木齐时间明天 09:00 前不可呼。")),
        c.Choice("5a1f0000-0000-4000-8000-000000000092", t("Sun Li", "孙丽"), "137 •••• 0110", t("Gone quiet on Bind card", "停在绑卡"), card, 40, NOW,
                 reasons=(t("Rule paused", "规则已暂停"),)),
    )  # fmt: skip
    return c.Choices(
        now,
        later,
        more=23 if many > 3 else 0,
        for_colleagues=2,
        look_again_at=at("14:23"),
        others_come=many < 4,
    )


def _with_own_work(t: Texts, language: str) -> c.Idle:
    reviews, targets, points = own_work(language)
    return replace(idle(t), reviews=reviews, targets=targets, points=points)


def console(language: str, theme: str, state: str) -> c.ConsolePage:
    t = Texts(language)
    head = frame(language, theme, "console", live="/live/console")
    pauses = (
        c.PauseUse("break", 840, 1800),
        c.PauseUse("training", 1200, 1200),
        c.PauseUse("meeting", 0, 900),
    )
    team = tuple(
        c.StateCount(*pair)
        for pair in (("talking", 11), ("wrapping", 3), ("previewing", 3), ("idle", 3), ("not_ready", 4))
    )
    waiting = rail(t, "idle", at("14:21:31"), pauses=pauses, team_now=team, callable_now=0)
    nothing = rail(t, "idle", at("14:21:31"), waiting=0, callable_now=0, oldest_since=None, callbacks=(), overdue=0, numbers=(),
                   last_wrap_up_seconds=None)  # fmt: skip
    off = {"presence": "signed_off", "signed_in_at": None}
    fast = replace(idle(t), mode="predictive")
    pages: dict[str, Callable[[], c.ConsolePage]] = {
        "idle": lambda: c.ConsolePage(head, waiting, None, idle(t)),
        "idle-predictive": lambda: c.ConsolePage(head, waiting, None, fast),
        "choose": lambda: c.ConsolePage(head, waiting, None, replace(idle(t), choices=choices(t))),
        "choose-many": lambda: c.ConsolePage(head, waiting, None, replace(idle(t), choices=choices(t, 20))),
        "choose-later": lambda: c.ConsolePage(
            head, waiting, None, replace(idle(t), choices=replace(choices(t), now=()))
        ),
        "long-idle": lambda: c.ConsolePage(head, long.rail(t, waiting), None, long.idle(t, idle(t))),
        "idle-own": lambda: c.ConsolePage(
            head, replace(waiting, pauses=()), None, _with_own_work(t, language)
        ),
        "choose-empty": lambda: c.ConsolePage(head, nothing, None, c.Idle(choices=c.Choices())),
        "empty": lambda: c.ConsolePage(head, nothing),
        "signed-off": lambda: c.ConsolePage(head, replace(nothing, **off)),  # type: ignore[arg-type]
        "not-ready": lambda: c.ConsolePage(
            head,
            replace(
                waiting,
                presence="not_ready",
                presence_reason="break",
                presence_set=c.PresenceSet(
                    t("Ma Lin", "马琳"), at("14:20"), t("Fire drill until 14:30", "消防演习至 14:30")
                ),
            ),
            None,
            idle(t),
        ),
        "missed": lambda: c.ConsolePage(
            head, replace(waiting, presence="not_ready", presence_reason="missed_offer"), None, idle(t)
        ),
    }
    if state.startswith("phone-"):
        at_the_browser = console(language, theme, state.removeprefix("phone-"))
        kind = "simulator" if state == "phone-empty" else "twilio"
        return replace(at_the_browser, softphone=c.Softphone(kind))
    if state in pages:
        return pages[state]()
    if state in _TALKING:
        shown = call(t, "talking", own_number="139 •••• 7781", **_TALKING[state])
        return c.ConsolePage(head, rail(t, "talking", NOW - timedelta(seconds=42)), shown)
    return c.ConsolePage(head, rail(t, _work_state(state), NOW - timedelta(seconds=42)), _calls(t, state))


_TALKING: dict[str, dict[str, object]] = {
    "held": {"is_held": True},
    "muted": {"is_muted": True},
    "not-recorded": {"is_recording_paused": True},
    "machine": {"answered_by": "machine"},
    "connecting": {"agent_leg": "connecting"},
    "lost": {"agent_leg": "lost", "agent_back_by": NOW + timedelta(seconds=24)},
    "lost-late": {"agent_leg": "lost", "agent_back_by": NOW - timedelta(seconds=1)},
    "predictive": {"mode": "predictive"},
    "help": {"help": c.Help(NOW - timedelta(seconds=34))},
    "help-seen": {"help": c.Help(NOW - timedelta(seconds=64), "Ma Lin")},
    "help-listens": {"help": c.Help(NOW - timedelta(seconds=84), "Ma Lin", ("Ma Lin listens",))},
    "alone": {"colleagues": (), "may_hold": False},
    "all-busy": {"colleagues": (c.Colleague("5a1f0000-0000-4000-8000-000000000001", "Wu Jing", "", False),)},
    "barred-acts": {"may_hold": False, "may_transfer": False},
}
"""A running call, and what is special about it."""


def _work_state(state: str) -> str:
    if state in {"failed", "not-placed", "unknown", "no-answer", "wrapping-errors"}:
        return "wrapping"
    if state.startswith("long"):
        return state.removeprefix("long-").replace("long", "talking")
    return "previewing" if state in {"barred", "gone", "bare"} else state


def _calls(t: Texts, state: str) -> c.CurrentCall:
    if state == "barred":
        person = replace(customer(t), place=t("Urumqi", "乌鲁木齐"), time_zone=URUMQI)
        return call(
            t,
            "previewing",
            customer=person,
            barred=c.Barred(("outside_calling_hours",), at("11:00", 1), person.time_zone, person.place),
        )
    if state == "gone":
        return call(t, "gone", cancel_reason="recovered", why=why(t, recovered=True))
    if state == "not-placed":
        return call(t, "wrapping", result="not_placed", failure=t("the carrier is busy", "运营商繁忙"))
    if state == "failed":
        return call(t, "wrapping", result="failed", failure=t("caller ID refused", "外显号码被拒"))
    if state in {"unknown", "no-answer"}:
        return call(t, "wrapping", result=state.replace("-", "_"))
    if state.startswith("long"):
        phase = state.removeprefix("long-").replace("long", "talking")
        return long.call(t, call(t, phase, **({"agent_leg": "lost"} if phase == "talking" else {})))
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
        errors = {
            "disposition": t("Choose a result.", "请选择处理结果。"),
            "callback_at": t("That time is not allowed.", "该时间不允许。"),
        }
        return call(t, "wrapping", wrap_up=replace(wrap_up(t, may_save=True), errors=errors))
    return call(t, state)
