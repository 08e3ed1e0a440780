"""Who may sign in to the demo, which binds to loopback; elsewhere `callcenter users add`."""

from callcenter.domain.enums import Role

DEMO_WRITE_KEY = "demo-write-key"
DEMO_PASSWORD = "harbour-demo"  # noqa: S105 - printed at every start of the demo
DEMO_TEAM = "Loan desk A"
DEMO_SKILLS = (
    ("loans", "Loans", "贷款"),
    ("cards", "Bank cards", "银行卡"),
    ("complaints", "Complaints", "投诉"),
)
"""Key, English and Chinese name."""
DEMO_ABILITIES: dict[str, tuple[tuple[str, ...], dict[str, int]]] = {
    "agent": (("en", "zh"), {"loans": 4, "cards": 2}),
    "desk-b-1": (("en", "zh"), {"loans": 5, "complaints": 3}),
    "desk-b-2": (("en", "zh"), {"loans": 3}),
    "desk-b-3": (("en", "zh"), {"loans": 2, "cards": 4}),
    "desk-b-4": (("en", "zh"), {"cards": 3}),
    "desk-b-5": (("en", "zh"), {}),
}
"""What the demo's agents speak, and their skills with levels from 1 to 5."""
DEMO_TEAMS_WITH_APPROVAL = ("Loan desk A",)
DEMO_USERS = (
    ("agent", "Lin Yue", Role.AGENT),
    ("supervisor", "Ma Lin", Role.SUPERVISOR),
    ("strategist", "Gao Yan", Role.STRATEGIST),
    ("compliance", "Petra Lang", Role.COMPLIANCE),
    ("admin", "Zhang Bei", Role.ADMIN),
)
DEMO_AGENT_TEAM = "Loan desk B"
DEMO_AGENTS = (
    ("desk-b-1", "Chen Rui"),
    ("desk-b-2", "Olivia Grant"),
    ("desk-b-3", "Zhou Min"),
    ("desk-b-4", "Daniel Reyes"),
    ("desk-b-5", "Xu Jing"),
)
"""The synthetic team at the demo's consoles; nobody is asked to sign in as one of them."""
