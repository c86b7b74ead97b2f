"""Fixtures that all tests share."""

from tests.engine import desk, engine

__all__ = ["desk", "engine"]
