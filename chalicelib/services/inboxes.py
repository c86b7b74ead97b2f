"""Configured accounts of the channels: made, changed, deactivated; whole or not at all.

What must fit together lies in four places: the table (inbox and the claim on each of its addresses), SSM (secrets),
SES (who mail is taken for) and the provider (where it sends its webhooks).  The table is written in the middle; what
fails behind it is undone before the answer.
"""

import secrets as randomness
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.config import settings
from chalicelib.domain.moments import random_id
from chalicelib.domain.people import Actor, Inbox
from chalicelib.errors import DeskbellError, InvalidInput, Refused, Unclear
from chalicelib.services import audit, outside
from chalicelib.services.agents import is_email
from chalicelib.services.inbox_secrets import InboxSecrets
from chalicelib.services.receipt_rule import ReceiptRule
from chalicelib.store import directory, documents
from chalicelib.store.directory import AddressOf
from chalicelib.store.transaction import Lost

MAX_NAME_CHARS = 60
MAX_TEXT_CHARS = 4000
MAX_SETTING_CHARS = 2000
RANGES = {"reopen_days": (0, 365), "undo_seconds": (0, 60), "sends_per_minute": (1, 1000)}
FREE_MAIL = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com", "yahoo.com", "aol.com",
        "icloud.com", "me.com", "gmx.de", "gmx.net", "gmx.com", "web.de", "t-online.de", "mail.ru", "yandex.ru",
        "proton.me", "protonmail.com", "qq.com", "163.com",
    }
)  # fmt: skip
SETTINGS: Mapping[str, frozenset[str]] = {
    "email": frozenset({"forward_to", "form_senders", "language", "mailbox"}),
    "telegram": frozenset({"base_url", "language"}),
}
SECRETS: Mapping[str, frozenset[str]] = {"email": frozenset(), "telegram": frozenset({"bot_token"})}
TOKEN_AGAIN = "Enter the bot's token again: another server gets only what is typed for it."  # noqa: S105 - a sentence
WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - its name
AUDITED = (
    "address", "name", "team_id", "signature", "acknowledgement", "separated", "reopen_days", "undo_seconds",
    "sends_per_minute", "active", "settings",
)  # fmt: skip


@dataclass(frozen=True)
class InboxForm:
    """What an admin fills in.

    address: not for channels that tell it themselves (a bot's name).  settings: see SETTINGS.
    secrets: see SECRETS; on a change an empty one keeps what is there.
    """

    channel: str
    name: str
    address: str = ""
    team_id: str = ""
    signature: str = ""
    acknowledgement: str = ""
    separated: bool = False
    reopen_days: int = 30
    undo_seconds: int = 10
    sends_per_minute: int = 120
    active: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Provider:
    """What we ask the company behind a channel, as the edge makes it of the channel's connector.

    look: our own address there, by the secrets; changes nothing.  Raises Refused or Unclear.
    announce: tell it where its webhooks go, with our new webhook secret among the secrets.
    """

    look: Callable[[Mapping[str, str]], str]
    announce: Callable[[Inbox, Mapping[str, str]], None]


@dataclass(frozen=True)
class Tools:
    """Handed in by the edge.  ``receiving`` None: mail is taken for every inbox anyway (locally)."""

    secrets: InboxSecrets
    receiving: ReceiptRule | None
    providers: Mapping[str, Provider] = field(default_factory=dict)


def create(form: InboxForm, tools: Tools, actor: Actor, now: datetime) -> Inbox:
    """Add an inbox.

    Raises:
        InvalidInput: with the sentence beside the field; nothing was written.
        DeskbellError: SES or the provider did not go along; what was written has been undone.
    """
    _check(form, new=True)
    inbox = _as_inbox(form, random_id("in", randomness.token_bytes(7)), _looked_up(form, tools))
    values = _with_webhook_secret(form)
    tools.secrets.put(inbox.id, values)
    try:
        _save(inbox, None)
        _or_undo(lambda: _tell_others(inbox, values, tools), undo=lambda: _remove(inbox))
    except DeskbellError:
        tools.secrets.delete(inbox.id, values)
        raise
    audit.record(actor, "Inbox created", f"{inbox.name} ({inbox.channel}, {inbox.address})", now)
    return inbox


def change(inbox_id: str, form: InboxForm, tools: Tools, actor: Actor, now: datetime) -> Inbox:
    """Change an inbox; the same errors as ``create``."""
    before = directory.inbox(inbox_id)
    form = replace(form, channel=before.channel)
    _check(form, new=False)
    _check_server(form, before)
    values = _with_webhook_secret(form)
    address = _looked_up(form, tools) if values else form.address or before.address
    after = _as_inbox(form, inbox_id, address)
    if after != before:
        _save(after, before)
        _or_undo(lambda: _tell_others(after, values, tools), undo=lambda: _save(before, after))
    elif values:
        _tell_others(after, values, tools)
    tools.secrets.put(inbox_id, values)
    said = audit.changes(before, after, AUDITED) + ("; new secrets" if values else "")
    if said:
        audit.record(actor, "Inbox changed", f"{after.name}: {said.removeprefix('; ')}", now)
    return after


