"""The pool wants its own name for somebody in the later steps of a sign-in, and says which that is in the first."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.services.user_pool import Asked, Entered, UserPool, Wrong

ADDRESS = "lina@shop.example"
NAME = "0b6f1c1e-0000-4000-8000-000000000001"
SESSION = "AYABeC1-y4Yqn+/="


class Cognito:
    """Goes through ``steps``; where it tells its own name for somebody, it takes no other in the answer."""

    def __init__(self, *steps: str, tells: bool = True) -> None:
        self.steps = list(steps)
        self.tells = tells
        self.sessions: list[str] = []

    def admin_initiate_auth(self, **_: Any) -> dict[str, Any]:
        return self._next()

    def admin_respond_to_auth_challenge(self, Session: str, ChallengeResponses: dict[str, str], **_: Any) -> Any:
        if ChallengeResponses["USERNAME"] != (NAME if self.tells else ADDRESS):
            raise ClientError({"Error": {"Code": "NotAuthorizedException"}}, "AdminRespondToAuthChallenge")
        self.sessions.append(Session)
        return self._next()

    def associate_software_token(self, **given: str) -> dict[str, str]:
        self.sessions.append(given["Session"])
        return {"SecretCode": "JBSWY3DPEHPK3PXP", "Session": SESSION}

    def verify_software_token(self, Session: str, **_: Any) -> dict[str, str]:
        self.sessions.append(Session)
        return {"Status": "SUCCESS", "Session": SESSION}

    def _next(self) -> dict[str, Any]:
        if not self.steps:
            return {"AuthenticationResult": {"AccessToken": "token"}}
        step = {"ChallengeName": self.steps.pop(0), "Session": SESSION}
        return step | ({"ChallengeParameters": {"USER_ID_FOR_SRP": NAME}} if self.tells else {})


def asked(answer: Entered | Asked) -> Asked:
    assert isinstance(answer, Asked)
    return answer


@pytest.mark.parametrize("tells", [True, False])
def test_every_step_is_answered_under_the_name_that_the_pool_told(tells: bool) -> None:
    cognito = Cognito("NEW_PASSWORD_REQUIRED", "SOFTWARE_TOKEN_MFA", tells=tells)
    pool = UserPool(cognito, "pool", "console")
    first = asked(pool.check_password(ADDRESS, "old"))
    second = asked(pool.answer(ADDRESS, first.challenge, first.session, NEW_PASSWORD="new"))
    last = pool.answer(ADDRESS, second.challenge, second.session, SOFTWARE_TOKEN_MFA_CODE="123456")
    assert last == Entered("token")
    assert cognito.sessions == [SESSION, SESSION]


@pytest.mark.parametrize("tells", [True, False])
def test_setting_up_a_second_factor_keeps_the_name(tells: bool) -> None:
    cognito = Cognito("MFA_SETUP", tells=tells)
    pool = UserPool(cognito, "pool", "console")
    session = asked(pool.check_password(ADDRESS, "right")).session
    _, session = pool.new_totp_secret(session=session)
    session = pool.verify_totp("123456", session=session)
    assert pool.answer(ADDRESS, "MFA_SETUP", session) == Entered("token")
    assert cognito.sessions == [SESSION, SESSION, SESSION]


def test_a_sign_in_that_an_earlier_release_began_goes_on_under_the_address() -> None:
    """It kept Cognito's session alone."""
    pool = UserPool(Cognito(tells=False), "pool", "console")
    assert pool.answer(ADDRESS, "SOFTWARE_TOKEN_MFA", SESSION, SOFTWARE_TOKEN_MFA_CODE="123456") == Entered("token")


def test_an_access_token_needs_no_name() -> None:
    class OfAnAgentWhoIsIn(Cognito):
        def associate_software_token(self, **given: str) -> dict[str, str]:
            assert given == {"AccessToken": "token"}
            return {"SecretCode": "JBSWY3DPEHPK3PXP"}

    assert UserPool(OfAnAgentWhoIsIn(), "pool", "console").new_totp_secret("token") == ("JBSWY3DPEHPK3PXP", "")


def test_a_refusal_is_still_one() -> None:
    pool = UserPool(Cognito(), "pool", "console")
    with pytest.raises(Wrong):
        pool.answer(ADDRESS, "SOFTWARE_TOKEN_MFA", SESSION, SOFTWARE_TOKEN_MFA_CODE="123456")
