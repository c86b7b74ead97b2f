"""Business hours: an admin adds, changes and deletes them."""

from chalicelib.services import calendars
from chalicelib.services.calendars import CalendarForm
from chalicelib.store import calendars as kept
from tests.simulation.acts import Turn, act


@act(0.5)
def sets_business_hours(turn: Turn) -> None:
    """New ones, with holidays or without; then other windows, and now and then they are deleted."""
    desk = turn.desk
    admin = desk.actor(desk.agents[2])
    country = turn.among(("", "DE"), "country")
    form = CalendarForm(f"Hours {turn.n}", "Europe/Berlin", {"monday": "9-17"}, country)
    other = CalendarForm(
        f"Hours {turn.n}", "Australia/Lord_Howe", {"sunday": "0-24"}, country, open_days=("2026-12-25",)
    )

    def set_them() -> None:
        made = calendars.create(form, admin, desk.now(), f"hours {turn.n}")
        if turn.chance(0.7, "changed"):
            calendars.change(made.id, other, admin, desk.now())
        chosen = turn.maybe(kept.listing(), "which") if turn.chance(0.3, "deleted") else None
        if chosen is not None:
            calendars.delete(chosen.id, admin, desk.now())

    desk.web(admin.id, f"sets business hours {turn.n}", set_them)
