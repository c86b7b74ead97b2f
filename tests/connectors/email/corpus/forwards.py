"""Forwarded mails: who wrote the original and under which subject, as six clients show it in many languages."""
# ruff: noqa: E501 - a mail is easier to compare when its lines are not broken

from .build import text_mail, word
from .case import Case
from .languages import LANGUAGES, Language

FROM = "ada.original@example.net"
NAME = "Ada Original"
SUBJECT = "Broken handle, order 1042"
WORDS = "Hello,\n\nthe handle of my mug is broken.\n\nAda"
PREFIXES = {
    "de": "WG",
    "fr": "TR",
    "es": "RV",
    "it": "I",
    "pt": "ENC",
    "nl": "Doorst",
    "da": "VS",
    "sv": "VB",
    "no": "VS",
    "fi": "VL",
    "pl": "PD",
    "hu": "Továbbítás",
    "ro": "Redirecţionat",
    "el": "ΠΡΘ",
    "tr": "İLT",
    "zh-CN": "转发",
    "zh-TW": "轉寄",
    "ko": "전달",
    "he": "הועבר",
    "ca": "RV",
    "ja": "転送",
}


def subject_header(language: Language) -> str:
    subject = f"{PREFIXES.get(language.code, 'Fwd')}: {SUBJECT}"
    return f"Subject: {subject}" if subject.isascii() else f"Subject: {word(subject)}"


def gmail(language: Language) -> str:
    sender, sent, to, subject = language.labels
    return (
        f"---------- {language.forward} ---------\n{sender}: {NAME} <{FROM}>\n{sent}: Fri, Jan 5, 2024 at 10:00 AM\n"
        f"{subject}: {SUBJECT}\n{to}: Lina Meyer <lina.meyer@example.com>\n\n\n{WORDS}\n"
    )


def apple(language: Language) -> str:
    sender, sent, to, subject = language.labels
    return (
        f"{language.apple_forward}\n\n> {sender}: {NAME} <{FROM}>\n> {subject}: {SUBJECT}\n> {sent}: 5 January 2024 "
        f"at 10:00:00 CET\n> {to}: Lina Meyer <lina.meyer@example.com>\n> \n> Hello\n"
    )


def outlook(language: Language) -> str:
    sender, sent, to, subject = language.labels
    return (
        f"Please look at this.\n\n________________________________\n{sender}: {NAME} <{FROM}>\n{sent}: Friday, January "
        f"5, 2024 10:00 AM\n{to}: Lina Meyer <lina.meyer@example.com>\n{subject}: {SUBJECT}\n\n{WORDS}\n"
    )


def thunderbird(language: Language) -> str:
    sender, sent, to, subject = language.labels
    return (
        f"See below.\n\n\n-------- {language.forward} --------\n{subject}: \t{SUBJECT}\n{sent}: \tFri, 5 Jan 2024 10:00:00 "
        f"+0100\n{sender}: \t{NAME} <{FROM}>\n{to}: \tlina.meyer@example.com\n\n\n{WORDS}\n"
    )


