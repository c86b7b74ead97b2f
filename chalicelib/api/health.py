"""GET /health and GET /api/v1/health: is the desk there, and which version."""

from chalice.app import Blueprint

from chalicelib import __version__

blueprint = Blueprint(__name__)


@blueprint.route("/health", methods=["GET"], name="health")
def health() -> dict[str, object]:
    return {"ok": True, "version": __version__}


@blueprint.route("/api/v1/health", methods=["GET"], name="health_v1")
def health_v1() -> dict[str, object]:
    return {"ok": True, "version": __version__}
