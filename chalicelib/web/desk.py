"""Names behind ids: what a template needs to know of the desk's people and inboxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.domain.people import Agent, Inbox, Team

if TYPE_CHECKING:
    from chalicelib.domain.promises import Deadline, InForce, Waiting


@dataclass(frozen=True)
class Desk:
    agents: Mapping[str, Agent]
    teams: Mapping[str, Team]
    inboxes: Mapping[str, Inbox]
    promised: Callable[[], InForce] | None = None
    """What is promised to customers, read when a ticket that waits is shown; None where no deadline is."""

    @staticmethod
    def of(
        agents: Iterable[Agent],
        teams: Iterable[Team],
        inboxes: Iterable[Inbox],
        promised: Callable[[], InForce] | None = None,
    ) -> Desk:
        return Desk(
            {agent.id: agent for agent in agents},
            {team.id: team for team in teams},
            {inbox.id: inbox for inbox in inboxes},
            promised,
        )

    def agent_name(self, agent_id: str | None) -> str:
        """ "" for nobody; an agent who is gone is called that."""
        if not agent_id:
            return ""
        return self.agents[agent_id].name if agent_id in self.agents else "a former agent"

    def initials(self, agent_id: str) -> str:
        agent = self.agents.get(agent_id)
        return agent.initials if agent else ""

    def inbox_name(self, inbox_id: str) -> str:
        return self.inboxes[inbox_id].name if inbox_id in self.inboxes else ""

    def deadline(self, ticket: Waiting, now: datetime) -> Deadline | None:
        """By when to answer; None where nobody waits."""
        if self.promised is None or ticket.waiting_since is None:
            return None
        from chalicelib.domain.promises import deadline_of

        return deadline_of(ticket, self.promised(), now)

    def may_take(self) -> tuple[Agent, ...]:
        """Agents to whom a ticket can be given."""
        return tuple(agent for agent in self.agents.values() if agent.may_take)
