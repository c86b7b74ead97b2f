"""SSM: the parameters that hold secrets."""

from typing import Any

from tests.simulation.aws.errors import client_error, only


class Ssm:
    """``parameters``: their values by name."""

    def __init__(self) -> None:
        self.parameters: dict[str, str] = {}

    def get_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Name", "WithDecryption")
        name = request["Name"]
        if name not in self.parameters:
            raise client_error("ParameterNotFound", f"Parameter {name} not found.")
        return {"Parameter": {"Name": name, "Type": "SecureString", "Value": self.parameters[name], "Version": 1}}

    def put_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Name", "Value", "Type", "Overwrite")
        if request["Name"] in self.parameters and not request.get("Overwrite"):
            raise client_error("ParameterAlreadyExists", "The parameter already exists.")
        if not request["Value"]:
            raise client_error("ValidationException", "Value must have length greater than or equal to 1")
        self.parameters[request["Name"]] = request["Value"]
        return {"Version": 1, "Tier": "Standard"}

    def delete_parameter(self, request: dict[str, Any]) -> dict[str, Any]:
        only(request, "Name")
        if self.parameters.pop(request["Name"], None) is None:
            raise client_error("ParameterNotFound", f"Parameter {request['Name']} not found.")
        return {}
