"""One mail and what we expect of it; None means "this case says nothing about that field"."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """``attachments`` are (name, bytes) pairs in any order; ``name`` None there accepts any name we made up."""

    name: str
    raw: bytes
    address: str | None = None
    display_name: str | None = None
    subject: str | None = None
    text: str | None = None
    new: str | None = None
    attachments: tuple[tuple[str | None, bytes], ...] | None = None
    kind: str | None = None
    may_auto_answer: bool | None = None
    bounced: tuple[str, ...] | None = None
    forwarded_from: str | None = None
    forwarded_subject: str | None = None
    banner: str | None = None
