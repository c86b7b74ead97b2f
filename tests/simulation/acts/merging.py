"""Agents merge tickets and take them apart, two of them often at once and in opposite directions."""

from chalicelib.services import merge_tickets
from tests.simulation.acts import Turn, act
from tests.simulation.world import Ended


@act(3)
def merges(turn: Turn) -> None:
    """One or a few into another; now and then a colleague does it the other way round at the same moment."""
    desk = turn.desk
    known = desk.at_hand()[-8:]
    into = turn.maybe(known, "into")
    if into is None:
        return
    others = sorted({str(turn.among(known, "other", n)) for n in range(turn.among((1, 1, 2, 3), "how many"))} - {into})
    if not others:
        return
    _merge(turn, into, others)
    if turn.chance(0.3, "the other way round"):
        desk.world.after(turn.between(0, 0.5, "moment"), lambda: _merge(turn, others[0], [into], who=1))


def _merge(turn: Turn, into: str, others: list[str], who: int = 0) -> None:
    desk = turn.desk
    actor = desk.actor(desk.agents[who])
    desk.kin.append((into, *others))  # whatever becomes of it: from now on they may be one

    def press(tries: int = 0) -> None:
        def done(ended: Ended) -> None:
            if ended.died and tries < 2 and turn.chance(0.7, "presses again", tries):
                desk.world.after(turn.between(2, 40, "patience", tries), lambda: press(tries + 1))

        label = f"merges {', '.join(others)} into {into}"
        desk.web(actor.id, label, lambda: merge_tickets.merge(into, others, actor, desk.now()), done)

    press()


@act(2)
def takes_apart(turn: Turn) -> None:
    desk = turn.desk
    merged = [each for each in desk.at_hand() if desk.ticket(each).get("merged_into")]
    ticket_id = turn.maybe(merged, "which")
    if ticket_id is None:
        return
    survivor = str(desk.ticket(ticket_id)["merged_into"])
    actor = desk.actor(turn.among(desk.agents[:3], "agent"))
    desk.taken_apart |= {ticket_id, survivor}
    label = f"takes {ticket_id} out of {survivor}"
    desk.web(actor.id, label, lambda: merge_tickets.unmerge(survivor, [ticket_id], actor, desk.now()))
