"""Cognito as Deskbell uses it: it keeps passwords and second factors, nothing else.

Names, roles and sessions are ours, so its tokens are used at most to set up a second factor and never leave here.
Agents are known to it by their mail address.  In the later steps of a sign-in it wants the name it gave them itself,
which it tells in the first (USER_ID_FOR_SRP); so the sessions that leave here hold that name too.
Source: https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from chalicelib.config import settings
from chalicelib.errors import NotConfigured, TooMany

WRONG = frozenset({"NotAuthorizedException", "UserNotFoundException"})
WRONG_CODE = frozenset({"CodeMismatchException", "EnableSoftwareTokenMFAException", "ExpiredCodeException"})
POOR_PASSWORD = frozenset({"InvalidPasswordException", "InvalidParameterException", "PasswordHistoryPolicyViolation"})
THROTTLED = frozenset({"TooManyRequestsException", "LimitExceededException", "TooManyFailedAttemptsException"})
DEVICE_NAME = "Deskbell"

Challenge = Literal["NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"]


class Wrong(Exception):
    """The password, or the sign-in step's session, is not (or no longer) good."""


class WrongCode(Exception):
    """The six digits do not match; another try is possible."""


class PoorPassword(Exception):
    """The pool's own policy refuses the password."""


@dataclass(frozen=True)
class Asked:
    """Cognito wants one more step; ``session`` continues it and means nothing to others."""

    challenge: Challenge
    session: str


@dataclass(frozen=True)
class Entered:
    """Everything was right."""

    access_token: str


class UserPool:
    """``client``: a botocore ``cognito-idp`` client, handed in by the edge."""

    def __init__(self, client: Any, pool_id: str = "", client_id: str = "") -> None:
        self._client = client
        self._pool_id = pool_id or settings().user_pool_id
        self._client_id = client_id or settings().user_pool_client_id

    # signing in

    def check_password(self, email: str, password: str) -> Entered | Asked:
        """Raise Wrong alike for a wrong password, for nobody, and for what can be no password."""
        try:
            answer = self._call(
                "admin_initiate_auth",
                UserPoolId=self._pool_id,
                ClientId=self._client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": email, "PASSWORD": password},
            )
        except PoorPassword as error:
            raise Wrong from error
        return _read(answer)

    def answer(self, email: str, asked: Challenge, session: str, **responses: str) -> Entered | Asked:
        name, plain = _opened(session)
        answer = self._call(
            "admin_respond_to_auth_challenge",
            UserPoolId=self._pool_id,
            ClientId=self._client_id,
            ChallengeName=asked,
            Session=plain,
            ChallengeResponses={"USERNAME": name or email, **responses},
        )
        return _read(answer, name)

    # second factor

    def new_totp_secret(self, access_token: str = "", session: str = "") -> tuple[str, str]:
        """The secret for the agent's app, and the session to go on with (empty with an access token)."""
        name, plain = _opened(session)
        given = {"AccessToken": access_token} if access_token else {"Session": plain}
        answer = self._call("associate_software_token", **given)
        return answer["SecretCode"], _with_name(name, answer.get("Session", ""))

    def verify_totp(self, code: str, access_token: str = "", session: str = "") -> str:
        """The session to go on with; raises WrongCode."""
        name, plain = _opened(session)
        given = {"AccessToken": access_token} if access_token else {"Session": plain}
        answer = self._call("verify_software_token", UserCode=code, FriendlyDeviceName=DEVICE_NAME, **given)
        if answer.get("Status") != "SUCCESS":
            raise WrongCode
        return _with_name(name, str(answer.get("Session", "")))

    def use_totp(self, email: str, wanted: bool) -> None:
        """Ask for six digits at sign-in, or no more."""
        preference = {"Enabled": wanted, "PreferredMfa": wanted}
        self._call(
            "admin_set_user_mfa_preference",
            UserPoolId=self._pool_id,
            Username=email,
            SoftwareTokenMfaSettings=preference,
        )

    # people

    def add(self, email: str, temporary_password: str) -> None:
        """Add somebody who must change the password first; somebody left over gets the new one."""
        attributes = [{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}]
        try:
            self._client.admin_create_user(
                UserPoolId=self._pool_id,
                Username=email,
                UserAttributes=attributes,
                TemporaryPassword=temporary_password,
                MessageAction="SUPPRESS",  # we write the invitation ourselves
            )
        except ClientError as error:
            if _code(error) != "UsernameExistsException":
                raise _as_ours(error) from error
            self.set_password(email, temporary_password, permanent=False)
            self.set_enabled(email, True)
            self.use_totp(email, False)

    def set_password(self, email: str, password: str, permanent: bool = True) -> None:
        """Raise PoorPassword when the pool's policy refuses it, Wrong when it does not have this person."""
        self._call(
            "admin_set_user_password",
            UserPoolId=self._pool_id,
            Username=email,
            Password=password,
            Permanent=permanent,
        )

    def set_enabled(self, email: str, enabled: bool) -> None:
        """Nothing for somebody the pool does not have (a pool made anew): their next password link adds them."""
        method = "admin_enable_user" if enabled else "admin_disable_user"
        with suppress(Wrong):
            self._call(method, UserPoolId=self._pool_id, Username=email)

    def _call(self, method: str, **arguments: Any) -> Any:
        try:
            return getattr(self._client, method)(**arguments)
        except ClientError as error:
            raise _as_ours(error) from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _as_ours(error: ClientError) -> Exception:
    code = _code(error)
    if code in WRONG or code == "PasswordResetRequiredException":
        return Wrong()
    if code in WRONG_CODE:
        return WrongCode()
    if code in POOR_PASSWORD:
        return PoorPassword()
    if code in THROTTLED:
        return TooMany("Sign-in is busy. Wait a minute, then try again.", 60)
    return error


def _with_name(name: str, session: str) -> str:
    return f"{name}\n{session}" if name and session else session


def _opened(session: str) -> tuple[str, str]:
    """Cognito's name for the agent, "" where it told none or an earlier release kept the session, and its session."""
    name, _, plain = session.rpartition("\n")
    return name, plain


def _read(answer: Any, name: str = "") -> Entered | Asked:
    """``name``: as an earlier step told it."""
    challenge = answer.get("ChallengeName")
    if not challenge:
        return Entered(answer["AuthenticationResult"]["AccessToken"])
    if challenge in ("NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", "MFA_SETUP"):
        told = (answer.get("ChallengeParameters") or {}).get("USER_ID_FOR_SRP", "")
        return Asked(challenge, _with_name(told or name, answer["Session"]))
    raise NotConfigured(
        f"The user pool asks for a sign-in step that Deskbell does not know ({challenge}). "
        "Set its second factor to authenticator apps only."
    )
