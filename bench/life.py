"""What one ticket's life asks of AWS, counted in seconds in the simulated account of ``tests.simulation``.

    python -m bench.life [--json]

The same life as ``bench.cost`` counts on the whole local stack in minutes (two mails in, two answers out, assigned,
resolved, forty requests of the console, ten open consoles), by the same handlers, with no clock and no chance in it.
So CI can ask whether the code still asks AWS what the published price was made of (``bench/cost_counts.json``).

Counted are runs of functions, their calls by service, requests and frames; ``tests/bench/test_units.py`` holds the
units.  Runs of the relay are not counted, for nothing here filters the stream as AWS does.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from urllib.parse import urlencode

from bench import cost_model
from bench.cost_life import ANSWER, CONSOLES, TEXT, composer_fields
from bench.request import Context, page_event
from bench.result import report
from chalicelib.jobs import live
from chalicelib.services import live_pass, sessions
from chalicelib.store import directory
from tests.simulation.desk import Desk
from tests.simulation.mails import Mail
from tests.simulation.providers import SesEvents
from tests.simulation.sources import Sources
from tests.simulation.world import Ended, World

BEGIN = datetime(2026, 11, 20, 9, 0, 7, tzinfo=UTC)
SEED = 1
SETTLED = timedelta(minutes=3)
"""Nothing of an act is on its way any more after so long: answers wait ten seconds to be taken back."""
LISTED = 55
"""Tickets before: lists are as long as a page."""
CUSTOMER = "customer@buyer.example"
FORM = "application/x-www-form-urlencoded"
TOLERANCE = 1.10
"""Beside what the local stack counted: there records and messages come in other batches."""
ONE_MORE = 1.0
SERVICES = {"apigatewaymanagementapi": "execute-api", "sesv2": "ses"}
"""botocore's names, where ``cost_counts.json`` has others."""


