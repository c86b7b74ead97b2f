"""What customers, strangers, carriers and machines send in."""

import json
from email import message_from_bytes

from chalicelib.api import hooks, http
from chalicelib.connectors import WebhookRequest
from chalicelib.connectors.telegram.channel import SECRET_HEADER
from tests.simulation import mails
from tests.simulation.acts import Turn, act
from tests.simulation.aws.ses import SentMail
from tests.simulation.desk import BOT, BOT_SECRET, CUSTOMERS, STRANGERS, Chat
from tests.simulation.mails import Mail, a_mail
from tests.simulation.rest import request
from tests.simulation.world import Ended

ADDRESSES = ("support@shop.example", "sales@shop.example", "returns@shop.example")
RETRIES = 4


def _send(turn: Turn, mail: Mail, notices: int = 1) -> None:
    turn.desk.mail_arrives(mail, notices)


def _envelope(to: tuple[str, ...]) -> tuple[str, ...]:
    """Where SES got it: the returns mailbox forwards to an address of the desk's own."""
    return tuple("in@desk.shop.example" if each == "returns@shop.example" else each for each in to)


def _new(turn: Turn, part: str = "") -> Mail:
    to = turn.among(ADDRESSES, "to", part)
    sender = turn.among(CUSTOMERS, "from", part)
    extra = (turn.among(STRANGERS, "cc", part),) if turn.chance(0.2, "cc", part) else ()
    return a_mail(
        f"{turn.n}{part}", sender, (to,), turn.desk.world.time, f"Parcel {turn.n}{part}", _envelope((to,)), cc=extra,
        message_id="" if turn.chance(0.05, "no id", part) else None,
        spam=turn.chance(0.08, "spam", part), virus=turn.chance(0.05, "virus", part),
        html=turn.chance(0.2, "html", part), file=turn.chance(0.15, "file", part),
    )  # fmt: skip


@act(8)
def writes_a_new_mail(turn: Turn) -> None:
    _send(turn, _new(turn), notices=2 if turn.chance(0.1) else 1)


@act(1)
def a_burst_of_mails(turn: Turn) -> None:
    for n in range(6):
        _send(turn, _new(turn, f"b{n}"))


@act(2)
def one_mail_to_two_inboxes(turn: Turn) -> None:
    """One mail, both addresses in To; SES may hand it over once with two recipients, or twice."""
    to = (ADDRESSES[0], turn.among(ADDRESSES[1:], "second"))
    sender = turn.among(CUSTOMERS, "from")
    at = turn.desk.world.time
    if turn.chance(0.6, "one envelope"):
        _send(turn, a_mail(f"{turn.n}", sender, to, at, f"Both {turn.n}", _envelope(to)))
        return
    shared = f"<both{turn.n}@mail.example>"
    first = a_mail(f"{turn.n}", sender, to, at, f"Both {turn.n}", _envelope(to[:1]), message_id=shared)
    _send(turn, first)
    second = Mail(f"{turn.n}x", first.raw, first.sender, _envelope(to[1:]), first.people, first.word, shared)
    turn.desk.world.after(turn.between(0, 30, "gap"), lambda: turn.desk.mail_arrives(second))


@act(1.5)
def the_same_mail_twice(turn: Turn) -> None:
    """A distribution list delivers the same bytes again, under another SES id."""
    first = _new(turn)
    _send(turn, first)
    again = Mail(f"{turn.n}y", first.raw, first.sender, first.recipients, first.people, first.word, first.message_id,
                 first.kind, first.spam, first.virus)  # fmt: skip
    turn.desk.world.after(turn.between(0, 200, "gap"), lambda: turn.desk.mail_arrives(again))


@act(1)
def another_mail_under_a_used_id(turn: Turn) -> None:
    """A carrier gives two different mails one Message-ID."""
    shared, to = f"<track{turn.n}@carrier.example>", ADDRESSES[:1]
    for part in ("a", "b"):
        mail = a_mail(f"{turn.n}{part}", "track@carrier.example", to, turn.desk.world.time, "Tracking", to,
                      message_id=shared)  # fmt: skip
        _send(turn, mail)


def _our_mails_to_customers(turn: Turn) -> list[SentMail]:
    return [mail for mail in turn.desk.world.cloud.sent if any(to in CUSTOMERS for to in mail.to)]


