"""Files: they go straight to and from S3, over links that work for a few minutes."""

import secrets

from chalicelib.api.operations import Call, Operation, operation
from chalicelib.api.rest import render
from chalicelib.api.rest.shapes import AS_IN, ATTACHMENT
from chalicelib.api.schema import Json, MapOf, Number, Record, Text, Words
from chalicelib.store import messages, tickets
from chalicelib.store.objects import PRESIGNED_SECONDS

MAX_UPLOAD_BYTES = 25_000_000

NEW_UPLOAD = Record(
    "NewUpload",
    {
        "name": Text("File name.", max_chars=180, blank=False),
        "content_type": Text(
            "Media type.",
            max_chars=100,
            pattern=r"[A-Za-z0-9!#$&^_.+-]{1,49}/[A-Za-z0-9!#$&^_.+-]{1,49}",
            hint="Write it like application/pdf.",
            example="application/pdf",
        ),
        "size_bytes": Number(0, MAX_UPLOAD_BYTES, "How large the file is.", "Send a link to a larger file instead."),
    },
    {"as": AS_IN},
    example={"name": "label.pdf", "content_type": "application/pdf", "size_bytes": 48213},
)
UPLOAD = Record(
    "Upload",
    {
        "attachment_id": Words("Give it in `attachment_ids` of the message, with the same `as`."),
        "url": Words("Where to POST the file, as multipart/form-data."),
        "fields": MapOf(Words(), Words(), about="Form fields that go before the file, which is the field `file`."),
        "expires_in_seconds": Number(1),
    },
)


@operation(
    Operation(
        "start_upload",
        "Get a place to upload a file for a message",
        "Attachments",
        "tickets.write",
        UPLOAD,
        201,
        NEW_UPLOAD,
    )
)
def start_upload(call: Call, ticket_id: str) -> Json:
    from chalicelib.services import attachments

    tickets.get(ticket_id)
    seed = call.seed.encode() if call.seed else secrets.token_bytes(16)
    upload = attachments.start_upload(
        ticket_id, call.actor(), call.body["name"], call.body["content_type"], call.body["size_bytes"], call.at, seed
    )
    return {
        "attachment_id": upload.attachment_id,
        "url": upload.url,
        "fields": {name: str(value) for name, value in upload.fields.items()},
        "expires_in_seconds": PRESIGNED_SECONDS,
    }


DOWNLOAD = Record("Download", {"attachment": ATTACHMENT, "url": Words("GET it."), "expires_in_seconds": Number(1)})


@operation(
    Operation(
        "get_attachment",
        "Get a link to a file",
        "Attachments",
        "tickets.read",
        DOWNLOAD,
    )
)
def get_attachment(call: Call, ticket_id: str, message_id: str, attachment_id: str) -> Json:
    from chalicelib.services import attachments

    message = messages.get(ticket_id, message_id)
    return {
        "attachment": render.attachment(attachments.attachment_of(message, attachment_id)),
        "url": attachments.link(message, attachment_id),
        "expires_in_seconds": PRESIGNED_SECONDS,
    }
