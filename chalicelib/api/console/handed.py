"""What the pages of sign-in and settings hand to the services: clients, links, mail, and who asks from where."""

from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from chalicelib import config, wiring
from chalicelib.api.web import Visit
from chalicelib.config import settings
from chalicelib.errors import NotConfigured
from chalicelib.services.password_links import LinkMaker
from chalicelib.services.user_pool import UserPool
from chalicelib.store import directory

SENDER_NAME = "Deskbell"


def user_pool() -> UserPool:
    return UserPool(wiring.client("cognito-idp"))


def source_of(visit: Visit) -> str:
    """The address API Gateway saw; "" when it says none.  Headers are the caller's to write, so they do not count."""
    identity = visit.request.context.get("identity") or {}
    return str(identity.get("sourceIp") or "")


def base_url(visit: Visit) -> str:
    """Where links in mails lead: the desk's own address, else the one this request came by.

    API Gateway answers only to its own names, so the name in its context cannot be forged.
    """
    configured = directory.desk_settings().public_url
    if configured:
        return configured.rstrip("/")
    if settings().local:
        return f"http://{visit.header('host')}{settings().base_path}"
    return f"https://{visit.request.context.get('domainName') or visit.header('host')}{settings().base_path}"


def link_maker(visit: Visit) -> LinkMaker:
    return LinkMaker(wiring.need_secret("reply-key").encode(), f"{base_url(visit)}/password")


def send_system_mail(to: str, subject: str, text: str) -> None:
    """A mail of the desk's own, in the name of its first active mail inbox.

    Raises:
        NotConfigured: there is no such inbox yet.
        Refused, Unclear: as SES says.
    """
    from chalicelib.connectors.email.ses import ses_sender

    sender = next((each for each in directory.inboxes() if each.channel == "email" and each.active), None)
    if sender is None:
        raise NotConfigured("There is no active e-mail inbox to send from yet.")
    mail = EmailMessage()
    mail["From"] = formataddr((SENDER_NAME, sender.address))
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = format_datetime(config.now())
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    send = ses_sender(wiring.client("sesv2"), settings().configuration_set)
    send(sender.address, [to], mail.as_bytes(), {"kind": "system"})
