"""An inbox's secrets (bot token, webhook secret) lie in SSM as SecureStrings, never in the table."""

from collections.abc import Mapping
from typing import Any

from chalicelib.config import settings


class InboxSecrets:
    """``ssm``: a client handed in by the edge.  Names as ``wiring.inbox_secret_name`` reads them."""

    def __init__(self, ssm: Any, prefix: str = "") -> None:
        self._ssm = ssm
        self._prefix = prefix or settings().parameter_prefix

    def put(self, inbox_id: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._ssm.put_parameter(Name=self._path(inbox_id, name), Value=value, Type="SecureString", Overwrite=True)

    def delete(self, inbox_id: str, names: Mapping[str, str]) -> None:
        for name in names:
            try:
                self._ssm.delete_parameter(Name=self._path(inbox_id, name))
            except self._ssm.exceptions.ParameterNotFound:
                continue

    def _path(self, inbox_id: str, name: str) -> str:
        return f"{self._prefix}inbox/{inbox_id}/{name}"
