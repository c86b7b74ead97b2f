"""Every error Deskbell raises on purpose, named for what the caller can do about it.

DeskbellError                     status  the caller can …
├── InvalidInput                  422     correct what was sent; ``fields`` says where
├── NotSignedIn                   401     sign in (again)
├── NotAllowed                    403     ask an admin for the right
├── NotAuthentic                  403     nothing: the signature or secret of a webhook does not match
├── NotFound                      404     look elsewhere; it is not, or no longer, there
├── Conflict                      409     look at what changed meanwhile, then decide
├── TooLarge                      413     send less
├── TooMany                       429     wait ``retry_after_seconds``
├── MalformedPayload              400     nothing: a provider sent what it never sends; the original is kept
├── NotConfigured                 503     finish the set-up the message names
├── Refused                       502     a provider proved that it did not send; retry if it says when
└── Unclear                       502     decide: a provider may or may not have sent it

``Refused`` and ``Unclear`` are answers of a connector's ``send``: see docs/architecture.md, "At most one send".
"""

from collections.abc import Mapping


class DeskbellError(Exception):
    """A sentence for the person who caused it: what is wrong and what to do."""

    status = 500
    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DeskbellError):
    """``fields`` maps a field's name to the sentence that belongs beside it."""

    status = 422
    code = "invalid-input"

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class NotSignedIn(DeskbellError):
    status = 401
    code = "not-signed-in"


class NotAllowed(DeskbellError):
    status = 403
    code = "not-allowed"


class NotAuthentic(DeskbellError):
    status = 403
    code = "not-authentic"


class NotFound(DeskbellError):
    status = 404
    code = "not-found"


class Conflict(DeskbellError):
    """``latest_message_id`` names what was said and the caller may not have seen, where that is the conflict;
    ``latest_ticket_id`` the ticket in which it stands, where that is another one.
    """

    status = 409
    code = "conflict"

    def __init__(self, message: str, latest_message_id: str | None = None, latest_ticket_id: str | None = None) -> None:
        super().__init__(message)
        self.latest_message_id = latest_message_id
        self.latest_ticket_id = latest_ticket_id


class TooLarge(DeskbellError):
    status = 413
    code = "too-large"


class TooMany(DeskbellError):
    status = 429
    code = "too-many"

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class MalformedPayload(DeskbellError):
    status = 400
    code = "malformed-payload"


class NotConfigured(DeskbellError):
    status = 503
    code = "not-configured"


class Refused(DeskbellError):
    """Proof that nothing was sent.  ``retry_after_seconds`` None: do not try again."""

    status = 502
    code = "refused"

    def __init__(self, message: str, retry_after_seconds: float | None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Unclear(DeskbellError):
    """The call may have taken effect.  Never retried by itself."""

    status = 502
    code = "unclear"
