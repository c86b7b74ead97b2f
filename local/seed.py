"""Fills a fresh desk: ``python -m local.seed --bare | --tickets``, in the functions' environment.

The last line it prints is one JSON object: ``api_token`` and ``agents`` with their passwords.
"""

import json
import os
import secrets
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib import wiring
from chalicelib.domain.people import Agent, Inbox, Role, actor_of
from chalicelib.services import tokens
from chalicelib.store import directory

DOMAIN = "northwind-mugs.example"
PASSWORD_BYTES = 12


@dataclass(frozen=True)
class Person:
    id: str
    name: str
    role: Role


ADMIN = Person("a_ada", "Ada Northwind", "admin")


def main() -> int:
    wiring.connect()
    now = datetime.now(UTC)
    admin, password = add_agent(ADMIN, now)
    directory.save_inbox(Inbox(id="in_support", channel="email", address=f"support@{DOMAIN}", name="Support"))
    token = tokens.create("Local programs", ("read", "write", "admin"), actor_of(admin), now)
    agents = [{"email": admin.email, "password": password, "role": admin.role}]
    print(json.dumps({"api_token": token.bearer, "agents": agents}))
    return 0


def add_agent(person: Person, now: datetime) -> tuple[Agent, str]:
    email = f"{person.name.split()[0].lower()}@{DOMAIN}"
    agent = Agent(person.id, email, person.name, person.role, True, now)
    password = f"Mug-{secrets.token_urlsafe(PASSWORD_BYTES)}-1a"
    cognito: Any = wiring.client("cognito-idp")
    pool = os.environ["USER_POOL_ID"]
    cognito.admin_create_user(
        UserPoolId=pool,
        Username=email,
        MessageAction="SUPPRESS",
        UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
    )
    cognito.admin_set_user_password(UserPoolId=pool, Username=email, Password=password, Permanent=True)
    directory.save_agent(agent)
    return agent, password


if __name__ == "__main__":
    sys.exit(main())
