"""What tickets, messages, customers and the rest look like in the API."""

from typing import get_args

from chalicelib.api.schema import Choice, Flag, ListOf, MapOf, Moment, Nullable, Number, Record, Shape, Text, Words
from chalicelib.domain.message import AuthorKind, DeliveryState, Direction, MailKind, MessageKind
from chalicelib.domain.people import ASSIGNMENTS, MAX_CAPACITY, ROLES
from chalicelib.domain.ticket import MAX_SUBJECT_CHARS, MAX_TAG_CHARS, MAX_TAGS, PRIORITIES, STATUSES

MAX_TEXT_CHARS = 100_000
MAX_HTML_CHARS = 200_000
MAX_RECIPIENTS = 50

ID = Words("Id.")
WHEN = Moment()

PARTY = Record(
    "Party",
    {"address": Words("Mail address, chat id or whatever the channel calls people by.")},
    {"name": Words("Display name; may be empty.")},
)

IN_A_ROW: dict[str, Shape] = {
    "id": Words("The ticket's number as text: what every other field and path calls it."),
    "number": Number(1, about="The same as a number."),
    "subject": Words(),
    "status": Choice(STATUSES),
    "priority": Choice(PRIORITIES),
    "channel": Words("`email`, `telegram`, …"),
    "inbox_id": ID,
    "customer_id": ID,
    "customer_name": Words(),
    "assignee_id": Nullable(Words("The agent who has it; null: nobody.")),
    "team_id": Nullable(Words("The team that has it; null: none.")),
    "tags": ListOf(Words()),
    "snippet": Words("Beginning of the newest message."),
    "last_message_id": Words("Give it as `last_seen_message_id` when you reply."),
    "undelivered": Flag("True while a message of ours did not arrive."),
    "waiting_since": Nullable(Moment("Since when the customer waits for us; null: not at all.")),
    "answer_by": Nullable(Moment("What is promised; null: nobody waits for us, or the clock stands while pending.")),
    "late": Flag("True once `answer_by` is past."),
    "snoozed_until": Nullable(WHEN),
    "updated_at": Moment("When anything last happened on it."),
}
"""What the desk's lists hold of a ticket."""

BESIDES: dict[str, Shape] = {
    "deadline_explained": Words("Why the answer is due then, in sentences; empty: no clock runs."),
    "customer_handle": Words("Where the customer writes from."),
    "message_count": Number(0),
    "closed_at": Nullable(WHEN),
    "linked_ticket_ids": ListOf(Words()),
    "merged_ticket_ids": ListOf(Words(), about="Tickets that go on in this one; their ids lead here."),
    "flags": ListOf(Words(), about="Warnings, each a sentence."),
    "version": Number(1, about="Give it with a PATCH to be refused when somebody else was quicker."),
    "created_at": WHEN,
}

TICKET = Record("Ticket", {**IN_A_ROW, **BESIDES})
LISTED_TICKET = Record("ListedTicket", IN_A_ROW, BESIDES, about="With `fields=row` only what is always there.")

ATTACHMENT = Record(
    "Attachment",
    {
        "id": ID,
        "name": Words(),
        "content_type": Words(),
        "size_bytes": Number(0),
        "sha256": Words(),
        "inline": Flag("True when it is a picture inside the text."),
        "warning": Nullable(Words("A sentence when opening the file may do harm.")),
    },
)

AUTHOR = Record(
    "Author",
    {"kind": Choice(get_args(AuthorKind)), "id": Words("Customer, agent or token id."), "name": Words()},
)

DELIVERY = Record(
    "Delivery",
    {
        "state": Choice(get_args(DeliveryState), "How far the message got; `unclear`: an agent has to decide."),
        "reason": Words("A sentence, empty when there is nothing to say."),
        "at": Nullable(Moment("When it came to this state.")),
        "send_at": Nullable(Moment("Until then the message can be taken back.")),
    },
)

MESSAGE_FIELDS: dict[str, Shape] = {
    "id": ID,
    "ticket_id": Words(),
    "kind": Choice(get_args(MessageKind), "`note`: seen by agents only; `event`: a line of the history."),
    "direction": Choice(get_args(Direction)),
    "author": AUTHOR,
    "subject": Words(),
    "text": Words("What was newly written, without quoted mails."),
    "html": Words("The formatted body, made safe; empty when there is only text, or far too much of it."),
    "from": Nullable(PARTY),
    "to": ListOf(PARTY),
    "cc": ListOf(PARTY),
    "bcc": ListOf(PARTY),
    "attachments": ListOf(ATTACHMENT),
    "banners": ListOf(Words(), about="Warnings about this message, each a sentence."),
    "mail_kind": Choice(get_args(MailKind)),
    "event": MapOf(Words(), Words(), about="For events: what changed, to what."),
    "created_at": Moment("When it reached the desk, or was written."),
    "edited_at": Nullable(Moment("When the customer last changed its words; null: never.")),
    "sent_at": Nullable(Moment("When the sender sent it; of our own messages, when it left; null: not yet.")),
    "delivery": Nullable(DELIVERY),
}
MESSAGE = Record("Message", MESSAGE_FIELDS)
WHOLE_MESSAGE = Record(
    "WholeMessage", {**MESSAGE_FIELDS, "full_text": Words("The text with everything that was quoted.")}
)

