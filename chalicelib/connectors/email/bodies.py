"""A tree of parts to one text, one HTML and a list of files; nothing is left out without a banner."""

import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from html import escape

from chalicelib.connectors.email.charsets import decode
from chalicelib.connectors.email.hypertext import MAX_HTML_CHARS, read_html
from chalicelib.connectors.email.sealed import is_encrypted, signed_entity
from chalicelib.connectors.email.tnef import Tnef, read_tnef
from chalicelib.connectors.email.transfer import KNOWN_ENCODINGS, uuencoded_files
from chalicelib.connectors.email.tree import Budget, Part, read_tree
from chalicelib.connectors.email.words import one_line
from chalicelib.domain.message import IncomingFile

MAX_TEXT_CHARS = 2_000_000
MAX_NAME_CHARS = 200
S_MIME = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
REPORTED = frozenset({"message/delivery-status", "message/feedback-report", "message/disposition-notification",
                      "text/rfc822-headers", "message/global-delivery-status"})  # fmt: skip
ATTACHED_MAIL = frozenset({"message/rfc822", "message/global", "message/news"})
BODY_TYPES = frozenset({"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown"})
ALTERNATE_VIEWS = frozenset({"text/x-amp-html", "text/watch-html"})
EXTENSIONS = {"text/plain": ".txt", "image/jpeg": ".jpg", "image/png": ".png", "text/calendar": ".ics",
              "application/pdf": ".pdf", "message/rfc822": ".eml"}  # fmt: skip
INNER_HEADERS = re.compile(r"\s*(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){3,}\s*\n")
PATH = re.compile(r"[/\\]")


@dataclass(frozen=True)
class Said:
    """text: plain, "" when there was only HTML.  html_new: the HTML's words without its quotes; None: no marks."""

    text: str = ""
    html: str = ""
    html_text: str = ""
    html_new: str | None = None

    @property
    def shown(self) -> str:
        return self.text if self.text.strip() else self.html_text


@dataclass
class Contents:
    """Collected while walking."""

    files: list[IncomingFile] = field(default_factory=list)
    late_texts: list[Said] = field(default_factory=list)
    """Texts that stand in for a missing body: named text parts, the words of a winmail.dat."""


def read_contents(root: Part, budget: Budget) -> tuple[Said, tuple[IncomingFile, ...]]:
    """What the mail says and the files it brings."""
    contents = Contents()
    said = _say(root, root, contents, budget, 0)
    if not said.shown.strip() and contents.late_texts:
        said = contents.late_texts[0]
    said = _unwrapped(said, contents, budget)
    said, files = _without_uuencode(said)
    contents.files += files
    return _bounded(said, budget), tuple(_with_inline(contents.files, said.html))


def _say(part: Part, root: Part, contents: Contents, budget: Budget, depth: int) -> Said:
    if budget.spent():
        return Said()
    if part.children:
        return _say_children(part, root, contents, budget, depth)
    if part.encoding not in KNOWN_ENCODINGS:
        budget.note(f"A part uses the unknown encoding “{one_line(part.encoding)[:40]}”; it is shown as it came.")
    if _is_body(part, root):
        return _body(part)
    if part.maintype == "multipart":
        return Said()
    return _file(part, root, contents, budget, depth)


def _is_body(part: Part, root: Part) -> bool:
    if part.content_type not in BODY_TYPES:
        return False
    return part.disposition != "attachment" and (part is root or not part.file_name)


def _say_children(part: Part, root: Part, contents: Contents, budget: Budget, depth: int) -> Said:
    if part.content_type == "multipart/alternative":
        return _best([_say(child, root, contents, budget, depth) for child in _views(part, budget)])
    if part.content_type == "multipart/encrypted":
        budget.note("This mail is encrypted (PGP) and cannot be read here. The original holds it.")
    if part.content_type == "multipart/related":
        return _related(part, root, contents, budget, depth)
    return _together([_say(child, root, contents, budget, depth) for child in part.children])


def _views(part: Part, budget: Budget) -> Sequence[Part]:
    shown = [child for child in part.children if child.content_type not in ALTERNATE_VIEWS]
    if len(shown) < len(part.children):
        budget.note("Another view of this mail, made for other devices, is only in the original.")
    return shown


def _related(part: Part, root: Part, contents: Contents, budget: Budget, depth: int) -> Said:
    """The first part is the page; others that it names by Content-ID are files, also when they are text."""
    first, *others = part.children
    said = [_say(first, root, contents, budget, depth)]
    for other in others:
        if other.has("content-id") and not other.children:
            _file(other, root, contents, budget, depth)
        else:
            said.append(_say(other, root, contents, budget, depth))
    return _together(said)


