"""A ticket's whole life, as people live it: two mails in, two answers out, assigned, resolved; and an idle desk."""

import json
import re
import smtplib
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import httpx

from bench.console import Form, sign_in, socket_address
from bench.cost_desk import MeteredDesk
from tests.stack import SUPPORT, wait_for

CONSOLES = 10
WEB_REQUESTS = 40
SENT_SECONDS = 90
TEXT = (
    "Hello, I ordered the blue mug with the cracked glaze on the eleventh and it has not arrived. The tracking page "
    "says that the parcel lies in a depot since Friday. Could you please find out where it is and tell me when I will "
    "have it? It is a birthday gift for my sister. If it is lost, please send another one to the same address. "
) * 2
ANSWER = (
    "Thank you for writing. I looked at your parcel: it left the depot this morning and comes tomorrow before noon. "
    "Should it not be there by then, answer this mail and I will send another one at once."
)
CLOCKS = ("sweep", "repair", "hourly", "daily")


class Console:
    """An agent's open page: a session, a socket, and the requests that htmx makes."""

    def __init__(self, desk: MeteredDesk, email: str, password: str) -> None:
        from websockets.sync.client import connect

        self.desk = desk
        self.browser = sign_in(desk.url, email, password)
        self.requests = 0
        self._socket: Any = connect(socket_address(self.browser, desk.url), max_size=None)
        self._listening = threading.Thread(target=lambda: list(self._socket), daemon=True)
        self._listening.start()

    def close(self) -> None:
        self._socket.close()
        self._listening.join(10)

    def look(self, ticket: str) -> None:
        self._socket.send(json.dumps({"look": ticket}))

    def get(self, path: str, **query: str) -> str:
        self.requests += 1
        answer = self.browser.get(self.desk.url + path, params=query, headers={"HX-Request": "true"})
        answer.raise_for_status()
        return answer.text

    def post(self, path: str, fields: dict[str, str]) -> str:
        self.requests += 1
        answer = self.browser.post(self.desk.url + path, data=fields, headers={"HX-Request": "true"})
        answer.raise_for_status()
        return answer.text


def composer_fields(page: str) -> dict[str, str]:
    """What the composer's form holds."""
    form = Form("")
    found = re.search(r'<form class="composer.*?</form>', page, re.DOTALL)
    assert found, "the ticket's page has no composer"
    form._inside = True
    form.feed(found[0])
    return form.fields


def send_mail(desk: MeteredDesk, number: int, answers: EmailMessage | None = None) -> None:
    mail = EmailMessage()
    mail["From"] = f"Customer {number} <customer{number}@example.com>"
    mail["To"], mail["Message-ID"] = SUPPORT, f"<{time.time_ns()}@mail.example.com>"
    mail["Subject"] = f"Where is order {number}" if answers is None else f"Re: {answers['Subject']}"
    if answers is not None:
        mail["In-Reply-To"] = mail["References"] = answers["Message-ID"]
    mail.set_content(TEXT)
    mail.add_alternative(f"<html><body><p>{TEXT}</p></body></html>", subtype="html")
    with smtplib.SMTP("127.0.0.1", desk.smtp_port, timeout=60) as server:
        server.sendmail(f"customer{number}@example.com", [SUPPORT], mail.as_bytes())


