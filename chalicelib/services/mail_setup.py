"""The inbox wizard: what a domain still needs so that mail goes out trusted and comes in at all.

A shop owner has a mailbox at Google or Microsoft and a DNS page somewhere.  Each record is looked up live and gets a
sentence of its own.  SES is asked as well: it may know a record before the name servers we ask do.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from botocore.exceptions import ClientError

from chalicelib.domain.people import Inbox
from chalicelib.errors import Refused
from chalicelib.services.dns_lookup import Unanswered

Resolve = Callable[[str, str], tuple[str, ...]]
"""(name, "CNAME" | "MX" | "TXT") -> values; () when there is none; raises Unanswered."""

State = Literal["right", "missing", "wrong", "unknown"]
Mailbox = Literal["google", "microsoft", "other", "ses"]

SPF = "v=spf1 include:amazonses.com ~all"
DMARC = "v=DMARC1; p=none"
LOOKUPS_AT_ONCE = 8
HOSTS: Mapping[Mailbox, tuple[str, ...]] = {
    "google": ("google.com", "googlemail.com"),
    "microsoft": ("outlook.com", "mx.microsoft"),
    "ses": ("amazonaws.com",),
}


@dataclass(frozen=True)
class Record:
    """One DNS record.  ``what``: what it is for.  ``found``: what stands there now.  ``sentence``: what to do."""

    what: str
    host: str
    kind: str
    value: str
    state: State
    sentence: str
    found: tuple[str, ...] = ()


@dataclass(frozen=True)
class DomainState:
    """``known``: SES has it.  ``may_send``: SES has proof that it is ours.  ``mailbox``: where its mail goes now."""

    domain: str
    known: bool
    may_send: bool
    mailbox: Mailbox
    records: tuple[Record, ...]

    @property
    def ready(self) -> bool:
        return self.may_send and all(record.state == "right" for record in self.records)


@dataclass(frozen=True)
class Sandbox:
    """How far the account may send.  ``production`` False: only to verified addresses."""

    production: bool
    sending: bool
    mails_a_day: int
    mails_a_second: int
    request: str = ""
    """PENDING, GRANTED, DENIED or FAILED once production was requested."""


def domain_of(inbox: Inbox) -> str:
    return inbox.address.rpartition("@")[2]


def receiving_domain(inbox: Inbox) -> str:
    """Whose MX record must lead to SES."""
    return (inbox.settings.get("forward_to", "") or inbox.address).rpartition("@")[2]


def proposed_forward(address: str) -> str:
    """Where a mailbox that stays where it is should forward to: a part of the domain that is SES's alone."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local}{at}desk.{domain}" if at else ""


def add_domain(sesv2: Any, domain: str) -> None:
    """Make the domain known to SES, with its own MAIL FROM; repeatable.

    Raises:
        Refused: SES does not take it.
    """
    try:
        sesv2.create_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if _code(error) != "AlreadyExistsException":
            raise _refused(error) from error
    try:
        sesv2.put_email_identity_mail_from_attributes(
            EmailIdentity=domain, MailFromDomain=mail_from(domain), BehaviorOnMxFailure="USE_DEFAULT_VALUE"
        )
    except ClientError as error:
        raise _refused(error) from error


def mail_from(domain: str) -> str:
    """Where bounces go; must not be a domain that receives or sends mail of its own."""
    return f"bounce.{domain}"


def look(sesv2: Any, resolve: Resolve, domain: str, receives_at: str, region: str) -> DomainState:
    """Look every record up, all at once."""
    identity = _identity(sesv2, domain)
    questions = [*_dkim_questions(identity, domain), *_other_questions(domain, receives_at)]
    with ThreadPoolExecutor(LOOKUPS_AT_ONCE) as crowd:
        answers = dict(zip(questions, crowd.map(lambda each: _asked(resolve, *each), questions), strict=True))
    records = (
        *_dkim(identity, domain, answers),
        *_mail_from(identity, domain, region, answers),
        _dmarc(domain, answers),
        _receiving(receives_at, region, answers),
    )
    may_send = bool(identity and identity.get("VerifiedForSendingStatus"))
    return DomainState(domain, identity is not None, may_send, _mailbox(answers.get((domain, "MX"))), records)


