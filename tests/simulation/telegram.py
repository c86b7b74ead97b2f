"""Telegram's Bot API, as far as the desk calls it, behind the connection pool that ``wiring`` uses."""

import io
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.exceptions import ReadTimeoutError as BotoReadTimeout

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass(frozen=True)
class Post:
    """One message that Telegram took."""

    chat: str
    text: str
    at: datetime


@dataclass
class Telegram:
    """Stands in for ``urllib3.PoolManager``."""

    world: "World"
    posts: list[Post] = field(default_factory=list)

    def request(self, method: str, url: str, body: bytes, **_: Any) -> Any:
        payload = json.loads(body)
        verb = url.rpartition("/")[2]
        try:
            return self.world.guarded("telegram", "Post", lambda: self._effect(verb, payload))
        except EndpointConnectionError as error:
            raise urllib3.exceptions.ConnectTimeoutError("no connection") from error
        except BotoReadTimeout as error:
            raise urllib3.exceptions.ProtocolError("the connection broke off") from error
        except ClientError as error:
            return _answer(*_REFUSALS.get(error.response["Error"]["Code"], (500, {"ok": False})))

    def _effect(self, verb: str, payload: dict[str, Any]) -> Any:
        if verb == "getMe":
            return _answer(200, {"ok": True, "result": {"id": 77, "username": "shop_bot", "first_name": "Shop"}})
        if verb != "sendMessage":
            return _answer(200, {"ok": True, "result": True})
        self.posts.append(Post(str(payload["chat_id"]), str(payload["text"]), self.world.time))
        return _answer(200, {"ok": True, "result": {"message_id": 9000 + len(self.posts)}})


_REFUSALS: dict[str, tuple[int, dict[str, Any]]] = {
    "ThrottlingException": (429, {"ok": False, "parameters": {"retry_after": 3}}),
    "ValidationException": (403, {"ok": False, "description": "Forbidden: bot was blocked by the user"}),
}


def _answer(status: int, document: dict[str, Any]) -> Any:
    body = io.BytesIO(json.dumps(document).encode())
    return urllib3.HTTPResponse(body=body, status=status, preload_content=False)
