"""One declaration per call of the REST API: its right, what it takes, what it answers, how it fails.

The same declaration checks a call and stands in the OpenAPI document, so the two cannot differ.
Nothing is allowed that a declaration does not allow.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Concatenate, TypeVar

from chalice.app import Request, Response

from chalicelib import config
from chalicelib.api import http, idempotency
from chalicelib.api.idempotency import Attempt
from chalicelib.api.rest.routes import ROUTES
from chalicelib.api.schema import Faults, Json, Number, Record, Shape, Text, from_text
from chalicelib.domain.people import Actor, actor_of
from chalicelib.errors import InvalidInput, NotFound, TooMany
from chalicelib.services.permissions import Action, require_scope

CALLS_PER_MINUTE = 3_000
"""Of one token: far above what an integration needs, low enough to stop a loop that ran away."""
PAGE_DEFAULT, PAGE_MOST = 50, 100

TICKET_ID = Text("Number of the ticket.", pattern="[1-9][0-9]{0,11}", example="1042")
OUR_ID = Text(pattern="[A-Za-z0-9_-]{1,64}")
FILE_ID = Text(pattern="[A-Za-z0-9_.-]{1,128}")
"""With a dot: a file that was sent on keeps the name of the message it came with."""
PATH_PARTS: dict[str, Text] = {
    "ticket_id": TICKET_ID,
    "message_id": OUR_ID,
    "attachment_id": FILE_ID,
    "customer_id": OUR_ID,
    "inbox_id": OUR_ID,
    "agent_id": OUR_ID,
    "team_id": OUR_ID,
    "calendar_id": OUR_ID,
    "reply_id": OUR_ID,
    "letter_id": Text(pattern="[A-Za-z0-9_.:-]{1,128}"),
    "queue": OUR_ID,
}
"""Forms of the variable parts of paths; what has another form is not found."""

PAGING: dict[str, Shape] = {
    "cursor": Text("`next` of the page before.", max_chars=500),
    "limit": Number(1, PAGE_MOST, f"Entries on a page, {PAGE_DEFAULT} unless said."),
}


@dataclass(frozen=True)
class Operation:
    """name: as in ``rest.routes``, where method and path stand.

    action: the right a token needs; None: open to everybody.  errors: statuses beyond those that always may come.

    answers: the shape of the answer; None: an answer without a body (204).
    """

    name: str
    summary: str
    tag: str
    action: Action | None
    answers: Shape | None
    status: int = 200
    body: Record | None = None
    query: Mapping[str, Shape] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    """Parameters of the query without which the call means nothing."""
    errors: tuple[int, ...] = ()
    about: str = ""

    @property
    def method(self) -> str:
        return ROUTES[self.name][1]

    @property
    def path(self) -> str:
        return ROUTES[self.name][2]

    def statuses(self) -> tuple[int, ...]:
        """Every status other than success that this call may answer."""
        found = {422, 500, *self.errors}
        if self.action is not None:
            found |= {401, 403, 429}
        if "{" in self.path:
            found |= {404}
        if self.body:
            found |= {400, 413, 415}
        if self.method == "POST":
            found |= {409}
        return tuple(sorted(found))


@dataclass(frozen=True)
class Call:
    """One checked call.

    seed: give it to the service, so that a repeated request finds the first one's work.
    repeated: an earlier attempt at this request died; where a service takes no seed, look before acting.
    """

    token_id: str
    token_name: str
    scopes: tuple[str, ...]
    at: datetime
    body: Mapping[str, Any]
    query: Mapping[str, Any]
    seed: str | None = None
    repeated: bool = False
    reached_at: str = ""

    @cached_property
    def public_url(self) -> str:
        """Where providers reach the desk: the address an admin gave, else the one this call came by."""
        from chalicelib.store import directory

        return directory.desk_settings().public_url.rstrip("/") or self.reached_at

    @property
    def limit(self) -> int:
        return int(self.query.get("limit", PAGE_DEFAULT))

    @property
    def cursor(self) -> str | None:
        return self.query.get("cursor") or None

    @property
    def bot(self) -> Actor:
        """The program behind the token."""
        return Actor("bot", self.token_id, self.token_name)

    def actor(self) -> Actor:
        """Who acts: the agent named by ``as``, else the program itself.

        Raises InvalidInput when there is no such agent, or the agent may not answer customers.
        """
        from chalicelib.store import directory

        agent_id = self.body.get("as")
        if agent_id is None:
            return self.bot
        try:
            agent = directory.agent(agent_id)
        except NotFound as error:
            raise InvalidInput("There is no such agent.", {"as": "Give the id of an agent."}) from error
        if not agent.active or agent.role == "viewer":
            raise InvalidInput(f"{agent.name} cannot answer customers.", {"as": "Give the id of an active agent."})
        return actor_of(agent)


Handler = Callable[Concatenate[Call, ...], Json | None]
DECLARED: dict[str, tuple[Operation, Handler]] = {}
H = TypeVar("H", bound=Handler)


def operation(declared: Operation) -> Callable[[H], H]:
    """Make the function answer the call: it gets a Call, then the path's parts."""

    def declare(act: H) -> H:
        DECLARED[declared.name] = (declared, act)
        return act

    return declare


