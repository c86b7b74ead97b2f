"""The search box for exact things: a number, an address, an order number, a word of the subject."""

import re
import unicodedata
from datetime import datetime

from chalicelib.domain.ticket import Ticket, TicketRow
from chalicelib.errors import NotFound
from chalicelib.store import customers, postings, tickets
from chalicelib.store.tickets import Loaded

MAX_RESULTS = 50
MAX_WORDS = 40
MAX_WORD_CHARS = 60
ORDER = re.compile(r"#?\b(\d{3}-\d{7}-\d{7}|\d{2}-\d{5}-\d{5}|[A-Za-z]{0,4}-?\d{3,12})\b")
WORD = re.compile(r"[^\W_]+(?:[-'’.][^\W_]+)*")
CJK = re.compile(r"[぀-ヿ㐀-鿿가-힯]")


def folded(text: str) -> str:
    """Lower case, accents dropped, so that "Müller" finds "muller"."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def words(text: str) -> tuple[str, ...]:
    """The words a text is found by: whole words, and pairs of characters where a script has no spaces."""
    found: dict[str, None] = {}
    for match in WORD.finditer(folded(text)):
        word = match.group()
        if CJK.search(word):
            for start in range(max(1, len(word) - 1)):
                found[word[start : start + 2]] = None
        elif len(word) > 1:
            found[word[:MAX_WORD_CHARS]] = None
    return tuple(found)[:MAX_WORDS]


def order_numbers(text: str) -> tuple[str, ...]:
    """What looks like an order number in a text, without its #, lower case."""
    return tuple(dict.fromkeys(match.group(1).lower() for match in ORDER.finditer(text)))[:10]


def index(ticket: Ticket, text: str) -> None:
    """Make a ticket findable by its subject's words and by the order numbers in a message.  Repeatable."""
    postings.add(ticket.id, found_by(ticket.subject, ticket.customer_name, text))


def found_by(subject: str, customer_name: str, text: str) -> tuple[str, ...]:
    """What a message makes its ticket findable by."""
    return (*words(subject), *words(customer_name), *order_numbers(f"{subject}\n{text}"))


def find(text: str, at: datetime, limit: int = MAX_RESULTS) -> tuple[TicketRow, ...]:
    """``find_whole``, as rows of a list."""
    return tuple(tickets.row_of(each.ticket) for each in find_whole(text, at, limit))


def find_whole(text: str, at: datetime, limit: int = MAX_RESULTS) -> tuple[Loaded, ...]:
    """Tickets for what was typed, newest first; each is read once.

    ``#1042`` or ``1042``: that ticket and those about that order.  An address: that customer's tickets.  Words: the
    tickets that carry all of them.
    """
    asked = text.strip()
    if not asked:
        return ()
    ids: dict[str, None] = {}
    for ticket_id in (*_by_number(asked), *_by_address(asked), *_by_order(asked, limit), *_by_words(asked, limit)):
        ids[ticket_id] = None
    found = tickets.get_many(list(ids)[:limit]).values()
    exact = asked.lstrip("#")
    return tuple(sorted(found, key=lambda each: (each.ticket.id != exact, -each.ticket.updated_at.timestamp())))


def _by_number(asked: str) -> tuple[str, ...]:
    number = asked.lstrip("#")
    if not number.isdecimal():
        return ()
    try:
        return (tickets.get(str(int(number))).id,)
    except NotFound:
        return ()


def _by_address(asked: str) -> tuple[str, ...]:
    if "@" not in asked:
        return ()
    known = customers.by_handle(customers.handle_name("email", asked))
    return tuple(each.id for each in tickets.of_customer(known[0].id, MAX_RESULTS)) if known else ()


def _by_order(asked: str, limit: int) -> tuple[str, ...]:
    numbers = order_numbers(asked)
    return tuple(each for number in numbers for each in postings.tickets_with(number, limit)) if numbers else ()


def _by_words(asked: str, limit: int) -> tuple[str, ...]:
    """Tickets with every word; the rarest word is read first and the others narrow it down."""
    wanted = words(asked)
    if not wanted or "@" in asked:
        return ()
    sets = [postings.tickets_with(word, limit * 10) for word in wanted[:6]]
    common = set(sets[0]).intersection(*sets[1:])
    return tuple(each for each in sets[0] if each in common)