def _best(views: Sequence[Said]) -> Said:
    """The last text and the last HTML that say anything: alternatives stand in order of preference."""
    text = next((view.text for view in reversed(views) if view.text.strip()), "")
    rich = next((view for view in reversed(views) if view.html.strip()), Said())
    return replace(rich, text=text)


def _together(said: Sequence[Said]) -> Said:
    """Texts one below the other.  HTML is kept whole: what is only text among it becomes a <pre>."""
    spoken = [one for one in said if one.shown.strip()]
    if len(spoken) <= 1:
        return spoken[0] if spoken else next((one for one in said if one.html), Said())
    has_text = any(one.text.strip() for one in spoken)
    rich = any(one.html for one in spoken)
    return Said(
        text="\n\n".join(one.shown.strip("\n") for one in spoken) if has_text else "",
        html="\n".join(one.html or f"<pre>{escape(one.text)}</pre>" for one in spoken) if rich else "",
        html_text="\n\n".join(one.shown.strip("\n") for one in spoken),
        html_new=None,
    )


def _body(part: Part) -> Said:
    text = decode(part.data, part.type_parameters.get("charset", "")).replace("\r\n", "\n").replace("\r", "\n")
    if part.content_type == "text/html":
        read = read_html(text)
        return Said(html=text, html_text=read.text, html_new=read.new)
    if part.content_type in ("text/enriched", "text/richtext"):
        text = re.sub(r"<[A-Za-z/][^<>\n]{0,80}>", "", text.replace("<<", "\x01")).replace("\x01", "<")
    if part.type_parameters.get("format", "").lower() == "flowed":
        text = _unflowed(text, part.type_parameters.get("delsp", "").lower() == "yes")
    return Said(text=text.strip("\n").rstrip())


def _unflowed(text: str, delete_space: bool) -> str:
    """RFC 3676: a line that ends with a blank goes on in the next one of the same quote depth."""
    lines: list[str] = []
    open_depth = -1
    for raw in text.split("\n"):
        stripped = raw.lstrip(">")
        depth = len(raw) - len(stripped)
        body = stripped[1:] if stripped.startswith(" ") else stripped
        flows = body.endswith(" ") and body != "-- "
        words = body[:-1] if flows and delete_space else body
        if depth == open_depth and body != "-- ":
            lines[-1] += words
        else:
            lines.append(">" * depth + (" " if depth else "") + words)
        open_depth = depth if flows else -1
    return "\n".join(lines)


def _file(part: Part, root: Part, contents: Contents, budget: Budget, depth: int) -> Said:
    """Keep the part as a file; open what others can be hidden in."""
    data = part.data
    file = IncomingFile(_safe_name(part, data, len(contents.files) + 1, budget), part.content_type, data,
                        _content_id(part), part.disposition == "inline")  # fmt: skip
    contents.files.append(file)
    if part.content_type in ATTACHED_MAIL:
        return _attached_mail(data, contents, budget, depth)
    if part.content_type in S_MIME:
        return _opened_seal(data, contents, budget, depth)
    if part.content_type in ("application/ms-tnef", "application/vnd.ms-tnef") or file.name.lower() == "winmail.dat":
        _open_tnef(file, contents, budget)
    if part.content_type in BODY_TYPES and part.disposition != "attachment":
        contents.late_texts.append(_body(part))
    return Said()


def _attached_mail(data: bytes, contents: Contents, budget: Budget, depth: int) -> Said:
    """Its files are listed beside it; its words stay in the .eml."""
    if not budget.within_depth(depth + 1) or not budget.another_part():
        return Said()
    inner = read_tree(data, budget, depth + 1)
    below = Contents()
    _say(inner, inner, below, budget, depth + 1)
    contents.files += below.files
    return Said()


def _opened_seal(data: bytes, contents: Contents, budget: Budget, depth: int) -> Said:
    entity = signed_entity(data)
    if entity is None:
        if is_encrypted(data):
            budget.note("This mail is encrypted (S/MIME) and cannot be read here. The original holds it.")
        else:
            budget.note("An S/MIME part could not be opened. The original holds it.")
        return Said()
    if not budget.within_depth(depth + 1):
        return Said()
    inner = read_tree(entity, budget, depth + 1)
    return _say(inner, inner, contents, budget, depth + 1)


