"""Which tickets carry a term, in three tiers (docs/adr/0012-three-tiers-of-postings.md).

    recent   RECENT / message id, hash      the terms of one message
    batches  BATCH#<bucket> / batch         a share of the terms of some hundred messages, with their tickets
    blocks   TERM#<term> / block            which of 4,096 tickets carry it

What is written goes from one tier to the next and is taken off the first one afterwards, so it is never in none of
them; that it may be in two for a while changes no set.  Whoever reads goes the same way.
"""

import hashlib
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from string import ascii_letters, digits

from chalicelib.store.models import PostingItem

RECENT = "RECENT"
BUCKETS = 96
FOLD_EVERY = 128
"""About so many messages lie in the first tier; each of them is read by every search."""
MOST_AT_ONCE = 400
FULL = 64
"""Batches in a bucket that are worth the writing of its blocks."""
BLOCK = 4096
"""Tickets; their places in it are two letters each."""
LETTERS = ascii_letters + digits + "-_"

Postings = Mapping[str, Iterable[int]]
"""Ticket numbers by term."""


def bucket_of(term: str) -> int:
    return zlib.crc32(term.encode()) % BUCKETS


def batch_key(bucket: int) -> str:
    return f"BATCH#{bucket:02d}"


def term_key(term: str) -> str:
    return f"TERM#{term}"


def block_key(block: int) -> str:
    return f"{block:09d}"


def letters_of(place: int) -> str:
    return LETTERS[place >> 6] + LETTERS[place & 63]


PLACES = {letters_of(place): place for place in range(BLOCK)}


# One message


def recent_item(message_id: str, ticket_id: str, terms: Sequence[str]) -> PostingItem:
    """Its key follows from what it holds: an edit comes beside what is being moved on, never under its deletion."""
    packed = zlib.compress("\n".join((ticket_id, *terms)).encode(), 6)
    return PostingItem(RECENT, f"{message_id}#{zlib.crc32(packed):08x}", packed=packed)


def add(message_id: str, ticket_id: str, terms: Sequence[str]) -> None:
    """Make the ticket findable by a message's terms, at once; repeatable."""
    item = recent_item(message_id, ticket_id, terms)
    item.save()


def is_turn_to_fold(message_id: str) -> bool:
    """About every 128th message takes those before it along.  Its id decides: nobody has to count."""
    return zlib.crc32(message_id.encode()) % FOLD_EVERY == 0


def unpacked_message(item: PostingItem) -> tuple[int, list[str]]:
    ticket_id, *terms = zlib.decompress(item.packed or b"").decode().split("\n")
    return int(ticket_id), terms


# Messages → batches


def fold_recent() -> int:
    """Put what the first tier holds into a batch; returns of how many messages.  Repeatable, also by two at once."""
    found = list(PostingItem.query(RECENT, limit=MOST_AT_ONCE, page_size=MOST_AT_ONCE, consistent_read=True))
    if not found:
        return 0
    with PostingItem.batch_write() as writes:
        for item in batch_items(found):
            writes.save(item)
    with PostingItem.batch_write() as writes:
        for item in found:
            writes.delete(item)
    return len(found)


def batch_items(messages: Sequence[PostingItem]) -> list[PostingItem]:
    """What they say, by term and not by message; of the same messages it is the same items."""
    digest = hashlib.sha256("\n".join(str(item.sk) for item in messages).encode()).hexdigest()
    shares: dict[int, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for item in messages:
        number, terms = unpacked_message(item)
        for term in terms:
            shares[bucket_of(term)][term].add(number)
    batch = f"{messages[-1].sk}#{digest[:12]}"
    return [PostingItem(batch_key(each), batch, packed=packed_batch(shares[each])) for each in sorted(shares)]


def packed_batch(postings: Postings) -> bytes:
    """A line of ticket numbers, then each term with the places of its tickets in it."""
    numbers = sorted({number for found in postings.values() for number in found})
    places = {number: str(place) for place, number in enumerate(numbers)}
    lines = [" ".join(map(str, numbers))]
    lines += [" ".join((term, *(places[number] for number in sorted(postings[term])))) for term in sorted(postings)]
    return zlib.compress("\n".join(lines).encode(), 9)


def unpacked_batch(item: PostingItem) -> Iterator[tuple[str, list[int]]]:
    first, *lines = zlib.decompress(item.packed or b"").decode().split("\n")
    numbers = [int(number) for number in first.split()]
    for line in lines:
        term, *places = line.split(" ")
        yield term, [numbers[int(place)] for place in places]


# Batches → blocks


def fold_batches(least: int = FULL) -> int:
    """Put the batches of every bucket that holds as many as ``least`` into blocks; returns how many batches.

    Buckets fill alike and are emptied in order, so the last one tells whether there is anything to do.
    """
    if least > 1 and len(_batches(BUCKETS - 1, least)) < least:
        return 0
    return sum(_fold_bucket(bucket, least) for bucket in range(BUCKETS))


def _batches(bucket: int, most: int | None = None) -> list[PostingItem]:
    return list(PostingItem.query(batch_key(bucket), limit=most, consistent_read=True))


def _fold_bucket(bucket: int, least: int) -> int:
    found = _batches(bucket)
    if len(found) < max(1, least):
        return 0
    postings: dict[str, set[int]] = defaultdict(set)
    for item in found:
        for term, numbers in unpacked_batch(item):
            postings[term].update(numbers)
    put_into_blocks(postings)
    with PostingItem.batch_write() as writes:
        for item in found:
            writes.delete(item)
    return len(found)


def put_into_blocks(postings: Postings) -> int:
    """Add tickets to the blocks of their terms; returns how many blocks.  DynamoDB adds to a set by itself."""
    written = 0
    for term, numbers in postings.items():
        for block, places in in_blocks(numbers).items():
            PostingItem(term_key(term), block_key(block)).update(actions=[PostingItem.ids.add(places)])
            written += 1
    return written


def take_out_of_blocks(postings: Postings) -> int:
    """The opposite; a block that is emptied stays, without an attribute."""
    written = 0
    for term, numbers in postings.items():
        for block, places in in_blocks(numbers).items():
            PostingItem(term_key(term), block_key(block)).update(actions=[PostingItem.ids.delete(places)])
            written += 1
    return written


def block_items(postings: Postings) -> Iterator[PostingItem]:
    """Blocks as they are once nothing else is in them."""
    for term, numbers in postings.items():
        for block, places in in_blocks(numbers).items():
            yield PostingItem(term_key(term), block_key(block), ids=places)


def in_blocks(numbers: Iterable[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = defaultdict(set)
    for number in numbers:
        found[number // BLOCK].add(letters_of(number % BLOCK))
    return found


def numbers_in(block: int, ids: Iterable[str]) -> set[int]:
    return {block * BLOCK + PLACES[letters] for letters in ids}


def stored_blocks(terms: Collection[str], block: int) -> dict[str, set[int]]:
    """The tickets of one block that the third tier has under each of these terms."""
    keys = [(term_key(term), block_key(block)) for term in terms]
    items = PostingItem.batch_get(keys, consistent_read=True)
    return {str(item.pk).removeprefix("TERM#"): numbers_in(block, item.ids or ()) for item in items}
