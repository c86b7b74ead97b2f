"""Fixtures of the API's tests."""

import pytest

from tests.api.client import Api, bearer
from tests.engine import Desk


@pytest.fixture
def api(desk: Desk) -> Api:
    """The API of a desk with one inbox, for a token that may do everything."""
    desk.inbox()
    return Api(desk, bearer(desk, "read", "write", "admin"))
