"""/settings/inboxes: the list, one inbox, the texts it writes, and the wizard that leads a mailbox here."""

from dataclasses import replace
from typing import Any

from chalice.app import Response

from chalicelib import wiring
from chalicelib.api.console import handed
from chalicelib.api.console.settings_pages import FINE, NOTHING, Refusal, refusal_of, show
from chalicelib.api.inbox_tools import inbox_tools
from chalicelib.api.web import Form, Visit
from chalicelib.config import settings
from chalicelib.domain.people import Inbox
from chalicelib.errors import DeskbellError, InvalidInput, NotFound
from chalicelib.services import audit, forwarding, inboxes, mail_setup
from chalicelib.services.dns_lookup import Resolver
from chalicelib.services.inboxes import InboxForm
from chalicelib.store import directory

INBOXES, TEXTS = "/settings/inboxes", "/settings/texts"
CHANNEL_WORDS = (("email", "E-mail"), ("telegram", "Telegram bot"))
MAILBOX_WORDS = (
    ("google", "At Google"),
    ("microsoft", "At Microsoft"),
    ("other", "At another provider"),
    ("ses", "Nowhere yet"),
)
NUMBERS = ("reopen_days", "undo_seconds", "sends_per_minute")
SECRET_FIELDS = ("bot_token",)
SETTING_FIELDS = ("forward_to", "form_senders", "language", "mailbox", "base_url")


def list_inboxes(visit: Visit) -> Response:
    return show(visit, "settings/inboxes.html", INBOXES, inboxes=directory.inboxes())


def show_new(visit: Visit) -> Response:
    channel = visit.query("channel")
    if channel not in inboxes.SETTINGS:
        return show(visit, "settings/inbox_kind.html", INBOXES)
    mailbox = visit.query("mailbox", "google")
    return _new_page(visit, channel, Form({"mailbox": [mailbox], "separated": []}), FINE)


def create(visit: Visit) -> Response:
    """A forwarded mailbox gets an address to forward to unless one was typed."""
    form = visit.form
    channel = form.value("channel")
    try:
        wanted = _with_forward(_form(form, channel))
        made = inboxes.create(wanted, inbox_tools(handed.base_url(visit)), visit.actor, visit.at)
    except DeskbellError as error:
        return _new_page(visit, channel, form, refusal_of(error))
    wiring.forget_secrets()
    return visit.go(f"{INBOXES}/{made.id}/set-up" if made.channel == "email" else INBOXES, done="saved")


def show_inbox(visit: Visit, inbox_id: str) -> Response:
    inbox = directory.inbox(inbox_id)
    return _inbox_page(visit, inbox, _typed(inbox), FINE)


def save_inbox(visit: Visit, inbox_id: str) -> Response:
    inbox, form = directory.inbox(inbox_id), visit.form
    try:
        wanted = replace(_form(form, inbox.channel), signature=inbox.signature, acknowledgement=inbox.acknowledgement)
        tools = inbox_tools(handed.base_url(visit), form.value("base_url"))
        inboxes.change(inbox_id, wanted, tools, visit.actor, visit.at)
    except DeskbellError as error:
        return _inbox_page(visit, inbox, form, refusal_of(error))
    wiring.forget_secrets()
    return visit.go(INBOXES, done="saved")


# Texts


def show_texts(visit: Visit) -> Response:
    return show(visit, "settings/texts.html", TEXTS, inboxes=directory.inboxes(), form=NOTHING, changing="")


def save_texts(visit: Visit, inbox_id: str) -> Response:
    form = visit.form
    try:
        inboxes.change_texts(inbox_id, form.value("signature"), form.value("acknowledgement"), visit.actor, visit.at)
    except InvalidInput as error:
        context: dict[str, Any] = {"inboxes": directory.inboxes(), "form": form, "changing": inbox_id}
        return show(visit, "settings/texts.html", TEXTS, refusal_of(error), **context)
    return visit.go(TEXTS, done="saved")


# The wizard


def show_set_up(visit: Visit, inbox_id: str) -> Response:
    return _set_up_page(visit, _mail_inbox(inbox_id), FINE)


def add_domain(visit: Visit, inbox_id: str) -> Response:
    inbox = _mail_inbox(inbox_id)
    try:
        mail_setup.add_domain(wiring.client("sesv2"), mail_setup.domain_of(inbox))
    except DeskbellError as error:
        return _set_up_page(visit, inbox, refusal_of(error))
    audit.record(visit.actor, "Domain added to SES", mail_setup.domain_of(inbox), visit.at)
    return visit.go(f"{INBOXES}/{inbox_id}/set-up")


