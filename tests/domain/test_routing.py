"""Who takes a ticket: what holds for any team, and the words of some."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from chalicelib.domain.people import Assignment
from chalicelib.domain.routing import NEVER, Candidate, Needs, choose, given, in_line, needs_of
from chalicelib.domain.ticket import TicketRow

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""However busy the machine is."""
WORDS = ("german", "french", "returns")

moments = st.integers(0, 5).map(lambda hours: NOON - timedelta(hours=hours))
words = st.frozensets(st.sampled_from(WORDS))
candidates = st.builds(
    Candidate, id=st.just(""), name=st.just(""), load=st.integers(0, 4), capacity=st.integers(1, 4),
    given_at=st.none() | moments, languages=words, skills=words, present=st.booleans(),
)  # fmt: skip


def numbered(team: list[Candidate]) -> list[Candidate]:
    return [Candidate(**{**vars(each), "id": f"a{n}", "name": f"A{n}"}) for n, each in enumerate(team)]


teams = st.lists(candidates, max_size=6).map(numbered)
needs = st.builds(Needs, languages=words.map(tuple), skills=words.map(tuple))
hows = st.sampled_from(("least_load", "round_robin"))


@unhurried
@drawn(teams, needs, hows)
def test_only_who_is_there_able_and_has_room_takes_it(team: list[Candidate], wanted: Needs, how: Assignment) -> None:
    free = [each for each in team if each.present and wanted.met_by(each) and each.load < each.capacity]
    chosen = choose(team, wanted, how).candidate
    assert (chosen in free) if free else chosen is None


@unhurried
@drawn(teams, needs)
def test_nobody_free_has_less_and_nobody_with_as_little_was_idle_longer(team: list[Candidate], wanted: Needs) -> None:
    chosen = choose(team, wanted, "least_load").candidate
    for other in team:
        if chosen and other.has_room and wanted.met_by(other):
            assert chosen.load <= other.load
            assert chosen.load < other.load or (chosen.given_at or NEVER) <= (other.given_at or NEVER)


@unhurried
@drawn(teams, needs)
def test_in_turn_whoever_was_given_nothing_for_longest_is_next(team: list[Candidate], wanted: Needs) -> None:
    chosen = choose(team, wanted, "round_robin").candidate
    for other in team:
        if chosen and other.has_room and wanted.met_by(other):
            assert (chosen.given_at or NEVER) <= (other.given_at or NEVER)


@unhurried
@drawn(teams, needs, hows, st.randoms())
def test_the_order_in_which_a_team_is_read_decides_nothing(
    team: list[Candidate], wanted: Needs, how: Assignment, chance: Random
) -> None:
    shuffled = list(team)
    chance.shuffle(shuffled)
    assert choose(shuffled, wanted, how) == choose(team, wanted, how)


@unhurried
@drawn(st.integers(1, 5), st.integers(0, 40), hows)
def test_equals_are_given_as_many_but_one(size: int, tickets: int, how: Assignment) -> None:
    team = [Candidate(f"a{n}", f"A{n}", capacity=100) for n in range(size)]
    for n in range(tickets):
        chosen = choose(team, Needs(), how).candidate
        assert chosen is not None
        team = given(team, chosen.id, NOON + timedelta(minutes=n))
    assert max(each.load for each in team) - min(each.load for each in team) <= 1


OMAR = Candidate("omar", "Omar", load=2, languages=("german", "french"), skills=("returns",))
LINA = Candidate("lina", "Lina", load=2, given_at=NOON, languages=("german",), skills=("returns",))


@pytest.mark.parametrize(
    ("team", "tags", "who", "why"),
    [
        ([OMAR, LINA], (), "Omar", "speaks German, 3 of 10 tickets, idle longest"),
        ([OMAR, LINA], ("french", "returns"), "Omar",
         "speaks German and French, knows returns, 3 of 10 tickets, nobody else is free"),
        ([OMAR, Candidate("max", "Max", languages=("german",))], (), "Max",
         "speaks German, 1 of 10 tickets, fewest tickets"),
        ([Candidate("max", "Max", present=False), Candidate("eva", "Eva", load=10)], (), None,
         "everybody has as many tickets as they take"),
        ([Candidate("omar", "Omar", languages=("german",), present=False), Candidate("max", "Max")], (), None,
         "nobody who speaks German is there"),
        ([Candidate("max", "Max", present=False)], (), None, "nobody of the team is there"),
        ([Candidate("max", "Max")], ("lost",), "Max", "1 of 10 tickets, nobody else is free"),
    ],
)  # fmt: skip
def test_the_words(team: list[Candidate], tags: tuple[str, ...], who: str | None, why: str) -> None:
    choice = choose(team, needs_of(tags, "german", team), "least_load")
    assert (choice.candidate.name if choice.candidate else None, choice.why) == (who, why)


def test_in_turn_it_is_said_so() -> None:
    assert choose([OMAR, LINA], Needs(), "round_robin").why == "3 of 10 tickets, whose turn it is"


def row(number: int, waiting: int | None, news: int) -> TicketRow:
    since = NOON - timedelta(minutes=waiting) if waiting is not None else None
    return TicketRow(
        str(number), "", "open", "normal", "i", "email", "c", "", None, "t", "", (), NOON - timedelta(minutes=news),
        since, None, False, "",
    )  # fmt: skip


def test_who_waits_longest_is_first_whoever_wrote_last() -> None:
    rows = [row(4, None, 90), row(10, 5, 5), row(9, 5, 5), row(1, 30, 1), row(3, None, 100)]
    assert [each.id for each in in_line(rows)] == ["1", "9", "10", "3", "4"]