def sandbox(sesv2: Any) -> Sandbox:
    """Whether the account may write to everybody."""
    try:
        account = sesv2.get_account()
    except ClientError as error:
        raise _refused(error) from error
    quota = account.get("SendQuota", {})
    review = account.get("Details", {}).get("ReviewDetails", {})
    return Sandbox(
        bool(account.get("ProductionAccessEnabled")),
        bool(account.get("SendingEnabled", True)),
        int(quota.get("Max24HourSend", 0)),
        int(quota.get("MaxSendRate", 0)),
        str(review.get("Status", "")),
    )


def production_request(inbox: Inbox, shop_url: str) -> str:
    """The text for SES's "Request production access" form."""
    domain = domain_of(inbox)
    return (
        f"We run the online shop {shop_url or domain} and answer our customers' questions by e-mail.\n\n"
        f"What we send: answers of our support team, one by one, from {inbox.address}, to customers who wrote to us "
        "first, and at most one acknowledgement that their message arrived. No newsletters, no marketing, no bought "
        "addresses.\n\n"
        "Recipients: only people who wrote to us, so there is no list to sign off from.\n\n"
        "Bounces and complaints: a configuration set publishes them to SNS; our help desk marks the address, shows "
        "it to the agent and does not write there again. The account's suppression list is on.\n\n"
        f"The domain {domain} is verified with DKIM, a MAIL FROM domain and a DMARC record."
    )


# Asking


