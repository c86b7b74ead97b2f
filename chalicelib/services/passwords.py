"""What a good password is.  Cognito checks the same where it checks at all; the first change it does not check."""

import secrets
import string

from chalicelib.domain.people import Agent
from chalicelib.errors import InvalidInput

MIN_CHARS = 12
MAX_CHARS = 256  # Cognito's limit
TEMPORARY_CHARS = 16
CLEAR_LETTERS = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")
USUAL = ("password", "passwort", "qwertz", "qwerty", "123456", "letmein", "deskbell", "welcome", "willkommen")
RULE = (
    f"At least {MIN_CHARS} characters with a small letter, a capital letter and a digit; "
    "not your name or address. Three or four words make a good one."
)


def fault(password: str, agent: Agent) -> str:
    """A sentence that says what to change; empty when the password is good."""
    if len(password) < MIN_CHARS:
        return f"Use at least {MIN_CHARS} characters; these are {len(password)}."
    if len(password) > MAX_CHARS:
        return f"Use at most {MAX_CHARS} characters."
    if password != password.strip():
        return "Leave out the spaces before and after the password."
    missing = [
        said
        for said, kind in (
            ("a small letter", string.ascii_lowercase),
            ("a capital letter", string.ascii_uppercase),
            ("a digit", string.digits),
        )
        if not any(each in kind for each in password)
    ]
    if missing:
        return f"Add {' and '.join(missing)}."
    return _easy_to_guess(password.lower(), agent)


def check(password: str, again: str, agent: Agent) -> None:
    """Raise InvalidInput with the sentence beside the field."""
    wrong = fault(password, agent)
    if wrong:
        raise InvalidInput("The password was not changed.", {"password": wrong})
    if password != again:
        raise InvalidInput("The password was not changed.", {"again": "The two passwords differ."})


def temporary() -> str:
    """A password to read out once; it passes the rule."""
    while True:
        made = "".join(secrets.choice(CLEAR_LETTERS) for _ in range(TEMPORARY_CHARS))
        if any(c.islower() for c in made) and any(c.isupper() for c in made) and any(c.isdigit() for c in made):
            return made


def _easy_to_guess(lowered: str, agent: Agent) -> str:
    own = [agent.email.split("@")[0], *agent.name.lower().split()]
    if any(len(part) > 3 and part in lowered for part in own):
        return "Leave out your name and your address: they are the first things tried."
    if len(set(lowered)) < 6:
        return "Use more different characters."
    rest = lowered
    for word in USUAL:
        rest = rest.replace(word, "")
    if len(rest) < MIN_CHARS // 2:
        return "This is one of the first passwords tried. Use words that do not belong together."
    return ""
