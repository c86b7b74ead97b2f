"""Changes of agents that leave the desk an admin."""

from dataclasses import replace

import pytest

from chalicelib.errors import Conflict, NotFound
from chalicelib.store import staff
from tests.engine import Desk

pytestmark = pytest.mark.engine


def test_the_only_admin_changes_a_name_and_keeps_the_role(desk: Desk) -> None:
    desk.agent("ada", role="admin")
    _, after = staff.change_agent("ada", lambda agent: replace(agent, name="Ada L."))
    assert (after.name, after.role) == ("Ada L.", "admin")


def test_the_only_admin_stays_one(desk: Desk) -> None:
    desk.agent("ada", role="admin")
    desk.agent("ben")
    with pytest.raises(Conflict):
        staff.change_agent("ada", lambda agent: replace(agent, role="agent"))


def test_nobody_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        staff.change_agent("nobody", lambda agent: agent)