@act(7)
def answers_a_mail_of_ours(turn: Turn) -> None:
    """In one of the ways that mail programs thread by."""
    ours = turn.maybe(_our_mails_to_customers(turn), "which")
    if ours is None:
        writes_a_new_mail(turn)
        return
    headers = message_from_bytes(ours.raw)
    reply_to = str(headers["Reply-To"]).rpartition("<")[2].strip("> ")
    plain = ours.from_address
    how = turn.among(("signed", "references", "both", "subject", "cc"), "how")
    to = reply_to if how in ("signed", "both", "cc") else plain
    ids = (f"<{ours.ses_id}@eu-west-1.amazonses.com>",) if how in ("references", "both", "cc") else ()
    subject = f"Re: your parcel [#{ours.tags.get('ticket', '')}]" if how == "subject" else f"Re: {headers['Subject']}"
    sender = turn.among([each for each in ours.to if each in CUSTOMERS], "who")
    cc = (turn.among(STRANGERS, "cc"),) if how == "cc" else ()
    quoted = "We look into it." if turn.chance(0.5, "quote") else ""
    recipient = to if to != "returns@shop.example" else "in@desk.shop.example"
    kind: mails.MailKind = "auto_reply" if turn.chance(0.15, "away") else "human"
    mail = a_mail(f"{turn.n}", sender, (to,), turn.desk.world.time, subject, (recipient,), cc, ids, quoted, kind)
    _send(turn, mail)


@act(1.5)
def a_stranger_guesses_a_ticket(turn: Turn) -> None:
    """Quotes a number, or an id out of a forwarded mail, and never took part."""
    number = turn.maybe(turn.desk.ticket_ids(), "which") or "1001"
    ours = turn.maybe(_our_mails_to_customers(turn), "ours")
    ids = (f"<{ours.ses_id}@eu-west-1.amazonses.com>",) if ours is not None and turn.chance(0.5, "id") else ()
    to = ADDRESSES[:1]
    mail = a_mail(f"{turn.n}", STRANGERS[0], to, turn.desk.world.time, f"About [#{number}]", to, references=ids)
    _send(turn, mail)


@act(1)
def an_automatic_mail(turn: Turn) -> None:
    kind: mails.MailKind = turn.among(("auto_reply", "list"), "kind")
    to = ADDRESSES[:1]
    _send(turn, a_mail(f"{turn.n}", turn.among(CUSTOMERS, "from"), to, turn.desk.world.time, "Away", to, kind=kind))


@act(1)
def a_mail_is_forwarded(turn: Turn) -> None:
    """An agent passes a customer's mail on to the desk, from an address that is no inbox."""
    to = (turn.among(ADDRESSES, "to"),)
    quoted = f"From: {turn.among(CUSTOMERS, 'whose')} Subject: Parcel"
    at = turn.desk.world.time
    _send(turn, a_mail(f"{turn.n}", STRANGERS[2], to, at, f"Fwd: Parcel {turn.n}", _envelope(to), quoted=quoted))


@act(1.4)
def a_mail_nobody_can_read(turn: Turn) -> None:
    """The reader chokes on it, or dies of it each time."""
    to = ADDRESSES[:1]
    kind: mails.MailKind = turn.among(mails.UNREADABLE, "kind")
    virus = turn.chance(0.2, "virus")
    _send(turn, a_mail(f"{turn.n}", "odd@odd.example", to, turn.desk.world.time, "", to, kind=kind, virus=virus))


@act(0.6)
def a_notice_that_is_none(turn: Turn) -> None:
    """Somebody puts rubbish on the inbound queue: it may lie on the dead-letter queue, and nothing else may stop."""
    body = turn.among(("{", "[]", '{"hello": 1}'), "body") + " " * (turn.n % 7)
    turn.desk.poison.add(body)
    turn.desk.world.say("somebody", "rubbish on the inbound queue")
    turn.desk.sources.send("inbound", body)


@act(0.8)
def our_own_mail_comes_back(turn: Turn) -> None:
    ours = turn.maybe([each for each in turn.desk.world.cloud.sent if "msg" in each.tags], "which")
    if ours is None:
        return
    mail = Mail(f"{turn.n}", ours.raw, ours.from_address, ADDRESSES[:1], frozenset(ours.to), mails.word_of(turn.n), "",
                "our own")  # fmt: skip
    _send(turn, mail)


