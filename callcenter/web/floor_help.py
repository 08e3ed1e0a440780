"""What a supervisor does about a raised hand."""

from uuid import UUID

from werkzeug.wrappers import Response as AnyResponse

from callcenter import helping
from callcenter.domain.enums import Role
from callcenter.web.edge import blueprint, roles_required, runtime, viewer
from callcenter.web.supervisor import answer_now

bp = blueprint("floor_help")


@bp.post("/floor/help/<uuid:help_id>/<any(acknowledge,close):act>")
@roles_required(Role.SUPERVISOR)
def see_to_help(help_id: UUID, act: str) -> str | AnyResponse:
    """Tell the agent that their hand is seen, or take it down."""
    verb = helping.acknowledge_help if act == "acknowledge" else helping.close_help
    with runtime().unit_of_work() as session:
        verb(session, help_id, viewer().id, runtime().clock())
    return answer_now()
