"""Public holidays by country and region: what the ``holidays`` library knows.

It is large, so it is imported by the few calls that need it: while a calendar is saved or shown, and once a night.
"""

from collections.abc import Iterable
from typing import Any

from chalicelib.domain.business_hours import Day
from chalicelib.errors import InvalidInput

ENGLISH = "en_US"
"""As the console speaks; the other languages are not shipped (infra/repack.py).  Some countries know only their own."""


def countries() -> tuple[tuple[str, str], ...]:
    """Code and name of every country there is a table of, by name."""
    from holidays.registry import COUNTRIES

    return tuple(sorted(((names[1], _spaced(module)) for module, names in COUNTRIES.items()), key=lambda each: each[1]))


def _spaced(module: str) -> str:
    small = ("and", "of", "the", "da")
    return " ".join(word if word in small else word.capitalize() for word in module.split("_"))


def regions(country: str) -> tuple[tuple[str, str], ...]:
    """Code and name of the regions that differ from their country; empty when none does."""
    table = _table(country)
    named = {code: name for name, code in getattr(table, "subdivisions_aliases", {}).items()}
    return tuple((code, named.get(code, code)) for code in table.subdivisions)


def public_holidays(country: str, region: str, years: Iterable[int]) -> tuple[Day, ...]:
    """By date.  Raise InvalidInput beside ``country`` or ``region`` when there is no table."""
    table = _table(country)
    if region and region not in table.subdivisions:
        known = ", ".join(table.subdivisions)
        sentence = f"Choose one of {known}, or none." if known else "Leave it empty: its regions do not differ."
        raise InvalidInput("There is no such region.", {"region": sentence})
    language = ENGLISH if ENGLISH in table.supported_languages else None
    found = table(subdiv=region or None, years=tuple(years), language=language)
    return tuple(Day(day.isoformat(), " ".join(name.split())) for day, name in sorted(found.items()))


def _table(country: str) -> Any:
    import holidays
    from holidays.registry import COUNTRIES

    if not any(names[1] == country for names in COUNTRIES.values()):
        raise InvalidInput("There is no table of this country.", {"country": "Choose a country of the list, or none."})
    return getattr(holidays, country)
