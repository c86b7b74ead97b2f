"""What the burst makes of what it measured."""

import json

import pytest

from bench import burst, burst_page

BEFORE = {"cpu_ms": 40.0, "reference_cpu_ms": 10.0, "cpu_by_reference": 4.0, "read_units": 30.0}
MAILS = 2


def figures(during: dict[str, float]) -> dict[str, float]:
    sent = burst.Burst(accepted={0: 1.0, 1: 2.0}, heard={0: 1.5, 1: 2.5}, listed_first=1.6)
    return burst.figures_of(sent, MAILS, BEFORE, during)


def test_a_list_page_is_measured_against_what_the_cores_did_to_a_fixed_sum() -> None:
    found = figures({"cpu_ms": 48.0, "reference_cpu_ms": 12.0, "cpu_by_reference": 4.4, "read_units": 30.0})
    assert found["list_cpu_ratio"] == 1.1
    assert (found["list_cpu_ms_before"], found["list_cpu_ms_during"]) == (40.0, 48.0)
    assert (found["reference_cpu_ms_before"], found["reference_cpu_ms_during"]) == (10.0, 12.0)


def test_each_page_is_compared_with_the_sum_beside_it() -> None:
    """The cores are half as fast for some of the pairs; the page takes twice the sum in all of them."""
    assert burst_page.compared([20.0, 40.0, 40.0, 20.0], [10.0, 20.0, 20.0, 10.0]) == 2.0


@pytest.mark.parametrize("way", burst.WAYS)
def test_every_limit_is_on_a_figure(way: str) -> None:
    assert burst.limits_of(way).keys() <= figures(BEFORE).keys()


def test_the_fixed_sum_is_the_same_each_time_and_of_a_pages_size() -> None:
    said = burst_page.reference()
    assert said == burst_page.reference()
    assert 20_000 < len(said) < 80_000 and len(json.loads(said)["items"]) == burst_page.PAGE