class Lives:
    """``count`` tickets side by side; every act waits until the one before has had all its consequences."""

    def __init__(self, desk: MeteredDesk, consoles: list[Console], count: int, say: Callable[[str], None]) -> None:
        self.desk, self.consoles, self.say = desk, consoles, say
        self.numbers = [int(time.time()) % 100_000 * 1000 + n for n in range(count)]
        self.tickets: dict[int, str] = {}
        self._api = httpx.Client(
            base_url=desk.api_url, headers={"Authorization": f"Bearer {desk.credentials['api_token']}"}, timeout=60
        )
        with desk.meter.aside():
            self.me = self._api.get("/agents").json()["items"][0]["id"]
            desk.settle()

    def live(self) -> None:
        self._each("mail in", lambda number: send_mail(self.desk, number))
        self._find()
        self._each("assigned", self._assign)
        self._each("answered", self._answer)
        answers = self._await_answers(1)
        self._each("mail in again", lambda number: send_mail(self.desk, number, answers[number]))
        self._each("answered again", self._answer)
        self._await_answers(2)
        self._each("resolved", self._resolve)

    def _each(self, what: str, act: Callable[[int], None]) -> None:
        for number in self.numbers:
            act(number)
            self.desk.settle()
        self.say(f"{len(self.numbers)} tickets: {what}")

    def _console(self, number: int) -> Console:
        return self.consoles[number % len(self.consoles)]

    def _find(self) -> None:
        """A look at the API that no ticket needs, so it is not counted."""
        with self.desk.meter.aside():
            listed = self._api.get("/tickets", params={"limit": 100}).json()["items"]
            self.desk.settle()
        for ticket in listed:
            number = int(re.sub(r"\D", "", ticket["subject"]) or 0)
            if number in self.numbers:
                self.tickets[number] = ticket["id"]

    # 6 lists, 10 tickets, 4 heads, 12 drafts, 2 seen, 2 answers, 2 changes, a search and the counts: 40.

    def _assign(self, number: int) -> None:
        console, ticket = self._console(number), self.tickets[number]
        console.get("/lists/unassigned")
        console.get("/lists/open")
        page = console.get(f"/tickets/{ticket}")
        console.look(ticket)
        colleague = self.consoles[(number + 1) % len(self.consoles)]
        colleague.get(f"/tickets/{ticket}")
        console.post(f"/tickets/{ticket}/change", {"assignee_id": self.me, "csrf": composer_fields(page)["csrf"]})
        console.get(f"/tickets/{ticket}/head")

    def _answer(self, number: int) -> None:
        console, ticket = self._console(number), self.tickets[number]
        console.get("/lists/mine")
        console.get(f"/tickets/{ticket}")
        page = console.get(f"/tickets/{ticket}")
        console.look(ticket)
        fields = composer_fields(page)
        console.post(f"/tickets/{ticket}/seen", {"csrf": fields["csrf"]})
        for saved in range(1, 7):
            console.post(f"/tickets/{ticket}/draft", {**fields, "text": ANSWER[: len(ANSWER) * saved // 6]})
        console.post(f"/tickets/{ticket}/write", {**fields, "text": ANSWER})
        console.get(f"/tickets/{ticket}/head")

    def _resolve(self, number: int) -> None:
        console, ticket = self._console(number), self.tickets[number]
        console.get("/lists/mine")
        console.get("/search", q=f"customer{number}@example.com")
        page = console.get(f"/tickets/{ticket}")
        console.get(f"/tickets/{ticket}")
        console.post(f"/tickets/{ticket}/change", {"status": "resolved", "csrf": composer_fields(page)["csrf"]})
        console.get(f"/tickets/{ticket}/head")
        console.get("/counts")
        console.get("/lists/open")
        for _ in range(2):
            console.get(f"/tickets/{ticket}")

    def _await_answers(self, each: int) -> dict[int, EmailMessage]:
        """The newest answer to each customer, once all have theirs."""
        import email
        import email.policy
        from pathlib import Path

        outbox = Path(self.desk.credentials["outbox_dir"])
        found: dict[int, list[EmailMessage]] = {}

        def all_there() -> bool:
            found.clear()
            for path in sorted(outbox.glob("*.json")):
                to = json.loads(path.read_text())["rcpt_to"][0]
                number = int(re.sub(r"\D", "", to.split("@")[0]) or 0)
                raw = path.with_suffix(".eml").read_bytes()
                answer: Any = email.message_from_bytes(raw, policy=email.policy.default)
                found.setdefault(number, []).append(answer)
            return all(len(found.get(number, ())) >= each for number in self.numbers)

        wait_for(all_there, SENT_SECONDS, "the answers")
        self.desk.settle()
        return {number: found[number][-1] for number in self.numbers}
