"""What synthetic agents write into a wrap-up, by what happened and by the language they write in."""

from collections.abc import Mapping

ENGLISH, CHINESE = "en", "zh"

NOTES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "done_on_call": {
        ENGLISH: ("Got past the step while we talked.", "Done on the call, thanked me for the help."),
        CHINESE: ("通话中已完成该步骤。", "边说边操作，已经通过了。"),
    },
    "will_finish": {
        ENGLISH: (
            "Will try again tonight with better light.",
            "Knows now which document is needed, will go on today.",
            "Was on the train, will finish at home.",
        ),
        CHINESE: ("晚上光线好一点再拍一次。", "已说明需要哪些资料，今天会继续。", "在地铁上，到家后再办。"),
    },
    "callback": {
        ENGLISH: ("In a meeting, asked to be called later.", "Wants to have the card at hand first."),
        CHINESE: ("在开会，请稍后再打。", "银行卡不在身边，约了时间回拨。"),
    },
    "not_interested": {
        ENGLISH: ("Took a loan elsewhere.", "Finds the rate too high.", "Only wanted to look around."),
        CHINESE: ("已在别处办理。", "觉得利率偏高。", "只是看看，暂时不需要。"),
    },
    "wrong_person": {
        ENGLISH: ("The number now belongs to somebody else.",),
        CHINESE: ("号码已换人使用。",),
    },
    "do_not_call": {
        ENGLISH: ("Does not want calls from us.",),
        CHINESE: ("要求不要再来电。",),
    },
}

SUGGESTIONS: Mapping[str, tuple[str, ...]] = {
    ENGLISH: (
        "Say on the page that the photo must be free of glare, before the first try.",
        "Show which banks' cards are accepted before asking for the number.",
        "Keep what was typed when the customer leaves the page.",
        "Let customers ask for the SMS code by voice.",
        "Say how long the credit decision takes.",
    ),
    CHINESE: (
        "拍照前先提示避免反光。",
        "输入卡号前先列出支持的银行。",
        "离开页面后保留已填写的内容。",
        "短信验证码收不到时，提供语音验证码。",
        "写明额度审批需要多长时间。",
    ),
}