def answered(name: str, request: Request, parts: Mapping[str, str]) -> Response:
    """Check a call as it is declared, have it answered, and say what is wrong if anything is."""
    from chalicelib import wiring

    wiring.begin()
    declared, act = DECLARED[name]
    return http.guarded(request, lambda request_id: _answered(declared, act, request, parts, request_id))


def _answered(
    declared: Operation, act: Handler, request: Request, parts: Mapping[str, str], request_id: str
) -> Response:
    now = config.now()
    token_id, token_name, scopes = _who(declared, request, now)
    _check_parts(parts)
    query = _checked_query(declared, request)
    sent = http.json_object(request) if declared.body else {}
    body = _checked_body(declared, sent)

    def attempt(this: Attempt) -> tuple[int, str]:
        call = Call(
            token_id, token_name, scopes, this.at, body, query, this.seed, this.repeated, http.reached_at(request)
        )  # fmt: skip
        found = act(call, **parts)
        text = "" if found is None else json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        return declared.status, text

    key = None
    if declared.method == "POST":
        key = idempotency.checked_key(request.headers.get(idempotency.HEADER))
    fingerprint = idempotency.fingerprint(declared.method, declared.path.format_map(parts), sent) if key else ""
    status, text, replayed = idempotency.once(token_id, key, fingerprint, now, attempt)
    return http.answer(text, status, request_id, {"Idempotency-Replayed": "true"} if replayed else None)


def _who(declared: Operation, request: Request, now: datetime) -> tuple[str, str, tuple[str, ...]]:
    """Id, name and scopes of the token.  Raises NotSignedIn, NotAllowed or TooMany."""
    if declared.action is None:
        return "", "", ()
    from chalicelib.services import tokens
    from chalicelib.store import rates

    token = tokens.authenticate(str(request.headers.get("authorization", "")), now)
    require_scope(token.scopes, declared.action)
    calls, seconds_left = rates.count(f"api#{token.id}", now, window_seconds=60)
    if calls > CALLS_PER_MINUTE:
        raise TooMany(f"This token may make {CALLS_PER_MINUTE:,} calls a minute. Wait a little.", seconds_left)
    return token.id, token.name, tuple(token.scopes)


def _check_parts(parts: Mapping[str, str]) -> None:
    for name, value in parts.items():
        faults: Faults = {}
        PATH_PARTS[name].check(value, name, faults)
        if faults:
            raise NotFound("There is nothing at this address.")


def _checked_query(declared: Operation, request: Request) -> dict[str, Any]:
    faults: Faults = {}
    found: dict[str, Any] = {}
    for name, values in http.query_of(request).items():
        shape = declared.query.get(name)
        if shape is None:
            known = f"Known here: {', '.join(declared.query)}." if declared.query else "None is known here."
            faults[name] = f"There is no such parameter. {known}"
        elif len(values) != 1:
            faults[name] = "Give this parameter once."
        else:
            found[name] = shape.check(from_text(shape, values[0]), name, faults)
    faults |= {name: f"This is missing. {declared.query[name].about}" for name in declared.needs if name not in found}
    if faults:
        raise InvalidInput(_counted(faults, "parameter"), faults)
    return found


def _checked_body(declared: Operation, sent: Json) -> dict[str, Any]:
    if declared.body is None:
        return {}
    faults: Faults = {}
    found = declared.body.check(sent, "", faults)
    if faults:
        raise InvalidInput(_counted(faults, "field"), faults)
    return found


def _counted(faults: Faults, what: str) -> str:
    number = "One" if len(faults) == 1 else str(len(faults))
    return f"{number} {what}{'' if len(faults) == 1 else 's'} of the request cannot be used; nothing was changed."
