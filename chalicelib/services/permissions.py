"""Who may do what: one table for the console and the API.  What does not stand here is not allowed."""

from collections.abc import Iterable
from typing import Literal, get_args

from chalicelib.domain.people import Role
from chalicelib.errors import NotAllowed

Action = Literal[
    "tickets.read",
    "tickets.write",
    "tickets.trash",
    "tickets.send_anyway",
    "customers.write",
    "customers.block",
    "replies.own",
    "replies.manage",
    "own.settings",
    "operations.read",
    "operations.retry",
    "operations.discard",
    "originals.download",
    "teams.manage",
    "calendars.manage",
    "agents.manage",
    "inboxes.manage",
    "inbox_texts.manage",
    "tokens.manage",
    "desk.manage",
    "audit.read",
    "costs.read",
]
ACTIONS: tuple[Action, ...] = get_args(Action)

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

_VIEWER: frozenset[Action] = frozenset({"tickets.read", "own.settings"})
_AGENT: frozenset[Action] = _VIEWER | {
    "tickets.write",
    "tickets.trash",
    "tickets.send_anyway",
    "customers.write",
    "customers.block",
    "replies.own",
    "originals.download",
}
_LEADER: frozenset[Action] = _AGENT | {
    "replies.manage",
    "operations.read",
    "operations.retry",
    "inbox_texts.manage",
    "audit.read",
    "costs.read",
}
_ADMIN: frozenset[Action] = _LEADER | {
    "operations.discard",
    "teams.manage",
    "calendars.manage",
    "agents.manage",
    "inboxes.manage",
    "tokens.manage",
    "desk.manage",
}

OF_ROLE: dict[Role, frozenset[Action]] = {
    "viewer": _VIEWER,
    "agent": _AGENT,
    "leader": _LEADER,
    "admin": _ADMIN,
}
OF_SCOPE: dict[Scope, frozenset[Action]] = {
    "read": frozenset({"tickets.read", "operations.read"}),
    "write": _AGENT - {"own.settings"},
    "admin": _ADMIN - {"own.settings"},
}


def allowed(role: str, action: str) -> bool:
    """Whether an agent of this role may do this; False for a role or an action we do not know."""
    return any(role == known and action in actions for known, actions in OF_ROLE.items())


def allowed_by_scopes(scopes: Iterable[str], action: str) -> bool:
    """Whether an API token of these scopes may do this."""
    held = set(scopes)
    return any(scope in held and action in actions for scope, actions in OF_SCOPE.items())


def require(role: str, action: Action) -> None:
    """Raise NotAllowed unless ``allowed``."""
    if not allowed(role, action):
        raise NotAllowed("Your role does not allow this. An admin can change it under Settings, Agents.")


def require_scope(scopes: Iterable[str], action: Action) -> None:
    """The same for an API token."""
    if not allowed_by_scopes(scopes, action):
        raise NotAllowed("The scopes of this API token do not allow this. Create one that has the scope it needs.")
