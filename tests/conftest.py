"""Fixtures that all tests share, and the figures said at the end of a run."""

from tests.engine import desk, engine
from tests.figures import pytest_terminal_summary

__all__ = ["desk", "engine", "pytest_terminal_summary"]
