"""The results in ``benchmarks/results``: the docs' figures follow from them, and they are sound."""

import shutil

import pytest

from corgi_gym.benchmarks.bench.files import JOBS
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.verify import verify
from corgi_gym.benchmarks.recipe import RECIPES

RESULTS = RECIPES.parent / "results"
# Older results were kept as a report alone.
FOLDERS = sorted(path.parent.name for path in RESULTS.glob(f"*/{JOBS}"))


def test_there_are_results_with_their_sessions():
    assert FOLDERS


@pytest.mark.parametrize("name", FOLDERS)
def test_the_stored_report_follows_from_the_stored_sessions(name, tmp_path):
    copy = tmp_path / name
    shutil.copytree(RESULTS / name, copy)
    stored = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    write_page(copy)
    for file in ("report.md", "results.csv", "statistics.json"):
        assert (copy / file).read_bytes() == stored[file]


@pytest.mark.parametrize("name", FOLDERS)
def test_the_verifiers_of_today_give_the_stored_scores(name):
    found = verify(RESULTS / name)
    assert found.sound and found.stale is None, found.text()
    assert found.checked["episodes replayed"] >= 900
