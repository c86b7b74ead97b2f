"""Search finds what an exhaustive look finds, within its units, on a desk small enough for every run."""

from collections.abc import Sequence
from functools import partial
from urllib.request import Request, urlopen

import pytest

from bench import generate, search
from bench.dynamodb_local import CREATED_WITH
from bench.generate import SUPPORT
from bench.metered import metered, prepare_engine
from bench.search import Asked
from chalicelib.store import postings
from infra.resources import table as table_resource
from local.engine import client as engine_client

MESSAGES, QUERIES = 600, 48
TABLE = "search-table"


@pytest.fixture(scope="module")
def answers(engine: str) -> Sequence[Asked]:
    urlopen(Request(f"{engine}/_ministack/reset", method="POST"), timeout=30).close()
    client = partial(engine_client, engine)
    properties = table_resource.resources("test")["Table"]["Properties"]
    client("dynamodb").create_table(TableName=TABLE, **{each: properties[each] for each in CREATED_WITH})
    desk = search.generated(MESSAGES, QUERIES)
    generate.write(client("dynamodb"), TABLE, desk.items())
    prepare_engine(client, SUPPORT.address)
    with metered(engine, engine, TABLE, client("dynamodb")):
        return search.ask(desk, client("dynamodb"))


@pytest.mark.engine
def test_the_first_page_shows_what_an_exhaustive_look_finds(answers: Sequence[Asked]) -> None:
    missed = [each.typed for each in answers if each.found < each.wanted]
    assert missed == []
    assert len({each.kind for each in answers}) == 12 and all(each.wanted for each in answers)


@pytest.mark.engine
def test_a_search_stays_within_its_budget(answers: Sequence[Asked]) -> None:
    assert max(each.units for each in answers if each.kind != "phrase") <= search.LIMITS["two_words_p95_rcu"]


def test_a_message_of_sixty_words_is_one_unit_at_once_and_few_on_its_way() -> None:
    found = search.writes_of_sixty(2 * postings.FOLD_EVERY)
    assert found["index_at_once_wcu"] == 1
    assert found["index_folding_wcu"] <= 3
