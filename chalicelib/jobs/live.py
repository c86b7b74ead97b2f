"""WebSocket edge: consoles come, say what they look at, and go."""

import json
from datetime import datetime
from typing import Any

from chalicelib import config, wiring
from chalicelib.services import live_pass
from chalicelib.store import live
from chalicelib.store.live import Connection

MAX_FRAME_CHARS = 2_000


def connect(connection_id: str, query: dict[str, str], origin: str = "") -> dict[str, Any]:
    """A console opens its socket with a single-use pass that a signed-in page got for it (60 s)."""
    wiring.begin()
    now = config.now()
    ticket = live_pass.redeem(query.get("pass", ""), now, origin)
    if ticket is None:
        return {"statusCode": 403}
    live.open_connection(Connection(connection_id, ticket.agent_id, session_id=ticket.session_id), now)
    return {"statusCode": 200}


def message(connection_id: str, body: str) -> None:
    """``{"look": ticket id}``: the conversation on that screen, "" for none.  Anything else is ignored.

    The first look of a page says ``since`` when the page was made: what changed until it listened, it has missed.
    """
    wiring.begin()
    if len(body) > MAX_FRAME_CHARS:
        return
    try:
        said = json.loads(body)
    except ValueError:
        return
    if isinstance(said, dict) and isinstance(said.get("look"), str):
        live.look_at(connection_id, said["look"][:20], config.now())
        since = _moment(said.get("since"))
        if since is not None and live.changed_since(since):
            wiring.push(connection_id, json.dumps({"missed": True}))


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def disconnect(connection_id: str) -> None:
    """A console is gone."""
    wiring.begin()
    live.close_connection(connection_id)
