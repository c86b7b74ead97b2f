"""Notes what happens at the boundary while it happens: what the table's final state no longer shows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.simulation.desk import instant, plain
from tests.simulation.sources import WRITES
from tests.simulation.world import World

NOT_ARRIVED = frozenset({"failed", "bounced", "cancelled"})
TROUBLE = NOT_ARRIVED | {"unclear", "complained"}


SETTLED = timedelta(minutes=10)
"""So long after the last fault nothing of it is left: no lease of the sweep's, no message that comes again."""
ON_TIME_SECONDS = 10
TIMERS_WAY = frozenset({"sweep", "later"})
"""Functions and queues by which a timer goes."""
SOON = timedelta(minutes=3)
ON_THE_STREAM = frozenset({"record again", "record lost"})
LINGERS = timedelta(minutes=5)
"""What a fault began may take so long to pass: a function that hangs, a batch of the stream that comes again."""


@dataclass
class Witness:
    """``committed``: when (and as the how-manyeth) each message was written first.  ``troubled``: messages that were
    once not known to have arrived, or complained of; ``astray``: once known not to have.  ``sends``: when each message
    was first to be sent.
    """

    world: World
    committed: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    troubled: dict[str, datetime] = field(default_factory=dict)
    astray: dict[str, datetime] = field(default_factory=dict)
    sends: dict[str, datetime] = field(default_factory=dict)
    snoozed: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)
    """Until when each ticket sleeps, and since when."""
    lateness: list[float] = field(default_factory=list)
    unhindered: list[float] = field(default_factory=list)
    """Lateness of the timers that nothing of the world's kept from acting."""
    receipts: dict[tuple[str, str], datetime] = field(default_factory=dict)
    queued: set[str] = field(default_factory=set)
    """Bodies that the desk put on a queue one by one."""
    settled_after: list[float] = field(default_factory=list)
    """Seconds from each receipt to the end of its consequences."""

    def __post_init__(self) -> None:
        self.world.watchers.append(self._see)

    def _see(self, service: str, operation: str, arguments: dict[str, Any], answer: Any) -> None:
        if service == "sesv2" and operation == "SendEmail":
            self._sent({each["Name"]: each["Value"] for each in arguments["EmailTags"]})
        if service == "sqs" and operation == "SendMessage":
            self.queued.add(arguments["MessageBody"])
        if service != "dynamodb" or operation not in WRITES:
            return
        for key in _keys(operation, arguments):
            if key[0].startswith("TICKET#"):
                self._written(key)
            elif key[0].startswith("RECEIPTS#"):
                self._receipted(key)

    def _written(self, key: tuple[str, str]) -> None:
        item = self.world.cloud.items.get(key)
        kind, _, name = key[1].partition("#")
        if item is None:
            return
        if kind == "MESSAGE":
            self.committed.setdefault(name, (len(self.committed), self.world.time))
        elif kind == "DELIVERY":
            if item["state"]["S"] in TROUBLE:
                self.troubled.setdefault(name, self.world.time)
            if item["state"]["S"] in NOT_ARRIVED:
                self.astray.setdefault(name, self.world.time)
            if name not in self.sends:
                self.sends[name] = datetime.fromisoformat(item["send_at"]["S"])
        elif kind == "TICKET":
            ticket = plain(item)
            until = instant(ticket.get("snoozed_until"))
            if ticket.get("merged_into") or (until is not None and until <= self.world.time):
                until = None  # it sleeps in another ticket, or slept there too long: its own timer tells nothing
            self._slept(key[0].removeprefix("TICKET#"), until)

    def _receipted(self, key: tuple[str, str]) -> None:
        if "time_key" in self.world.cloud.items.get(key, {}):
            self.receipts.setdefault(key, self.world.time)
        elif key in self.receipts:
            self.settled_after.append((self.world.time - self.receipts.pop(key)).total_seconds())

    def _slept(self, ticket_id: str, until: datetime | None) -> None:
        before, since = self.snoozed.pop(ticket_id, (None, self.world.time))
        if until is not None:
            self.snoozed[ticket_id] = (until, since if until == before else self.world.time)
        running = self.world.current
        if before is None or until is not None or running is None or running.function != "later":
            return
        late = (self.world.time - before).total_seconds()
        self.world.saw("4 no timer early")
        self.lateness.append(late)
        calm = self.world.calm_since
        free = not running.held and not self._hindered(since, before)
        if free:
            self.unhindered.append(late)
        if free or (calm is not None and before > calm + SETTLED):
            self.world.saw("4 timers act on time")
            if late > ON_TIME_SECONDS:
                told = f"ticket {ticket_id} woke {late:.0f} s late, and nothing went wrong"
                self.world.violate("4 timers act on time", told)
        if late < 0:
            self.world.violate("4 no timer early", f"ticket {ticket_id} woke {-late:.1f} s before its time")

    def _hindered(self, since: datetime, until: datetime) -> bool:
        """Did the world strike anything on the timer's way while it went it?

        A timer set long before goes by the sweep alone; one that is due soon, by the stream.
        """
        faults = self.world.faults
        soon = until - since < SOON
        way = TIMERS_WAY | ({"relay"} if soon else set())
        if any(self.world.held.get(function, until - SOON) > until - SOON for function in way - {"later"}):
            return True
        return any(
            faults.when[name] > until - LINGERS and ((soon and kind in ON_THE_STREAM) or not way.isdisjoint(name))
            for name, kind in faults.struck.items()
            if kind != "cold start"
        )

    def _sent(self, tags: dict[str, str]) -> None:
        if "msg" not in tags:
            return  # a mail of the desk's own, to one of its people
        due = self.sends.get(tags["msg"])
        self.world.saw("4 no timer early", due is not None)
        if due is not None and self.world.time < due:
            early = (due - self.world.time).total_seconds()
            self.world.violate(
                "4 no timer early", f"{tags['msg']} went out {early:.1f} s before its undo time was over"
            )


def _keys(operation: str, arguments: dict[str, Any]) -> list[tuple[str, str]]:
    if operation == "TransactWriteItems":
        parts = [next(iter(each.values())) for each in arguments["TransactItems"]]
    elif operation == "BatchWriteItem":
        return []  # postings
    else:
        parts = [arguments]
    keys = [part.get("Item") or part.get("Key") for part in parts]
    return [(key["pk"]["S"], key["sk"]["S"]) for key in keys]
