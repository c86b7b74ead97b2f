"""Away messages, complaints, lists, and people's mail that only looks automatic."""

from .bounces import OURS, PLAIN_NOTICES
from .build import composed, part, plain, text_mail, word
from .case import Case
from .languages import LANGUAGES


def encoded(subject: str) -> str:
    return f"Subject: {subject}" if subject.isascii() else f"Subject: {word(subject)}"


def complaint(feedback: str, original: str = "message/rfc822", sender: str = "feedback@isp.example") -> bytes:
    return composed(
        "report",
        part("text/plain", b"This is an email abuse report for a message received.\r\n"),
        part("message/feedback-report", feedback.replace("\n", "\r\n")),
        part(original, OURS.replace("\n", "\r\n")),
        headers=(f"From: <{sender}>", "Subject: FW: Your order"),
        extra="; report-type=feedback-report",
    )


MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Auto-Submitted: auto-replied", ("Subject: I am away", "Auto-Submitted: auto-replied")),
    ("Auto-Submitted: auto-generated", ("Subject: Your parcel", "Auto-Submitted: auto-generated")),
    ("Auto-Submitted with a parameter", ("Subject: Hi", 'Auto-Submitted: auto-replied; owner-email="a@b.example"')),
    ("X-Autoreply", ("Subject: Re: Your order", "X-Autoreply: yes")),
    ("X-Autorespond", ("Subject: Re: Your order", "X-Autorespond: Re: Your order")),
    ("X-Autoresponder", ("Subject: Re: Your order", "X-Autoresponder: vacation")),
    ("Precedence: auto_reply", ("Subject: Re: Your order", "Precedence: auto_reply")),
    (
        "X-Auto-Response-Suppress and an away subject",
        ("Subject: Out of Office: Re: Your order", "X-Auto-Response-Suppress: All"),
    ),
    ("X-POST-MessageClass", ("Subject: Re: Your order", "X-POST-MessageClass: 9; Autoresponder")),
    ("read receipt", ("Subject: Read: Your order", "Auto-Submitted: auto-replied")),
)

LIST_MARKS: tuple[tuple[str, str], ...] = (
    ("List-Id", "List-Id: Mug lovers <mugs.lists.example>"),
    ("List-Unsubscribe", "List-Unsubscribe: <https://lists.example/u>"),
    ("Precedence: list", "Precedence: list"),
    ("Precedence: bulk", "Precedence: bulk"),
    ("Precedence: junk", "Precedence: junk"),
    ("Feedback-ID", "Feedback-ID: 123:campaign:esp"),
    ("List-Post", "List-Post: <mailto:mugs@lists.example>"),
)

# (what it looks like, headers, text); all by people, all may get an automatic answer unless the headers forbid it
PEOPLE: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "forwards a bounce",
        ("Subject: Fwd: Undelivered Mail Returned to Sender",),
        "Your address does not work, see:\n\n---------- Forwarded message ---------\nFrom: Mail Delivery System "
        "<MAILER-DAEMON@mx.example.com>\nSubject: Undelivered Mail Returned to Sender\n\n" + PLAIN_NOTICES[0][3],
    ),
    ("answers a bounce", ("Subject: Re: Undeliverable: Your order",), "Why did this happen?\n\n> delivery failed\n"),
    (
        "reports a delivery failure of a parcel",
        ("Subject: Delivery failed",),
        "The courier wrote that delivery failed. Can you send it again?\n",
    ),
    ("asks about returned mail", ("Subject: Returned mail",), "My parcel was returned to sender. What now?\n"),
    ("asks for an office chair", ("Subject: Out of office chairs - when back in stock?",), "Just asking.\n"),
    ("asks for an automatic machine", ("Subject: Automatic coffee machine",), "Do you sell one?\n"),
    (
        "postmaster of a customer",
        ("From: Postmaster <postmaster@customer.example>", "Subject: Invoice 77"),
        "Please send us invoice 77 again.\n",
    ),
    ("says no to Auto-Submitted", ("Auto-Submitted: no", "Subject: Hi"), "A person.\n"),
    ("has an urgent mail", ("X-Priority: 1", "Importance: high", "Subject: URGENT"), "Where is it?\n"),
    ("writes undeliverable in a sentence", ("Subject: Parcel undeliverable",), "DHL says undeliverable. Help!\n"),
    ("writes from a phone", ("Subject: mug",), "where is it\n\nSent from my iPhone\n"),
    ("mentions holidays", ("Subject: I am on vacation until Monday",), "Please deliver after Monday.\n"),
)

