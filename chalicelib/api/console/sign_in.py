"""Signing in and out, the steps in between, and new passwords.  Nobody need be signed in here."""

import re
from collections.abc import Callable
from typing import Any

from chalice.app import Response

from chalicelib.api import web
from chalicelib.api.console import handed
from chalicelib.api.console.qr_code import qr_svg
from chalicelib.api.web import Visit, html
from chalicelib.config import settings
from chalicelib.domain.people import Agent
from chalicelib.errors import DeskbellError, InvalidInput, NotFound
from chalicelib.services import password_links, passwords, sessions, sign_in
from chalicelib.services.sign_in import Step
from chalicelib.web.render import url

HOME = "/lists/mine"
OWN_PATH = re.compile(r"/(?![/\\])[\x21-\x7e]*")
"""A path of this very site: a link with ``next`` must not lead an agent who signs in elsewhere."""
TEMPLATES = {
    "new_password": "sign_in/new_password.html",
    "code": "sign_in/code.html",
    "set_up": "sign_in/set_up.html",
}


def show(visit: Visit) -> Response:
    if visit.session is not None:
        return visit.go(HOME)
    return _first(visit, after=visit.query("next"), done=visit.query("done"))


def enter(visit: Visit) -> Response:
    email, password = visit.form.value("email"), visit.form.value("password")
    try:
        step = sign_in.begin(handed.user_pool(), email, password, handed.source_of(visit), visit.at)
    except DeskbellError as error:
        return _first(visit, error=error, email=email, after=visit.form.value("next"))
    return _go_on(visit, step)


def set_first_password(visit: Visit) -> Response:
    form = visit.form
    return _take_step(
        visit,
        lambda: sign_in.set_first_password(
            handed.user_pool(), form.value("step"), form.value("password"), form.value("again"), visit.at
        ),
    )


def enter_code(visit: Visit) -> Response:
    form = visit.form
    return _take_step(
        visit,
        lambda: sign_in.enter_code(
            handed.user_pool(), form.value("step"), form.value("code"), handed.source_of(visit), visit.at
        ),
    )


def finish_set_up(visit: Visit) -> Response:
    form = visit.form
    return _take_step(
        visit,
        lambda: sign_in.finish_set_up(handed.user_pool(), form.value("step"), form.value("code"), visit.at),
    )


def sign_out(visit: Visit) -> Response:
    if visit.session is not None:
        sessions.end(visit.session)
    headers = {"Location": url("/sign-in"), "Set-Cookie": web.session_cookie("", 0)}
    return html("", 303, headers)


# A new password by link


def show_forgot(visit: Visit) -> Response:
    return visit.page("sign_in/forgot.html", email="", errors={}, problem="", sent=False)


def forgot(visit: Visit) -> Response:
    """The same answer whether or not somebody has this address."""
    email = visit.form.value("email")
    try:
        password_links.request_reset(
            handed.link_maker(visit), email, handed.source_of(visit), handed.send_system_mail, visit.at
        )
    except DeskbellError as error:
        fields = error.fields if isinstance(error, InvalidInput) else {}
        context: dict[str, Any] = {"email": email, "errors": fields, "problem": error.message, "sent": False}
        return visit.page("sign_in/forgot.html", status=error.status, **context)
    return visit.page("sign_in/forgot.html", email=email, errors={}, problem="", sent=True)


def show_password(visit: Visit) -> Response:
    link = visit.query("link")
    try:
        agent = password_links.agent_of(handed.link_maker(visit), link, visit.at)
    except NotFound as error:
        return visit.page("sign_in/link_gone.html", status=error.status, problem=error.message)
    return _password_form(visit, link, agent, None)


def set_password(visit: Visit) -> Response:
    form, maker = visit.form, handed.link_maker(visit)
    link = form.value("link")
    try:
        agent = password_links.agent_of(maker, link, visit.at)
        try:
            password_links.use(
                handed.user_pool(), maker, link, form.value("password"), form.value("again"), visit.at,
                handed.source_of(visit),
            )  # fmt: skip
        except InvalidInput as error:
            return _password_form(visit, link, agent, error)
    except NotFound as error:
        return visit.page("sign_in/link_gone.html", status=error.status, problem=error.message)
    return visit.go("/sign-in", done="password")


def _password_form(visit: Visit, link: str, agent: Agent, error: InvalidInput | None) -> Response:
    """No address of this page leaves it: the link stands in it.  ``no-referrer`` would hide the form's origin too."""
    return visit.page(
        "sign_in/password.html",
        status=error.status if error else 200,
        headers={"Referrer-Policy": "strict-origin"},
        link=link,
        email=agent.email,
        rule=passwords.RULE,
        errors=error.fields if error else {},
        problem=error.message if error else "",
    )


# Steps


def _take_step(visit: Visit, act: Callable[[], Step]) -> Response:
    """Go on, show the same form again with what is wrong, or start again when the step is over."""
    try:
        step = act()
    except InvalidInput as error:
        waiting = sign_in.step_waiting(visit.form.value("step"), visit.at, visit.form.value("totp_secret"))
        return _form_of(visit, waiting, error, status=error.status)
    except DeskbellError as error:
        return _first(visit, error=error, after=visit.form.value("next"))
    return _go_on(visit, step)


def _go_on(visit: Visit, step: Step) -> Response:
    if step.kind != "done":
        return _form_of(visit, step, None, status=200)
    if visit.session is not None:  # whoever was signed in here before
        sessions.end(visit.session)
    after = visit.form.value("next")
    target = settings().base_path + after if OWN_PATH.fullmatch(after) else url(HOME)
    cookie = web.session_cookie(step.token, int(sessions.LONGEST.total_seconds()))
    return html("", 303, {"Location": target, "Set-Cookie": cookie})


def _form_of(visit: Visit, step: Step, error: InvalidInput | None, status: int) -> Response:
    return visit.page(
        TEMPLATES[step.kind],
        status=status,
        step=step,
        picture=qr_svg(step.totp_uri, "Picture to scan with your authenticator app") if step.totp_uri else "",
        rule=passwords.RULE,
        after=visit.form.value("next"),
        action=f"/sign-in/{step.kind.replace('_', '-')}",
        errors=error.fields if error else {},
        problem=error.message if error else "",
    )


def _first(
    visit: Visit, error: DeskbellError | None = None, email: str = "", after: str = "", done: str = ""
) -> Response:
    return visit.page(
        "sign_in/sign_in.html",
        status=error.status if error else 200,
        email=email,
        after=after if OWN_PATH.fullmatch(after) else "",
        done=done,
        errors=error.fields if isinstance(error, InvalidInput) else {},
        problem=error.message if error else "",
    )
