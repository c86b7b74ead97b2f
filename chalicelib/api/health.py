"""GET /health: is the desk there, and which version (the API's own is in ``rest.document``)."""

from chalice.app import Blueprint, Response

from chalicelib import __version__

blueprint = Blueprint(__name__)


@blueprint.route("/health", methods=["GET"], name="health")
def health() -> Response:
    headers: dict[str, str | list[str]] = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response({"ok": True, "version": __version__}, headers=headers)