@act(1)
def a_bounce_comes_by_mail(turn: Turn) -> None:
    """A server far away returns our mail after all."""
    ours = turn.maybe(_our_mails_to_customers(turn), "which")
    if ours is None:
        return
    returned = ours.raw.partition(b"\r\n\r\n")[0]
    body = (
        b"--r\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        b"--r\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; far.example\r\n\r\n"
        b"Final-Recipient: rfc822; " + ours.to[0].encode() + b"\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        b"--r\r\nContent-Type: message/rfc822\r\n\r\n" + returned + b"\r\n\r\n--r--\r\n"
    )
    head = (
        f"From: MAILER-DAEMON@far.example\r\nTo: {ours.from_address}\r\nSubject: Undelivered Mail {turn.n}\r\n"
        f"Message-ID: <bounce{turn.n}@far.example>\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="r"\r\n\r\n'
    ).encode()
    recipient = "in@desk.shop.example" if ours.from_address.startswith("returns") else ours.from_address
    mail = Mail(f"{turn.n}", head + body, "", (recipient,), frozenset(), mails.word_of(turn.n), "", "auto_reply")
    _send(turn, mail)


# Telegram


def _knock(turn: Turn, update: dict[str, object], label: str, tries: int = 0) -> None:
    """Telegram sends an update until it hears 200."""
    world = turn.desk.world
    body = json.dumps(update).encode()
    knocking = WebhookRequest({SECRET_HEADER: BOT_SECRET, "content-type": "application/json"}, body)

    def hook() -> int:
        answer = http.guarded(request("POST", "/hooks/bot", b""), lambda made: hooks._received(BOT, knocking, made))
        return int(answer.status_code)

    def done(ended: Ended) -> None:
        if ended.value != 200 and tries < RETRIES:
            world.after(5 * (tries + 1), lambda: _knock(turn, update, label, tries + 1))

    world.invoke("hooks", hook, done, label)


def _update(turn: Turn, part: str = "") -> int:
    return turn.n * 10 + len(part)


def _chat_message(turn: Turn, chat: Chat, text: str) -> dict[str, object]:
    person = {"id": chat.chat, "is_bot": False, "first_name": f"Chat {chat.chat}"}
    return {
        "message_id": chat.message_id, "from": person, "chat": {"id": chat.chat, "type": "private"},
        "date": int(turn.desk.world.time.timestamp()), "text": text,
    }  # fmt: skip


@act(4)
def writes_on_telegram(turn: Turn) -> None:
    desk = turn.desk
    chat = Chat(mails.word_of(turn.n), 500 + turn.among(range(3), "chat"), turn.n, _update(turn))
    desk.chats.append(chat)
    update = {"update_id": chat.update_id, "message": _chat_message(turn, chat, f"Hello, {chat.word}")}
    _knock(turn, update, f"chat {chat.chat}: {chat.word}")
    if turn.chance(0.1, "twice"):
        desk.world.after(turn.between(0, 60, "again"), lambda: _knock(turn, update, f"chat {chat.chat} again"))


@act(1.5)
def edits_on_telegram(turn: Turn) -> None:
    """Now and then the edit overtakes the message."""
    desk = turn.desk
    known = turn.maybe(desk.chats, "which")
    if known is None:
        return
    text = f"Hello, {known.word}, edited {turn.n}"
    message = _chat_message(turn, known, text) | {"edit_date": int(desk.world.time.timestamp())}
    desk.edits[known.word] = text
    _knock(turn, {"update_id": _update(turn), "edited_message": message}, f"chat {known.chat}: edits {known.word}")


@act(0.6)
def blocks_the_bot(turn: Turn) -> None:
    chat = 500 + turn.among(range(3), "chat")
    status = turn.among(("kicked", "member"), "status")
    change = {
        "chat": {"id": chat, "type": "private"}, "from": {"id": chat, "is_bot": False, "first_name": "C"},
        "date": int(turn.desk.world.time.timestamp()), "new_chat_member": {"status": status},
    }  # fmt: skip
    _knock(turn, {"update_id": _update(turn), "my_chat_member": change}, f"chat {chat}: {status}")