def _set_up_page(visit: Visit, inbox: Inbox, refusal: Refusal) -> Response:
    """Everything is looked up while the page is made: "Check again" is a link to itself."""
    ses = wiring.client("sesv2")
    domain, receives_at = mail_setup.domain_of(inbox), mail_setup.receiving_domain(inbox)
    return show(
        visit,
        "settings/inbox_set_up.html",
        INBOXES,
        refusal,
        inbox=inbox,
        domain=mail_setup.look(ses, Resolver(), domain, receives_at, settings().region),
        receives_at=inboxes.receiving_address(inbox),
        forwards="forward_to" in inbox.settings,
        mailbox=inbox.settings.get("mailbox", "other"),
        confirmation=forwarding.gmail_confirmation(inbox),
        received=forwarding.last_received(inbox, visit.at),
        sandbox=mail_setup.sandbox(ses),
        request=mail_setup.production_request(inbox, directory.desk_settings().mail_domain),
        local=settings().local,
        region=settings().region,
    )


def _mail_inbox(inbox_id: str) -> Inbox:
    inbox = directory.inbox(inbox_id)
    if inbox.channel != "email":
        raise NotFound("Only e-mail inboxes need this set-up.")
    return inbox


# Forms


def _form(form: Form, channel: str) -> InboxForm:
    """Raise InvalidInput beside a number that is none."""
    return InboxForm(
        channel=channel,
        name=form.value("name"),
        address=form.value("address"),
        team_id=form.value("team_id"),
        signature=form.value("signature"),
        acknowledgement=form.value("acknowledgement"),
        separated=form.has("separated"),
        active=form.has("active"),
        settings=_given(form, channel, SETTING_FIELDS, inboxes.SETTINGS),
        secrets=_given(form, channel, SECRET_FIELDS, inboxes.SECRETS),
        **{
            "undo_seconds": wiring.channel(channel).capabilities.undo_seconds,
            **{name: _number(form, name) for name in NUMBERS if form.value(name).strip()},
        },
    )


def _given(form: Form, channel: str, names: tuple[str, ...], known: Any) -> dict[str, str]:
    return {name: form.value(name) for name in names if name in known.get(channel, ()) and form.value(name).strip()}


def _number(form: Form, name: str) -> int:
    text = form.value(name).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        low, high = inboxes.RANGES[name]
        raise InvalidInput("The inbox was not saved.", {name: f"Enter a number from {low} to {high}."})
    return int(text)


def _with_forward(wanted: InboxForm) -> InboxForm:
    if wanted.channel != "email":
        return wanted
    typed = wanted.settings.get("forward_to", "")
    forwards = wanted.settings.get("mailbox", "other") != "ses"
    proposed = mail_setup.proposed_forward(wanted.address) if forwards and not typed else typed
    return replace(wanted, settings={**wanted.settings, **({"forward_to": proposed} if proposed else {})})


def _new_page(visit: Visit, channel: str, form: Form, refusal: Refusal) -> Response:
    return show(
        visit,
        "settings/inbox_new.html",
        INBOXES,
        refusal,
        channel=channel,
        form=form,
        teams=_team_choices(),
        mailboxes=MAILBOX_WORDS,
    )


def _inbox_page(visit: Visit, inbox: Inbox, form: Form, refusal: Refusal) -> Response:
    return show(
        visit,
        "settings/inbox.html",
        INBOXES,
        refusal,
        inbox=inbox,
        form=form,
        teams=_team_choices(),
        mailboxes=MAILBOX_WORDS,
    )


def _team_choices() -> list[tuple[str, str]]:
    return [("", "No team"), *((team.id, team.name) for team in directory.teams())]


def _typed(inbox: Inbox) -> Form:
    fields: dict[str, list[str]] = {name: [value] for name, value in inbox.settings.items()}
    fields |= {"name": [inbox.name], "address": [inbox.address], "team_id": [inbox.team_id or ""]}
    fields |= {name: [str(getattr(inbox, name))] for name in NUMBERS}
    for name in ("separated", "active"):
        if getattr(inbox, name):
            fields[name] = ["1"]
    return Form(fields)
