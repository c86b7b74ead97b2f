"""Matches are what going through all tickets finds, wherever their postings lie, page by page, within the budget."""

import random
from collections.abc import Sequence

import pytest

from chalicelib.domain.query import Clause
from chalicelib.store import matches, postings
from chalicelib.store.models import PostingItem
from tests.engine import Desk

pytestmark = pytest.mark.engine

WORDS = {"the": 0.9, "parcel": 0.3, "mug": 0.05, "teapot": 0.004, "tel:123": 0.01, "1042": 0.002}
TICKETS = range(5_000, 17_000)


def carried(seed: int) -> dict[str, set[int]]:
    luck = random.Random(seed)
    return {word: {number for number in TICKETS if luck.random() < share} for word, share in WORDS.items()}


def spread(carry: dict[str, set[int]], luck: random.Random) -> None:
    """Most in blocks, some in batches, some still alone; now and then in two tiers, as amid a fold."""
    by_ticket = {number: [word for word in carry if number in carry[word]] for number in TICKETS}
    blocks: dict[str, set[int]] = {word: set() for word in carry}
    fresh = []
    for number, words in by_ticket.items():
        tier = luck.random()
        if tier < 0.97:
            for word in words:
                blocks[word].add(number)
        if words and tier > 0.965:
            fresh.append(postings.recent_item(f"m{number}", str(number), words))
    postings.put_into_blocks(blocks)
    with PostingItem.batch_write() as writes:
        for first in range(0, len(fresh) - 40, 40):
            for item in postings.batch_items(fresh[first : first + 40]):
                writes.save(item)
        for item in fresh[-40 - len(fresh) % 40 :]:
            writes.save(item)


QUERIES: tuple[tuple[Clause, ...], ...] = (
    ((("parcel",),),),
    ((("teapot",),),),
    ((("the",),), (("parcel",),)),
    ((("mug",),), (("parcel",),)),
    ((("the",),), (("teapot",),), (("mug",),)),
    ((("tel:123",), ("1042", "the")),),
    ((("tel:123",), ("mug", "teapot")), (("the",),)),
    ((("nowhere",),), (("the",),)),
)


def expected(carry: dict[str, set[int]], clauses: Sequence[Clause]) -> list[str]:
    def has(number: int, clause: Clause) -> bool:
        return any(all(number in carry.get(term, ()) for term in way) for way in clause)

    return [str(number) for number in reversed(TICKETS) if all(has(number, clause) for clause in clauses)]


@pytest.mark.parametrize("stingy", [False, True])
def test_pages_hold_what_going_through_all_tickets_finds(
    desk: Desk, stingy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if stingy:
        monkeypatch.setattr(matches, "BUDGET", 0.0)
        monkeypatch.setattr(matches, "LEAST_STEPS", 1.0)
        monkeypatch.setattr(matches, "FIRST_BLOCKS", 1)
    carry = carried(1)
    spread(carry, random.Random(2))
    cuts = 0
    for clauses in QUERIES:
        found: list[str] = []
        below, more = None, True
        while more:
            page = matches.find(clauses, below, 25)
            found += page.ticket_ids
            assert len(page.ticket_ids) <= 25
            assert page.below is None or below is None or page.below < below or not page.ticket_ids
            below, more = page.below, page.below is not None
            cuts += page.cut
            if len(found) > 400:
                break
        wanted = expected(carry, clauses)
        assert found == wanted[: len(found)] and (len(found) == len(wanted) or len(found) > 400), clauses
    assert bool(cuts) == stingy


def test_whatever_is_moved_on_stays_found(desk: Desk) -> None:
    """After each step on the way down, and once more after steps that were cut off or done twice."""
    for n in range(70):
        postings.add(f"m{n:03d}", str(2_000 + n), ["parcel", f"word{n}"])
    clause: list[Clause] = [(("parcel",),)]
    wanted = tuple(str(2_069 - n) for n in range(70))
    assert matches.find(clause, None, 100).ticket_ids == wanted
    before = list(PostingItem.query(postings.RECENT))
    assert postings.fold_recent() == 70 and postings.fold_recent() == 0
    assert matches.find(clause, None, 100).ticket_ids == wanted
    with PostingItem.batch_write() as writes:  # as if the folder had died before it took them off
        for item in before:
            writes.save(item)
    assert matches.find(clause, None, 100).ticket_ids == wanted
    assert postings.fold_recent() == 70  # of the same messages the same batch
    assert len({str(item.sk) for item in PostingItem.query(postings.batch_key(postings.bucket_of("parcel")))}) == 1
    assert postings.fold_batches() == 0, "too few to be worth it"
    words = ["parcel", *(f"word{n}" for n in range(70))]
    assert postings.fold_batches(least=1) == len({postings.bucket_of(word) for word in words})
    assert matches.find(clause, None, 100).ticket_ids == wanted
    assert not list(PostingItem.query(postings.batch_key(postings.bucket_of("parcel"))))
    postings.take_out_of_blocks({"parcel": {2_069}})
    assert matches.find(clause, None, 100).ticket_ids == wanted[1:]


def test_an_edit_while_its_message_is_moved_on_is_not_taken_off(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    postings.add("m1", "2000", ["before"])
    real = postings.batch_items

    def meanwhile(messages: Sequence[PostingItem]) -> list[PostingItem]:
        postings.add("m1", "2000", ["after"])
        return real(messages)

    monkeypatch.setattr(postings, "batch_items", meanwhile)
    postings.fold_recent()
    for word in ("before", "after"):
        assert matches.find([((word,),)], None, 5).ticket_ids == ("2000",)
