"""WebSocket edge: consoles come, say what they look at, and go."""

import json
from typing import Any

from chalicelib import config, wiring
from chalicelib.observability import log
from chalicelib.services import live_pass
from chalicelib.store import live
from chalicelib.store.live import Connection

MAX_FRAME_CHARS = 2_000


def connect(connection_id: str, query: dict[str, str]) -> dict[str, Any]:
    """A console opens its socket with a single-use pass that a signed-in page got for it (60 s)."""
    wiring.begin()
    now = config.now()
    agent_id = live_pass.redeem(query.get("pass", ""), now)
    if agent_id is None:
        log("socket refused")
        return {"statusCode": 403}
    live.open_connection(Connection(connection_id, agent_id), now)
    return {"statusCode": 200}


def message(connection_id: str, body: str) -> None:
    """``{"look": ticket id}``: the conversation on that screen, "" for none.  Anything else is ignored."""
    wiring.begin()
    if len(body) > MAX_FRAME_CHARS:
        return
    try:
        said = json.loads(body)
    except ValueError:
        return
    if isinstance(said, dict) and isinstance(said.get("look"), str):
        live.look_at(connection_id, said["look"][:20], config.now())


def disconnect(connection_id: str) -> None:
    """A console is gone."""
    wiring.begin()
    live.close_connection(connection_id)
