"""Settings of the whole desk."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput
from chalicelib.services import audit, sessions
from chalicelib.store import directory
from chalicelib.store.directory import DeskSettings

DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]")
LOOPBACK = ("127.0.0.1", "localhost")


def change(public_url: str, mail_domain: str, require_totp: bool, actor: Actor, now: datetime) -> DeskSettings:
    """Raise InvalidInput with the sentence beside the field."""
    wanted = DeskSettings(public_url.strip().rstrip("/"), require_totp, mail_domain.strip().lower())
    fields = {}
    if wanted.public_url and not _is_address(wanted.public_url):
        fields["public_url"] = "Enter the address of the console, like https://desk.shop.example, or leave it empty."
    if wanted.mail_domain and not DOMAIN.fullmatch(wanted.mail_domain):
        fields["mail_domain"] = "Enter a domain, like shop.example, or leave it empty."
    if fields:
        raise InvalidInput("The settings were not saved.", fields)
    before = directory.desk_settings()
    if wanted != before:
        directory.save_desk_settings(wanted)
        said = audit.changes(before, wanted, ("public_url", "require_totp", "mail_domain"))
        audit.record(actor, "Desk settings changed", said, now)
    if wanted.require_totp and not before.require_totp:
        _sign_out_without_totp(actor, now)
    return wanted


def _sign_out_without_totp(actor: Actor, now: datetime) -> None:
    """So that it holds at once; whoever turned it on stays to see the result."""
    for agent in directory.agents():
        if not agent.totp and agent.id != actor.id:
            sessions.end_all(agent.id, now)


def _is_address(text: str) -> bool:
    """Links in mails lead there: https, except on the engineer's own machine."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    bare = not (parts.query or parts.fragment or parts.username) and text.isprintable() and " " not in text
    return secure and bare and bool(host)
