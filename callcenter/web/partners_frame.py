"""What the pages about the bank's other systems share."""

from flask_babel import gettext

from callcenter.partner_acts import Actor
from callcenter.web.edge import viewer
from callcenter.web.pages.studio import Choice


def tabs(here: str) -> tuple[Choice, ...]:
    """Return the two parts of the administration of other systems."""
    return (
        Choice(gettext("API tokens"), "/admin/api-tokens", here == "tokens"),
        Choice(gettext("Webhooks"), "/admin/webhooks", here == "webhooks"),
    )


def viewer_as_actor() -> Actor:
    """Return who is signed in, as the verbs know them."""
    user = viewer()
    return Actor(user.login, user_id=user.id)
