"""GET /health: is the desk there, and which version (the API's own is in ``rest.document``)."""

from chalice.app import Blueprint

from chalicelib import __version__

blueprint = Blueprint(__name__)


@blueprint.route("/health", methods=["GET"], name="health")
def health() -> dict[str, object]:
    return {"ok": True, "version": __version__}
