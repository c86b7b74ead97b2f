"""Files of messages: stored byte for byte with their SHA-256, dangerous types flagged."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.files import checked_name, warning_for
from chalicelib.domain.message import Attachment, IncomingFile, Message
from chalicelib.domain.moments import sortable_id
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput, NotAllowed, NotFound, TooLarge
from chalicelib.store import documents, objects

MAX_UPLOAD_BYTES = 25_000_000
MAX_FILES = 30
UPLOAD_HOURS = 48


def store_files(message_id: str, files: Sequence[IncomingFile]) -> tuple[Attachment, ...]:
    """Store a message's files under its id; repeatable."""
    return tuple(_store(message_id, n, each) for n, each in enumerate(files))


def _store(message_id: str, n: int, file: IncomingFile) -> Attachment:
    key = f"files/{message_id}/{n}"
    objects.put_attachment(key, file.data, "application/octet-stream")
    name = checked_name(file.name)
    return Attachment(
        f"a{n}", name, file.content_type, len(file.data), hashlib.sha256(file.data).hexdigest(), key,
        file.content_id, file.inline, warning_for(name, file.content_type),
    )  # fmt: skip


# Uploads by agents


@dataclass(frozen=True)
class Upload:
    """Where the browser puts the file: POST ``fields`` and the file as ``file`` to ``url``."""

    attachment_id: str
    url: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Uploaded:
    """A file on its way to a message."""

    ticket_id: str
    actor_id: str
    name: str
    content_type: str
    key: str


def start_upload(
    ticket_id: str, actor: Actor, name: str, content_type: str, size_bytes: int, at: datetime, seed: bytes
) -> Upload:
    """Let an agent put one file; raise InvalidInput or TooLarge with what to do instead."""
    clean = checked_name(name)
    warning = warning_for(clean, content_type)
    if warning:
        raise InvalidInput(f"{clean} cannot be sent: {warning}", {"file": warning})
    if size_bytes > MAX_UPLOAD_BYTES:
        raise TooLarge(f"{clean} is over {MAX_UPLOAD_BYTES // 1_000_000} MB. Send a link to it instead.")
    attachment_id = sortable_id("f", at, seed, chars=12)
    kind = content_type or "application/octet-stream"
    key = f"uploads/{attachment_id}"
    uploaded = Uploaded(ticket_id, actor.id, clean, kind, key)
    documents.write(f"UPLOAD#{attachment_id}", "UPLOAD", uploaded, at + timedelta(hours=UPLOAD_HOURS))
    form = objects.upload_form(key, kind, MAX_UPLOAD_BYTES)
    return Upload(attachment_id, form["url"], form["fields"])


def uploaded(ticket_id: str, actor: Actor, attachment_ids: Sequence[str]) -> tuple[Attachment, ...]:
    """The uploaded files as a message carries them; raise InvalidInput when one never arrived."""
    if len(attachment_ids) > MAX_FILES:
        raise InvalidInput("Too many files.", {"attachments": f"A message carries at most {MAX_FILES} files."})
    return tuple(_uploaded(ticket_id, actor, each) for each in dict.fromkeys(attachment_ids))


def _uploaded(ticket_id: str, actor: Actor, attachment_id: str) -> Attachment:
    found = documents.read(Uploaded, f"UPLOAD#{attachment_id}", "UPLOAD")
    if found is None or found.ticket_id != ticket_id:
        raise InvalidInput("A file is gone.", {"attachments": "One file was not uploaded. Add it again."})
    if found.actor_id != actor.id:
        raise NotAllowed("That file was uploaded by somebody else.")
    if objects.attachment_size(found.key) is None:
        raise InvalidInput("A file is missing.", {"attachments": f"{found.name} was not uploaded. Add it again."})
    data = objects.get_attachment(found.key)
    return Attachment(
        attachment_id, found.name, found.content_type, len(data), hashlib.sha256(data).hexdigest(), found.key
    )


def attachment_of(message: Message, attachment_id: str) -> Attachment:
    found = next((each for each in message.attachments if each.id == attachment_id), None)
    if found is None:
        raise NotFound("There is no such file.")
    return found


def link(message: Message, attachment_id: str, inline: bool = False) -> str:
    """A short-lived link to one file.  Only pictures are ever shown inline; everything else is a download."""
    file = attachment_of(message, attachment_id)
    picture = file.content_type in ("image/png", "image/jpeg", "image/gif", "image/webp")
    kind = file.content_type if picture else "application/octet-stream"
    return objects.attachment_url(file.key, file.name, kind, inline and picture)


def contents(files: Sequence[Attachment]) -> tuple[IncomingFile, ...]:
    """The files' bytes, for sending."""
    return tuple(
        IncomingFile(each.name, each.content_type, objects.get_attachment(each.key), each.content_id, each.inline)
        for each in files
    )
