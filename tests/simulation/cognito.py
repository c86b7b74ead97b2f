"""The user pool, as far as signing in and keeping agents needs it."""

from dataclasses import dataclass, field
from typing import Any

from tests.simulation.aws.errors import client_error


@dataclass
class Cognito:
    """``passwords`` by user name; a user who is switched off cannot sign in."""

    passwords: dict[str, str] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        acts = {
            "AdminCreateUser": self._create, "AdminSetUserPassword": self._set, "AdminInitiateAuth": self._sign_in,
            "AdminEnableUser": self._enable, "AdminDisableUser": self._disable, "AdminSetUserMFAPreference": self._mfa,
        }  # fmt: skip
        return acts[operation](request)

    def _create(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["Username"] in self.passwords:
            raise client_error("UsernameExistsException", "User account already exists")
        self.passwords[request["Username"]] = request["TemporaryPassword"]
        return {"User": {"Username": request["Username"]}}

    def _known(self, request: dict[str, Any]) -> str:
        name = str(request["Username"])
        if name not in self.passwords:
            raise client_error("UserNotFoundException", "User does not exist.")
        return name

    def _set(self, request: dict[str, Any]) -> dict[str, Any]:
        self.passwords[self._known(request)] = request["Password"]
        return {}

    def _sign_in(self, request: dict[str, Any]) -> dict[str, Any]:
        given = request["AuthParameters"]
        right = self.passwords.get(given["USERNAME"]) == given["PASSWORD"]
        if not right or given["USERNAME"] in self.disabled:
            raise client_error("NotAuthorizedException", "Incorrect username or password.")
        return {"AuthenticationResult": {"AccessToken": "access", "IdToken": "id", "ExpiresIn": 3600}}

    def _enable(self, request: dict[str, Any]) -> dict[str, Any]:
        self.disabled.discard(self._known(request))
        return {}

    def _disable(self, request: dict[str, Any]) -> dict[str, Any]:
        self.disabled.add(self._known(request))
        return {}

    def _mfa(self, request: dict[str, Any]) -> dict[str, Any]:
        self._known(request)
        return {}
