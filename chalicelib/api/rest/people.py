"""/agents and /teams: who answers, and who is away, how tickets find them.  The rest is managed in the console."""

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import AGENT, TEAM
from chalicelib.api.schema import Choice, Json, ListOf, Moment, Nullable, Number, Record, Text, page_of
from chalicelib.domain.people import ASSIGNMENTS, MAX_CAPACITY
from chalicelib.domain.ticket import MAX_TAG_CHARS, MAX_TAGS
from chalicelib.services import agents, presence, teams
from chalicelib.services.agents import RoutingProfile
from chalicelib.store import directory

LEAVING = Record(
    "Leaving", {}, {"until": Nullable(Moment("When they are back by themselves; null or left out: when it is said."))}
)
WORDS = ListOf(Text(max_chars=MAX_TAG_CHARS, blank=False), MAX_TAGS, about="It replaces what there was.")
AGENT_CHANGE = Record(
    "AgentChange",
    {},
    {"capacity": Number(1, MAX_CAPACITY, "Open tickets at most."), "languages": WORDS, "skills": WORDS},
    some=True,
    example={"capacity": 8, "languages": ["german"]},
)
TEAM_CHANGE = Record("TeamChange", {"assignment": Choice(ASSIGNMENTS, "How its tickets find their agent.")})


@operation(Operation("list_agents", "List all agents", "People", "tickets.read", page_of(AGENT)))
def list_agents(call: Call) -> Json:
    return {"items": [render.agent(each, call.at) for each in directory.agents()], "next": None}


@operation(Operation("get_agent", "Read an agent", "People", "tickets.read", AGENT))
def get_agent(call: Call, agent_id: str) -> Json:
    return render.agent(directory.agent(agent_id), call.at)


@operation(
    Operation(
        "change_agent",
        "Change what an agent is assigned",
        "People",
        "agents.manage",
        AGENT,
        body=AGENT_CHANGE,
        about="What is left out stays.",
    )
)
def change_agent(call: Call, agent_id: str) -> Json:
    before = directory.agent(agent_id)
    wanted = RoutingProfile(
        call.body.get("capacity", before.capacity),
        tuple(call.body.get("languages", before.languages)),
        tuple(call.body.get("skills", before.skills)),
    )
    return render.agent(agents.change_routing(agent_id, wanted, call.bot, call.at), call.at)


@operation(
    Operation(
        "change_team", "Change how a team's tickets are assigned", "People", "teams.manage", TEAM, body=TEAM_CHANGE
    )
)
def change_team(call: Call, team_id: str) -> Json:
    return render.team(teams.change_assignment(team_id, call.body["assignment"], call.bot, call.at))


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
