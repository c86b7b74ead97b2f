"""/settings/tokens, /settings/desk and /settings/audit."""

from chalice.app import Response

from chalicelib.api.console.settings_pages import FINE, NOTHING, Refusal, refusal_of, show
from chalicelib.api.web import Form, Visit
from chalicelib.errors import DeskbellError, InvalidInput
from chalicelib.services import audit, desk, tokens
from chalicelib.services.tokens import NewToken
from chalicelib.store import directory

TOKENS, DESK, AUDIT = "/settings/tokens", "/settings/desk", "/settings/audit"
SCOPE_WORDS = (
    ("read", "Read: tickets, messages, customers"),
    ("write", "Write: read, and answer, change and create tickets"),
    ("admin", "Admin: everything, agents and inboxes too"),
)


def list_tokens(visit: Visit) -> Response:
    return _tokens_page(visit, Form({"scopes": ["read"]}), FINE)


def create_token(visit: Visit) -> Response:
    """The answer shows the secret: it is no redirect, since nothing could show it again."""
    form = visit.form
    try:
        made = tokens.create(form.value("name"), form.values("scopes"), visit.actor, visit.at)
    except DeskbellError as error:
        return _tokens_page(visit, form, refusal_of(error))
    return _tokens_page(visit, NOTHING, FINE, made)


def revoke_token(visit: Visit, token_id: str) -> Response:
    tokens.revoke(token_id, visit.actor, visit.at)
    return visit.go(TOKENS, done="revoked")


def _tokens_page(visit: Visit, form: Form, refusal: Refusal, made: NewToken | None = None) -> Response:
    return show(
        visit,
        "settings/tokens.html",
        TOKENS,
        refusal,
        tokens=tokens.listing(),
        form=form,
        scopes=SCOPE_WORDS,
        made=made,
    )


def show_desk(visit: Visit) -> Response:
    known = directory.desk_settings()
    fields = {"public_url": [known.public_url], "mail_domain": [known.mail_domain]}
    return _desk_page(visit, Form(fields | ({"require_totp": ["1"]} if known.require_totp else {})), FINE)


def save_desk(visit: Visit) -> Response:
    form = visit.form
    try:
        desk.change(
            form.value("public_url"), form.value("mail_domain"), form.has("require_totp"), visit.actor, visit.at
        )
    except DeskbellError as error:
        return _desk_page(visit, form, refusal_of(error))
    return visit.go(DESK, done="saved")


def _desk_page(visit: Visit, form: Form, refusal: Refusal) -> Response:
    without = [agent.name for agent in directory.agents() if agent.active and not agent.totp]
    return show(visit, "settings/desk.html", DESK, refusal, form=form, without_factor=without)


def show_audit(visit: Visit) -> Response:
    months = audit.months(visit.at)
    month = visit.query("month") or months[0]
    if month not in months:
        raise InvalidInput("There is no such month. Choose one of the list.")
    entries = directory.audit_entries(month)
    return show(visit, "settings/audit.html", AUDIT, months=months, month=month, entries=entries)
