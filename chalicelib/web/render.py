"""Templates to text: for pages and for the fragments that jobs push.  Jinja2 is imported on first use (56 CPU ms)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chalicelib.config import settings

if TYPE_CHECKING:
    from jinja2 import BaseLoader, Environment

    from chalicelib.domain.message import Message
    from chalicelib.domain.ticket import TicketRow
    from chalicelib.web.desk import Desk

HERE = Path(__file__).parent
STATIC = HERE / "static"
STATIC_FILES = {
    "desk.css": "text/css; charset=utf-8",
    "desk.js": "text/javascript; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "tools.js": "text/javascript; charset=utf-8",
    "replies.js": "text/javascript; charset=utf-8",
    "htmx.min.js": "text/javascript; charset=utf-8",
}


@lru_cache(maxsize=1)
def environment() -> Environment:
    from jinja2 import Environment, StrictUndefined

    from chalicelib.web.words import FILTERS

    made = Environment(
        loader=_loader(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    made.globals.update(url=url, static=static_url)
    made.filters.update(FILTERS)
    return made


def _loader() -> BaseLoader:
    """Packaged, the templates are Python modules already: compiling them was a fifth of a cold start."""
    from jinja2 import FileSystemLoader, ModuleLoader

    compiled = HERE / "compiled"
    return ModuleLoader(compiled) if compiled.is_dir() else FileSystemLoader(HERE / "templates")


def render(template: str, **context: Any) -> str:
    return environment().get_template(template).render(context)


def url(path: str, **query: str | None) -> str:
    """``path`` of the console as a browser asks for it: behind the base path, with the query that is not None."""
    pairs = [f"{quote(name)}={quote(value, safe=':')}" for name, value in query.items() if value is not None]
    return settings().base_path + quote(path, safe="/:") + ("?" + "&".join(pairs) if pairs else "")


def static_path(name: str) -> Path:
    return STATIC / ("vendor" if name == "htmx.min.js" else "") / name


@lru_cache(maxsize=len(STATIC_FILES))
def static_version(name: str) -> str:
    """Changes with the file, so that browsers may keep it for ever."""
    return hashlib.sha256(static_path(name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    return url(f"/static/{static_version(name)}/{name}")


# Fragments: the same templates as in the page, for the jobs that push them into open consoles


def row_fragment(row: TicketRow, seen_by: frozenset[str], desk: Desk, now: datetime) -> str:
    """One ticket of a list, the same for every agent: the page marks what is unread for whom."""
    return _macro("lists/row.html", "ticket_row")(row, desk, now, seen_by=seen_by)


def message_fragment(message: Message, desk: Desk, now: datetime) -> str:
    """One entry of a conversation, the same for every agent: the page puts times into the agent's zone.

    It carries no form token: the page adds the one of its session.
    """
    return _macro("ticket/message.html", "entry")(message, desk, now, zone="UTC", csrf="")


@lru_cache(maxsize=8)
def _macro(template: str, name: str) -> Callable[..., str]:
    macro: Callable[..., str] = getattr(environment().get_template(template).module, name)
    return macro
