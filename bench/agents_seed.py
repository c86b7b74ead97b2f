"""Agents with open sessions for ``bench.agents``: ``python -m bench.agents_seed COUNT``, in the functions' environment.

They get their sessions here and not by signing in: failed or not, every attempt is counted against the one address
from which a bench comes, on purpose, and fifty people behind it would have to wait.
"""

import json
import sys
from datetime import UTC, datetime

from chalicelib import wiring
from chalicelib.domain.people import Agent
from chalicelib.services import sessions
from chalicelib.store import directory


def main() -> None:
    wiring.connect()
    now = datetime.now(UTC)
    made = []
    team_ids = tuple(team.id for team in directory.teams()[:1])
    for n in range(int(sys.argv[1])):
        agent = Agent(
            f"a_bench{n:03d}", f"bench{n}@northwind-mugs.example", f"Bench {n:03d}", "agent", True, now, team_ids
        )
        directory.save_agent(agent)
        made.append({"id": agent.id, "name": agent.name, "cookie": sessions.open_session(agent, now)})
    print(json.dumps(made))


if __name__ == "__main__":
    main()
