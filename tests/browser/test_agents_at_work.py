"""A few agents at once, without a browser: the same day as ``bench.agents`` makes for fifty.  They share the stack."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from bench import agents
from tests.stack import LocalStack


def test_every_screen_stays_true_and_no_answer_is_doubled(stack: LocalStack) -> None:
    with ThreadPoolExecutor(1) as beside:  # Playwright's loop runs in this thread
        working = beside.submit(lambda: asyncio.run(agents.work(stack.credentials, 4, steps=2, mails=5, pace=0.2)))
        day, figures = working.result()
    broken = {name: figures[name] for name, limit in agents.limits().items() if figures[name] > limit}
    assert broken == {}, day.taken.errors
    assert figures["races"] >= 1
    assert figures["stale_stopped"] == figures["stale_tried"] >= 1
    assert figures["answers"] >= 2
