"""What somebody typed into the search box, understood (docs/domain/search.md).

Words, "phrases" and numbers become clauses, of which a ticket has to satisfy each; ``field:value`` becomes a clause or
a filter.  A field that is not known is a word like any other.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from chalicelib.domain import terms
from chalicelib.domain.ticket import STATUSES, Status
from chalicelib.errors import InvalidInput

MAX_CLAUSES = 12
MAX_PHRASES = 3
STATES = (*STATUSES, "snoozed", "unassigned", "undelivered", "late")
PIECE = re.compile(
    r"""(?:(?P<field>[A-Za-z]{2,8}):)?(?:["“”„«»「」](?P<phrase>[^"“”„«»「」]*)["“”„«»「」]?|(?P<word>[^\s"“”„«»「」]+))"""
)
DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")
AGO = re.compile(r"(\d{1,4})([dwmy])")
DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
TICKET = re.compile(r"#?0*([1-9]\d{0,8})")

Alternative = tuple[str, ...]
"""Terms that a ticket must carry all of."""
Clause = tuple[Alternative, ...]
"""Ways to say one thing: a ticket must satisfy one of them."""


@dataclass(frozen=True)
class Query:
    """ticket_id: the ticket that may be meant by its number.  phrases: folded words in their order.

    senders: those of the clauses that the ticket's customer has to satisfy alone.
    states, inboxes, assignees: one of them fits; tags: all of them.  inboxes and assignees are as typed.
    before, after: a ticket began before that day; it was touched on or after that day.
    """

    text: str
    ticket_id: str = ""
    clauses: tuple[Clause, ...] = ()
    phrases: tuple[tuple[str, ...], ...] = ()
    senders: tuple[Clause, ...] = ()
    states: tuple[str, ...] = ()
    inboxes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    before: date | None = None
    after: date | None = None

    @property
    def has_filter(self) -> bool:
        return bool(self.states or self.inboxes or self.tags or self.assignees or self.before or self.after)

    @property
    def statuses(self) -> tuple[Status, ...]:
        return tuple(each for each in STATUSES if each in self.states)


def parse(text: str, today: date) -> Query:
    """Raise InvalidInput, in words, for a field whose value cannot be meant, and for too much at once."""
    query = Query(" ".join(text.split()))
    loose: list[str] = []
    for match in PIECE.finditer(query.text):
        field, value = (match["field"] or "").lower(), (match["phrase"] or match["word"] or "").strip()
        if field in FIELDS:
            query = _with_field(query, field, value, today)
        elif match["phrase"] is not None:
            query = _with_phrase(query, value)
            loose += [field] if field else []
        else:
            loose.append(match.group())
    query = replace(query, clauses=tuple(dict.fromkeys((*query.clauses, *_clauses(" ".join(loose))))))
    number = TICKET.fullmatch(query.text)
    if number is not None:
        query = replace(query, ticket_id=number[1])
    if len(query.clauses) > MAX_CLAUSES or len(query.phrases) > MAX_PHRASES:
        raise _wrong(f"Search for at most {MAX_CLAUSES} words and {MAX_PHRASES} phrases at once.")
    return query


def _wrong(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, {"q": sentence})


def _with_phrase(query: Query, said: str) -> Query:
    """Its words are looked up one by one; that they stand together, whoever has the text before them checks."""
    in_order = tuple(terms.words(terms.folded(said)))
    phrases = (*query.phrases, in_order) if len(in_order) > 1 else query.phrases
    return replace(query, phrases=phrases, clauses=(*query.clauses, *(((word,),) for word in dict.fromkeys(in_order))))


def _with_field(query: Query, field: str, value: str, today: date) -> Query:
    if not value:
        raise _wrong(f"Say what {field}: is to be, as in {EXAMPLES[field]}.")
    if field == "from":
        senders = tuple(_clauses(value))
        return replace(query, clauses=(*query.clauses, *senders), senders=(*query.senders, *senders))
    if field == "order":
        return replace(query, clauses=(*query.clauses, *_clauses(value)))
    if field == "is":
        if value.lower() not in STATES:
            raise _wrong(f"“is:{value}” is not known. Tickets are {', '.join(STATES[:-1])} or {STATES[-1]}.")
        return replace(query, states=(*query.states, value.lower()))
    if field == "in":
        return replace(query, inboxes=(*query.inboxes, value))
    if field == "tag":
        return replace(query, tags=(*query.tags, " ".join(value.lower().split())))
    if field == "assignee":
        return replace(query, assignees=(*query.assignees, value))
    day = _day(value, field, today)
    return replace(query, before=day) if field == "before" else replace(query, after=day)


EXAMPLES = {
    "from": "from:ada@example.com",
    "order": "order:1042",
    "tag": "tag:refund",
    "is": "is:open",
    "in": "in:support",
    "assignee": "assignee:me",
    "before": "before:2026-11-20",
    "after": "after:2026-11-20",
}
FIELDS = frozenset(EXAMPLES)


def _day(value: str, field: str, today: date) -> date:
    """A day, the first of a month or of a year, "today", "yesterday", or so long ago: 7d, 2w, 3m, 1y."""
    asked = value.lower()
    if asked in ("today", "yesterday"):
        return today - timedelta(days=asked == "yesterday")
    ago, day = AGO.fullmatch(asked), DAY.fullmatch(asked)
    try:
        if ago:
            return today - timedelta(days=int(ago[1]) * DAYS[ago[2]])
        if day:
            return date(int(day[1]), int(day[2] or 1), int(day[3] or 1))
    except (ValueError, OverflowError):
        pass  # the 31st of a short month, or long before the calendar
    raise _wrong(f"“{field}:{value}” is no day. Write it as {field}:2026-11-20, {field}:2026-11 or {field}:7d.")


# Words and numbers


def _clauses(text: str) -> Iterator[Clause]:
    """Addresses, codes and numbers first: what is left are words."""
    plain = terms.folded(text)
    for pattern, alternatives in ((terms.ADDRESS, _address), (terms.PARCEL, _code), (terms.CODE, _code)):
        for match in re.finditer(pattern, plain):
            yield alternatives(match.group())
        plain = re.sub(pattern, " ", plain)
    for match in re.finditer(terms.NUMBER, plain):
        yield from _number(match.group())
    plain = re.sub(terms.NUMBER, " ", plain)
    for word in dict.fromkeys(terms.words(plain)):
        yield ((word,),)


def _address(found: str) -> Clause:
    return ((found.strip(".'-")[-2 * terms.MAX_TERM_CHARS :],),)


def _code(found: str) -> Clause:
    return ((terms.joined(found),),)


def _number(found: str) -> Iterator[Clause]:
    """One number in groups, or else several; what is too short to be a word asks for nothing."""
    groups = re.findall(terms.DIGITS, found)
    apart = tuple(dict.fromkeys(group for group in groups if len(group) > 1))
    whole = terms.number_term("".join(groups), len(groups))
    if whole is None:
        yield from (((group,),) for group in apart)
    elif len(groups) > 1 and any(gap.isspace() for gap in found) and apart:
        yield (whole,), apart
    else:
        yield ((whole,),)
