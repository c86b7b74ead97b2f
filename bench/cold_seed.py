"""Fills a desk for ``bench.coldstart``: one agent, one inbox, fifty open tickets.  Prints how to sign in."""

import json
from datetime import UTC, datetime

from chalicelib import wiring
from chalicelib.domain.message import Party
from chalicelib.domain.people import Agent, Inbox, actor_of
from chalicelib.services import create_ticket, sessions, tokens
from chalicelib.store import directory

TICKETS = 50
SUBJECTS = (
    "Where is my parcel?",
    "The mug arrived broken",
    "Rechnung fehlt",
    "Échange de taille",
    "Two of one, please",
)
SAID = "Hello, I ordered last week and would like to know when it comes. Kind regards, a customer of yours."


def main() -> None:
    wiring.connect()
    now = datetime.now(UTC)
    agent = Agent("a_bench", "bench@shop.example", "Ben Ch", "admin", True, now)
    directory.save_agent(agent)
    directory.save_inbox(Inbox(id="in_bench", channel="email", address="support@shop.example", name="Support"))
    token = tokens.create("bench", ("read", "write"), actor_of(agent), now)
    ids = []
    for n in range(TICKETS):
        party = Party(f"Customer {n}", f"customer{n}@buyer.example")
        subject = f"{SUBJECTS[n % len(SUBJECTS)]} ({n})"
        ticket, _ = create_ticket.create(actor_of(agent), "in_bench", party, subject, SAID, "in", now)
        ids.append(ticket.id)
    cookie = sessions.open_session(agent, now)
    print(json.dumps({"token": token.bearer, "cookie": cookie, "ticket": ids[-1]}))


if __name__ == "__main__":
    main()
