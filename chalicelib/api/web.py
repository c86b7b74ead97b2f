"""What every page of the console shares: who asks, may they, and how answers and errors look.

``@console_route`` hands the function a ``Visit``.  It has checked the session, the role and, for a POST, that the form
is ours; errors of ours become a page, or for htmx a fragment, that says what is wrong and keeps what was typed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, wraps
from hmac import compare_digest
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Concatenate
from urllib.parse import parse_qs, urlsplit

from chalice.app import Blueprint, Request, Response

from chalicelib import config, observability
from chalicelib.api.headers import https_only
from chalicelib.config import settings
from chalicelib.domain.people import ROLES, Actor, Agent, Role, actor_of
from chalicelib.errors import DeskbellError, InvalidInput, NotAllowed, NotSignedIn
from chalicelib.web.render import render, url

if TYPE_CHECKING:
    from chalicelib.services.sessions import SignedIn

FORM = "application/x-www-form-urlencoded"
MAX_FIELDS = 1000
WRITERS: tuple[Role, ...] = ("admin", "leader", "agent")
"""Roles that may change something; a viewer only reads."""
Headers = dict[str, str | list[str]]
Handler = Callable[..., Response]


@dataclass(frozen=True)
class Form:
    """What was posted; of a repeated field, ``value`` gives the first."""

    fields: Mapping[str, Sequence[str]]

    def value(self, name: str, default: str = "") -> str:
        return self.fields.get(name, (default,))[0]

    def values(self, name: str) -> tuple[str, ...]:
        return tuple(self.fields.get(name, ()))

    def has(self, name: str) -> bool:
        return name in self.fields


@dataclass
class Visit:
    """One request of the console.  ``at`` is the desk's time when it came."""

    request: Request
    at: datetime
    session: SignedIn | None = None

    @property
    def signed_in(self) -> SignedIn:
        if self.session is None:
            raise NotSignedIn("Sign in to go on.")
        return self.session

    @property
    def agent(self) -> Agent:
        agent: Agent = self.signed_in.agent
        return agent

    @property
    def actor(self) -> Actor:
        return actor_of(self.agent)

    @property
    def may_write(self) -> bool:
        return self.agent.role in WRITERS

    @cached_property
    def form(self) -> Form:
        body = self.request.raw_body or b""
        text = body if isinstance(body, str) else body.decode("utf-8", "replace")
        try:
            return Form(parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
        except ValueError as error:
            raise InvalidInput("This form has more fields than any of ours.") from error

    def query(self, name: str, default: str = "") -> str:
        asked: Mapping[str, str] = self.request.query_params or {}
        return str(asked.get(name, default))

    def header(self, name: str) -> str:
        return str(self.request.headers.get(name, ""))

    @property
    def wants_fragment(self) -> bool:
        """htmx swaps a part of the page; when it restores a page from the history it wants all of it."""
        return self.header("hx-request") == "true" and self.header("hx-history-restore-request") != "true"

    @property
    def path(self) -> str:
        """Where this request went, below the base path, with its query."""
        context = self.request.to_original_event()
        query: Mapping[str, str] = self.request.query_params or {}
        text = url("", **{name: query[name] for name in query})
        return str(context.get("path") or self.request.path) + text.removeprefix(settings().base_path)

    def render(self, template: str, **context: Any) -> str:
        known = {"visit": self, "agent": self.session.agent if self.session else None, "now": self.at}
        return render(template, **{**known, "csrf": self.session.csrf if self.session else "", **context})

    def page(
        self, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **context: Any
    ) -> Response:
        """HTML out of a template, whole page or fragment as the template is."""
        return html(self.render(template, **context), status, headers)

    def go(self, path: str, **query: str | None) -> Response:
        """After a POST: look at another page (htmx loads it whole)."""
        target = url(path, **query)
        if self.wants_fragment:
            return html("", 204, {"HX-Redirect": target})
        return html("", 303, {"Location": target})


def html(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status_code=status, headers={**security_headers(), **(headers or {})})


def security_headers() -> dict[str, str]:
    """For every page: only our own scripts and styles, our socket and our bucket; nobody may frame us."""
    buckets = " ".join(bucket_origins())
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": f"'self' data: {buckets}",
        "connect-src": f"'self' {_origin(settings().websocket_url)} {buckets}",
        "frame-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Vary": "HX-Request",
    }
    return headers | https_only()


