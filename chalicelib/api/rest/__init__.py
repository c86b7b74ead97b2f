"""The REST API: one module per noun, every call declared with ``operations.operation``."""

from collections.abc import Callable
from importlib import import_module

from chalice.app import Blueprint, Request, Response

from chalicelib.api.headers import bare
from chalicelib.api.rest.routes import PREFIX, ROUTES

ANY_CONTENT_TYPE: list[str] = []
"""Chalice checks no content type then: its refusal would not be a problem document, so we check ourselves."""

blueprint = Blueprint(__name__)


def blueprints() -> list[Blueprint]:
    return [blueprint]


def _view(name: str) -> Callable[..., Response]:
    def view(**parts: str) -> Response:
        from chalicelib.api import operations

        import_module(f"{__name__}.{ROUTES[name][0]}")  # declares the call, once
        return operations.answered(name, blueprint.current_request, parts)

    view.__name__ = name
    return view


for _name, (_, _method, _path) in ROUTES.items():
    blueprint.route(PREFIX + _path, methods=[_method], content_types=ANY_CONTENT_TYPE, name=_name)(_view(_name))


@blueprint.route(f"{PREFIX}/openapi.json", methods=["GET"], content_types=ANY_CONTENT_TYPE, name="openapi")
def openapi() -> Response:
    """Not in the document itself."""
    from chalicelib.api import openapi as document

    return document.served(blueprint.current_request)


@blueprint.middleware("http")
def in_our_words(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Chalice's own refusal of a method, as a problem (for webhooks as well); and no answer without our headers."""
    response = get_response(request)
    if response.status_code == 405 and str(request.path).startswith(("/api/", "/hooks/")):
        from chalicelib.api import http

        return http.method_refused(request, str(response.headers.get("Allow", "")))
    for name, value in bare().items():
        response.headers.setdefault(name, value)
    return response


def declare_all() -> None:
    """Import every module, so that every call is declared (for the document)."""
    for module, _, _ in ROUTES.values():
        import_module(f"{__name__}.{module}")
