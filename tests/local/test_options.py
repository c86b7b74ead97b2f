"""What the desk can be told, and what it says when that cannot be meant."""

from pathlib import Path

import pytest

from local.options import CannotStart, Options, read_options


def test_everything_has_a_default() -> None:
    assert read_options({}) == Options(data_dir=Path(".local").resolve())


def test_each_variable_is_read() -> None:
    given = {"PORT": "9000", "SMTP_PORT": "9025", "DATA_DIR": "/tmp/x", "SEED": "0", "RELAY_SMTP": "127.0.0.1:1025"}
    assert read_options(given) == Options(9000, 9025, Path("/tmp/x"), False, "127.0.0.1:1025")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"PORT": "eighty"}, "PORT is 'eighty'"),
        ({"SMTP_PORT": "70000"}, "SMTP_PORT is '70000'"),
        ({"PORT": "2525"}, "choose two different ones"),
        ({"RELAY_SMTP": "mailhost"}, "write it as host:port"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(given: dict[str, str], says: str) -> None:
    with pytest.raises(CannotStart, match=says):
        read_options(given)