# (what is odd, mail's subject, text, address or None when it is no forward, subject)
ODD: tuple[tuple[str, str, str, str | None, str | None], ...] = (
    ("a plain question", "Where is it?", "Where is my order?\n", None, None),
    (
        "a reply with Outlook's block",
        "Re: Order",
        f"Thanks.\n\nFrom: {NAME} <{FROM}>\nSent: Friday, January 5, 2024\nTo: Lina\nSubject: Order\n\nHello\n",
        None,
        None,
    ),
    (
        "a reply to a forward",
        "Re: Fwd: Order",
        f"Thanks.\n\nOn Fri, Jan 5, 2024 at 10:00 AM Bob <bob@example.com> wrote:\n> "
        f"---------- Forwarded message ---------\n> From: {NAME} <{FROM}>\n> Subject: Order\n",
        None,
        None,
    ),
    (
        "bold labels",
        f"Fwd: {SUBJECT}",
        f"Begin forwarded message:\n\n*From:* {NAME} <{FROM}>\n*Date:* 5 January 2024 at 10:00\n"
        f"*To:* Lina\n*Subject:* {SUBJECT}\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "mailto in brackets",
        f"FW: {SUBJECT}",
        f"\n\n-----Original Message-----\nFrom: {NAME} [mailto:{FROM}] \nSent: Friday, "
        f"January 5, 2024 10:00 AM\nTo: Lina\nSubject: {SUBJECT}\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "Outlook's text link",
        f"FW: {SUBJECT}",
        f"From: {NAME} <{FROM}<mailto:{FROM}>>\nSent: Friday, January 5, 2024\nTo: Lina\n"
        f"Subject: {SUBJECT}\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "Yahoo",
        f"Fw: {SUBJECT}",
        f"  ----- Forwarded message -----From: {NAME} <{FROM}>To: Lina Meyer <lina.meyer@example.com>"
        f"Sent: Friday, January 5, 2024 at 10:00:00 AM GMT+1Subject: {SUBJECT}\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "Yahoo with lines",
        f"Fw: {SUBJECT}",
        f"   ----- Forwarded message -----\nFrom: {NAME} <{FROM}>\nTo: Lina\nSent: Friday, "
        f"January 5, 2024 at 10:00:00 AM GMT+1\nSubject: {SUBJECT}\n \n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "subject folded over two lines",
        "Fwd: x",
        f"---------- Forwarded message ---------\nFrom: {NAME} <{FROM}>\nDate: Fri, Jan "
        f"5, 2024 at 10:00 AM\nSubject: Broken handle,\n order 1042\nTo: <lina.meyer@example.com>\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "subject changed by hand",
        "please help",
        f"---------- Forwarded message ---------\nFrom: <{FROM}>\nDate: Fri, Jan 5, 2024 "
        f"at 10:00 AM\nSubject: {SUBJECT}\nTo: <lina.meyer@example.com>\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "two forwards, the outer counts",
        f"Fwd: Fwd: {SUBJECT}",
        f"---------- Forwarded message ---------\nFrom: {NAME} <{FROM}>\n"
        f"Date: Fri, Jan 5, 2024 at 10:00 AM\nSubject: Fwd: {SUBJECT}\nTo: Lina\n\n---------- Forwarded message ---------\nFrom: "
        "Bob <bob@example.com>\nSubject: Else\n",
        FROM,
        f"Fwd: {SUBJECT}",
    ),
    (
        "Samsung",
        f"Fwd: {SUBJECT}",
        f"Sent from my Galaxy\n\n-------- Original message --------\nFrom: {NAME} <{FROM}>\nDate: "
        f"05/01/2024 10:00 (GMT+01:00)\nTo: Lina\nSubject: {SUBJECT}\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
    (
        "address alone",
        f"Fwd: {SUBJECT}",
        f"---------- Forwarded message ---------\nFrom: {FROM}\nSubject: {SUBJECT}\nDate: Fri, "
        f"Jan 5, 2024\n\n{WORDS}\n",
        FROM,
        SUBJECT,
    ),
)

FORWARD_CASES: tuple[Case, ...] = (
    *(
        Case(
            f"forward, {client}: {language.code}",
            text_mail(write(language), subject_header(language)),
            forwarded_from=FROM,
            forwarded_subject=SUBJECT,
        )
        for client, write in (("Gmail", gmail), ("Apple", apple), ("Outlook", outlook), ("Thunderbird", thunderbird))
        for language in LANGUAGES
    ),
    *(
        Case(
            f"forward: {name}",
            text_mail(text, f"Subject: {subject}"),
            forwarded_from=address or "",
            forwarded_subject=original or "",
        )
        for name, subject, text, address, original in ODD
    ),
)
