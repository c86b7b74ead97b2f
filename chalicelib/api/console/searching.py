"""What a search shows beside its rows: what was understood, where it stopped, and the words that were found."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.api.console.rail import Named
from chalicelib.api.web import Visit
from chalicelib.domain import terms
from chalicelib.domain.query import Query
from chalicelib.errors import InvalidInput
from chalicelib.services import search
from chalicelib.store import tickets


@dataclass(frozen=True)
class Sought:
    """``understood``: a sentence; empty where nothing was asked."""

    understood: str = ""
    cut: bool = False


def search_context(visit: Visit, named: Named, cursor: str | None) -> dict[str, Any]:
    """The part of a list's context that a search makes; a query that cannot be is told where its rows would be."""
    text = named.query["q"]
    try:
        found = search.find(text, visit.at, cursor, visit.agent.id, visit.agent.time_zone)
    except InvalidInput as problem:
        told = replace(named, empty_title="That cannot be searched for", empty_next=problem.message)
        return {"list": told, "rows": (), "seen_by": (), "next": None, "sought": Sought(), "mark": None}
    return {
        "list": named,
        "rows": tuple(tickets.row_of(each.ticket) for each in found.tickets),
        "seen_by": tuple(each.seen_by for each in found.tickets),
        "next": found.next,
        "sought": Sought(understood(found.query), found.cut),
        "mark": marking(found.query),
    }


def understood(query: Query) -> str:
    """The query in words: nobody should have to guess what the box made of it."""
    parts = [
        *(f"“{' '.join(each)}” together" for each in query.phrases),
        *(f"is {each}" for each in query.states),
        *(f"in {each}" for each in query.inboxes),
        *(f"tagged {each}" for each in query.tags),
        *(f"assigned to {each}" for each in query.assignees),
        *([f"begun before {query.before:%-d %B %Y}"] if query.before else []),
        *([f"touched since {query.after:%-d %B %Y}"] if query.after else []),
    ]
    words = [each for each in _said(query) if each]
    if words:
        parts.insert(0, f"with {', '.join(words)}")
    return f"Tickets {'; '.join(parts)}. Newest first." if parts else ""


def _said(query: Query) -> list[str]:
    """Each clause by its shortest word, the sender's as such."""
    return [f"{'from ' if clause in query.senders else ''}{_word(min(clause[0], key=len))}" for clause in query.clauses]


def _word(term: str) -> str:
    return f"a number ending in {term.removeprefix('tel:')}" if term.startswith("tel:") else f"“{term}”"


def marking(query: Query) -> Callable[[str], list[tuple[str, bool]]]:
    """Takes a text apart: its pieces in order, and of each whether it is one of the words that were looked for."""
    wanted = {term for clause in query.clauses for way in clause for term in way}

    def pieces(text: str) -> list[tuple[str, bool]]:
        told, end = list[tuple[str, bool]](), 0
        for first, last in _found(text, wanted):
            told += [(text[end:first], False), (text[first:last], True)]
            end = last
        return [each for each in (*told, (text[end:], False)) if each[0]]

    return pieces


def _found(text: str, wanted: set[str]) -> list[tuple[int, int]]:
    """Where the words stand; of a script without spaces the characters that are in a wanted pair."""
    found: list[tuple[int, int]] = []
    for match in re.finditer(terms.WORD, text):
        word, start = match.group(), match.start()
        if not re.match(terms.UNSPACED, word):
            if terms.folded(word) in wanted:
                found.append(match.span())
            continue
        for n in range(max(1, len(word) - 1)):
            if terms.folded(word[n : n + 2]) in wanted:
                first, last = start + n, start + min(n + 2, len(word))
                if found and found[-1][1] >= first:
                    first = found.pop()[0]
                found.append((first, last))
    return found
