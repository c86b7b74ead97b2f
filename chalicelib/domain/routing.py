"""Which agent takes a ticket, and in words why (docs/domain/routing.md)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chalicelib.domain.people import DEFAULT_CAPACITY, Assignment
from chalicelib.domain.ticket import Ticket, TicketRow

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Candidate:
    """A member of the team as routing sees one.

    load: how many open tickets they hold.  given_at: when they were given one last by routing; None: never.
    present: nothing is given to whoever is not.
    """

    id: str
    name: str
    load: int = 0
    capacity: int = DEFAULT_CAPACITY
    given_at: datetime | None = None
    languages: Collection[str] = ()
    skills: Collection[str] = ()
    present: bool = True

    @property
    def has_room(self) -> bool:
        return self.present and self.load < self.capacity


@dataclass(frozen=True)
class Needs:
    """What whoever takes a ticket must speak and know."""

    languages: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()

    def met_by(self, candidate: Candidate) -> bool:
        return set(self.languages) <= set(candidate.languages) and set(self.skills) <= set(candidate.skills)

    def in_words(self) -> list[str]:
        """ "speaks German", "knows returns": what is said of somebody who meets them."""
        spoken = [each.capitalize() for each in self.languages]
        return [
            *([f"speaks {_and(spoken)}"] if spoken else []),
            *([f"knows {_and(self.skills)}"] if self.skills else []),
        ]


def needs_of(tags: Iterable[str], language: str, team: Sequence[Candidate]) -> Needs:
    """A tag that names what somebody of the team speaks or knows asks for it; so does the inbox's language.

    What nobody of the team speaks or knows is not asked for: the ticket would wait for ever.
    """
    spoken = {each for candidate in team for each in candidate.languages}
    known = {each for candidate in team for each in candidate.skills}
    tagged = list(tags)
    wanted = dict.fromkeys(each for each in (language, *tagged) if each in spoken)
    return Needs(tuple(wanted), tuple(dict.fromkeys(each for each in tagged if each in known and each not in wanted)))


@dataclass(frozen=True)
class Choice:
    """Who takes it, or None; ``why`` explains either."""

    candidate: Candidate | None
    why: str


def choose(team: Sequence[Candidate], needs: Needs, how: Assignment) -> Choice:
    """Of those who are present, meet the needs and have room: least load, then longest idle; or whose turn it is."""
    present = [each for each in team if each.present]
    able = [each for each in present if needs.met_by(each)]
    free = [each for each in able if each.has_room]
    if not free:
        return Choice(None, _why_nobody(present, able, needs))
    if how == "round_robin":
        chosen = min(free, key=lambda each: (each.given_at or NEVER, each.load, each.id))
        return Choice(chosen, _why(chosen, needs, "whose turn it is" if len(free) > 1 else ""))
    chosen = min(free, key=lambda each: (each.load, each.given_at or NEVER, each.id))
    return Choice(chosen, _why(chosen, needs, _how_decided(chosen, free)))


def _how_decided(chosen: Candidate, free: Sequence[Candidate]) -> str:
    if len(free) == 1:
        return ""
    return "idle longest" if sum(each.load == chosen.load for each in free) > 1 else "fewest tickets"


def _why(chosen: Candidate, needs: Needs, decided: str) -> str:
    held = f"{chosen.load + 1} of {chosen.capacity} tickets"
    return ", ".join([*needs.in_words(), held, decided or "nobody else is free"])


def _why_nobody(present: Sequence[Candidate], able: Sequence[Candidate], needs: Needs) -> str:
    if not present:
        return "nobody of the team is there"
    who = f"who {' and '.join(needs.in_words())}" if needs.in_words() else ""
    if not able:
        return f"nobody {who} is there"
    return f"everybody {who} has as many tickets as they take".replace("  ", " ")


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def given(team: Sequence[Candidate], agent_id: str, at: datetime) -> list[Candidate]:
    """The team after this one took a ticket."""
    return [replace(each, load=each.load + 1, given_at=at) if each.id == agent_id else each for each in team]


# The line of a team


def waits_for_somebody(ticket: Ticket | TicketRow, at: datetime) -> bool:
    """Open, awake and nobody's."""
    asleep = ticket.snoozed_until is not None and ticket.snoozed_until > at
    merged = isinstance(ticket, Ticket) and ticket.merged_into is not None
    return ticket.status == "open" and not ticket.assignee_id and not asleep and not merged


def in_line(rows: Iterable[TicketRow]) -> list[TicketRow]:
    """Whose customer waits longest comes first; behind them those for which nobody waits, oldest news first."""
    return sorted(rows, key=lambda row: (row.waiting_since is None, row.waiting_since or row.updated_at, int(row.id)))
