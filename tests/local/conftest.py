"""One running stack for the tests that only use it; those that end it start their own."""

from collections.abc import Iterator

import pytest

from tests.stack import LocalStack, running_stack


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    yield from running_stack(tmp_path_factory.mktemp("stack"))
