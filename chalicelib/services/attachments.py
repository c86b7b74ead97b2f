"""Files of messages: stored byte for byte with their SHA-256, dangerous types flagged."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.files import checked_name, warning_for
from chalicelib.domain.message import Attachment, IncomingFile, Message
from chalicelib.domain.moments import sortable_id
from chalicelib.domain.people import Actor
from chalicelib.errors import InvalidInput, NotAllowed, NotFound, TooLarge
from chalicelib.store import documents, messages, objects, tickets

MAX_UPLOAD_BYTES = 25_000_000
MAX_FILES = 30
UPLOAD_HOURS = 48
DOT = "."
"""Between message and file in the name of a file of the conversation; no id holds one."""


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
    """The files as a message carries them, uploaded or out of the conversation; raise InvalidInput when one is gone."""
    if len(attachment_ids) > MAX_FILES:
        raise InvalidInput("Too many files.", {"attachments": f"A message carries at most {MAX_FILES} files."})
    return tuple(_uploaded(ticket_id, actor, each) for each in dict.fromkeys(attachment_ids))


def _uploaded(ticket_id: str, actor: Actor, attachment_id: str) -> Attachment:
    if DOT in attachment_id:
        return _passed_on(ticket_id, attachment_id)
    found = documents.read(Uploaded, f"UPLOAD#{attachment_id}", "UPLOAD")
    if found is None or (found.ticket_id != ticket_id and tickets.get(found.ticket_id).id != ticket_id):
        raise InvalidInput("A file is gone.", {"attachments": "One file was not uploaded. Add it again."})
    if found.actor_id != actor.id:
        raise NotAllowed("That file was uploaded by somebody else.")
    if objects.attachment_size(found.key) is None:
        raise InvalidInput("A file is missing.", {"attachments": f"{found.name} was not uploaded. Add it again."})
    data = objects.get_attachment(found.key)
    return Attachment(
        attachment_id, found.name, found.content_type, len(data), hashlib.sha256(data).hexdigest(), found.key
    )


# Files of the conversation, sent on


def id_within(message: Message, file: Attachment) -> str:
    """What names a message's file to whoever sends it on from the same ticket; one sent on keeps its first name."""
    return file.id if DOT in file.id else f"{message.id}{DOT}{file.id}"


def offered(said: Sequence[Message]) -> tuple[Attachment, ...]:
    """The files of these messages, newest first, each once, under the ids that send them on.

    Neither what is dangerous, nor what stands in notes, which only agents see.
    """
    found: dict[str, Attachment] = {}
    for message in reversed(said):
        for file in message.attachments if message.kind == "message" else ():
            if not file.warning:
                found.setdefault(file.key, replace(file, id=id_within(message, file)))
    return tuple(found.values())


def passed_on(ticket_id: str, attachment_id: str) -> Attachment | None:
    """A file of this very ticket's conversation; None when there is none of that name, or it stands in a note."""
    message_id, _, file_id = attachment_id.partition(DOT)
    try:
        message = messages.get(ticket_id, message_id)
        return attachment_of(message, file_id) if message.kind == "message" else None
    except NotFound:
        return None


def _passed_on(ticket_id: str, attachment_id: str) -> Attachment:
    found = passed_on(ticket_id, attachment_id)
    if found is None:
        raise InvalidInput("A file is gone.", {"attachments": "One file is not part of this conversation."})
    if found.warning:
        raise InvalidInput("A file cannot be sent.", {"attachments": f"{found.name}: {found.warning}"})
    return replace(found, id=attachment_id, content_id=None, inline=False)


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
