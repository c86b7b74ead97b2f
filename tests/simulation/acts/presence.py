"""Agents go away and come back, teams assign by themselves, while tickets wait with them and customers write on."""

from dataclasses import replace
from datetime import timedelta

from chalicelib.services import agents, presence, teams
from chalicelib.services.agents import RoutingProfile
from chalicelib.store import staff
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


@act(1.5)
def a_team_assigns_by_itself(turn: Turn) -> None:
    """How, and what its members speak and take, is set and changed while tickets come."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    how = turn.among(("least_load", "least_load", "round_robin", "off"), "how")
    profile = RoutingProfile(turn.among((1, 2, 10), "capacity"), turn.among(((), ("german",)), "languages"))
    agent = turn.among(desk.agents[:3], "agent")

    def set_up() -> None:
        for each in desk.agents[:3]:
            staff.change_agent(each.id, lambda before: replace(before, team_ids=("first", "second")))
        agents.change_routing(agent.id, profile, admin, desk.now())
        teams.change_assignment(turn.among(("first", "second"), "team"), how, admin, desk.now())

    desk.web(admin.id, f"lets a team assign: {how}", set_up)
