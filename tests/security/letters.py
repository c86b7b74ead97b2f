"""The corpus as mail that goes into a running desk."""

from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr

from tests.security import corpus
from tests.security.corpus import Vector
from tests.security.corpus.packing import packed
from tests.stack import SUPPORT, LocalStack, wait_for

PER_TICKET = 28
"""A page of a conversation holds thirty entries."""
ATTACKER = "mallory@example.net"
SHOWN_IN_A_FRAME = "<img alt=begin>"
"""With a picture in it, the desk shows a mail as it was sent and not as words."""


@dataclass(frozen=True)
class Letter:
    vectors: Sequence[Vector]
    raw: bytes


def letter(vectors: Sequence[Vector], html: bytes, charset: str, thread: str, n: int) -> Letter:
    """A mail whose HTML is ``html``; number ``n`` of a conversation."""
    first = f"<{thread}.0@mail.example.net>"
    answers = f"In-Reply-To: {first}\r\nReferences: {first}\r\n" if n else ""
    head = (
        f"From: Mallory <{ATTACKER}>\r\nTo: {SUPPORT}\r\nSubject: {'Re: ' if n else ''}Attack {thread}\r\n"
        f"Message-ID: <{thread}.{n}@mail.example.net>\r\n{answers}MIME-Version: 1.0\r\n"
        f'Content-Type: text/html; charset="{charset}"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    )
    body = EmailMessage()
    body.set_content(html, "text", "html", cte="base64")
    return Letter(vectors, head.encode() + str(body.get_payload()).encode())


def letters(port: int) -> dict[str, list[Letter]]:
    """All HTML of the corpus, by the subject of the conversation it comes in."""
    vectors = corpus.html_vectors()
    bodies: list[tuple[Sequence[Vector], bytes, str]] = [
        (together, (SHOWN_IN_A_FRAME + html).encode(), "utf-8") for together, html in packed(vectors, port)
    ]
    for vector, declared, encoded in corpus.charset_mails(len(vectors) + 1):
        bodies.append(([vector], (SHOWN_IN_A_FRAME + vector.filled(port)).encode(encoded), declared))
    conversations: dict[str, list[Letter]] = {}
    for start in range(0, len(bodies), PER_TICKET):
        thread = f"t{start}.{port}"
        conversations[f"Attack {thread}"] = [
            letter(together, html, charset, thread, n)
            for n, (together, html, charset) in enumerate(bodies[start : start + PER_TICKET])
        ]
    return conversations


def delivered(stack: LocalStack, conversations: dict[str, list[Letter]]) -> list[str]:
    """The tickets' numbers, once the desk shows every mail."""
    for group in conversations.values():
        stack.send(group[0].raw, ATTACKER)
    tickets = [str(stack.ticket_about(subject)["number"]) for subject in conversations]
    for group in conversations.values():
        for each in group[1:]:
            stack.send(each.raw, ATTACKER)
    for number, group in zip(tickets, conversations.values(), strict=True):
        all_arrived(stack, number, len(group))
    return tickets


def all_arrived(stack: LocalStack, number: str, count: int) -> None:
    def there() -> bool:
        found = stack.api("GET", f"/tickets/{number}/messages?limit=100")["items"]
        return len([each for each in found if each["kind"] == "message"]) == count

    wait_for(there, 90, what=f"{count} messages in ticket {number}")


def mail_in_words(words: str, thread: str, files: Sequence[tuple[str, str, bytes]] = ()) -> bytes:
    """A mail with ``words`` in every place where a sender may write some; files: name, type, content."""
    made = EmailMessage()
    made["Message-ID"] = f"<{thread}@mail.example.net>"
    made["From"] = formataddr((words, ATTACKER))
    made["To"] = f"{SUPPORT}, {formataddr((words, 'other@example.net'))}"
    made["Cc"] = formataddr((words, "third@example.net"))
    made["Subject"] = f"{words} {thread}"
    made.set_content(f"{words}\n\n> {words}\n\n-- \n{words}")
    for name, kind, content in files:
        main, _, sub = kind.partition("/")
        made.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return made.as_bytes()