class Life:
    """A desk on simulated AWS, a ticket on it, and what its functions asked."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counts: Counter[str] = Counter()
        """``web_runs``, ``web_dynamodb`` and so on; ``api_requests``, ``socket_messages``, ``kms_requests``."""
        self._counting = False
        world.watchers.append(self._see)
        self.desk = Desk(world, Sources(world))
        SesEvents(world, self.desk.sources)
        self.desk.set_up()
        self.agent, *_ = self.desk.agents
        support = self.desk.inboxes[0]
        directory.save_inbox(replace(support, acknowledgement=""), support)
        self.cookie = ""
        self.consoles: list[str] = []

    def _see(self, service: str, operation: str, arguments: dict[str, Any], answer: Any) -> None:
        running = self.world.current
        if not self._counting or running is None:
            return
        named = SERVICES.get(service, service)
        self.counts["kms_requests" if named == "ssm" else f"{running.function}_{named}"] += 1
        self.counts["socket_messages"] += named == "execute-api"

    def count(self) -> None:
        """From now on, with everybody at work."""
        self.cookie = sessions.open_session(self.agent, self.world.time)
        self.consoles = [self._console(n) for n in range(CONSOLES)]
        self._counting = True
        self._before = self.world.counts.copy()

    def counted(self) -> dict[str, float]:
        runs = self.world.counts - self._before
        del runs["relay"]
        found = self.counts + Counter({f"{function}_runs": amount for function, amount in runs.items()})
        return {name: float(amount) for name, amount in sorted(found.items())}

    # -- acts -----------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        self.world.run_until(self.world.time + SETTLED)

    def run(self, function: str, handler: Callable[[], Any]) -> Any:
        """One run of a function, and all that comes of it."""
        heard: list[Ended] = []
        self.world.invoke(function, handler, heard.append)
        self.world.run_until(self.world.time + timedelta(seconds=1))
        if not heard or not heard[0].well:
            raise RuntimeError(f"{function} broke: {heard and heard[0].broke!r}")
        return heard[0].value

    def _console(self, n: int) -> str:
        """Its socket, opened as the page opens it."""
        connection = f"console{n}"
        given = live_pass.issue(self.agent.id, self.world.time)
        self.world.cloud.aws.websocket.open[connection] = []
        self.run("live_connect", lambda: live.connect(connection, {"pass": given}))
        return connection

    def look(self, ticket: str) -> None:
        self.counts["socket_messages"] += 1
        told = json.dumps({"look": ticket})
        self.run("live_message", lambda: live.message(self.consoles[0], told))

    def get(self, address: str, resource: str = "", **parts: str) -> str:
        return self._ask(page_event(address, resource or address, self.cookie, parts))

    def post(self, address: str, resource: str, fields: Mapping[str, str], **parts: str) -> str:
        event = page_event(address, resource, self.cookie, parts)
        event["httpMethod"] = event["requestContext"]["httpMethod"] = "POST"
        sent = {**event["headers"], "content-type": FORM, "origin": f"https://{event['headers']['host']}"}
        event |= {"headers": sent, "multiValueHeaders": {name: [value] for name, value in sent.items()}}
        return self._ask(event | {"body": urlencode(fields)})

    def _ask(self, event: dict[str, Any]) -> str:
        import app

        event["headers"]["hx-request"] = "true"
        event["multiValueHeaders"]["hx-request"] = ["true"]
        self.counts["api_requests"] += 1
        answer = self.run("web", lambda: app.app(event, Context()))
        if answer["statusCode"] not in (200, 204):
            raise RuntimeError(f"{event['path']} answered {answer['statusCode']}: {answer['body'][:300]}")
        return str(answer["body"])

    def mail_in(self, n: str, subject: str, sender: str = CUSTOMER, answers: str = "") -> None:
        about = f"In-Reply-To: {answers}\r\nReferences: {answers}\r\n" if answers else ""
        raw = (
            f"From: Customer <{sender}>\r\nTo: support@shop.example\r\nSubject: {subject}\r\n{about}"
            f"Message-ID: <{n}@mail.example>\r\nMIME-Version: 1.0\r\n"
            'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
            f"--b\r\nContent-Type: text/plain\r\n\r\n{TEXT}\r\n"
            f"--b\r\nContent-Type: text/html\r\n\r\n<html><body><p>{TEXT}</p></body></html>\r\n--b--\r\n"
        )
        mail = Mail(n, raw.encode(), sender, ("support@shop.example",), frozenset({sender}), n, f"<{n}@mail.example>")
        self.desk.mail_arrives(mail)
        self.settle()

    # -- the life: what ``cost_life.Lives`` does on the stack ----------------------------------------------------------

    def live(self) -> None:
        before = set(self.desk.ticket_ids())
        self.mail_in("life1", "Where is order 1")
        (ticket,) = set(self.desk.ticket_ids()) - before
        self._assign(ticket)
        self._answer(ticket)
        answer = message_from_bytes(self.world.cloud.sent[-1].raw)
        self.mail_in("life2", "Re: Where is order 1", answers=answer["Message-ID"])
        self._answer(ticket)
        self._resolve(ticket)

    def _list(self, key: str) -> None:
        self.get(f"/lists/{key}", "/lists/{key}", key=key)

    def _ticket(self, ticket: str) -> str:
        return self.get(f"/tickets/{ticket}", "/tickets/{ticket_id}", ticket_id=ticket)

    def _do(self, ticket: str, what: str, fields: Mapping[str, str]) -> None:
        self.post(f"/tickets/{ticket}/{what}", f"/tickets/{{ticket_id}}/{what}", fields, ticket_id=ticket)

    def _head(self, ticket: str) -> None:
        self.get(f"/tickets/{ticket}/head", "/tickets/{ticket_id}/head", ticket_id=ticket)

    def _assign(self, ticket: str) -> None:
        self._list("unassigned")
        self._list("open")
        fields = composer_fields(self._ticket(ticket))
        self.look(ticket)
        self._ticket(ticket)
        self._do(ticket, "change", {"assignee_id": self.agent.id, "csrf": fields["csrf"]})
        self._head(ticket)
        self.settle()

    def _answer(self, ticket: str) -> None:
        self._list("mine")
        self._ticket(ticket)
        fields = composer_fields(self._ticket(ticket))
        self.look(ticket)
        self._do(ticket, "seen", {"csrf": fields["csrf"]})
        for saved in range(1, 7):
            self._do(ticket, "draft", {**fields, "text": ANSWER[: len(ANSWER) * saved // 6]})
        self._do(ticket, "write", {**fields, "text": ANSWER})
        self._head(ticket)
        self.settle()

    def _resolve(self, ticket: str) -> None:
        self._list("mine")
        self.get(f"/search?q={CUSTOMER}", "/search")
        fields = composer_fields(self._ticket(ticket))
        self._ticket(ticket)
        self._do(ticket, "change", {"status": "resolved", "csrf": fields["csrf"]})
        self._head(ticket)
        self.get("/counts")
        self._list("open")
        for _ in range(2):
            self._ticket(ticket)
        self.settle()


def counted() -> dict[str, float]:
    """Calls by function and service, requests and frames of one ticket's life."""
    world = World(SEED, BEGIN)
    with world.running():
        world.calm()
        life = Life(world)
        for n in range(LISTED):
            life.mail_in(f"filler{n}", f"Where is order {100 + n}", f"customer{n}@buyer.example")
        life.count()
        life.live()
        if world.violations:
            raise RuntimeError("; ".join(world.violations))
        return life.counted()


def published() -> dict[str, float]:
    """The same, as the published price was made of it."""
    ticket = cost_model.read_counts()["ticket"]
    priced = cost_model.per_ticket({"ticket": ticket})
    found = {name: priced[name] for name in ("api_requests", "socket_messages", "kms_requests")}
    for function, used in ticket["functions"].items():
        if function != "relay":
            found[f"{function}_runs"] = used["calls"]
        found |= {f"{function}_{service}": amount for service, amount in used["waits"].items()}
    return found


def limits() -> dict[str, float]:
    """What was not published may not be asked for at all: it would have no price."""
    return {name: round(amount * TOLERANCE + ONE_MORE, 2) for name, amount in published().items()} | {"unpriced": 0.0}


def figures_of(found: Mapping[str, float]) -> dict[str, float]:
    unpriced = sum(amount for name, amount in found.items() if name not in published())
    return {**found, "unpriced": unpriced}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="accepted for uniformity: the last line is always JSON")
    parser.parse_args()
    return report("life", figures_of(counted()), limits())


if __name__ == "__main__":
    sys.exit(main())
