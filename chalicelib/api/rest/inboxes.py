"""/inboxes: the configured accounts of the channels."""

from chalice.app import Blueprint

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import INBOX
from chalicelib.api.schema import Json, page_of
from chalicelib.store import directory

blueprint = Blueprint(__name__)


@operation(
    blueprint,
    Operation("list_inboxes", "GET", "/inboxes", "List all inboxes", "Inboxes", "tickets.read", page_of(INBOX)),
)
def list_inboxes(call: Call) -> Json:
    return {"items": [render.inbox(each) for each in directory.inboxes()], "next": None}


@operation(
    blueprint,
    Operation("get_inbox", "GET", "/inboxes/{inbox_id}", "Read an inbox", "Inboxes", "tickets.read", INBOX),
)
def get_inbox(call: Call, inbox_id: str) -> Json:
    return render.inbox(directory.inbox(inbox_id))