def _open_tnef(file: IncomingFile, contents: Contents, budget: Budget) -> None:
    opened: Tnef | None = read_tnef(file.data)
    if opened is None or not opened.complete:
        budget.note(f"{file.name} is damaged; it could not be opened completely.")
    if opened is None:
        return
    for number, found in enumerate(opened.files, start=1):
        name = _tidy_name(found.name) or f"winmail-{number}.bin"
        contents.files.append(IncomingFile(name, found.content_type, found.data, found.content_id))
    read = read_html(opened.html) if opened.html.strip() else None
    if opened.text.strip() or read is not None:
        text = opened.text.replace("\r\n", "\n").strip()
        contents.late_texts.append(Said(text, opened.html, read.text if read else "", read.new if read else None))


def _content_id(part: Part) -> str | None:
    return part.text_of("content-id").strip().strip("<>").strip() or None


def _safe_name(part: Part, data: bytes, number: int, budget: Budget) -> str:
    name = _tidy_name(part.file_name)
    if name:
        return name
    if part.content_type in ATTACHED_MAIL:
        subject = re.sub(r'[/\\:*?"<>|]+', "-", _subject_of(data, budget)).strip(" .-")
        return f"{subject[:MAX_NAME_CHARS] or f'mail-{number}'}.eml"
    if part.content_type in REPORTED:
        return f"{part.content_type.partition('/')[2]}-{number}.txt"
    extension = EXTENSIONS.get(part.content_type) or mimetypes.guess_extension(part.content_type) or ".bin"
    return f"{'picture' if part.maintype == 'image' else 'attachment'}-{number}{extension}"


def _subject_of(data: bytes, budget: Budget) -> str:
    head = data[:100_000]
    blank = re.search(rb"\r?\n\r?\n", head)
    return read_tree(head[: blank.end()] if blank else head, Budget()).text_of("subject") if not budget.spent() else ""


def _tidy_name(name: str) -> str:
    """No path, no control characters, no name that a file system would take for something else."""
    name = PATH.split(one_line(name))[-1].strip(" .\"'") if name else ""
    if len(name) <= MAX_NAME_CHARS:
        return name
    stem, dot, extension = name.rpartition(".")
    return f"{stem[: MAX_NAME_CHARS - 20]}{dot}{extension[:19]}"


def _unwrapped(said: Said, contents: Contents, budget: Budget) -> Said:
    """A whole mail pasted into a text: gateways do it when they give up on the headers."""
    text = said.text
    if not text.strip() or not INNER_HEADERS.match(text[:20_000]):
        return said
    head = text[:20_000].lower()
    if "\nmime-version:" not in head or "content-type:" not in head or budget.spent():
        return said
    inner = read_tree(text.lstrip().encode("utf-8", "replace"), budget, 1)
    found = _say(inner, inner, contents, budget, 1)
    return found if found.shown.strip() else said


def _without_uuencode(said: Said) -> tuple[Said, list[IncomingFile]]:
    if "begin " not in said.text:
        return said, []
    data = said.text.encode("utf-8", "surrogatepass")
    found = uuencoded_files(data)
    if not found:
        return said, []
    files = []
    kept = bytearray()
    position = 0
    for name, content, start, end in found:
        shown = _tidy_name(decode(name)) or "file.bin"
        files.append(IncomingFile(shown, mimetypes.guess_type(shown)[0] or "application/octet-stream", content))
        kept += data[position:start]
        position = end
    kept += data[position:]
    text = re.sub(r"\n{3,}", "\n\n", kept.decode("utf-8", "replace")).strip()
    return replace(said, text=text), files


def _bounded(said: Said, budget: Budget) -> Said:
    if len(said.html) > MAX_HTML_CHARS or len(said.text) > MAX_TEXT_CHARS or len(said.html_text) > MAX_TEXT_CHARS:
        budget.note("This mail's text is very long and was cut. Open the original for the rest.")
        return Said(said.text[:MAX_TEXT_CHARS], said.html[:MAX_HTML_CHARS], said.html_text[:MAX_TEXT_CHARS],
                    said.html_new[:MAX_TEXT_CHARS] if said.html_new else said.html_new)  # fmt: skip
    return said


def _with_inline(files: Sequence[IncomingFile], html: str) -> list[IncomingFile]:
    """A file is inline when the page shows it, whatever its disposition says."""
    if "cid:" not in html:
        return list(files)
    shown = {match.lower() for match in re.findall(r"cid:([^\s\"'<>)]{1,300})", html)}
    return [replace(file, inline=file.inline or (file.content_id or "").lower() in shown) if file.content_id else file
            for file in files]  # fmt: skip
