"""The plots of the docs: every figure also in words, the same file from the same figures."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.plots import line_plot, number

SVG = "{http://www.w3.org/2000/svg}"
SERIES: dict[str, list[tuple[float, float]]] = {
    "list page": [(1_000, 4.5), (100_000, 4.6)],
    "open & read": [(1_000, 9.0), (100_000, 9.0)],
}


def _drawn(path: Path, series: dict[str, list[tuple[float, float]]]) -> ElementTree.Element:
    line_plot(path, "Units <by size>", "tickets", "units", series)
    return ElementTree.fromstring(path.read_text())  # noqa: S314  # written by ourselves a line before


def test_says_in_words_what_the_lines_show(tmp_path: Path) -> None:
    root = _drawn(tmp_path / "plots" / "units.svg", SERIES)

    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}title") == "Units <by size>"
    described = root.findtext(f"{SVG}desc") or ""
    assert "list page: 4.5 at 1 k, 4.6 at 100 k" in described
    assert "open & read: 9 at 1 k, 9 at 100 k" in described


def test_higher_values_stand_higher_and_larger_sizes_further_right(tmp_path: Path) -> None:
    root = _drawn(tmp_path / "units.svg", {"rising": [(10, 1), (1_000, 5), (100_000, 9)]})
    dots = [(float(each.get("cx", "")), float(each.get("cy", ""))) for each in root.iter(f"{SVG}circle")]

    assert dots == sorted(dots)
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)
    assert dots[1][0] - dots[0][0] == pytest.approx(dots[2][0] - dots[1][0], abs=0.2)  # logarithmic


def test_names_of_lines_that_end_together_do_not_overlap(tmp_path: Path) -> None:
    together = {f"line {n}": [(1.0, 9.0), (2.0, 0.5)] for n in range(10)} | {"high": [(1.0, 9.0)]}
    root = _drawn(tmp_path / "units.svg", together)
    heights = sorted(float(each.get("y", "")) for each in root.iter(f"{SVG}text") if (each.text or "")[:5] == "line ")

    assert min(after - before for before, after in pairwise(heights)) >= 14.9


def test_the_same_figures_give_the_same_file(tmp_path: Path) -> None:
    _drawn(tmp_path / "one.svg", SERIES)
    _drawn(tmp_path / "two.svg", SERIES)

    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_one_size_alone_and_zero_can_be_drawn(tmp_path: Path) -> None:
    assert _drawn(tmp_path / "units.svg", {"nothing due": [(1_000, 0)]}) is not None


def test_nothing_to_plot_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing to plot"):
        line_plot(tmp_path / "units.svg", "Empty", "x", "y", {"empty": []})


@pytest.mark.parametrize(("value", "words"), [(1_000_000, "1 M"), (10_000, "10 k"), (2.5, "2.5"), (0, "0")])
def test_large_numbers_are_short(value: float, words: str) -> None:
    assert number(value) == words
