"""Several tickets about one matter go on as one, and can be taken apart again (docs/domain/merging.md).

A merged ticket keeps its messages, its number and its own state: it only names the ticket that goes on in its place
(the survivor).  All that merging changes is the survivor's state, and each ``Merge`` remembers what it changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.domain.ticket import LIVE, MAX_TAGS, PRIORITIES, Counted, SetAside, Status, Ticket
from chalicelib.errors import Conflict, InvalidInput

MAX_MERGED = 30
"""How many tickets may go on in one: each costs every reader of the conversation a page of its own."""
MAX_AT_ONCE = 20
"""So that one transaction, which names at most 100 items, has room for all that merging may write."""
CHANGED = (
    "status", "closed_at", "status_before", "set_aside", "waiting_since", "snoozed_until", "updated_at",
    "last_message_id", "last_inbound_id", "snippet", "undelivered", "other_inbox_ids", "flags", "tags", "priority",
    "assignee_id", "counted",
)  # fmt: skip
"""What a merge may change of the survivor, but for the number of its messages, which is only added up."""
STANDING = frozenset({"status", "closed_at", "status_before", "set_aside", "waiting_since", "snoozed_until", "counted"})
"""What tells whether somebody has to do something."""


@dataclass(frozen=True)
class Merge:
    """One ticket that was merged into another: the survivor without it, and with it.

    seen_by: the agents for whom the survivor was not unread before; seen_after: afterwards.
    """

    member_id: str
    at: datetime
    by: str
    before: Ticket
    after: Ticket
    seen_by: tuple[str, ...] = ()
    seen_after: tuple[str, ...] = ()


def check_may_merge(survivor: Ticket, members: Sequence[Ticket]) -> None:
    """Raise InvalidInput or Conflict, with what to do instead.  ``members`` as they are, merged or not."""
    ids = {each.id for each in members}
    if not members:
        raise InvalidInput("There is nothing to merge.", {"ticket_ids": "Name at least one other ticket."})
    if survivor.id in ids:
        raise InvalidInput("A ticket cannot be merged into itself.", {"ticket_ids": "Name another ticket."})
    if len(ids) > MAX_AT_ONCE:
        raise InvalidInput("These are too many at once.", {"ticket_ids": f"Merge at most {MAX_AT_ONCE} at a time."})
    for each in (survivor, *members):
        if each.status in ("spam", "trash"):
            where = "in Spam" if each.status == "spam" else "in the trash"
            raise Conflict(f"Ticket {each.id} is {where}. Bring it back first, then merge.")
    for each in members:
        if each.merged_into is not None:
            raise Conflict(f"Ticket {each.id} was merged into ticket {each.merged_into} already.")
    if len({*survivor.merged, *ids, *(inner for each in members for inner in each.merged)}) > MAX_MERGED:
        sentence = f"At most {MAX_MERGED} tickets go on in one; answer and close some of them instead."
        raise InvalidInput("These are too many tickets for one.", {"ticket_ids": sentence})


def joined(survivor: Ticket, member: Ticket) -> Ticket:
    """The survivor with one more ticket in it.  Its customer, inbox, team and subject stay."""
    status = _status(survivor, member)
    both = (survivor, member)
    newest = max(both, key=lambda each: each.last_message_id)
    inboxes = dict.fromkeys((*survivor.other_inbox_ids, member.inbox_id, *member.other_inbox_ids))
    return replace(
        survivor,
        merged=tuple(dict.fromkeys((*survivor.merged, member.id, *member.merged))),
        status=status,
        closed_at=survivor.closed_at if status == survivor.status else None,
        waiting_since=_oldest_wait(both) if status in LIVE else None,
        set_aside=None if status in LIVE else _aside(survivor, member),
        snoozed_until=_snoozed_until(both),
        updated_at=max(each.updated_at for each in both),
        last_message_id=newest.last_message_id,
        last_inbound_id=max(each.last_inbound_id for each in both),
        message_count=survivor.message_count + member.message_count,
        snippet=newest.snippet or survivor.snippet,
        undelivered=survivor.undelivered or member.undelivered,
        other_inbox_ids=tuple(each for each in inboxes if each != survivor.inbox_id),
        flags=tuple(dict.fromkeys((*survivor.flags, *member.flags))),
        tags=tuple(dict.fromkeys((*survivor.tags, *member.tags)))[:MAX_TAGS],
        priority=max((each.priority for each in both), key=PRIORITIES.index),
        assignee_id=survivor.assignee_id or member.assignee_id,
        counted=_counted(both),
    )


def _status(survivor: Ticket, member: Ticket) -> Status:
    """Whatever somebody still has to do stays to be done."""
    order: tuple[Status, ...] = ("open", "pending")
    return next((each for each in order if each in (survivor.status, member.status)), survivor.status)


def _oldest_wait(tickets: Sequence[Ticket]) -> datetime | None:
    """Of what is live and of what was closed unanswered alike: whoever brings a ticket back finds who waited."""
    waits = [each.waiting_since or (each.set_aside.waiting_since if each.set_aside else None) for each in tickets]
    return min((each for each in waits if each is not None), default=None)


def _counted(tickets: Sequence[Ticket]) -> Counted | None:
    """Of the wait that goes on."""
    since = _oldest_wait(tickets)
    found = (each.counted for each in tickets)
    return next((each for each in found if each is not None and each.started_at == since), tickets[0].counted)


def _aside(survivor: Ticket, member: Ticket) -> SetAside | None:
    since = _oldest_wait((survivor, member))
    until = survivor.set_aside.snoozed_until if survivor.set_aside else None
    aside = SetAside(since, until)
    return None if aside == SetAside() else aside


def _snoozed_until(tickets: Sequence[Ticket]) -> datetime | None:
    """Asleep only while everything in it that is live sleeps, and no longer than the first of them."""
    asleep = [each.snoozed_until for each in tickets if each.status in LIVE]
    return min((each for each in asleep if each is not None), default=None) if asleep and all(asleep) else None


def outermost(merged: Mapping[str, Ticket]) -> tuple[str, ...]:
    """Of a survivor's merged tickets those that were merged into it themselves: the others came along with one."""
    along = {inner for each in merged.values() for inner in each.merged}
    return tuple(each for each in merged if each not in along)


