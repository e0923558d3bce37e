"""The results in ``benchmarks/results``: the docs' figures follow from them, and they are sound."""

import csv
import re
import shutil
from statistics import fmean

import pytest

from corgi_gym.benchmarks.bench.files import JOBS
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.verify import verify
from corgi_gym.benchmarks.recipe import RECIPES

RESULTS = RECIPES.parent / "results"
# Older results were kept as a report alone.
FOLDERS = sorted(path.parent.name for path in RESULTS.glob(f"*/{JOBS}"))


PAGE = (RECIPES.parents[1] / "docs" / "evidence.md").read_text(encoding="utf-8")
BY_SEED = re.compile(
    r"^\| [^|]+ \| (?P<first>0\.\d{3}) \| (?P<mean>0\.\d{3}) [^|]*"
    r"\| (?P<seeds>(?:0\.\d{3} ?){2,}) \|",
    re.M,
)


def rows_by_seed():
    """Rows of the page that have a number for each seed, with the results that they are of."""
    for section in re.split(r"^## ", PAGE, flags=re.M):
        names = re.findall(r"(?:benchmarks/results/|bench run )(\w+)", section)
        for row in BY_SEED.finditer(section):
            yield next(name for name in names if (RESULTS / name).is_dir()), row


def test_numbers_on_the_page_are_those_of_the_results():
    found = list(rows_by_seed())
    assert len(found) >= 5 and len({name for name, _ in found}) >= 2
    for name, row in found:
        with (RESULTS / name / "results.csv").open(encoding="utf-8", newline="") as file:
            runs = sorted(csv.DictReader(file), key=lambda run: int(run["seed"]))
        # An arm has a run for each evaluation of a seed.
        arms: dict[tuple[str, str], list[dict[str, str]]] = {}
        for run in runs:
            arms.setdefault((run["arm"], run["evaluation"]), []).append(run)
        told = [float(value) for value in row["seeds"].split()]
        like = [
            own for own in arms.values()
            if [round(float(run["success@4"]), 3) for run in own] == told
        ]  # fmt: skip
        assert like, f"no arm of {name} has {row[0]}"
        for key, value in (("success@1", row["first"]), ("success@4", row["mean"])):
            means = {fmean(float(run[key]) for run in own) for own in like}
            assert any(abs(mean - float(value)) < 0.00051 for mean in means), (name, row[0])


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
