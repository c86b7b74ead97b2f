"""Mails composed for Deskbell, each with the values a careful reader expects, stated by hand.

``CASES`` joins the tables.  Bytes are put together by ``build`` without any mail library, and nothing in
here imports the parser: what is expected never comes from what is being tested.
"""

from .attachments import ATTACHMENT_CASES
from .automatic import AUTOMATIC_CASES
from .bodies import BODY_CASES
from .bounces import BOUNCE_CASES
from .case import Case
from .forwards import FORWARD_CASES
from .odd import ODD_CASES
from .replies import REPLY_CASES
from .senders import SENDER_CASES

CASES: tuple[Case, ...] = (
    *SENDER_CASES,
    *BODY_CASES,
    *ATTACHMENT_CASES,
    *BOUNCE_CASES,
    *AUTOMATIC_CASES,
    *REPLY_CASES,
    *FORWARD_CASES,
    *ODD_CASES,
)

__all__ = ["CASES", "Case"]
