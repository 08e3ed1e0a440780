"""The facts a script may speak of. Add one here first, then use it in a script."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Placeholder:
    """What a fact means, a sample in both languages, and whether it may be unknown on a call.

    `is_revealing`: says something about the customer's business with the bank, so it may not
    be spoken before we know who is on the line.
    """

    meaning: str
    sample: str | int
    sample_zh: str | int
    is_optional: bool = False
    is_revealing: bool = False


PLACEHOLDERS: Mapping[str, Placeholder] = MappingProxyType(
    {
        "customer_name": Placeholder("The customer's full name", "Chen Wei", "陈伟"),
        "salutation": Placeholder("Mr, Ms, 先生, 女士", "Mr", "先生", is_optional=True),
        "surname": Placeholder("The customer's family name", "Chen", "陈", is_optional=True),
        "address": Placeholder(
            "How to speak to the customer; made from salutation and surname, else the full name",
            "Mr Chen",
            "陈先生",
        ),
        "agent_name": Placeholder("The agent's name as said on the telephone", "Lin Yue", "林悦"),
        "bank_name": Placeholder("The bank's name", "Harbour Bank", "海港银行"),
        "greeting": Placeholder("Greeting for the customer's time of day", "Good afternoon", "下午好"),
        "callback_number": Placeholder("The bank's public number", "0571 9555", "0571 9555"),
        "step_title": Placeholder(
            "The step the customer stopped at, as the app calls it", "ID photo", "证件照", is_revealing=True
        ),
        "minutes_since_stop": Placeholder(
            "Whole minutes since the customer stopped; say it with | minutes",
            12,
            12,
            is_optional=True,
            is_revealing=True,
        ),
        "error_reason": Placeholder(
            "What the app reported, in plain words",
            "a bright spot",
            "反光",
            is_optional=True,
            is_revealing=True,
        ),
        "error_times": Placeholder(
            "How often that error came; say it with | times", 2, 2, is_optional=True, is_revealing=True
        ),
        "credit_limit": Placeholder(
            "The limit as shown in the app, with its currency",
            "30,000 yuan",
            "3 万元",
            is_optional=True,
            is_revealing=True,
        ),
        "product_name": Placeholder(
            "The product applied for", "Harbour Cash Loan", "海港快贷", is_optional=True, is_revealing=True
        ),
        "bank_card_bank": Placeholder(
            "The bank that issued the card being linked",
            "Bank of East",
            "东部银行",
            is_optional=True,
            is_revealing=True,
        ),
        "amount": Placeholder(
            "The amount the customer entered, with its currency",
            "5,000 yuan",
            "5000 元",
            is_optional=True,
            is_revealing=True,
        ),
    }
)


def sample_facts(language: str) -> dict[str, object]:
    """A sample value for every fact, for previews and checks."""
    return {name: p.sample_zh if language == "zh" else p.sample for name, p in PLACEHOLDERS.items()}
