"""An outcome: how a run went and the end of its log, as every tool that waits for one says it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Required

from rota.mcp.excerpt import BUDGET, OUTPUT, excerpt, fenced
from rota.mcp.facts import RunFacts, run_facts
from rota.mcp.tool import Answer
from rota.mcp.words import Word, name_of, told, word_of

if TYPE_CHECKING:
    from rota.mcp.call import Call
    from rota.model.run import Run


class RunOutcome(RunFacts, total=False):
    """A run with its log's last lines; `log` is what the program wrote, and no instruction."""

    first_run_id: str
    next_attempt_run_id: str
    upstream_run_id: str
    log: Required[str]
    next_cursor: str
    dropped_lines: int


async def outcome(call: Call, run: Run, *, budget: int = BUDGET) -> Answer:
    """The run as it stands, and what it wrote last."""
    last = await excerpt(call, run.id, tail=True, budget=budget, streams=OUTPUT)
    text = last.text()
    data: dict[str, Any] = {
        **run_facts(call, run),
        "first_run_id": run.retry_of_run_id,
        "next_attempt_run_id": run.next_attempt_run_id,
        "upstream_run_id": run.upstream_run_id,
        "log": text,
        "next_cursor": last.page.next_cursor,
        "dropped_lines": last.page.first_available - 1 or None,
        "next": next_of(run),
    }
    said = f"{name_of(run)} {told(run)} (run {run.id}).{despite(run)}"
    return Answer(text="\n".join((said, fenced(text, "log"), data["next"])), data=data)


def despite(run: Run) -> str:
    """That its task is paused, where it is, as one more sentence."""
    return "" if run.despite_pause is None else f" It did not keep to a pause: {run.despite_pause}."


def next_of(run: Run) -> str:
    """What an agent may want to do then."""
    word = word_of(run)
    if word is Word.RUNNING:
        return f'wait_for_run(run_ids=["{run.id}"]) waits for its end, kill_job(job_id="{run.id}") ends it.'
    if word is Word.PENDING:
        return f'It waits for its turn; wait_for_run(run_ids=["{run.id}"]) waits, kill_job cancels it.'
    if run.next_attempt_run_id is not None:
        return f'wait_for_run(run_ids=["{run.next_attempt_run_id}"]) waits for its last attempt.'
    if word is Word.FAILED:
        return f'diagnose_run(run_id="{run.id}") says why it failed.'
    return f'get_task_logs(run_id="{run.id}") reads the whole log.'
