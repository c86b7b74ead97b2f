"""What is made to be dear costs little more than its size, ends in something an agent sees, and loses nothing.

No time is asserted, only what twice the size costs, once the size is large enough for a clock to tell.
"""

import gc
import json
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from io import BytesIO

import pytest

from chalicelib.connectors.email.mime import parse_mail
from chalicelib.domain.inbound_limits import straight, whole
from chalicelib.domain.safe_html import agent_html, safe_html
from chalicelib.domain.text import split_text
from chalicelib.jobs import inbound
from chalicelib.services import ledger
from chalicelib.store import lists, objects
from chalicelib.store.lists import ListName
from tests.api.client import Api, bearer
from tests.api.console.browser import Browser, Page
from tests.connectors.email.reading import crashed, unstorable
from tests.engine import Desk
from tests.security.bombs import BOMBS, HEAD, Bomb, multipart

RATIO = 2.5
"""Twice the size may cost so many times the work."""
NOISE_SECONDS = 0.03
"""What a busy machine can add to a short measurement; a square of our sizes would be seconds."""
MEMORY_FACTOR, MEMORY_FLOOR = 20, 20_000_000
"""Bytes held at once while reading, by byte of mail; a mail of 40 MB fits into a function's 1,769 MB."""
TRIES = 2
NAMES = [bomb.name for bomb in BOMBS]


def seconds(work: Callable[[], object]) -> float:
    """CPU of the best of some tries."""
    best = float("inf")
    for _ in range(TRIES):
        gc.collect()
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


def grows_with_its_size(make: Callable[[int], Callable[[], object]], n: int) -> None:
    """Measured up to three times: what grows with the square does so each time, a busy machine only once."""
    once, twice = make(n), make(2 * n)
    rounds: list[tuple[float, float]] = []
    while len(rounds) < 3:
        rounds.append((seconds(once), seconds(twice)))
        first, second = rounds[-1]
        if second <= RATIO * first + NOISE_SECONDS:
            return
    pytest.fail(f"twice the size costs too much: {rounds}")


def read_and_show(raw: bytes) -> Callable[[], object]:
    """Everything that a mail goes through before an agent sees it."""

    def work() -> object:
        mail = parse_mail(raw)
        safe = safe_html(mail.html, remote_images=True, cid_url=lambda _: None)
        return split_text(mail.text), safe

    return work


