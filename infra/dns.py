"""Which DNS records mail still wants, by what SES knows."""

from collections.abc import Iterator
from typing import Any

SANDBOX = (
    "SES: this account is in the sandbox: it sends 200 mails a day, and only to verified addresses. "
    "Ask for production access in the SES console; the inbox wizard has the text."
)


def missing_records(sesv2: Any, region: str) -> Iterator[str]:
    """Lines to print: each record that is missing, and whether the account is still in the sandbox."""
    if not sesv2.get_account().get("ProductionAccessEnabled"):
        yield SANDBOX
    domains = [each["IdentityName"] for each in _identities(sesv2) if each["IdentityType"] == "DOMAIN"]
    if not domains:
        yield "DNS: SES knows no domain of yours yet. The inbox wizard in Settings adds it and shows its records."
    for domain in domains:
        yield from _records_of(domain, sesv2.get_email_identity(EmailIdentity=domain), region)


def _identities(sesv2: Any) -> Iterator[Any]:
    page = sesv2.list_email_identities()
    yield from page.get("EmailIdentities", ())
    while page.get("NextToken"):
        page = sesv2.list_email_identities(NextToken=page["NextToken"])
        yield from page.get("EmailIdentities", ())


def _records_of(domain: str, identity: Any, region: str) -> Iterator[str]:
    dkim = identity.get("DkimAttributes", {})
    if dkim.get("Status") != "SUCCESS":
        for token in dkim.get("Tokens", ()):
            yield f"DNS: {token}._domainkey.{domain}  CNAME  {token}.dkim.amazonses.com"
    mail_from = identity.get("MailFromAttributes", {})
    if mail_from.get("MailFromDomainStatus") != "SUCCESS":
        sender = mail_from.get("MailFromDomain") or f"bounce.{domain}"
        yield f"DNS: {sender}  MX  10 feedback-smtp.{region}.amazonses.com"
        yield f'DNS: {sender}  TXT  "v=spf1 include:amazonses.com ~all"'
    yield f'DNS: _dmarc.{domain}  TXT  "v=DMARC1; p=none"  (SES does not look; leave a stricter one as it is)'
    yield (
        f"DNS: {domain}  MX  10 inbound-smtp.{region}.amazonaws.com  "
        "(only if all mail of the domain comes to the desk; otherwise forward, as the inbox wizard shows)"
    )
