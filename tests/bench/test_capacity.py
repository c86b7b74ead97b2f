"""What the bench makes of its counts: growth is seen, and a page that was not full is not taken for one."""

from bench.capacity import Row, growth
from bench.meter import Call
from bench.metered import Metered
from bench.units import Units

ROW = Row("page", ("page",), "read", 5)


def desk(read: float, items: int) -> Metered:
    made = Metered(None)
    made.steps["page"].append([Call("Query", Units(read=read), Units(read=read), items)])
    return made


def test_growth_is_that_from_the_smallest_full_page() -> None:
    assert growth({1_000: desk(1, 10), 10_000: desk(4, 50), 100_000: desk(4.2, 50)}, ROW) == 4.2 / 4


def test_what_reads_more_on_each_larger_desk_grows() -> None:
    assert growth({1_000: desk(1, 10), 10_000: desk(4, 40), 100_000: desk(9, 90)}, ROW) == 9


def test_the_same_items_at_a_higher_price_grow() -> None:
    assert growth({1_000: desk(4, 50), 100_000: desk(6, 50)}, ROW) == 1.5


def test_one_desk_alone_has_grown_from_nothing() -> None:
    assert growth({1_000: desk(4, 50)}, ROW) == 1
