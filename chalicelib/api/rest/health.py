"""/openapi.json and /health: open to everybody."""

import json
from functools import lru_cache

from chalice.app import Blueprint, Response

from chalicelib import __version__
from chalicelib.api import http
from chalicelib.api.operations import PREFIX, Call, Operation, operation
from chalicelib.api.rest.shapes import HEALTH
from chalicelib.api.schema import Json

blueprint = Blueprint(__name__)
blueprint.middleware("http")(http.in_our_words)


@operation(
    blueprint,
    Operation("get_health", "GET", "/health", "Is the desk there, and which version", "Desk", None, HEALTH),
)
def get_health(call: Call) -> Json:
    return {"ok": True, "version": __version__}


@blueprint.route(f"{PREFIX}/openapi.json", methods=["GET"], content_types=http.ANY_CONTENT_TYPE, name="openapi")
def openapi() -> Response:
    """Not in the document itself."""
    request = blueprint.current_request
    return http.guarded(request, lambda request_id: http.answer(_document(), 200, request_id))


@lru_cache(maxsize=1)
def _document() -> str:
    from chalicelib.api.openapi import document
    from chalicelib.config import settings

    return json.dumps(document(settings().base_path + PREFIX), ensure_ascii=False, separators=(",", ":"))
