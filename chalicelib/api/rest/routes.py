"""The calls of the REST API by name: which module answers, method and path below ``/api/v1``.

Chalice wants every route when ``app`` is imported, but what a call takes and answers is declared in its module, which
is imported with the first call: a console page that wakes a function does not pay for the API.
"""

PREFIX = "/api/v1"

ROUTES: dict[str, tuple[str, str, str]] = {
    "list_tickets": ("tickets", "GET", "/tickets"),
    "create_ticket": ("tickets", "POST", "/tickets"),
    "get_ticket": ("tickets", "GET", "/tickets/{ticket_id}"),
    "change_ticket": ("tickets", "PATCH", "/tickets/{ticket_id}"),
    "merge_tickets": ("merging", "POST", "/tickets/{ticket_id}/merge"),
    "unmerge_tickets": ("merging", "POST", "/tickets/{ticket_id}/unmerge"),
    "list_messages": ("messages", "GET", "/tickets/{ticket_id}/messages"),
    "create_message": ("messages", "POST", "/tickets/{ticket_id}/messages"),
    "get_message": ("messages", "GET", "/tickets/{ticket_id}/messages/{message_id}"),
    "undo_message": ("messages", "POST", "/tickets/{ticket_id}/messages/{message_id}/undo"),
    "start_upload": ("attachments", "POST", "/tickets/{ticket_id}/attachments"),
    "get_attachment": (
        "attachments", "GET", "/tickets/{ticket_id}/messages/{message_id}/attachments/{attachment_id}",
    ),
    "find_customers": ("customers", "GET", "/customers"),
    "get_customer": ("customers", "GET", "/customers/{customer_id}"),
    "list_customer_tickets": ("customers", "GET", "/customers/{customer_id}/tickets"),
    "list_inboxes": ("inboxes", "GET", "/inboxes"),
    "create_inbox": ("inboxes", "POST", "/inboxes"),
    "get_inbox": ("inboxes", "GET", "/inboxes/{inbox_id}"),
    "resume_inbox": ("inboxes", "POST", "/inboxes/{inbox_id}/resume"),
    "list_agents": ("people", "GET", "/agents"),
    "get_agent": ("people", "GET", "/agents/{agent_id}"),
    "change_agent": ("people", "PATCH", "/agents/{agent_id}"),
    "change_team": ("people", "PATCH", "/teams/{team_id}"),
    "set_agent_away": ("people", "POST", "/agents/{agent_id}/away"),
    "set_agent_back": ("people", "POST", "/agents/{agent_id}/back"),
    "list_teams": ("people", "GET", "/teams"),
    "list_saved_replies": ("saved_replies", "GET", "/saved-replies"),
    "create_saved_reply": ("saved_replies", "POST", "/saved-replies"),
    "get_saved_reply": ("saved_replies", "GET", "/saved-replies/{reply_id}"),
    "change_saved_reply": ("saved_replies", "PATCH", "/saved-replies/{reply_id}"),
    "delete_saved_reply": ("saved_replies", "DELETE", "/saved-replies/{reply_id}"),
    "restore_saved_reply": ("saved_replies", "POST", "/saved-replies/{reply_id}/restore"),
    "fill_saved_reply": ("saved_replies", "GET", "/tickets/{ticket_id}/saved-replies/{reply_id}"),
    "list_calendars": ("calendars", "GET", "/calendars"),
    "create_calendar": ("calendars", "POST", "/calendars"),
    "get_calendar": ("calendars", "GET", "/calendars/{calendar_id}"),
    "change_calendar": ("calendars", "PATCH", "/calendars/{calendar_id}"),
    "delete_calendar": ("calendars", "DELETE", "/calendars/{calendar_id}"),
    "search_tickets": ("search", "GET", "/search"),
    "get_ledger": ("ledger", "GET", "/ledger"),
    "get_costs": ("costs", "GET", "/costs"),
    "list_dead_letters": ("dead_letters", "GET", "/dead-letters"),
    "retry_dead_letter": ("dead_letters", "POST", "/dead-letters/{letter_id}/retry"),
    "discard_dead_letter": ("dead_letters", "POST", "/dead-letters/{letter_id}/discard"),
    "get_health": ("health", "GET", "/health"),
}  # fmt: skip
