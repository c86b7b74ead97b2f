"""Seeds that once failed (``seeds.toml``)."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PastSeed:
    number: int
    found: str


def past_seeds() -> tuple[PastSeed, ...]:
    """Every one of them, with what it found."""
    document = tomllib.loads((Path(__file__).parent / "seeds.toml").read_text())
    return tuple(PastSeed(each["number"], each["found"]) for each in document["seed"])
