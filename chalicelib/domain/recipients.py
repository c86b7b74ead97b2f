"""Who gets an answer: those of the message answered, less our own addresses, nobody else.

The composer proposes ``answer_to``; what the agent sends instead goes through ``checked_recipients``, and
``changed`` says who was added or left out since the last mail.  Nobody is added without an agent's act.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from email.utils import getaddresses

from chalicelib.domain.hosts import machine_name
from chalicelib.domain.message import Message, Party
from chalicelib.errors import InvalidInput

MAX_RECIPIENTS = 50
"""SES: To, Cc and Bcc of one mail together."""
MAX_ADDRESS_CHARS = 254
MAX_LOCAL_OCTETS = 64
LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")  # "_" is no host name, but such mail arrives and wants an answer


@dataclass(frozen=True)
class Recipients:
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    bcc: tuple[Party, ...] = ()

    def addresses(self) -> tuple[str, ...]:
        """Every address once, lower case, in order of To, Cc, Bcc."""
        return tuple(dict.fromkeys(party.address.lower() for party in (*self.to, *self.cc, *self.bcc)))


@dataclass(frozen=True)
class Changed:
    """Who gets the next mail and did not get the last, and the other way round."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


def answer_to(answered: Message, own: Collection[str], *, everyone: bool = True) -> Recipients:
    """Recipients proposed for an answer to ``answered``.

    An incoming mail goes back to its sender, and with ``everyone`` to all others in its To and Cc.  After a mail of
    ours the next one goes to the same people.  Bcc is never inherited.

    Args:
        own: addresses of our inboxes, lower case; signed and other plus-addresses of them count as ours.
        everyone: reply to all; False: to the sender alone.
    """
    to = answered.to if answered.direction == "out" else _sender_first(answered, everyone)
    cc = answered.cc if everyone else ()
    kept_to = _others(to, own, ())
    kept_cc = _others(cc, own, kept_to)
    if not kept_to:  # only we stood in To: whoever was copied is who we talk to
        return Recipients(to=kept_cc)
    return Recipients(to=kept_to, cc=kept_cc)


def is_own(address: str, own: Collection[str]) -> bool:
    """Is this one of our addresses, or a plus-address of one?"""
    return address.lower() in own or without_tag(address) in own


def without_tag(address: str) -> str:
    """``support+anything@shop.example`` as ``support@shop.example``, lower case."""
    local, at, domain = address.lower().rpartition("@")
    return local.partition("+")[0] + at + domain


def changed(last: Recipients, now: Recipients) -> Changed:
    """What differs between the last mail's recipients and the next one's."""
    before, after = last.addresses(), now.addresses()
    return Changed(
        added=tuple(address for address in after if address not in before),
        removed=tuple(address for address in before if address not in after),
    )


def recipients_of(message: Message) -> Recipients:
    """Everybody who had this mail before them, its sender included when it came in."""
    to = message.to if message.direction == "out" or message.sender is None else (message.sender, *message.to)
    return Recipients(to=to, cc=message.cc, bcc=message.bcc)


def checked_recipients(
    to: Iterable[Party], cc: Iterable[Party] = (), bcc: Iterable[Party] = (), *, own: Collection[str] = ()
) -> Recipients:
    """Valid addresses, each once (To before Cc before Bcc).

    Raises:
        InvalidInput: nobody in To, an address that cannot be, one of our own, or more than MAX_RECIPIENTS;
            ``fields`` names to, cc or bcc.
    """
    seen: set[str] = set()
    lists = {name: _checked(name, parties, own, seen) for name, parties in (("to", to), ("cc", cc), ("bcc", bcc))}
    if not lists["to"]:
        raise InvalidInput("A mail needs somebody in To.", {"to": "Enter at least one address."})
    if len(seen) > MAX_RECIPIENTS:
        raise InvalidInput(
            "Too many recipients.", {"to": f"A mail goes to at most {MAX_RECIPIENTS} addresses; these are {len(seen)}."}
        )
    return Recipients(**lists)


def parse_parties(text: str) -> tuple[Party, ...]:
    """What somebody typed into a To field: addresses with or without names, between commas, semicolons or new lines."""
    with_commas = re.sub(r"[;\n]+", ",", text.replace("\r", "\n"))
    pairs = getaddresses([with_commas])
    if not any(address for _, address in pairs) and with_commas.strip(" ,"):
        return (Party("", with_commas.strip(" ,")),)  # let the check say what is wrong with it
    return tuple(Party(" ".join(name.split()), address) for name, address in pairs if address)


def checked_address(address: str) -> str:
    """The address as it goes on the wire: trimmed, its domain lower case and ASCII.

    Raises:
        InvalidInput: a sentence that says what is wrong.
    """
    text = address.strip()
    local, at, domain = text.rpartition("@")
    if not at or not local or not domain:
        raise InvalidInput(f"“{_shown(text)}” is not an e-mail address: it needs a name, an @ and a domain.")
    if not local.isascii():
        raise InvalidInput(f"“{_shown(text)}” cannot be reached: only plain letters may stand before the @.")
    if not LOCAL.fullmatch(local) or len(local) > MAX_LOCAL_OCTETS:
        raise InvalidInput(f"“{_shown(text)}” is not an e-mail address: look at the part before the @.")
    wire_domain = _ascii_domain(domain)
    if wire_domain is None or len(local) + len(wire_domain) + 1 > MAX_ADDRESS_CHARS:
        raise InvalidInput(f"“{_shown(text)}” is not an e-mail address: look at the part after the @.")
    return f"{local}@{wire_domain}"


def _sender_first(answered: Message, everyone: bool) -> tuple[Party, ...]:
    sender = () if answered.sender is None else (answered.sender,)
    return (*sender, *answered.to) if everyone else sender


def _others(parties: Sequence[Party], own: Collection[str], besides: Sequence[Party]) -> tuple[Party, ...]:
    """``parties`` in order, each once, without ours and without those in ``besides``."""
    seen = {party.address.lower() for party in besides}
    kept: list[Party] = []
    for party in parties:
        key = party.address.lower()
        if key and key not in seen and not is_own(key, own):
            seen.add(key)
            kept.append(party)
    return tuple(kept)


def _checked(name: str, parties: Iterable[Party], own: Collection[str], seen: set[str]) -> tuple[Party, ...]:
    kept: list[Party] = []
    for party in parties:
        try:
            address = checked_address(party.address)
        except InvalidInput as error:
            raise InvalidInput("An address is not right.", {name: error.message}) from error
        if is_own(address, own):
            raise InvalidInput(
                "That address is ours.", {name: f"{address} is one of our own inboxes: the mail would come back to us."}
            )
        if address.lower() not in seen:
            seen.add(address.lower())
            kept.append(Party(party.name, address))
    return tuple(kept)


def _ascii_domain(domain: str) -> str | None:
    name = machine_name(domain)
    labels = name.split(".") if name else []
    return name if len(labels) > 1 and all(LABEL.fullmatch(label) for label in labels) else None


def _shown(text: str) -> str:
    """Bounded, on one line: it is quoted back to the person who typed it."""
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:77] + "…"
