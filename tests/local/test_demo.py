"""The demo data hangs together: people exist, states are ours, files can be drawn."""

import struct
import tomllib
import zlib
from email.utils import parseaddr
from typing import Any

import pytest

from chalicelib.domain.ticket import PRIORITIES, STATUSES
from local import drawings
from local.seed import ADMIN_NAME, DEMO, PEOPLE

TICKETS: list[dict[str, Any]] = tomllib.loads(DEMO.read_text())["ticket"]
AGENTS = {name.split()[0].lower() for name in (ADMIN_NAME, *(name for name, *_ in PEOPLE))}


@pytest.mark.parametrize("told", TICKETS, ids=[told["subject"] for told in TICKETS])
def test_a_conversation_names_only_what_exists(told: dict[str, Any]) -> None:
    assert "@" in parseaddr(told["from"])[1]
    assert told["subject"].strip()
    assert told["text"].strip()
    assert told.get("to", "support") in ("support", "orders")
    assert told.get("assignee", "ada") in AGENTS
    assert told.get("status", "open") in STATUSES
    assert told.get("priority", "normal") in PRIORITIES
    for entry in told.get("then", ()):
        assert entry["by"] in {*AGENTS, "customer"}
        assert entry["hours"] > 0
        assert len({"reply", "note", "text"} & set(entry)) == 1
    assert told["days"] * 24 > sum(entry["hours"] for entry in told.get("then", ()))


def test_it_is_a_living_desk() -> None:
    assert len(TICKETS) >= 40
    assert [told["days"] for told in TICKETS] == sorted((told["days"] for told in TICKETS), reverse=True)
    assert {told.get("status", "open") for told in TICKETS} >= {"open", "pending", "resolved", "closed"}


def test_a_picture_is_a_png_and_a_paper_a_pdf() -> None:
    data, main_type, sub_type = drawings.draw("mug.png")
    assert (main_type, sub_type) == ("image", "png")
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    (length,) = struct.unpack(">I", data[8:12])
    assert struct.unpack(">II", data[16:24]) == (drawings.SIZE, drawings.SIZE)
    (checksum,) = struct.unpack(">I", data[16 + length : 20 + length])
    assert checksum == zlib.crc32(data[12 : 16 + length])
    paper, main_type, sub_type = drawings.draw("Rechnung-1.pdf")
    assert (main_type, sub_type) == ("application", "pdf")
    assert paper.startswith(b"%PDF-1.4")
    assert b"Rechnung 1" in paper
    assert paper.rstrip().endswith(b"%%EOF")