@pytest.mark.parametrize("bomb", BOMBS, ids=NAMES)
def test_twice_the_bomb_costs_hardly_more_than_twice(bomb: Bomb) -> None:
    grows_with_its_size(lambda n: read_and_show(bomb.make(n)), bomb.n // 10)


@pytest.mark.parametrize("bomb", BOMBS, ids=NAMES)
def test_a_bomb_ends_in_words_or_in_a_banner(bomb: Bomb) -> None:
    mail = parse_mail(bomb.make(bomb.n))
    assert not crashed(mail) and not unstorable(mail)
    assert mail.from_address == "ada@example.com"
    shown = safe_html(mail.html, remote_images=False, cid_url=lambda _: None).html
    if bomb.words:
        assert bomb.words in mail.text or bomb.words in shown
    assert mail.text.strip() or mail.banners or mail.attachments


@pytest.mark.parametrize("bomb", BOMBS, ids=NAMES)
def test_a_bomb_takes_bounded_memory(bomb: Bomb) -> None:
    raw = bomb.make(bomb.n // 4)
    gc.collect()
    tracemalloc.start()  # some ten times slower, hence a quarter of the size
    try:
        mail = parse_mail(raw)
        safe_html(mail.html, remote_images=False, cid_url=lambda _: None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_FACTOR * len(raw) + MEMORY_FLOOR, f"{peak / len(raw):.1f} bytes a byte"


TEXTS: dict[str, Callable[[int], str]] = {
    "brackets": lambda n: "<" * n,
    "tags": lambda n: "<b><i>" * n,
    "quotes": lambda n: '<a href="' * n,
    "lists": lambda n: "<ul><li>" * n,
    "characters beyond the first plane": lambda n: "😀" * n,
    "turning": lambda n: "\u202e\u2066" * n,
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_agents_and_programs_hand_in_is_bounded_too(name: str) -> None:
    make = TEXTS[name]

    def reading(work: Callable[[str], object], n: int) -> Callable[[], object]:
        return lambda: work(make(n))

    for work in (agent_html, whole, straight):
        grows_with_its_size(partial(reading, work), 20_000)


# Whole ways


def zip_bomb() -> bytes:
    """Ten megabytes of nothing, packed twice."""
    inner, outer = BytesIO(), BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(10):
            archive.writestr(f"{n}.bin", bytes(1_000_000))
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(100):
            archive.writestr(f"{n}.zip", inner.getvalue())
    return outer.getvalue()


def of(name: str, n: int = 0) -> bytes:
    bomb = next(each for each in BOMBS if each.name == name)
    return bomb.make(n or bomb.n)


def attached(data: bytes, name: str) -> bytes:
    head = f"Content-Type: application/zip\r\nContent-Disposition: attachment; filename={name}\r\n".encode()
    return head + b"Content-Transfer-Encoding: binary\r\n\r\n" + data


WHOLE: dict[str, Callable[[], bytes]] = {
    "a million recipients": lambda: of("hundred thousands of recipients", 1_000_000),
    "nested parts": lambda: of("nested parts"),
    "mails in mails": lambda: of("mails in mails"),
    "files": lambda: of("files", 1_500),
    "one line": lambda: of("one line"),
    "elements in elements": lambda: of("elements in elements"),
    "header lines": lambda: of("header lines", 100_000),
    "marks on one letter": lambda: of("marks on one letter"),
    "base64 of nothing": lambda: of("base64 of nothing"),
    "zip bomb": lambda: multipart(b"Content-Type: text/plain\r\n\r\nSee the archive.", attached(zip_bomb(), "a.zip")),
    "gzip bomb": lambda: multipart(b"\r\nSee the archive.", attached(zlib.compress(bytes(20_000_000), 9), "a.gz")),
    "no mail at all": lambda: bytes(range(256)) * 4_000,
    "nothing": lambda: HEAD % 0,
}


def notice(key: str) -> str:
    receipt = {
        "recipients": ["support@shop.example"],
        "action": {"type": "S3", "objectKey": key},
        **{f"{each}Verdict": {"status": "PASS"} for each in ("spam", "virus", "spf", "dkim", "dmarc")},
    }
    mail = {"messageId": key, "source": "ada@example.com", "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps({"notificationType": "Received", "mail": mail, "receipt": receipt})


@pytest.mark.engine
def test_every_bomb_is_a_ticket_or_kept_out_with_a_reason_and_its_original_is_kept(desk: Desk) -> None:
    desk.now = datetime.now(UTC)
    desk.inbox()
    originals = {f"raw/bomb{n}": make() for n, make in enumerate(WHOLE.values())}
    for key, raw in originals.items():
        objects.put_original(key, raw, {})
        inbound.take_in(notice(key))
    kept = {key.rpartition("/")[2]: key for key, _ in objects.list_originals(objects.KEPT)}
    assert list(objects.list_originals(objects.RAW)) == []
    for key, raw in originals.items():
        assert objects.get_original(kept[key.removeprefix("raw/")]).body == raw
    account = ledger.day(f"{desk.now:%Y-%m-%d}")
    assert (account.received, account.difference) == (len(WHOLE), 0)
    rows = lists.page(ListName("open")).rows
    assert len(rows) >= len(WHOLE) - 2
    assert [row for row in rows if len(row.subject) > 1_000 or len(row.snippet) > 1_000] == []


# Bodies, forms, cookies, addresses


@pytest.fixture
def api(desk: Desk) -> Api:
    desk.inbox()
    return Api(desk, bearer(desk, "read", "write", "admin"))


DEEP = ("[" * 200_000, '{"a":' * 200_000, '{"a":' * 900 + "1" + "}" * 900, "[" * 100_000 + "]" * 100_000)


@pytest.mark.engine
@pytest.mark.parametrize("body", DEEP, ids=["arrays", "objects", "closed objects", "closed arrays"])
def test_json_without_end_is_refused_in_words(api: Api, body: str) -> None:
    answer = api.call("POST", "/tickets", body, key="deep")
    assert answer.status in (400, 422), answer.text
    assert len(answer.text) < 5_000


@pytest.mark.engine
@pytest.mark.parametrize("body", DEEP, ids=["arrays", "objects", "closed objects", "closed arrays"])
def test_a_webhook_without_end_is_kept_and_becomes_a_line_that_says_so(api: Api, desk: Desk, body: str) -> None:
    desk.now = datetime.now(UTC)
    desk.inbox(id="bot", channel="telegram", address="mugs_bot", name="Bot")
    desk.client("ssm").put_parameter(
        Name="/deskbell/test/inbox/bot/webhook_secret", Value="right", Type="SecureString", Overwrite=True
    )
    headers = {"x-telegram-bot-api-secret-token": "right", "authorization": ""}
    assert api.call("POST", "/hooks/bot", body, headers=headers).status == 200
    (told,) = desk.queued("inbound")
    inbound.take_in(told)
    account = ledger.day(f"{desk.now:%Y-%m-%d}")
    assert (account.received, account.difference) == (1, 0)


@pytest.mark.engine
def test_floods_of_fields_cookies_and_letters_are_answered_in_words(desk: Desk) -> None:
    browser = Browser()
    flood = {f"field{n}": "x" for n in range(5_000)}
    asks: tuple[Callable[[], Page], ...] = (
        lambda: browser.post("/sign-in", {**flood, "email": "a@b.example", "password": "x"}),
        lambda: browser.post("/sign-in", {"email": "a" * 500_000, "password": "b" * 500_000}),
        lambda: browser.post("/tickets/1/change", {**flood, "text": "kept"}),
        lambda: browser.get("/lists/open", cookie="; ".join(f"a{n}=b" for n in range(20_000))),
        lambda: browser.get("/lists/open", cookie="deskbell=" + '"' * 100_000),
        lambda: browser.get("/lists/" + "a" * 50_000),
        lambda: browser.get("/search?q=" + "a" * 50_000),
        lambda: browser.get("/search?" + "&".join(f"q{n}=a" for n in range(10_000))),
    )
    for ask in asks:
        page = ask()
        assert page.status < 500, (page.status, page.text[:300])
        assert len(page.html) < 600_000  # at most what was typed, given back, and a page around it


@pytest.mark.parametrize(
    "cookie", ["a=b; ", 'a="', "a=\\", "=;", "a" * 10], ids=["pairs", "quotes", "slashes", "bare", "letters"]
)
def test_reading_a_cookie_grows_with_its_size(cookie: str) -> None:
    from chalicelib.api.web import cookie as read

    class Asked:
        def __init__(self, n: int) -> None:
            self.headers = {"cookie": cookie * n}

    grows_with_its_size(lambda n: lambda: read(Asked(n), "deskbell"), 5_000)  # type: ignore[arg-type]  # only its headers are read
