"""API Gateway's side of the open consoles."""

from typing import Any

from tests.simulation.aws.errors import client_error, only

MAX_FRAME_BYTES = 32 * 1024
"""A longer payload goes out in several frames, which our console does not put together again."""


class Websocket:
    """``open``: the frames each connection got.  A browser opens and closes it: the simulation puts it in or out."""

    def __init__(self) -> None:
        self.open: dict[str, list[bytes]] = {}

    def post_to_connection(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "ConnectionId", "Data")
        connection_id, data = request["ConnectionId"], request["Data"]
        if connection_id not in self.open:
            raise client_error("GoneException", "", 410)
        if len(data) > MAX_FRAME_BYTES:
            raise client_error("PayloadTooLargeException", "", 413)
        self.open[connection_id].append(data.encode() if isinstance(data, str) else bytes(data))
        return {}
