"""Ids in a body that name something else."""

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.errors import InvalidInput, NotFound


@contextmanager
def referring(field: str) -> Iterator[None]:
    """What a field names and nobody finds is a fault of that field: 404 would say that the address is wrong."""
    try:
        yield
    except NotFound as error:
        raise InvalidInput(error.message, {field: error.message}) from error
