"""`callcenter learn`: everything that is learned by night, now and here."""

import click
from sqlmodel import select

from callcenter import nightly
from callcenter.commands.here import runtime_here
from callcenter.models import LearningStep


@click.command("learn")
@click.pass_context
def learn_command(context: click.Context) -> None:
    """Learn everything anew, step by step; exit code 1 when a step failed.

    Workers that run carry out the same run, step by step in turn with this command; nothing is done twice.
    """
    failed = 0
    with runtime_here() as runtime:
        with runtime.unit_of_work() as session:
            run_id = nightly.ask_for_run(session, None, runtime.clock())
        for _ in nightly.carry_out(runtime.unit_of_work, runtime.house, run_id, runtime.clock):
            pass
        with runtime.reading() as session:
            steps = select(LearningStep).where(LearningStep.run_id == run_id)
            for step in sorted(session.exec(steps), key=lambda one: one.position):
                failed += step.error is not None
                said = f"failed: {step.error}" if step.error else step.summary or "with a worker"
                click.echo(f"{step.name:12} {said}")
    context.exit(1 if failed else 0)
