"""/agents and /teams: who answers, and who is away.  They are managed in the console."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import AGENT, TEAM
from chalicelib.api.schema import Json, Moment, Nullable, Record, page_of
from chalicelib.services import presence
from chalicelib.store import directory

LEAVING = Record(
    "Leaving", {}, {"until": Nullable(Moment("When they are back by themselves; null or left out: when it is said."))}
)


@operation(Operation("list_agents", "List all agents", "People", "tickets.read", page_of(AGENT)))
def list_agents(call: Call) -> Json:
    return {"items": [render.agent(each, call.at) for each in directory.agents()], "next": None}


@operation(Operation("get_agent", "Read an agent", "People", "tickets.read", AGENT))
def get_agent(call: Call, agent_id: str) -> Json:
    return render.agent(directory.agent(agent_id), call.at)


@operation(
    Operation(
        "set_agent_away",
        "Say that an agent is away",
        "People",
        "tickets.write",
        AGENT,
        body=LEAVING,
        about="Nothing is assigned to them by itself any more; their open tickets that wait are handed back.",
    )
)
def set_agent_away(call: Call, agent_id: str) -> Json:
    return render.agent(presence.leave(agent_id, call.body.get("until"), call.bot, call.at), call.at)


@operation(Operation("set_agent_back", "Say that an agent is back", "People", "tickets.write", AGENT))
def set_agent_back(call: Call, agent_id: str) -> Json:
    return render.agent(presence.come_back(agent_id, call.bot, call.at), call.at)


@operation(Operation("list_teams", "List all teams", "People", "tickets.read", page_of(TEAM)))
def list_teams(call: Call) -> Json:
    return {"items": [render.team(each) for each in directory.teams()], "next": None}
