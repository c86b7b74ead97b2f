"""How the answers of real mail programs find their ticket, and how unrelated mail does not.

Each fixture is the headers such a program writes when it answers our mail.  What we had stored: our mail under the id
SES gave it and under our own, the customer's first mail, the customer and a colleague in Cc as participants.
"""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from chalicelib.connectors.email.addresses import message_key, ses_key
from chalicelib.domain.message import Inbound
from chalicelib.domain.threading import Candidate, Join, New, decide
from chalicelib.domain.ticket import Ticket
from tests.connectors.email.desk import AT, INBOX, SES_ID, SIGNED, parsed, raw

SES_MESSAGE_ID = f"<{SES_ID}@eu-west-1.amazonses.com>"
FIRST_MAIL = "<CAF1x9-7700@mail.example.com>"
STORED = {ses_key(SES_ID), message_key("<m01jd3n0aa1.t42@shop.example>"), message_key(FIRST_MAIL)}
TICKET = Ticket(
    id="1042", subject="Where is my order?", status="pending", priority="normal", inbox_id="support", channel="email",
    customer_id="c1", customer_name="Lina", customer_handle="lina@customer.example", created_at=AT - timedelta(days=2),
    updated_at=AT - timedelta(hours=3), version=1,
    participants=("lina@customer.example", "ben@customer.example", "support@shop.example", "queue@jira.example"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    headers: str
    recipients: str = "support@shop.example"
    sender: str = "Lina Meyer <lina@customer.example>"
    dmarc: str = "PASS"

    def read(self) -> Inbound:
        mail = raw(f"From: {self.sender}\n{self.headers.strip()}")
        return parsed(mail, recipients=self.recipients, dmarc=self.dmarc, dmarc_policy="none")


def decided(mail: Inbound) -> Join | New:
    """As intake asks: token, then stored keys in order, then the number."""
    found = [Candidate("token", TICKET)] if mail.ticket_token == TICKET.id else []
    found += [Candidate("reference", TICKET) for key in mail.thread_keys if key in STORED]
    found += [Candidate("number", TICKET)] if mail.number_in_subject == TICKET.id else []
    return decide(mail, found, INBOX, AT)


JOINING = {
    "gmail": Case(
        f"""To: Support <{SIGNED}>
Subject: Re: Where is my order?
In-Reply-To: {SES_MESSAGE_ID}
References: {FIRST_MAIL} {SES_MESSAGE_ID}
Message-ID: <CAKx8f+q=abc@mail.gmail.com>""",
        SIGNED,
    ),
    "outlook.com": Case(
        f"""To: Support <support@shop.example>
Subject: AW: Where is my order?
Thread-Topic: Where is my order?
Thread-Index: AdxZ1W3d8a0l7m2lSyqyC0f0y9f4bQAAAAIA
In-Reply-To: {SES_MESSAGE_ID}
References: {FIRST_MAIL},
 {SES_MESSAGE_ID}
Message-ID: <AM0PR01MB1234ABCDEF@AM0PR01MB1234.eurprd01.prod.exchangelabs.com>"""
    ),
    "exchange that keeps only In-Reply-To": Case(
        f"""To: support@shop.example
Subject: RE: Where is my order?
In-Reply-To: {SES_MESSAGE_ID}
Message-ID: <1@exchange.customer.example>"""
    ),
    "apple mail": Case(
        f"""To: support@shop.example
Subject: Re: Where is my order?
References: {FIRST_MAIL}
 {SES_MESSAGE_ID}
In-Reply-To: {SES_MESSAGE_ID}
Message-Id: <6A1B2C3D-1111-4222-8333-ABCDEFABCDEF@customer.example>
X-Mailer: Apple Mail (2.3826)"""
    ),
    "icloud, ids in another case": Case(
        f"""To: support@shop.example
Subject: Re: Where is my order?
In-Reply-To: <{SES_ID.upper()}@EU-WEST-1.AMAZONSES.COM>
Message-Id: <X@icloud.com>"""
    ),
    "yahoo, references without In-Reply-To": Case(
        f"""To: support@shop.example
Subject: Re: Where is my order?
References: {FIRST_MAIL} <1795200300.1234567@mail.yahoo.com>
Message-ID: <1795200301.7654321@mail.yahoo.com>"""
    ),
    "us-east-1, the other domain of SES": Case(
        f"""To: support@shop.example
Subject: Re: Where is my order?
In-Reply-To: <{SES_ID}@email.amazonses.com>"""
    ),
    "thunderbird": Case(
        f"""To: {SIGNED}
Subject: Re: Where is my order?
References: {FIRST_MAIL}\t{SES_MESSAGE_ID}
In-Reply-To: {SES_MESSAGE_ID}
User-Agent: Mozilla Thunderbird""",
        SIGNED,
    ),
    "a client that forgets the angles": Case(
        f"To: support@shop.example\nSubject: Re: Where is my order?\nIn-Reply-To: {SES_MESSAGE_ID.strip('<>')}"
    ),
    "a sentence in In-Reply-To": Case(
        f"""To: support@shop.example
Subject: Re: Where is my order?
In-Reply-To: Your message of "Fri, 20 Nov 2026" {SES_MESSAGE_ID}"""
    ),
    "no references at all, plus-address only": Case(f"To: {SIGNED}\nSubject: another subject", SIGNED),
    "plus-address upper-cased on its way": Case(f"To: {SIGNED.upper()}\nSubject: x", SIGNED.upper()),
    "blind copy: the token stands in the envelope alone": Case("To: undisclosed-recipients:;\nSubject: x", SIGNED),
    "forwarded mailbox: the token stands in Delivered-To": Case(
        f"Delivered-To: {SIGNED}\nTo: support@merchant.example\nSubject: x"
    ),
    "subject number only": Case("To: support@shop.example\nSubject: Once more about [#1042]"),
    "an answer to our automatic answer": Case(
        f"""To: {SIGNED}
Subject: Re: Re: Where is my order?
In-Reply-To: <m01jd3n0aa1.t42@shop.example>"""
    ),
    "somebody who stood in Cc": Case(
        f"To: lina@customer.example\nCc: support@shop.example\nSubject: Re: x\nIn-Reply-To: {SES_MESSAGE_ID}",
        sender="Ben <BEN@customer.example>",
    ),
    "jira, which took part": Case(
        f"""To: support@shop.example
Subject: [JIRA] (SHOP-7) Where is my order?
In-Reply-To: {SES_MESSAGE_ID}
References: <JIRA.1.2.1795200300000@Atlassian.JIRA> {FIRST_MAIL}
Message-ID: <JIRA.1.2.1795200300000.3@Atlassian.JIRA>""",
        sender="Queue <queue@jira.example>",
    ),
    "sixty references": Case(
        f"""To: support@shop.example
Subject: Re: x
References: {FIRST_MAIL} {" ".join(f"<{n}@elsewhere.example>" for n in range(30))}"""
    ),
}


@pytest.mark.parametrize("name", JOINING)
def test_an_answer_joins_its_ticket(name: str) -> None:
    assert decided(JOINING[name].read()) == Join("1042", wakes=True)


def test_an_away_message_joins_and_wakes_nothing() -> None:
    away = Case(
        f"To: {SIGNED}\nSubject: Automatic reply: Order\nAuto-Submitted: auto-replied\nIn-Reply-To: {SES_MESSAGE_ID}",
        SIGNED,
    )
    assert decided(away.read()) == Join("1042", wakes=False)


STRANGERS = {
    "a forwarded mail answered by somebody else": Case(
        f"To: {SIGNED}\nSubject: Fwd: Where is my order?\nIn-Reply-To: {SES_MESSAGE_ID}",
        SIGNED, "Mallory <mallory@evil.example>",
    ),
    "a guessed number": Case("To: support@shop.example\nSubject: [#1042]", sender="mallory@evil.example"),
    "a reader of our newsletter": Case(
        f"To: support@shop.example\nSubject: Re: Winter\nIn-Reply-To: {SES_MESSAGE_ID}", sender="reader7@example.net"
    ),
    "a name that only looks like the customer": Case(
        f"To: {SIGNED}\nSubject: x", SIGNED, '"lina@customer.example" <mallory@evil.example>'
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGERS)
def test_a_stranger_opens_a_linked_flagged_ticket(name: str) -> None:
    mail = STRANGERS[name].read()
    assert decided(mail) == New("1042", f"{mail.sender.address} never took part in ticket 1042.", "stranger")


FORGED = {
    "a forger where the customer's domain asks for nothing": Case(
        "To: support@shop.example\nSubject: [#1042]", dmarc="FAIL"
    ),
    "a forger where the customer's domain says nothing": Case(
        "To: support@shop.example\nSubject: [#1042]", dmarc="GRAY"
    ),
    "a form that names the customer": Case(
        "To: support@shop.example\nReply-To: lina@customer.example\nSubject: [#1042]", sender="support@shop.example"
    ),
    "a group that names the customer": Case(
        "To: support@shop.example\nX-Original-From: lina@customer.example\nSubject: [#1042]",
        sender="support@shop.example",
    ),
}


@pytest.mark.parametrize("name", FORGED)
def test_who_only_claims_to_be_the_customer_joins_by_no_number(name: str) -> None:
    mail = FORGED[name].read()
    assert mail.sender.address == "lina@customer.example"
    decision = decided(mail)
    assert isinstance(decision, New)
    assert (decision.linked_to, decision.reason) == ("1042", "unproven")


NEW = {
    "an equal subject": Case("To: support@shop.example\nSubject: Re: Where is my order?"),
    "references to somebody else's mails": Case(
        "To: support@shop.example\nIn-Reply-To: <1@elsewhere.example>\nReferences: <2@elsewhere.example>"
    ),
    "a token with a wrong signature": Case("To: support@shop.example\nSubject: x", SIGNED.replace("1042", "1043")),
    "a token of another stage": Case("To: support@shop.example\nSubject: x", SIGNED.replace("t42", "t43")),
    "an answer to the mail itself": Case(
        "To: support@shop.example\nMessage-ID: <s@c.example>\nReferences: <s@c.example>"
    ),
}


@pytest.mark.parametrize("name", NEW)
def test_without_evidence_it_is_a_new_ticket(name: str) -> None:
    assert decided(NEW[name].read()) == New()
