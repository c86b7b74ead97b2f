"""Fifty agents at work on one desk while mail comes in: does every screen stay true, and what do pages take?

``python -m bench.agents [--agents 50] [--steps 8] [--mails 60] [--pace 1.0] [--data-dir …] [--plot FILE] [--json]``

Each agent is a program that behaves like a console: it loads the page, opens the socket, fetches fragments, keeps a
draft, answers, assigns, notes, with pauses like people's.  Then some answer the same customer at the same moment, and
some answer what has moved on while they typed.  At the end each agent's list, which only pushed rows have kept, must
equal what the desk says, and each answer must have left exactly once.
"""

import argparse
import asyncio
import email
import json
import random
import secrets
import signal
import smtplib
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import httpx

from bench import cpu
from bench.agent import Composer, Console, Row, Taken
from bench.desk import Credentials, function_environment, launcher_pid, running_desk
from bench.plots import line_plot
from bench.result import report
from tests.stack import ROOT

ARRIVE_SECONDS = 20.0
"""Within which all agents load their page, while mail comes in already."""
THINK_SECONDS = (2.0, 8.0)
TYPE_SECONDS = (1.0, 4.0)
REACH = 12
"""Agents pick among the rows at the top."""
HEAR_SECONDS = 60.0
SETTLE_SECONDS = 120.0
QUIET_SECONDS = 4.0
AT_ONCE = 4
"""Requests at the same moment: two cores carry no more functions; on AWS each would find one of its own."""
RACES_FROM, LATE_FROM = 3000, 6000
"""Numbers of the mails that begin a race, or that are answered late."""
PERCENTILES = (10, 25, 50, 75, 90, 95, 99)
ACTS = {"read": 30, "reply": 25, "take": 15, "note": 10, "list": 10, "search": 5, "resolve": 5}


