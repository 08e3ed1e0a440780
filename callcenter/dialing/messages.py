"""What the line itself says to a customer, in their language; it names the bank and nothing about them."""

from collections.abc import Mapping

_NO_AGENT: Mapping[str, str] = {
    "en": "This is {bank}. We called you, and right now none of our staff is free. We are sorry. "
    "You need not do anything. To be called no more, tell us at {number}.",
    "zh": "这里是{bank}。我们刚刚给您致电，但目前没有空闲的工作人员，非常抱歉。您无需任何操作。"
    "如不希望再接到来电，请拨打{number}告知我们。",
}
_WAIT: Mapping[str, str] = {
    "en": "Please hold the line for a moment. You will be connected again at once.",
    "zh": "请您稍候，马上为您重新接通。",
}


def no_agent_message(bank: str, number: str, language: str) -> str:
    """What a customer hears who picked up while no agent was free: who called, and how to refuse calls."""
    return _NO_AGENT.get(language, _NO_AGENT["en"]).format(bank=bank, number=" ".join(number))


def waiting_message(language: str) -> str:
    """What a customer on hold hears."""
    return _WAIT.get(language, _WAIT["en"])
