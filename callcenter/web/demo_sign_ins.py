"""The sample sign-ins, shown on the form of a demo; elsewhere there are none."""

from callcenter.config import Settings
from callcenter.sample.people import DEMO_PASSWORD, DEMO_USERS
from callcenter.web.pages.frame import DemoSignIn


def demo_sign_ins(settings: Settings) -> tuple[DemoSignIn, ...]:
    """Return the sample sign-ins in a demo, which binds to loopback; nothing elsewhere."""
    if settings.environment != "demo":
        return ()
    return tuple(DemoSignIn(name, login, DEMO_PASSWORD, role.value) for login, name, role in DEMO_USERS)