@dataclass
class Day:
    """One run: who works, what was asked, what came of it."""

    credentials: Credentials
    consoles: list[Console]
    taken: Taken
    pace: float
    run: str = field(default_factory=lambda: secrets.token_hex(3))
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    answered: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Words of each answer that was taken → its ticket and the message it was an answer to."""
    stopped: int = 0
    raced: list[int] = field(default_factory=list)
    """Of each race, how many answers were taken."""
    stale_sent: int = 0
    stale_stopped: int = 0
    mailed: dict[int, float] = field(default_factory=dict)
    _asked: int = 0

    def subject(self, n: int) -> str:
        return f"Agents {self.run} {n:04d}"

    def words(self) -> str:
        self._asked += 1
        return f"answer-{self.run}-{self._asked:04d}"

    async def pause(self, between: tuple[float, float]) -> None:
        await asyncio.sleep(self.chance.uniform(*between) * self.pace)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--steps", type=int, default=8, help="acts of each agent")
    parser.add_argument("--mails", type=int, default=60)
    parser.add_argument("--pace", type=float, default=1.0, help="factor on every pause")
    parser.add_argument("--data-dir", type=Path, help="of a running stack with demo data; else one is started")
    parser.add_argument("--plot", type=Path, help="write the percentiles of each page to this SVG file")
    parser.add_argument("--json", action="store_true", help="only the result line")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that a bench that is cut off still stops its stack
    with running_desk(given.data_dir, seed=True) as credentials:
        day, figures = asyncio.run(work(credentials, given.agents, given.steps, given.mails, given.pace))
    if not given.json:
        print("\n".join(day.taken.errors))
    if given.plot:
        series = {page: _points(took) for page, took in day.taken.milliseconds.items() if len(took) >= len(PERCENTILES)}
        line_plot(given.plot, f"{given.agents} agents at work", "percentile", "milliseconds", series)
    return report("agents", figures, limits(), minimums={"stale_stopped": figures["stale_tried"]})


def limits() -> dict[str, float]:
    names = ("errors", "rows_missing", "rows_left_over", "mails_unheard", "answered_twice", "races_lost")
    return dict.fromkeys((*names, "races_doubled", "stale_sent", "answers_unsent", "answers_sent_twice"), 0.0)


async def work(
    credentials: Credentials, agents: int, steps: int, mails: int, pace: float
) -> tuple[Day, dict[str, float]]:
    """The whole day and its figures."""
    taken = Taken()
    people = _people(credentials, agents)
    door = asyncio.Semaphore(AT_ONCE)
    url = credentials["console_url"]
    consoles = [Console(url, each["cookie"], each["id"], taken, door) for each in people]
    day = Day(credentials, consoles, taken, pace)
    launcher = launcher_pid(credentials)
    await _warm(credentials)
    before, begun = cpu.seconds_by_function(launcher), time.monotonic()
    try:
        await _the_day(day, steps, mails)
        worked = time.monotonic() - begun
        asked = sum(len(took) for page, took in taken.milliseconds.items() if page != "socket")
        spent = cpu.since(before, cpu.seconds_by_function(launcher))
        await _settled(day)
        figures = await _truth(day)
    finally:
        await asyncio.gather(*(each.close() for each in consoles), return_exceptions=True)
    figures |= {"agents": agents, "mails": mails, "seconds": round(worked, 1)}
    figures |= {f"cpu_seconds_{name}": seconds for name, seconds in spent.items() if seconds >= 0.1}
    figures["requests"] = asked
    figures["web_cpu_ms_a_request"] = round(spent.get("web", 0.0) * 1000 / max(1, asked), 1)
    for page, took in sorted(taken.milliseconds.items()):
        name, ordered = page.replace(" ", "_"), sorted(took)
        figures |= {f"{name}_p50_ms": round(_at(ordered, 50)), f"{name}_p95_ms": round(_at(ordered, 95))}
    return day, figures


async def _warm(credentials: Credentials) -> None:
    """Start as many web functions as work at the same moment: here a start takes seconds, since cores are few."""
    async with httpx.AsyncClient(timeout=120) as browser:
        await asyncio.gather(*(browser.get(credentials["console_url"] + "/sign-in") for _ in range(AT_ONCE)))


def _people(credentials: Credentials, agents: int) -> list[dict[str, str]]:
    command = [sys.executable, "-m", "bench.agents_seed", str(agents)]
    environment = function_environment(credentials)
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise RuntimeError(f"the agents could not be made:\n{made.stderr}")
    people: list[dict[str, str]] = json.loads(made.stdout.splitlines()[-1])
    return people


# -- what happens --------------------------------------------------------------------------------------------------


async def _the_day(day: Day, steps: int, mails: int) -> None:
    seconds = ARRIVE_SECONDS * day.pace + steps * (sum(THINK_SECONDS) / 2) * day.pace
    coming = asyncio.create_task(_mail_comes(day, mails, seconds))
    await asyncio.gather(*(_one_agent(day, console, steps) for console in day.consoles))
    await coming
    pairs = list(zip(day.consoles[::2], day.consoles[1::2], strict=False))
    await asyncio.gather(*(_race(day, n, pair) for n, pair in enumerate(pairs[: max(1, len(pairs) // 2)])))
    late = day.consoles[: max(1, len(day.consoles) // 5)]
    await asyncio.gather(*(_answer_late(day, n, console) for n, console in enumerate(late)))


async def _one_agent(day: Day, console: Console, steps: int) -> None:
    await day.pause((0, ARRIVE_SECONDS))
    await console.start()
    for _ in range(steps):
        await day.pause(THINK_SECONDS)
        act = day.chance.choices(list(ACTS), list(ACTS.values()))[0]
        top = sorted(console.rows.values(), key=lambda row: row.updated, reverse=True)[:REACH]
        if act == "list" or not top:
            await console.show_list()
        elif act == "search":
            await console.search(day.subject(0))
        else:
            await _on_a_ticket(day, console, act, day.chance.choice(top).ticket)


async def _on_a_ticket(day: Day, console: Console, act: str, ticket: str) -> None:
    composer = await console.open_ticket(ticket)
    await day.pause(TYPE_SECONDS)
    if act == "reply":
        await console.draft(composer, "Half of an answer")
        await day.pause(TYPE_SECONDS)
        await _answer(day, console, composer)
    elif act == "note":
        await console.note(composer, f"A note of {console.agent_id}")
    elif act == "take":
        await console.change(ticket, assignee_id=console.agent_id)
    elif act == "resolve":
        await console.change(ticket, status="resolved")


async def _answer(day: Day, console: Console, composer: Composer) -> bool:
    words = day.words()
    taken = await console.reply(composer, words)
    if taken:
        day.answered[words] = (composer.ticket, composer.last_seen)
    else:
        day.stopped += 1
    return taken


async def _mail_comes(day: Day, mails: int, seconds: float) -> None:
    """New customers, and every third mail one more of somebody who wrote already."""
    for n in range(mails):
        about = day.chance.choice(list(day.mailed)) if n % 3 == 2 else n
        await _mail(day, about, again=about != n)
        await asyncio.sleep(seconds / mails)


async def _mail(day: Day, n: int, again: bool = False) -> None:
    made = EmailMessage()
    made["From"], made["To"] = f"Customer {n} <agents{n}@example.com>", "support@northwind-mugs.example"
    made["Subject"] = ("Re: " if again else "") + day.subject(n)
    first = f"<{day.run}.{n}@example.com>"
    made["Message-ID"] = f"<{day.run}.{n}.{secrets.token_hex(4)}@example.com>" if again else first
    if again:
        made["In-Reply-To"] = made["References"] = first
    made.set_content("And one more thing: is it still on its way?\n" if again else "Where is my parcel?\n")
    await asyncio.to_thread(_hand_in, day.credentials["smtp_port"], made)
    if not again:
        day.mailed[n] = time.monotonic()


def _hand_in(port: int, made: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as server:
        server.send_message(made)


async def _fresh_ticket(day: Day, n: int, consoles: Sequence[Console]) -> str:
    """A ticket of a new customer, once these consoles show it."""
    subject = day.subject(n)
    await _mail(day, n)
    for console in consoles:
        if not await console.until(partial(console.subjects.__contains__, subject), HEAR_SECONDS):
            day.taken.errors.append(f"{console.agent_id} never saw {subject}")
    return next((row.ticket for console in consoles for row in console.rows.values() if row.subject == subject), "")


async def _race(day: Day, n: int, pair: tuple[Console, Console]) -> None:
    """Two agents answer the same customer at the same moment: one answer is taken."""
    ticket = await _fresh_ticket(day, RACES_FROM + n, pair)
    if ticket:
        composers = await asyncio.gather(*(console.open_ticket(ticket) for console in pair))
        both = zip(pair, composers, strict=True)
        day.raced.append(sum(await asyncio.gather(*(_answer(day, console, composer) for console, composer in both))))


async def _answer_late(day: Day, n: int, console: Console) -> None:
    """The customer writes once more while the agent types: stopped, and taken once the agent has looked."""
    ticket = await _fresh_ticket(day, LATE_FROM + n, (console,))
    if not ticket:
        return
    composer = await console.open_ticket(ticket)
    known = set(console.heard)
    await _mail(day, LATE_FROM + n, again=True)
    if not await console.until(lambda: bool(set(console.heard) - known), HEAR_SECONDS):
        day.taken.errors.append(f"{console.agent_id} never heard the second message on #{ticket}")
    if await _answer(day, console, composer):
        day.stale_sent += 1
        return
    day.stale_stopped += 1
    if not await _answer(day, console, await console.open_ticket(ticket)):
        day.taken.errors.append(f"an answer to #{ticket} was stopped though nothing had come meanwhile")


# -- what is true at the end ---------------------------------------------------------------------------------------


async def _settled(day: Day) -> None:
    """Until every answer has left and no frame has come for a while."""
    end = time.monotonic() + SETTLE_SECONDS
    quiet_since, frames = time.monotonic(), -1
    while time.monotonic() < end:
        now = sum(each.frames for each in day.consoles)
        if now != frames:
            quiet_since, frames = time.monotonic(), now
        if time.monotonic() - quiet_since > QUIET_SECONDS and len(_left(day)) >= len(day.answered):
            return
        await asyncio.sleep(0.5)


def _left(day: Day) -> Counter[str]:
    """Every answer of this run that left the desk, and how often."""
    found: Counter[str] = Counter()
    for path in Path(day.credentials["outbox_dir"]).glob("*.eml"):
        part = email.message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",))
        words = part.get_content().split(maxsplit=1)[0] if part is not None else ""
        if words.startswith(f"answer-{day.run}-"):
            found[words] += 1
    return found


async def _truth(day: Day) -> dict[str, float]:
    missing = left_over = 0
    for console in day.consoles:
        true = await console.first_rows()
        lost, ghosts = compare(console.rows, true)
        missing, left_over = missing + len(lost), left_over + len(ghosts)
        for ticket in (*lost, *ghosts):
            day.taken.errors.append(f"{console.agent_id} shows {console.rows.get(ticket)}, true is {true.get(ticket)}")
    unheard = sum(
        mailed > console.since and day.subject(n) not in console.subjects
        for console in day.consoles
        for n, mailed in day.mailed.items()
    )
    left, on = _left(day), Counter(day.answered.values())
    return {
        "errors": len(day.taken.errors),
        "rows_missing": missing,
        "rows_left_over": left_over,
        "mails_unheard": unheard,
        "sockets_refused": day.taken.sockets_refused,
        "frames": sum(each.frames for each in day.consoles),
        "caught_up": sum(each.caught_up for each in day.consoles),
        "rows_crossed": sum(each.crossed for each in day.consoles),
        "answers": len(day.answered),
        "answers_stopped": day.stopped,
        "answered_twice": sum(amount - 1 for amount in on.values()),
        "races": len(day.raced),
        "races_lost": sum(won == 0 for won in day.raced),
        "races_doubled": sum(won > 1 for won in day.raced),
        "stale_tried": day.stale_sent + day.stale_stopped,
        "stale_stopped": day.stale_stopped,
        "stale_sent": day.stale_sent,
        "answers_unsent": sum(words not in left for words in day.answered),
        "answers_sent_twice": sum(amount - 1 for amount in left.values()),
    }


def compare(shown: dict[str, Row], true: dict[str, Row]) -> tuple[list[str], list[str]]:
    """Tickets that a list does not show as they are, and tickets that it should no longer show.

    Where rows have left a list of more than one page, what would move up from the next page is not expected.
    """
    if not shown or not true:
        return list(true), list(shown)
    last_shown, last_true = min(row.updated for row in shown.values()), min(row.updated for row in true.values())
    missing = [row.ticket for row in true.values() if row.updated >= last_shown and shown.get(row.ticket) != row]
    ghosts = [row.ticket for row in shown.values() if row.updated >= last_true and row.ticket not in true]
    return missing, ghosts


def _at(ordered: list[float], percentile: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * percentile / 100))]


def _points(took: list[float]) -> list[tuple[float, float]]:
    ordered = sorted(took)
    return [(percentile, _at(ordered, percentile)) for percentile in PERCENTILES]


if __name__ == "__main__":
    sys.exit(main())