def change_texts(inbox_id: str, signature: str, acknowledgement: str, actor: Actor, now: datetime) -> Inbox:
    """Change only what an inbox writes under replies and answers by itself."""
    before = directory.inbox(inbox_id)
    fields = _too_long({"signature": signature, "acknowledgement": acknowledgement})
    if fields:
        raise InvalidInput("The texts were not saved.", fields)
    after = replace(before, signature=_clean(signature), acknowledgement=_clean(acknowledgement))
    if after != before:
        directory.save_inbox(after, before)
        said = audit.changes(before, after, ("signature", "acknowledgement"))
        audit.record(actor, "Inbox texts changed", f"{after.name}: {said}", now)
    return after


def form_of(inbox: Inbox) -> InboxForm:
    """The form as it stands, to change a part of it."""
    return InboxForm(
        inbox.channel, inbox.name, inbox.address, inbox.team_id or "", inbox.signature, inbox.acknowledgement,
        inbox.separated, inbox.reopen_days, inbox.undo_seconds, inbox.sends_per_minute, inbox.active,
        dict(inbox.settings),
    )  # fmt: skip


def receiving_address(inbox: Inbox) -> str:
    """Where SES takes this inbox's mail: its own address, or the one its mailbox forwards to."""
    return (inbox.settings.get("forward_to", "") or inbox.address).lower()


def receiving_addresses(but: Inbox | None = None) -> tuple[str, ...]:
    """Of all active e-mail inboxes, with ``but`` as it is about to be."""
    known = {inbox.id: inbox for inbox in directory.inboxes()}
    if but is not None:
        known[but.id] = but
    return tuple(receiving_address(each) for each in known.values() if each.channel == "email" and each.active)


# Checks


def _check(form: InboxForm, new: bool) -> None:
    fields = _too_long({"signature": form.signature, "acknowledgement": form.acknowledgement})
    if form.channel not in SETTINGS:
        fields["channel"] = f"Choose one of: {', '.join(SETTINGS)}."
        raise InvalidInput("The inbox was not saved.", fields)
    name = " ".join(form.name.split())
    if not name or len(name) > MAX_NAME_CHARS:
        fields["name"] = f"Enter a name of 1 to {MAX_NAME_CHARS} characters, say “Support”."
    if form.team_id and form.team_id not in {team.id for team in directory.teams()}:
        fields["team_id"] = "This team is gone. Choose again."
    for number, (low, high) in RANGES.items():
        if not low <= getattr(form, number) <= high:
            fields[number] = f"Enter a number from {low} to {high}."
    fields |= _settings_faults(form)
    if form.channel == "email":
        fields |= _mail_faults(form)
    for secret in SECRETS[form.channel] if new else ():
        if not form.secrets.get(secret, "").strip():
            fields[secret] = "This is needed to reach the provider."
    if fields:
        raise InvalidInput("The inbox was not saved.", fields)


def _settings_faults(form: InboxForm) -> dict[str, str]:
    unknown = {*form.settings, *form.secrets} - SETTINGS[form.channel] - SECRETS[form.channel]
    fields = dict.fromkeys(unknown, "There is no such setting for this channel.")
    server = form.settings.get("base_url", "").strip()
    fault = outside.fault(server, settings().local) if server else ""
    if fault:
        fields["base_url"] = fault
    return fields | {
        name: f"Use at most {MAX_SETTING_CHARS} characters."
        for name, value in form.settings.items()
        if len(value) > MAX_SETTING_CHARS
    }


def _check_server(form: InboxForm, before: Inbox) -> None:
    """Who names another server types the bot's token again: else the kept one would be sent to whoever was named."""
    changed = form.settings.get("base_url", "").strip() != before.settings.get("base_url", "")
    fields = {} if form.secrets.get("bot_token", "").strip() else {"bot_token": TOKEN_AGAIN}
    if changed and fields:
        raise InvalidInput("The inbox was not saved.", fields)


def _mail_faults(form: InboxForm) -> dict[str, str]:
    fields = {}
    address = form.address.strip().lower()
    if not is_email(address):
        fields["address"] = "Enter the whole address that your customers write to, like support@shop.example."
    elif address.rpartition("@")[2] in FREE_MAIL:
        domain = address.rpartition("@")[2]
        fields["address"] = (
            f"Mail in the name of {domain} needs DNS records at {domain}, which only its owner can set. "
            "Use an address at a domain of your own."
        )
    forward_to = form.settings.get("forward_to", "").strip().lower()
    if forward_to and not is_email(forward_to):
        fields["forward_to"] = "Enter a whole address, like support@desk.shop.example."
    elif forward_to and forward_to == address:
        fields["forward_to"] = "This is the same address. Leave it empty when SES takes this address's mail itself."
    senders = form.settings.get("form_senders", "").replace(",", " ").split()
    if any(not is_email(sender.lower()) for sender in senders):
        fields["form_senders"] = "Enter whole mail addresses, one a line."
    return fields


