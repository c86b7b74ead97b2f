"""GET /static/…: our own script and style, and htmx; named by their content, so browsers keep them."""

import re

from chalice.app import Blueprint, Response

from chalicelib.api.headers import bare
from chalicelib.web.render import STATIC_FILES, static_path, static_version

COMMENT_LINES = re.compile(r"^//.*\n", re.MULTILINE)

blueprint = Blueprint(__name__)


@blueprint.route("/static/{version}/{name}", methods=["GET"])
def static_file(version: str, name: str) -> Response:
    if name not in STATIC_FILES:
        return Response("There is no such file.", status_code=404, headers={"Content-Type": "text/plain", **bare()})
    known = version == static_version(name)
    headers: dict[str, str | list[str]] = {
        "Content-Type": STATIC_FILES[name],
        "Cache-Control": "public, max-age=31536000, immutable" if known else "no-cache",
        **bare(),
    }
    text = static_path(name).read_text("utf-8")
    return Response(COMMENT_LINES.sub("", text) if name.endswith(".js") else text, headers=headers)
