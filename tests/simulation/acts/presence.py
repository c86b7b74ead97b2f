"""Agents go away and come back, while tickets wait with them and customers write on."""

from datetime import timedelta

from chalicelib.services import presence
from tests.simulation.acts import Turn, act


@act(2)
def goes_away(turn: Turn) -> None:
    """For some minutes, or until somebody says that they are back; now and then by a colleague's hand."""
    desk = turn.desk
    agent = turn.among(desk.agents[:3], "who")
    by = desk.actor(turn.among((agent, desk.agents[2]), "by"))
    minutes = turn.among((None, None, 1, 30), "until")

    def leave() -> None:
        until = desk.now() + timedelta(minutes=minutes) if minutes else None
        presence.leave(agent.id, until, by, desk.now())

    desk.web(by.id, f"says that {agent.id} is away", leave)
    if turn.chance(0.5, "soon back"):
        back = turn.between(0, 600, "back")
        desk.world.after(back, lambda: desk.web(by.id, f"says that {agent.id} is back", lambda: _back(turn, agent.id)))


def _back(turn: Turn, agent_id: str) -> None:
    presence.come_back(agent_id, turn.desk.actor(turn.desk.agents[2]), turn.desk.now())
