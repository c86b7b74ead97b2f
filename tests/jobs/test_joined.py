"""Frames leave together where the page takes them so: each message to each console is billed."""

import json

from chalicelib.jobs import push
from chalicelib.jobs.push import MAX_FRAME_BYTES, Frame
from tests.builders import NOON, a_message
from tests.jobs.test_push import CONSOLES


def a_frame(kind: str, value: object = 1) -> Frame:
    return Frame(json.dumps({kind: value}), kind=kind)


def told(texts: list[str]) -> list[dict[str, object]]:
    return [json.loads(text) for text in texts]


def test_a_row_its_message_and_the_counts_are_one() -> None:
    frames = [a_frame("row"), a_frame("counts", {"open": 2}), a_frame("message", {"html": '<p>"}{</p>'})]
    assert told(push.joined(frames)) == [{"row": 1, "counts": {"open": 2}, "message": {"html": '<p>"}{</p>'}}]


def test_two_of_a_kind_never_share_a_frame_and_keep_their_order() -> None:
    frames = [a_frame("row", 1), a_frame("row", 2), a_frame("counts"), a_frame("message", 1), a_frame("message", 2)]
    assert told(push.joined(frames)) == [{"row": 1, "counts": 1, "message": 1}, {"row": 2, "message": 2}]


def test_what_would_be_too_long_together_goes_apart() -> None:
    long = "x" * (MAX_FRAME_BYTES // 2)
    texts = push.joined([a_frame("row", long), a_frame("message", long)])
    assert len(texts) == 2 and all(len(text.encode()) <= MAX_FRAME_BYTES for text in texts)


def test_a_message_that_the_page_must_fetch_holds_nothing_else_up() -> None:
    fetched = push.message_frame(a_message(text="x" * 40_000), CONSOLES, NOON)
    notice = Frame('{"notice": 1}', agent_id="ben")
    assert len(push.joined([a_frame("row"), fetched, notice])) == 3


def test_nothing_to_say_sends_nothing() -> None:
    assert push.joined([]) == []
