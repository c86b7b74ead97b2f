"""Pages that few requests need: sign-in, Settings, operations, saved replies.  Their code is imported on demand.

Each path with the action that a role must be allowed (docs: ``services/permissions.py``), or None where nobody need be
signed in.  A cold start would otherwise pay for all of them.
"""

from importlib import import_module

from chalice.app import Blueprint, Response

from chalicelib.api.web import Visit, console_route
from chalicelib.domain.people import ROLES
from chalicelib.services.permissions import Action, allowed

blueprint = Blueprint(__name__)

Route = tuple[str, str, Action | None, str]
"""Path, method, action, and ``module:function``."""

SIGN_IN: tuple[Route, ...] = (
    ("/sign-in", "GET", None, "sign_in:show"),
    ("/sign-in", "POST", None, "sign_in:enter"),
    ("/sign-in/new-password", "POST", None, "sign_in:set_first_password"),
    ("/sign-in/code", "POST", None, "sign_in:enter_code"),
    ("/sign-in/set-up", "POST", None, "sign_in:finish_set_up"),
    ("/sign-out", "POST", None, "sign_in:sign_out"),
    ("/forgot", "GET", None, "sign_in:show_forgot"),
    ("/forgot", "POST", None, "sign_in:forgot"),
    ("/password", "GET", None, "sign_in:show_password"),
    ("/password", "POST", None, "sign_in:set_password"),
)
OWN: tuple[Route, ...] = (
    ("/settings", "GET", "own.settings", "settings_own:home"),
    ("/settings/me", "GET", "own.settings", "settings_own:show_own"),
    ("/settings/me", "POST", "own.settings", "settings_own:save_own"),
    ("/presence", "POST", "tickets.write", "settings_own:change_presence"),
    ("/settings/me/password", "POST", "own.settings", "settings_own:change_password"),
    ("/settings/me/sign-out-everywhere", "POST", "own.settings", "settings_own:sign_out_everywhere"),
    ("/settings/me/factor", "POST", "own.settings", "settings_own:begin_factor"),
    ("/settings/me/factor/finish", "POST", "own.settings", "settings_own:finish_factor"),
    ("/settings/me/factor/off", "POST", "own.settings", "settings_own:turn_factor_off"),
)
AGENTS: tuple[Route, ...] = (
    ("/settings/agents", "GET", "agents.manage", "settings_agents:list_agents"),
    ("/settings/agents/new", "GET", "agents.manage", "settings_agents:show_new_agent"),
    ("/settings/agents/{agent_id}", "GET", "agents.manage", "settings_agents:show_agent"),
    ("/settings/teams", "GET", "teams.manage", "settings_agents:list_teams"),
    ("/settings/agents/new", "POST", "agents.manage", "settings_agents:invite"),
    ("/settings/agents/{agent_id}", "POST", "agents.manage", "settings_agents:save_agent"),
    ("/settings/agents/{agent_id}/invite", "POST", "agents.manage", "settings_agents:invite_again"),
    ("/settings/agents/{agent_id}/routing", "POST", "agents.manage", "settings_agents:save_routing"),
    ("/settings/agents/{agent_id}/presence", "POST", "agents.manage", "settings_agents:change_presence"),
    ("/settings/agents/{agent_id}/factor", "POST", "agents.manage", "settings_agents:reset_factor"),
    ("/settings/teams", "POST", "teams.manage", "settings_agents:create_team"),
    ("/settings/teams/{team_id}", "POST", "teams.manage", "settings_agents:rename_team"),
    ("/settings/teams/{team_id}/assignment", "POST", "teams.manage", "settings_agents:save_assignment"),
    ("/settings/teams/{team_id}/delete", "POST", "teams.manage", "settings_agents:delete_team"),
)
CALENDARS: tuple[Route, ...] = (
    ("/settings/calendars", "GET", "calendars.manage", "settings_calendars:list_calendars"),
    ("/settings/calendars/new", "GET", "calendars.manage", "settings_calendars:show_new"),
    ("/settings/calendars/{calendar_id}", "GET", "calendars.manage", "settings_calendars:show_calendar"),
    ("/settings/calendars/new", "POST", "calendars.manage", "settings_calendars:create"),
    ("/settings/calendars/{calendar_id}", "POST", "calendars.manage", "settings_calendars:save"),
    ("/settings/calendars/{calendar_id}/delete", "POST", "calendars.manage", "settings_calendars:delete"),
)
INBOXES: tuple[Route, ...] = (
    ("/settings/inboxes", "GET", "inboxes.manage", "settings_inboxes:list_inboxes"),
    ("/settings/inboxes/new", "GET", "inboxes.manage", "settings_inboxes:show_new"),
    ("/settings/inboxes/{inbox_id}", "GET", "inboxes.manage", "settings_inboxes:show_inbox"),
    ("/settings/texts", "GET", "inbox_texts.manage", "settings_inboxes:show_texts"),
    ("/settings/inboxes/{inbox_id}/set-up", "GET", "inboxes.manage", "settings_inboxes:show_set_up"),
    ("/settings/inboxes/new", "POST", "inboxes.manage", "settings_inboxes:create"),
    ("/settings/inboxes/{inbox_id}", "POST", "inboxes.manage", "settings_inboxes:save_inbox"),
    ("/settings/texts/{inbox_id}", "POST", "inbox_texts.manage", "settings_inboxes:save_texts"),
    ("/settings/inboxes/{inbox_id}/domain", "POST", "inboxes.manage", "settings_inboxes:add_domain"),
)
DESK: tuple[Route, ...] = (
    ("/settings/tokens", "GET", "tokens.manage", "settings_desk:list_tokens"),
    ("/settings/desk", "GET", "desk.manage", "settings_desk:show_desk"),
    ("/settings/audit", "GET", "audit.read", "settings_desk:show_audit"),
    ("/settings/tokens", "POST", "tokens.manage", "settings_desk:create_token"),
    ("/settings/tokens/{token_id}/revoke", "POST", "tokens.manage", "settings_desk:revoke_token"),
    ("/settings/desk", "POST", "desk.manage", "settings_desk:save_desk"),
)
OPERATIONS: tuple[Route, ...] = (
    ("/settings/costs", "GET", "costs.read", "settings_costs:show_costs"),
    ("/operations", "GET", "operations.read", "operations:home"),
    ("/operations/ledger", "GET", "operations.read", "operations:show_ledger"),
    ("/operations/ledger/replay", "POST", "operations.retry", "operations:take_in_again"),
    ("/operations/kept-out", "GET", "operations.read", "operations:show_kept_out"),
    ("/operations/kept-out/original", "GET", "operations.read", "operations:download"),
    ("/operations/failed", "GET", "operations.read", "operations:show_failed"),
    ("/operations/failed/original", "GET", "operations.read", "operations:download_failed"),
    ("/operations/kept-out/replay", "POST", "operations.retry", "operations:replay"),
    ("/operations/failed/retry", "POST", "operations.retry", "operations:retry"),
    ("/operations/failed/discard", "POST", "operations.discard", "operations:discard"),
    ("/operations/stopped", "GET", "operations.read", "operations:show_stopped"),
    ("/operations/stopped/resume", "POST", "operations.retry", "operations:resume"),
)
REPLIES: tuple[Route, ...] = (
    ("/settings/replies", "GET", "replies.own", "settings_replies:list_replies"),
    ("/settings/replies", "POST", "replies.own", "settings_replies:create"),
    ("/settings/replies/new", "GET", "replies.own", "settings_replies:show_new"),
    ("/settings/replies/settings", "POST", "replies.manage", "settings_replies:save_settings"),
    ("/settings/replies/{reply_id}", "GET", "replies.own", "settings_replies:show_reply"),
    ("/settings/replies/{reply_id}", "POST", "replies.own", "settings_replies:save"),
    ("/settings/replies/{reply_id}/delete", "POST", "replies.own", "settings_replies:delete"),
    ("/settings/replies/{reply_id}/restore", "POST", "replies.own", "settings_replies:restore"),
    ("/tickets/{ticket_id}/replies", "GET", "tickets.write", "replies:offer"),
    ("/tickets/{ticket_id}/replies", "POST", "tickets.write", "replies:keep_and_offer"),
    ("/tickets/{ticket_id}/replies/{reply_id}", "POST", "tickets.write", "replies:use"),
)
ROUTES = (*SIGN_IN, *OWN, *AGENTS, *CALENDARS, *INBOXES, *DESK, *OPERATIONS, *REPLIES)


def _register(path: str, method: str, action: Action | None, target: str) -> None:
    module, _, name = target.partition(":")

    def show(visit: Visit, **parts: str) -> Response:
        found: Response = getattr(import_module(f"{__package__}.{module}"), name)(visit, **parts)
        return found

    show.__name__ = name  # Chalice and its errors call a route by it
    roles = [role for role in ROLES if action is None or allowed(role, action)]
    console_route(blueprint, path, [method], allow=roles, public=action is None)(show)


for route in ROUTES:
    _register(*route)
