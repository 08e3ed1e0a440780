"""What the carrier said last was said to nobody: the web process was away."""

from tests.faults.console import AgentConsole
from tests.faults.story import Story
from tests.system import CustomerApp, Person, System, wait_for


def test_a_customer_who_hangs_up_while_web_is_away_does_not_hold_the_agent(
    system: System, app: CustomerApp, agent: AgentConsole, person: Person
) -> None:
    """The carrier's last word is lost; the agent presses End, and the carrier's word is fetched."""
    app.deliver(*app.gets_stuck(person))
    shown = agent.shows("previewing")
    assert shown.call_task_id
    agent.dials(shown.call_task_id)
    shown = agent.shows("talking")
    assert shown.attempt_id
    assert shown.call_task_id
    killed = system.kill("web")
    (call,) = system.calls_to(person.number)
    assert system.sim("POST", f"calls/{call['sid']}/hangup").ok
    wait_for(lambda: system.is_back("web", killed) and system.is_ready(), 40, "web")
    agent.ends(shown.attempt_id)
    agent.wraps_up(shown.call_task_id, "will_finish", person.user)
    Story(system, app, agent, {}).check(person)