CUSTOMER = Record(
    "Customer",
    {
        "id": ID,
        "name": Words(),
        "handles": ListOf(Words("`channel:address`, lower case.")),
        "unreachable_handles": ListOf(Words(), about="Handles that bounced for good, or blocked us."),
        "note": Words("What agents noted about the customer."),
        "blocked": Flag(),
        "created_at": WHEN,
    },
)

EARLIER_TICKET = Record(
    "CustomerTicket",
    {
        "id": ID,
        "subject": Words(),
        "status": Choice(STATUSES),
        "channel": Words(),
        "created_at": WHEN,
        "merged_into": Nullable(Words("The ticket that goes on in its place.")),
    },
)

INBOX = Record(
    "Inbox",
    {
        "id": ID,
        "channel": Words("`email`, `telegram`, …"),
        "address": Words("Mail address, or the bot's name."),
        "name": Words(),
        "team_id": Nullable(Words("The team that gets its tickets.")),
        "active": Flag(),
        "signature": Words(),
        "acknowledgement": Words("Text of the one automatic answer to a new mail; empty: none."),
        "separated": Flag("True when its tickets are never shared with other inboxes."),
        "reopen_days": Number(0, about="A reply to a ticket closed longer ago opens a new, linked ticket."),
        "undo_seconds": Number(0, about="How long a reply written in the console can be taken back."),
        "settings": MapOf(Words(), Words(), about="The channel's own settings; secrets are never shown."),
        "hook_url": Nullable(Words("Where the provider's webhooks go; null for channels without.")),
    },
)

AWAY = Record(
    "Away",
    {"since": WHEN, "until": Nullable(Moment("Null: until they are back."))},
    about="Nothing is assigned to them by itself.",
)
AGENT = Record(
    "Agent",
    {
        "id": ID,
        "email": Words(),
        "name": Words(),
        "role": Choice(ROLES),
        "active": Flag(),
        "team_ids": ListOf(Words()),
        "initials": Words(),
        "time_zone": Words("IANA name."),
        "away": Nullable(AWAY),
        "capacity": Number(1, MAX_CAPACITY, "How many open tickets routing gives them at most."),
        "languages": ListOf(Words()),
        "skills": ListOf(Words("As tags name it.")),
        "created_at": WHEN,
    },
)

TEAM = Record(
    "Team",
    {"id": ID, "name": Words(), "assignment": Choice(ASSIGNMENTS, "How its tickets find their agent; off: by hand.")},
)

HEALTH = Record("Health", {"ok": Flag(), "version": Words()})

# What callers send

SUBJECT_IN = Text("What it is about.", max_chars=MAX_SUBJECT_CHARS, blank=False)
TEXT_IN = Text("The words.", max_chars=MAX_TEXT_CHARS, lines=True)
HTML_IN = Text("The same, formatted; it replaces `text`.", max_chars=MAX_HTML_CHARS, lines=True)
ID_IN = Text(min_chars=1, max_chars=64)
NAME_IN = Text("Display name.", max_chars=120)
ADDRESS_IN = Text("Mail address.", max_chars=254, blank=False, example="ada@customer.example")
AS_IN = Text("Id of the agent who says it. Without it the message counts as a bot's.", min_chars=1, max_chars=64)
UNDO_IN = Number(0, 60, "How long the message can be taken back; 0 unless said.")
FILE_IN = Text(min_chars=1, max_chars=128)
ATTACHMENTS_IN = ListOf(
    FILE_IN,
    30,
    "Ids of uploaded files; `<message id>.<attachment id>` sends on a file of the same ticket, unless it is dangerous.",
)

PARTY_IN = Record("Recipient", {"address": ADDRESS_IN}, {"name": NAME_IN})
PARTIES_IN = ListOf(PARTY_IN, MAX_RECIPIENTS)
TAGS_IN = ListOf(Text(max_chars=MAX_TAG_CHARS), MAX_TAGS, "Free labels; they replace those there are.")
