"""A team's tickets find their agent by themselves, once, and their history says why (docs/domain/routing.md)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from chalicelib.domain.moments import whole_milliseconds
from chalicelib.domain.people import SYSTEM, Agent, Team
from chalicelib.domain.routing import Candidate, choose, given, in_line, needs_of, waits_for_somebody
from chalicelib.domain.ticket import Ticket, TicketRow
from chalicelib.observability import log
from chalicelib.services import notices, presence
from chalicelib.services.change_ticket import ATTEMPTS, event_message
from chalicelib.store import counters, directory, loads, messages, tickets
from chalicelib.store.loads import Given, Load, Stored
from chalicelib.store.transaction import Lost, Transaction

LINE = 200
"""So many tickets of a team's line are looked at: of more, those without news for longest."""


class Routing:
    """What one batch of facts asks: the teams are read once, and only when a ticket asks."""

    @cached_property
    def _teams(self) -> Mapping[str, Team]:
        return {team.id: team for team in directory.teams() if team.assignment != "off"}

    def arrived(self, ticket: Ticket, at: datetime) -> Ticket:
        """A ticket that is new, or came back, with its agent where its team's rule finds one."""
        if ticket.team_id is None or not waits_for_somebody(ticket, at):
            return ticket
        team = self._teams.get(ticket.team_id)
        if team is None or ticket.id not in serve(team, at, tickets.row_of(ticket)):
            return ticket
        return tickets.exactly(ticket.id).ticket

    def serve_all(self, at: datetime) -> int:
        """Whoever has room gets what waits; returns how many tickets were given."""
        return sum(len(serve(team, at)) for team in self._teams.values())


def serve(team: Team, at: datetime, new: TicketRow | None = None) -> frozenset[str]:
    """Give the team's tickets to its members, longest waiting first; returns those that were given.

    ``new``: a ticket that the index may not know yet.  Who gives the same agent something at the same moment, or the
    same ticket to somebody else, makes us look anew: nobody gets more than they take, no ticket goes to two.
    """
    done: frozenset[str] = frozenset()
    for _ in range(ATTEMPTS):
        known = _Team(team, at)
        if not any(each.has_room for each in known.candidates):
            return done
        rows = {each.id: each for each in (*loads.line(team.id, LINE), *([new] if new else []))}
        waiting = [each for each in rows.values() if each.id not in done and waits_for_somebody(each, at)]
        try:
            for row in in_line(waiting):
                done |= known.give(row)
        except Lost:
            continue
        return done
    return done  # others are giving the same tickets; what is left, the next fact or the repair brings again


class _Team:
    """The members of a team as they are now, and what each holds."""

    def __init__(self, team: Team, at: datetime) -> None:
        self._team, self._at = team, whole_milliseconds(at)
        members = [each for each in directory.agents() if team.id in each.team_ids and each.may_take]
        self._agents: Mapping[str, Agent] = {each.id: each for each in members}
        self._loads = loads.loads() if members else {}
        self._uncounted = _uncounted(members, self._loads)  # before the counts: what is counted between is there twice
        totals = counters.totals() if members else {}
        self._languages: dict[str, str] | None = None
        self.candidates = [self._candidate(each, counters.open_with(totals, each.id)) for each in members]

    def _candidate(self, agent: Agent, counted: int) -> Candidate:
        stored = self._loads.get(agent.id)
        return Candidate(
            agent.id, agent.name, counted + len(self._uncounted.get(agent.id, ())), agent.capacity,
            stored.load.at if stored else None, agent.languages, agent.skills,
            present=not presence.absence(agent, self._at),
        )  # fmt: skip

    def _language(self, inbox_id: str) -> str:
        if self._languages is None:
            self._languages = {each.id: each.settings.get("language", "") for each in directory.inboxes()}
        return self._languages.get(inbox_id, "")

    def give(self, row: TicketRow) -> frozenset[str]:
        """The ticket when somebody took it; Lost when somebody else moved the ticket or the agent meanwhile."""
        needs = needs_of(row.tags, self._language(row.inbox_id), self.candidates)
        choice = choose(self.candidates, needs, self._team.assignment)
        if choice.candidate is None:
            return frozenset()
        before = tickets.load(row.id)
        now = before.ticket
        if now.id != row.id or now.team_id != self._team.id or not waits_for_somebody(now, self._at):
            return frozenset()
        if (now.tags, now.inbox_id) != (row.tags, row.inbox_id):
            return frozenset()  # it changed since the index saw it, and that change brings it here again
        agent = self._agents[choice.candidate.id]
        transaction = Transaction()
        stored = tickets.put_changed(transaction, before, replace(now, assignee_id=agent.id), self._at)
        event = event_message(now, SYSTEM, self._at, secrets.token_bytes(16), assignee_id=agent.name, why=choice.why)
        transaction.put("event", messages.as_item(event))
        lately = (*self._uncounted.get(agent.id, ()), Given(stored.id, stored.version))
        loads.put(transaction, agent.id, self._loads.get(agent.id), Load(self._at, lately))
        if agent.notify:
            text = f"{SYSTEM.name} assigned ticket #{stored.id} to you: {stored.subject}"
            transaction.put("notice", notices.item(agent.id, "assigned", stored.id, text, self._at))
        transaction.commit()
        log("routed", ticket=stored.id, agent=agent.id, team=self._team.id)
        self._took(agent, lately)
        return frozenset({stored.id})

    def _took(self, agent: Agent, lately: Sequence[Given]) -> None:
        load = Load(self._at, tuple(lately))
        self._loads = {**self._loads, agent.id: loads.as_stored(load)}
        self._uncounted = {**self._uncounted, agent.id: lately}
        self.candidates = given(self.candidates, agent.id, self._at)


def _uncounted(members: Sequence[Agent], known: Mapping[str, Stored]) -> dict[str, Sequence[Given]]:
    """By agent: what was given to them and is not counted as theirs yet."""
    lately = {each.id: known[each.id].load.lately for each in members if each.id in known}
    ids = [each.ticket_id for found in lately.values() for each in found]
    counted = counters.counted(ids) if ids else {}
    return {
        agent_id: [
            each for each in found if each.ticket_id not in counted or counted[each.ticket_id].version < each.version
        ]
        for agent_id, found in lately.items()
    }