def bucket_origins() -> tuple[str, ...]:
    """Where presigned links to attachments lead."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return (_origin(endpoint),)
    bucket = settings().attachments_bucket
    return (f"https://{bucket}.s3.{settings().region}.amazonaws.com", f"https://{bucket}.s3.amazonaws.com")


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def cookie_name() -> str:
    """``__Host-`` binds the cookie to https and to this very host; browsers refuse it on plain http."""
    return "deskbell" if settings().local else "__Host-deskbell"


def session_cookie(value: str, max_age_seconds: int) -> str:
    """The Set-Cookie header; an empty value with age 0 signs out."""
    secure = "" if settings().local else "; Secure"
    return f"{cookie_name()}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_seconds}{secure}"


def cookie(request: Request, name: str) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(str(request.headers.get("cookie", "")))
    except CookieError:
        return None
    return jar[name].value if name in jar else None


def console_route(
    blueprint: Blueprint,
    path: str,
    methods: Sequence[str] = ("GET",),
    allow: Sequence[Role] = ROLES,
    public: bool = False,
) -> Callable[[Callable[Concatenate[Visit, ...], Response]], Handler]:
    """Register a page.  The function gets a Visit, then the path's parts.

    allow: roles that may; others get a page that says whom to ask.
    public: nobody need be signed in (sign-in and reset); a session is read all the same when there is one.
    """

    def register(show: Callable[Concatenate[Visit, ...], Response]) -> Handler:
        @wraps(show)
        def answer(**parts: str) -> Response:
            from chalicelib import wiring

            wiring.begin()
            visit = Visit(blueprint.current_request, config.now())
            try:
                _check(visit, allow, public)
                return show(visit, **parts)
            except DeskbellError as error:
                return _refusal(visit, error)
            except Exception:  # noqa: BLE001  # the last stop: logged, and answered in words
                observability.failed("page broke", path=path, method=visit.request.method)
                return _refusal(visit, DeskbellError("Something broke on our side. Try again in a moment."))
            finally:
                observability.flush()

        content_types = [FORM] if "POST" in methods else []
        registered: Handler = blueprint.route(path, methods=list(methods), content_types=content_types)(answer)
        return registered

    return register


def _check(visit: Visit, allow: Sequence[Role], public: bool) -> None:
    from chalicelib.services import sessions

    value = cookie(visit.request, cookie_name())
    try:
        visit.session = sessions.signed_in(value or "", visit.at)
    except NotSignedIn:
        if not public:
            raise
    if visit.request.method != "GET":
        _check_origin(visit)
        if visit.session is not None:
            _check_token(visit)
    if not public and visit.agent.role not in allow:
        raise NotAllowed("Your role does not allow this. Ask an admin of the desk for the right.")


def _check_origin(visit: Visit) -> None:
    """A form of another site may not act for the agent (the cookie is SameSite=Lax besides).

    An origin of "null" is a sandboxed frame's or a file's: no page of ours sends it.
    """
    site, origin = visit.header("sec-fetch-site"), visit.header("origin")
    elsewhere = bool(origin) and urlsplit(origin).netloc != visit.header("host")
    foreign = site not in ("same-origin", "none") if site else elsewhere
    if foreign:
        raise NotAllowed("This form came from another site. Open the desk itself and try again.")


def _check_token(visit: Visit) -> None:
    token = visit.header("x-csrf-token") or visit.form.value("csrf")
    if not compare_digest(token.encode(), visit.signed_in.csrf.encode()):
        raise NotAllowed("This page was older than your session. Try again; if that does not help, load it anew.")


def _refusal(visit: Visit, error: DeskbellError) -> Response:
    if isinstance(error, NotAllowed):
        who = visit.session.agent.id if visit.session else ""
        observability.warn("refused", code=error.code, path=visit.request.path, method=visit.request.method, agent=who)
    if visit.wants_fragment:
        headers = {"HX-Retarget": "#toasts", "HX-Reswap": "beforeend"}
        return visit.page("parts/problem.html", status=error.status, headers=headers, error=error)
    if isinstance(error, NotSignedIn) and visit.request.method == "GET":
        return html("", 303, {"Location": url("/sign-in", next=visit.path)})
    fields = error.fields if isinstance(error, InvalidInput) else {}
    return visit.page("error.html", status=error.status, error=error, fields=fields, typed=_typed(visit))


def _typed(visit: Visit) -> tuple[str, ...]:
    """What the agent wrote, so that an error page can give it back; never a secret."""
    if visit.request.method != "POST" or visit.session is None:
        return ()
    try:
        form = visit.form
    except InvalidInput:
        return ()
    return tuple(text for name in ("text", "subject", "note") for text in form.values(name) if text.strip())