def kept_of(ticket: Ticket) -> Ticket:
    """What a record keeps of a ticket: nothing that merging leaves alone."""
    return replace(ticket, participants=(), linked_ticket_ids=(), merged=(), message_count=0, answered_elsewhere=None)


@dataclass(frozen=True)
class Parted:
    """What a survivor is without one of its merged tickets.  ``records``: of those that stay, in the same order."""

    ticket: Ticket
    records: tuple[Merge, ...]
    seen_by: frozenset[str]


def parted(
    survivor: Ticket,
    records: Sequence[Merge],
    gone: Ticket,
    others: Mapping[str, Ticket],
    seen_by: frozenset[str] = frozenset(),
    trouble: bool = False,
) -> Parted:
    """Take a ticket out of another.  ``records``: all of the survivor's, oldest first; ``others``: by id.

    What nobody changed since the merge is again what it was before it; what somebody did change stays.  Where anything
    was said since (``trouble``: or did not arrive), whether somebody has to do something stays as it is: it may be
    about that.
    """
    place = next(n for n, each in enumerate(records) if each.member_id == gone.id)
    undone = records[place:]
    said_since = survivor.last_message_id != undone[-1].after.last_message_id
    held = STANDING if said_since or trouble else frozenset()
    held |= ({"other_inbox_ids"} if said_since else set()) | ({"undelivered"} if trouble else set())
    untouched = [name for name in CHANGED if name not in held]
    values: dict[str, Any] = {name: getattr(survivor, name) for name in CHANGED}
    restored: list[set[str]] = []
    seen = seen_by
    for record in reversed(undone):
        untouched = [name for name in untouched if values[name] == getattr(record.after, name)]
        values |= {name: getattr(record.before, name) for name in untouched}
        restored.insert(0, set(untouched))
        seen = frozenset({*record.seen_by, *(seen - frozenset(record.seen_after))})
    out = {gone.id, *gone.merged}
    ticket = replace(
        survivor,
        merged=tuple(each for each in survivor.merged if each not in out),
        message_count=survivor.message_count - gone.message_count,
        **values,
    )
    kept = list(records[:place])
    for record, names in zip(undone[1:], restored[1:], strict=True):
        together = joined(ticket, others[record.member_id])
        after = replace(ticket, **{name: getattr(together, name) for name in CHANGED if name in names})
        seen_after = frozenset(record.seen_after) if names & {"last_message_id"} else seen
        kept.append(replace(record, before=kept_of(ticket), after=kept_of(after), seen_by=tuple(sorted(seen)),
                            seen_after=tuple(sorted(seen_after))))  # fmt: skip
        ticket, seen = after, seen_after
    return Parted(ticket, tuple(kept), seen)
