"""Links to S3 open one file for some minutes, as a download; forms to S3 take one file of a kind and a size."""

import base64
import json
import urllib.error
import urllib.request
import uuid
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from chalicelib import wiring
from chalicelib.domain.message import IncomingFile
from chalicelib.services import originals
from chalicelib.services.attachments import MAX_UPLOAD_BYTES
from chalicelib.store import messages
from chalicelib.store.objects import PRESIGNED_SECONDS
from tests.security.world import Answer, World

pytestmark = pytest.mark.engine
ACTIVE = (
    IncomingFile("page.html", "text/html", b"<script>alert(1)</script>"),
    IncomingFile("drawing.svg", "image/svg+xml", b"<svg onload=alert(1)>"),
    IncomingFile("paper.pdf", "application/pdf", b"%PDF-"),
    IncomingFile("feed.xml", "application/xml", b"<x/>"),
    IncomingFile('odd"; name\r\nX: y.png', "image/png", b"\x89PNG"),
    IncomingFile("lie.html", "image/png", b"<script>"),
)


@pytest.fixture(autouse=True)
def _signed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")  # the engine checks signatures by its own
    wiring.connect()


def _query(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def _file_links(world: World, ticket: str, inline: bool) -> dict[str, str]:
    cookie = world.cookie(world.agent("viewer"))
    (message,) = messages.newest(ticket).messages
    found = {}
    for file in message.attachments:
        path = f"/tickets/{ticket}/messages/{message.id}/files/{file.id}" + ("?inline=1" if inline else "")
        answer = world.page(path, cookie)
        assert answer.status == 303
        found[file.name] = answer.location
    return found


def test_a_file_is_a_download_whatever_it_says_it_is(world: World) -> None:
    for name, link in _file_links(world, world.ticket(files=ACTIVE), inline=False).items():
        asked = _query(link)
        assert asked["response-content-disposition"].startswith("attachment; "), name
        assert "\r" not in asked["response-content-disposition"] and "\n" not in asked["response-content-disposition"]
        assert asked["X-Amz-Expires"] == str(PRESIGNED_SECONDS) == "300"


def test_only_pictures_are_ever_shown_in_place(world: World) -> None:
    for name, link in _file_links(world, world.ticket(files=ACTIVE), inline=True).items():
        asked = _query(link)
        shown = asked["response-content-disposition"].startswith("inline")
        assert shown == (asked["response-content-type"] in ("image/png", "image/jpeg", "image/gif", "image/webp")), name
        assert name not in ("page.html", "drawing.svg", "paper.pdf", "feed.xml") or not shown


def test_a_link_opens_its_own_file_and_no_other(world: World) -> None:
    ticket = world.ticket(files=(ACTIVE[2], ACTIVE[0]))
    links = _file_links(world, ticket, inline=False)
    link = links["paper.pdf"]
    with urllib.request.urlopen(link, timeout=10) as answer:
        assert answer.read() == b"%PDF-"
        assert answer.headers["Content-Disposition"].startswith("attachment")
    key = urlsplit(link).path
    for forged in (
        link.replace(key, key[:-1] + "1"),
        link.replace("attachment%3B", "inline%3B"),
        link.replace("X-Amz-Expires=300", "X-Amz-Expires=30000"),
        link.replace("/test-attachments/", "/test-originals/"),
    ):
        assert forged != link
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(forged, timeout=10)
        refused.value.close()
        assert refused.value.code in (403, 404), forged


def test_a_link_says_when_it_ends_and_is_on_another_host_than_the_desk(world: World) -> None:
    link = next(iter(_file_links(world, world.ticket(), inline=True).values()))
    assert int(_query(link)["X-Amz-Expires"]) <= 300
    assert urlsplit(link).netloc != "desk.test"


# Uploads


def _form(world: World, ticket: str, name: str = "label.pdf", kind: str = "application/pdf") -> dict[str, Any]:
    cookie = world.cookie(world.agent())
    fields = {"csrf": world.csrf(cookie), "name": name, "type": kind, "size": "5"}
    answer = world.form(f"/tickets/{ticket}/uploads", fields, cookie)
    assert answer.status == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


def _post(form: dict[str, Any], data: bytes, **changed: str) -> int:
    """Post the file as a browser does, with some fields changed; the answer's status."""
    boundary = uuid.uuid4().hex
    parts = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {**form["fields"], **changed}.items()
    )
    file = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode() + data
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    body = parts + file + f"\r\n--{boundary}--\r\n".encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(form["url"], body, headers), timeout=20) as answer:
            status: int = answer.status
            return status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_an_upload_goes_to_its_own_place_in_its_own_kind_and_size(world: World) -> None:
    form = _form(world, world.ticket())
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    said = [next(iter(each.items())) if isinstance(each, dict) else tuple(each) for each in policy["conditions"]]
    assert ("key", form["fields"]["key"]) in said and form["fields"]["key"].startswith("uploads/")
    assert ("bucket", "test-attachments") in said
    assert ("Content-Type", "application/pdf") in said
    assert ("content-length-range", 0, MAX_UPLOAD_BYTES) in said
    assert _post(form, b"%PDF-") in (200, 204)
    assert _post(form, b"%PDF-", key="files/m1/0") == 403, "not over a customer's file"
    assert _post(form, b"%PDF-", key="uploads/of-somebody-else") == 403
    assert _post(form, b"<script>", **{"Content-Type": "text/html"}) == 403
    assert _post(form, b"%PDF-", policy="eyJ9") in (400, 403)


def test_what_is_too_large_is_refused_by_s3_itself(world: World) -> None:
    form = _form(world, world.ticket())
    assert _post(form, b"x" * (MAX_UPLOAD_BYTES + 1)) in (400, 403)


@pytest.mark.parametrize("name", ["virus.exe", "../../etc/passwd.exe", "page.html.js"])
def test_a_dangerous_kind_gets_no_place(world: World, name: str) -> None:
    cookie = world.cookie(world.agent())
    fields = {"csrf": world.csrf(cookie), "name": name, "type": "application/octet-stream", "size": "5"}
    assert world.form(f"/tickets/{world.ticket()}/uploads", fields, cookie).status == 422


def test_originals_are_for_those_who_may_have_them_and_never_out_of_quarantine(world: World) -> None:
    ticket = world.ticket()
    path = f"/tickets/{ticket}/messages/{world.first_message(ticket)}/original"
    answer: Answer = world.page(path, world.cookie(world.agent("agent")))
    assert _query(answer.location)["response-content-disposition"].startswith("attachment; ")
    assert _query(answer.location)["response-content-type"] == "application/octet-stream"
    world.ticket(refused="It carries a virus.")
    (virus,) = originals.kept_out("quarantined").entries
    query = f"list=quarantined&entry={quote(virus.key, safe='')}"
    page = world.page(f"/operations/kept-out/original?{query}", world.cookie(world.agent("admin")))
    assert page.status == 403
