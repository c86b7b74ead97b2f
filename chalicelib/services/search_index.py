"""What tickets are found by: written as messages come, moved on, compared with the messages and put right."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chalicelib.domain import terms
from chalicelib.domain.message import Message
from chalicelib.store import messages, postings
from chalicelib.store.postings import BLOCK

MAX_REFERENCES = 1


def index(message: Message) -> int:
    """Make the message's ticket findable by it, at once; returns by how many terms.  Repeatable."""
    found = terms_of(message)
    if found:
        postings.add(message.id, message.ticket_id, found)
    if postings.is_turn_to_fold(message.id):
        postings.fold_recent()
    return len(found)


def terms_of(message: Message) -> tuple[str, ...]:
    """Quotes count where a mail begins a conversation: what it quotes then stands nowhere else on the desk."""
    if not message.folded:
        return terms.of_message(message, message.text)
    body = messages.body_of(message)
    return terms.of_message(message, body.text if len(message.references) > MAX_REFERENCES else body.full_text)


def fold() -> int:
    """Move on what lies in batches, once that is worth it; returns how many batches."""
    return postings.fold_batches()


def of_ticket(ticket_id: str, consistent: bool = False) -> set[str]:
    """All terms of a ticket's messages."""
    return {term for message in all_messages(ticket_id, consistent) for term in terms_of(message)}


def all_messages(ticket_id: str, consistent: bool = False) -> Iterator[Message]:
    after: str | None = None
    while True:
        page, after = messages.oldest(ticket_id, after, consistent=consistent)
        yield from page
        if after is None:
            return


# Index = messages


@dataclass(frozen=True)
class Difference:
    """Ticket numbers by term.  missing: a message has it, the index has not; extra: the other way round."""

    missing: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    extra: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @property
    def size(self) -> int:
        return sum(len(numbers) for side in (self.missing, self.extra) for numbers in side.values())


def move_all_on() -> None:
    """So that all there is lies in the last tier, where it can be compared."""
    while postings.fold_recent():
        pass
    postings.fold_batches(least=1)


def compare(ticket_ids: Sequence[str]) -> Difference:
    """What the last tier has of these tickets beside what their messages say.

    A term that none of the tickets has is not looked for.  What looks like too much is held against the messages once
    more, as they are now: one that has come since we read them, or that the reading did not know yet, may have been
    moved on already.
    """
    found = Difference()
    said = {int(ticket_id): of_ticket(ticket_id) for ticket_id in ticket_ids}
    for block in sorted({number // BLOCK for number in said}):
        here = {number: carried for number, carried in said.items() if number // BLOCK == block}
        by_term: dict[str, set[int]] = defaultdict(set)
        for number, carried in here.items():
            for term in carried:
                by_term[term].add(number)
        stored = postings.stored_blocks(by_term, block)
        for term, numbers in by_term.items():
            there = stored.get(term, set()) & here.keys()
            if numbers - there:
                found.missing[term] |= numbers - there
            if there - numbers:
                found.extra[term] |= there - numbers
    doubted = {number for numbers in found.extra.values() for number in numbers}
    again = {number: of_ticket(str(number), consistent=True) for number in doubted}
    for term, numbers in list(found.extra.items()):
        numbers -= {number for number in numbers if term in again[number]}
        if not numbers:
            del found.extra[term]
    return found


def put_right(difference: Difference) -> int:
    """Returns how many blocks were written."""
    return postings.put_into_blocks(difference.missing) + postings.take_out_of_blocks(difference.extra)