def _too_long(texts: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"Use at most {MAX_TEXT_CHARS} characters." for name, text in texts.items() if len(text) > MAX_TEXT_CHARS
    }


def _clean(text: str) -> str:
    return text.replace("\r\n", "\n").strip("\n")


def _looked_up(form: InboxForm, tools: Tools) -> str:
    """The inbox's address: typed, or as the provider says."""
    provider = tools.providers.get(form.channel)
    if provider is None:
        return form.address.strip().lower()
    try:
        return provider.look({name: value.strip() for name, value in form.secrets.items()})
    except (Refused, Unclear) as error:
        field_name = min(SECRETS[form.channel])
        sentence = f"The provider did not accept this: {error.message}"
        raise InvalidInput("The inbox was not saved.", {field_name: sentence}) from error


def _as_inbox(form: InboxForm, inbox_id: str, address: str) -> Inbox:
    kept = {name: value.strip() for name, value in form.settings.items() if value.strip()}
    if "forward_to" in kept:
        kept["forward_to"] = kept["forward_to"].lower()
    if "language" in kept:
        kept["language"] = " ".join(kept["language"].lower().split())
    if "form_senders" in kept:
        kept["form_senders"] = " ".join(kept["form_senders"].lower().replace(",", " ").split())
    return Inbox(
        inbox_id, form.channel, address.strip().lower(), " ".join(form.name.split()), form.team_id or None,
        _clean(form.signature), _clean(form.acknowledgement), form.separated, form.reopen_days, form.undo_seconds,
        form.sends_per_minute, form.active, kept,
    )  # fmt: skip


def _with_webhook_secret(form: InboxForm) -> dict[str, str]:
    """The secrets that were filled in; with a new account of a webhook channel comes a new secret of ours."""
    values = {name: value.strip() for name, value in form.secrets.items() if value.strip()}
    return {**values, WEBHOOK_SECRET: randomness.token_urlsafe(32)} if values else {}


# Writing


def _save(inbox: Inbox, before: Inbox | None) -> None:
    """Inbox and claims on its addresses; raises InvalidInput beside the address that another inbox has."""
    old_forward = before.settings.get("forward_to", "") if before else ""
    forward = inbox.settings.get("forward_to", "")
    if forward and forward != old_forward:
        _claim(forward, inbox.id)
    if old_forward and old_forward != forward:
        _release(old_forward)  # first: it may be the new address
    try:
        directory.save_inbox(inbox, before)
    except Lost as lost:
        if forward and forward != old_forward:
            _release(forward)
        if old_forward and old_forward != forward:
            _claim(old_forward, inbox.id)
        if "address" not in lost.labels:
            raise
        raise InvalidInput("The inbox was not saved.", {"address": _taken(inbox.address)}) from lost
    if before is not None and forward == before.address != inbox.address:
        _claim(forward, inbox.id)  # saving has let go of what was the address until now


def _claim(address: str, inbox_id: str) -> None:
    if documents.write_new(f"ADDRESS#{address}", "ADDRESS", AddressOf(inbox_id)):
        return
    holder = directory.inbox_at(address)
    if holder is not None and holder.id != inbox_id:
        raise InvalidInput("The inbox was not saved.", {"forward_to": _taken(address)})
    documents.write(f"ADDRESS#{address}", "ADDRESS", AddressOf(inbox_id))  # left by one that was never finished


def _release(address: str) -> None:
    documents.delete(f"ADDRESS#{address}", "ADDRESS")


def _remove(inbox: Inbox) -> None:
    for address in (inbox.address, inbox.settings.get("forward_to", "")):
        if address:
            _release(address)
    documents.delete("INBOXES", inbox.id)


def _taken(address: str) -> str:
    holder = directory.inbox_at(address)
    name = f"the inbox “{holder.name}”" if holder else "another inbox"
    return f"{address} belongs to {name} already. Change that one, or choose another address."


def _tell_others(inbox: Inbox, values: Mapping[str, str], tools: Tools) -> None:
    """SES and the provider follow."""
    if inbox.channel == "email" and tools.receiving is not None:
        tools.receiving.take_mail_for(receiving_addresses(inbox))
    provider = tools.providers.get(inbox.channel)
    if provider is not None and values:
        provider.announce(inbox, values)


def _or_undo(act: Callable[[], None], undo: Callable[[], None]) -> None:
    try:
        act()
    except DeskbellError:
        undo()
        raise
