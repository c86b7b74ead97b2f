"""/agents and /teams: who answers.  They are managed in the console."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import AGENT, TEAM
from chalicelib.api.schema import Json, page_of
from chalicelib.store import directory


@operation(Operation("list_agents", "List all agents", "People", "tickets.read", page_of(AGENT)))
def list_agents(call: Call) -> Json:
    return {"items": [render.agent(each) for each in directory.agents()], "next": None}


@operation(Operation("get_agent", "Read an agent", "People", "tickets.read", AGENT))
def get_agent(call: Call, agent_id: str) -> Json:
    return render.agent(directory.agent(agent_id))


@operation(Operation("list_teams", "List all teams", "People", "tickets.read", page_of(TEAM)))
def list_teams(call: Call) -> Json:
    return {"items": [render.team(each) for each in directory.teams()], "next": None}
