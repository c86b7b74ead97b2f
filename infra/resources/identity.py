"""Cognito: passwords and second factors of agents.  Roles, names and sessions live in our table."""

from infra.cloudformation import KEPT_FROM_DELETION, Json, ref, resource

PASSWORD_POLICY = {
    "MinimumLength": 12,
    "RequireLowercase": True,
    "RequireUppercase": True,
    "RequireNumbers": True,
    "RequireSymbols": False,  # length is what protects; forced symbols only make people write them down
    "TemporaryPasswordValidityDays": 7,
}


def resources(stage: str) -> dict[str, Json]:
    pool = {
        "UserPoolName": f"deskbell-{stage}",
        "UsernameAttributes": ["email"],
        "UsernameConfiguration": {"CaseSensitive": False},
        "Policies": {"PasswordPolicy": PASSWORD_POLICY},
        "MfaConfiguration": "OPTIONAL",
        "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
        # A reset is a signed link by our own outbox; Cognito's code mails would come from another sender.
        "AccountRecoverySetting": {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]},
        "UserPoolTags": {"deskbell:stage": stage},
    }
    client = {
        "AuthSessionValidity": 15,  # minutes for a forced change of password or a second factor; ours last as long
        "ClientName": "console",
        "UserPoolId": ref("UserPool"),
        "GenerateSecret": False,  # it is called with the web function's own credentials only
        "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        "PreventUserExistenceErrors": "ENABLED",
        "EnableTokenRevocation": True,
    }
    return {
        "UserPool": resource("AWS::Cognito::UserPool", pool, **KEPT_FROM_DELETION),
        "UserPoolClient": resource("AWS::Cognito::UserPoolClient", client),
    }