AUTOMATIC_CASES: tuple[Case, ...] = (
    *(
        Case(
            f"away: {language.code}",
            text_mail(
                "I am away.\n",
                encoded(language.away_subject),
                "X-Auto-Response-Suppress: All",
                "Auto-Submitted: auto-generated",
            ),
            kind="auto_reply",
            may_auto_answer=False,
        )
        for language in LANGUAGES
    ),
    *(
        Case(
            f"away without Auto-Submitted: {language.code}",
            text_mail("I am away.\n", encoded(language.away_subject), "X-Auto-Response-Suppress: OOF, AutoReply"),
            kind="auto_reply",
            may_auto_answer=False,
        )
        for language in LANGUAGES
    ),
    *(
        Case(
            f"automatic: {name}",
            text_mail("I am away until Monday.\n", *headers),
            kind="auto_reply",
            may_auto_answer=False,
        )
        for name, headers in MARKS
    ),
    Case(
        "automatic: disposition notification",
        composed(
            "report",
            plain("Your message was read."),
            part("message/disposition-notification", b"Disposition: manual-action/MDN-sent-manually; displayed\r\n"),
            headers=("Subject: Read: Your order",),
            extra="; report-type=disposition-notification",
        ),
        kind="auto_reply",
        may_auto_answer=False,
    ),
    *(
        Case(
            f"list: {name}",
            text_mail("News about mugs.\n", "Subject: News", header),
            kind="list",
            may_auto_answer=False,
        )
        for name, header in LIST_MARKS
    ),
    *(
        Case(f"person: {name}", text_mail(text, *headers), kind="human", may_auto_answer=True)
        for name, headers, text in PEOPLE
    ),
    Case(
        "person: empty Return-Path is no bounce",
        text_mail("Where is it?\n", "Return-Path: <>"),
        kind="human",
        may_auto_answer=False,
    ),
    Case(
        "person: asks not to be answered",
        text_mail("Where is it?\n", "X-Auto-Response-Suppress: DR, AutoReply"),
        kind="human",
        may_auto_answer=False,
    ),
    Case("person: carries our loop mark", text_mail("Hello\n", "X-HD-Loop: prod"), may_auto_answer=False),
    Case(
        "person: no-reply address is not answered",
        text_mail("Your parcel is on its way.\n", "From: Carrier <no-reply@carrier.example>"),
        kind="human",
        may_auto_answer=False,
    ),
    Case(
        "person: attaches a bounce",
        composed(
            "mixed",
            plain("Your mail bounced, see attached."),
            part("message/rfc822", b"From: MAILER-DAEMON@mx.example.com\r\nSubject: failure notice\r\n\r\nfailed\r\n"),
        ),
        kind="human",
        may_auto_answer=True,
    ),
    Case(
        "complaint: abuse",
        complaint("Feedback-Type: abuse\nUser-Agent: ISP/1.0\nVersion: 1\n"),
        kind="complaint",
        may_auto_answer=False,
    ),
    Case(
        "complaint: Yahoo",
        complaint(
            "Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\n",
            "text/rfc822-headers",
            "feedback@arf.mail.yahoo.com",
        ),
        kind="complaint",
        may_auto_answer=False,
    ),
    Case("complaint: fraud", complaint("Feedback-Type: fraud\nVersion: 1\n"), kind="complaint", may_auto_answer=False),
    Case(
        "complaint: DMARC failure",
        complaint("Feedback-Type: auth-failure\nAuth-Failure: dmarc\nVersion: 1\n"),
        kind="complaint",
        may_auto_answer=False,
    ),
    Case(
        "complaint: SES",
        complaint(
            "Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: gone@example.org\n",
            sender="complaints@email-abuse.amazonses.com",
        ),
        kind="complaint",
        may_auto_answer=False,
    ),
    Case(
        "complaint: Hotmail without a report part",
        composed(
            "mixed",
            plain(""),
            part(
                "message/rfc822",
                b"X-HmXmrOriginalRecipient: gone@hotmail.com\r\n" + OURS.replace("\n", "\r\n").encode(),
            ),
            headers=("From: <staff@hotmail.com>", "Subject: complaint about message from 192.0.2.1"),
        ),
        kind="complaint",
        may_auto_answer=False,
    ),
    Case(
        "complaint: report type only in a part",
        composed(
            "mixed",
            plain("Abuse"),
            part("message/feedback-report", b"Feedback-Type: abuse\r\n"),
            part("message/rfc822", OURS.encode()),
            headers=("From: <feedback@isp.example>", "Subject: Abuse"),
        ),
        kind="complaint",
        may_auto_answer=False,
    ),
)