def _identity(sesv2: Any, domain: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = sesv2.get_email_identity(EmailIdentity=domain)
    except ClientError as error:
        if _code(error) == "NotFoundException":
            return None
        raise _refused(error) from error
    return found


def _asked(resolve: Resolve, name: str, kind: str) -> tuple[str, ...] | None:
    """None when no name server answered."""
    try:
        return resolve(name, kind)
    except Unanswered:
        return None


Answers = Mapping[tuple[str, str], tuple[str, ...] | None]


def _dkim_tokens(identity: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple((identity or {}).get("DkimAttributes", {}).get("Tokens", ()))


def _dkim_questions(identity: Mapping[str, Any] | None, domain: str) -> list[tuple[str, str]]:
    return [(f"{token}._domainkey.{domain}", "CNAME") for token in _dkim_tokens(identity)]


def _other_questions(domain: str, receives_at: str) -> list[tuple[str, str]]:
    wanted = [
        (mail_from(domain), "MX"), (mail_from(domain), "TXT"), (f"_dmarc.{domain}", "TXT"), (domain, "MX"),
        (receives_at, "MX"),
    ]  # fmt: skip
    return list(dict.fromkeys(wanted))


# Reading


def _dkim(identity: Mapping[str, Any] | None, domain: str, answers: Answers) -> Sequence[Record]:
    attributes = (identity or {}).get("DkimAttributes", {})
    zone = attributes.get("SigningHostedZone") or "dkim.amazonses.com"
    proven = attributes.get("Status") == "SUCCESS"
    records = []
    for token in _dkim_tokens(identity):
        host, wanted = f"{token}._domainkey.{domain}", f"{token}.{zone}"
        found = answers[(host, "CNAME")]
        state = "right" if proven and not found else _state(found, partial(_holds, wanted))
        sentence = {
            "right": "Mail is signed in your name.",
            "missing": "Add this record at your DNS provider.",
            "wrong": "Something else stands here. Replace it by this value.",
            "unknown": NO_ANSWER,
        }[state]
        records.append(Record("DKIM signature", host, "CNAME", wanted, state, sentence, found or ()))
    return records


NO_ANSWER = "The name servers did not answer. Try again in a minute."


def _mail_from(identity: Mapping[str, Any] | None, domain: str, region: str, answers: Answers) -> tuple[Record, Record]:
    host = mail_from(domain)
    server = f"feedback-smtp.{region}.amazonses.com"
    proven = (identity or {}).get("MailFromAttributes", {}).get("MailFromDomainStatus") == "SUCCESS"
    mx, txt = answers[(host, "MX")], answers[(host, "TXT")]
    mx_state = "right" if proven and not mx else _state(mx, lambda values: [_server(v) for v in values] == [server])
    mx_sentence = {
        "right": "Bounces come back to SES.",
        "missing": "Add this record, so that bounces come back to SES.",
        "wrong": "SES wants exactly this one MX record here and no other.",
        "unknown": NO_ANSWER,
    }[mx_state]
    spf = tuple(value for value in txt or () if value.lower().startswith("v=spf1"))
    spf_state: State = "unknown" if txt is None else _state(spf, _allows_ses)
    spf_sentence = {
        "right": "SPF allows SES to send for you.",
        "missing": "Add this record. It stands beside your own SPF record and does not touch it.",
        "wrong": "There must be exactly one SPF record here, and it must include amazonses.com.",
        "unknown": NO_ANSWER,
    }[spf_state]
    return (
        Record("MAIL FROM", host, "MX", f"10 {server}", mx_state, mx_sentence, mx or ()),
        Record("SPF", host, "TXT", SPF, spf_state, spf_sentence, spf),
    )


def _holds(wanted: str, values: tuple[str, ...]) -> bool:
    return wanted in values


def _allows_ses(values: tuple[str, ...]) -> bool:
    return len(values) == 1 and "include:amazonses.com" in values[0].lower().split()


def _dmarc(domain: str, answers: Answers) -> Record:
    host = f"_dmarc.{domain}"
    txt = answers[(host, "TXT")]
    found = tuple(value for value in txt or () if value.replace(" ", "").lower().startswith("v=dmarc1"))
    state: State = "unknown" if txt is None else _state(found, lambda values: len(values) == 1)
    sentence = {
        "right": "Receivers know what to do with mail that only pretends to be yours.",
        "missing": "Add this record. It asks for nothing yet; Google and Microsoft want to see that it is there.",
        "wrong": "There are several DMARC records, so receivers ignore all of them. Keep one.",
        "unknown": NO_ANSWER,
    }[state]
    return Record("DMARC", host, "TXT", DMARC, state, sentence, found)


def _receiving(receives_at: str, region: str, answers: Answers) -> Record:
    server = f"inbound-smtp.{region}.amazonaws.com"
    mx = answers[(receives_at, "MX")]
    state = _state(mx, lambda values: {_server(value) for value in values} == {server})
    sentence = {
        "right": "Mail for this domain comes to the desk.",
        "missing": "Add this record, so that mail for this domain comes to the desk.",
        "wrong": (
            "Mail for this domain goes elsewhere now. If people read mail there, leave it as it is and forward to the "
            "desk instead; otherwise replace it by this value."
        ),
        "unknown": NO_ANSWER,
    }[state]
    return Record("Receiving", receives_at, "MX", f"10 {server}", state, sentence, mx or ())


def _state(found: tuple[str, ...] | None, is_right: Callable[[tuple[str, ...]], bool]) -> State:
    if found is None:
        return "unknown"
    if not found:
        return "missing"
    return "right" if is_right(found) else "wrong"


def _server(mx: str) -> str:
    """``10 mail.shop.example`` without its preference."""
    return mx.rpartition(" ")[2].rstrip(".").lower()


def _mailbox(mx: tuple[str, ...] | None) -> Mailbox:
    for name, endings in HOSTS.items():
        if any(_server(each).endswith(ending) for each in mx or () for ending in endings):
            return name
    return "other"


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: ClientError) -> Refused:
    said = " ".join(str(error.response.get("Error", {}).get("Message", "")).split()) or _code(error)
    return Refused(f"SES says: {said}", retry_after_seconds=None)
