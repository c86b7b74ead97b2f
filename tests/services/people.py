"""A real user pool, and what an agent's phone and mailbox do."""

import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.domain.people import SYSTEM, Agent, Role
from chalicelib.services import agents, attempts, password_links
from chalicelib.services.agents import NewAgent
from chalicelib.services.password_links import LinkMaker
from chalicelib.services.user_pool import UserPool
from infra.resources.identity import resources
from tests.engine import MORNING as NOW
from tests.engine import Desk

MAKER = LinkMaker(b"a-key-of-the-test", "https://desk.example/password")
GOOD_PASSWORD = "copper Kettle 7 lanterns"
SOURCE = "198.51.100.7"


@dataclass
class Mailbox:
    """Stands for the outbox's system mail."""

    mails: list[tuple[str, str, str]] = field(default_factory=list)

    def send(self, to: str, subject: str, text: str) -> None:
        self.mails.append((to, subject, text))


def make_pool(client: Any) -> UserPool:
    """The pool of our template, in the engine."""
    declared = resources("test")
    pool_id = client.create_user_pool(
        PoolName="deskbell-test",
        UsernameAttributes=["email"],
        Policies=declared["UserPool"]["Properties"]["Policies"],
        MfaConfiguration="OPTIONAL",
    )["UserPool"]["Id"]
    made = client.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName="console",
        ExplicitAuthFlows=declared["UserPoolClient"]["Properties"]["ExplicitAuthFlows"],
        PreventUserExistenceErrors="ENABLED",
    )
    client.set_user_pool_mfa_config(
        UserPoolId=pool_id, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="OPTIONAL"
    )
    return UserPool(client, pool_id, made["UserPoolClient"]["ClientId"])


@pytest.fixture
def pool(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> UserPool:
    """Refusals do not wait here; one test looks at the waiting itself."""
    monkeypatch.setattr(attempts, "wait_until", lambda _: None)
    return make_pool(desk.client("cognito-idp"))


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


def an_agent(pool: UserPool, email: str = "lina@shop.example", name: str = "Lina Meyer", role: Role = "agent") -> Agent:
    """An agent who has chosen GOOD_PASSWORD by invitation."""
    mails = Mailbox()
    invitation = agents.invite(pool, NewAgent(email, name, role), MAKER, mails.send, SYSTEM, NOW)
    token = link_token(invitation.link)
    return password_links.use(pool, MAKER, token, GOOD_PASSWORD, GOOD_PASSWORD, NOW)


def link_token(text: str) -> str:
    """The token of the link that stands in a mail."""
    link = next(word for word in text.split() if word.startswith("https://"))
    return parse_qs(urlsplit(link).query)["link"][0]


def totp(secret: str, at: datetime | None = None, steps: int = 0) -> str:
    """RFC 6238 with the defaults every app uses: SHA-1, six digits, thirty seconds.  The engine's clock is the real."""
    moment = (at or datetime.now(UTC)) + timedelta(seconds=30 * steps)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(moment.timestamp()) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    number: int = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def wrong_code(secret: str) -> str:
    """Six digits that are none of the present ones."""
    near = {totp(secret, steps=step) for step in range(-3, 4)}
    return next(f"{n:06d}" for n in range(10) if f"{n:06d}" not in near)
