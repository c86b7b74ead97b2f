"""Customers, agents, teams and inboxes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

Role = Literal["admin", "leader", "agent", "viewer"]
ROLES: tuple[Role, ...] = get_args(Role)
Assignment = Literal["off", "least_load", "round_robin"]
ASSIGNMENTS: tuple[Assignment, ...] = get_args(Assignment)
"""How a team's tickets find their agent: by hand, or by a rule of ``domain/routing.py``."""
DEFAULT_CAPACITY = 10
MAX_CAPACITY = 500


@dataclass(frozen=True)
class Customer:
    """The person who writes to us.  ``handles`` are ``channel:address`` pairs, lower case.

    blocked and unreachable_handles are filled on reading, from what is noted of the handles.
    """

    id: str
    name: str
    handles: tuple[str, ...]
    created_at: datetime
    note: str = ""
    blocked: bool = False
    unreachable_handles: tuple[str, ...] = ()
    """Handles that bounced hard or blocked us."""


@dataclass(frozen=True)
class Away:
    """Somebody said that they are not there: until then, or until they say that they are back."""

    since: datetime
    until: datetime | None = None


@dataclass(frozen=True)
class Agent:
    """A person who answers.  ``signature`` is plain text put under replies."""

    id: str
    email: str
    name: str
    role: Role
    active: bool
    created_at: datetime
    team_ids: tuple[str, ...] = ()
    initials: str = ""
    time_zone: str = "UTC"
    signature: str = ""
    notify: bool = True
    """Tell this agent, in the console, what others assign to them."""
    totp: bool = False
    away: Away | None = None
    """As it was last said; ``is_away`` knows whether it still holds."""
    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    capacity: int = DEFAULT_CAPACITY
    """How many open tickets routing gives them at most."""

    @property
    def may_take(self) -> bool:
        """Whether a ticket can be given to them at all."""
        return self.active and self.role != "viewer"

    def is_away(self, at: datetime) -> bool:
        return self.away is not None and (self.away.until is None or at < self.away.until)


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    assignment: Assignment = "off"


@dataclass(frozen=True)
class Inbox:
    """One configured account of a channel: support@…, one bot.

    settings: the channel's own (for mail: ``forward_to`` and the like), never secrets.
    separated: its tickets are linked, not shared, when one mail reaches two inboxes.
    acknowledgement: text of the one automatic answer to a new customer mail; empty means none.
    reopen_days: an answer to a ticket closed longer than this opens a linked ticket.
    undo_seconds: how long a reply written in the console can be taken back.
    sends_per_minute: the circuit breaker opens above this.
    """

    id: str
    channel: str
    address: str
    name: str
    team_id: str | None = None
    signature: str = ""
    acknowledgement: str = ""
    separated: bool = False
    reopen_days: int = 30
    undo_seconds: int = 10
    sends_per_minute: int = 120
    active: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Actor:
    """Who does something: an agent in the console, a program with an API token (a bot), or the desk itself."""

    kind: Literal["agent", "bot", "system"]
    id: str
    name: str
    role: Role = "agent"


SYSTEM = Actor("system", "deskbell", "Deskbell", "admin")


def actor_of(agent: Agent) -> Actor:
    return Actor("agent", agent.id, agent.name, agent.role)
