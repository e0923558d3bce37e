"""Forged results: sessions, jobs and reports that were changed, with every hash made to fit."""

import json
import os
import shutil

import pytest

from corgi_gym.__main__ import main
from corgi_gym.agents.engines import CharCodec
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.benchmarks.bench import job as job_module
from corgi_gym.benchmarks.bench import planned, replay, runner, verify
from corgi_gym.benchmarks.bench.identity import job_id
from corgi_gym.benchmarks.bench.job import job_metrics, manifest
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.results import read_results
from corgi_gym.benchmarks.bench.runner import run_bench
from corgi_gym.benchmarks.recipe import from_dict
from corgi_gym.benchmarks.run_folder import read_sessions

SESSIONS = "evaluations/test.jsonl"


def quiet(line):
    """Say nothing."""


def differences(folder, **kwargs):
    return " | ".join(verify.verify(folder, sample=0, **kwargs).differences)


def job_of(folder, arm, seed=0, family="short"):
    for path in sorted((folder / "jobs").iterdir()):
        labels = json.loads((path / "job.json").read_text())["labels"]
        if (labels["arm"], labels["seed"], labels["family"]) == (arm, seed, family):
            return path
    raise LookupError(arm)


def rows_of(job):
    return [json.loads(line) for line in (job / SESSIONS).read_text().splitlines()]


def write_rows(job, rows):
    (job / SESSIONS).write_text("".join(json.dumps(row) + "\n" for row in rows))


def reseal(job):
    """As a forger would: metrics and hashes by the package's own functions."""
    (job / "metrics.json").write_text(json.dumps(job_metrics(job)))
    status = {"status": "done", "files": manifest(job)}
    (job / "status.json").write_text(json.dumps(status))


def add_up(row):
    """The totals of a session that its attempts give."""
    attempts = row["attempts"]
    row["tokens"] = sum(a["tokens"] for a in attempts)
    row["best_score"] = max((a["score"] for a in attempts), default=0.0)
    row["success"] = any(a["success"] for a in attempts)


def drop_failures(rows):
    rows[:] = [row for row in rows if row["success"]]


def empty(rows):
    for row in rows:
        if not row["success"]:
            row["attempts"] = []
            add_up(row)


def other_tasks(rows):
    """Failed tasks are replaced by the next ones of the split."""
    rows[:] = [row if row["success"] else row | {"index": row["index"] + 24} for row in rows]


def cut_before_success(rows):
    for row in rows:
        if row["success"]:
            del row["attempts"][:-1]


def cut_after(rows):
    """A session of no success ends early, so that its tokens look few."""
    row = next(row for row in rows if len(row["attempts"]) > 2 and not row["success"])
    del row["attempts"][1:]
    add_up(row)


def reword(rows):
    for row in rows:
        for attempt in row["attempts"]:
            attempt["feedback"] = "Well done."


def other_problems(rows):
    for row in rows:
        for attempt in row["attempts"]:
            attempt["problems"] = []


def rename_family(rows):
    for row in rows:
        row["task"] = "another"


def one_more(rows):
    row = next(row for row in rows if row["success"])
    row["attempts"].append(row["attempts"][-1])
    add_up(row)


def seven(rows):
    row = next(row for row in rows if len(row["attempts"]) == 1)
    row["attempts"] *= 7
    add_up(row)


def word_for_success(rows):
    for attempt in rows[0]["attempts"]:
        attempt["success"] = "false"


def word_for_unscored(rows):
    rows[0]["attempts"][0]["unscored"] = "no"


def letters(rows):
    rows[0]["attempts"] = "abc"


def nothing(rows):
    rows[0]["attempts"] = [None]


def endless(rows):
    rows[0]["index"] = float("inf")


@pytest.mark.parametrize(
    ("forge", "words"),
    [
        (drop_failures, "planned sessions are missing (items "),
        (empty, "sessions have another number of attempts than the plan allows (items "),
        (other_tasks, "sessions are of no planned task (items "),
        (cut_before_success, "sessions have totals that their attempts do not give (items "),
        (cut_after, "ends after attempt 1, unsolved, with attempts and room in the context left"),
        (reword, "the feedback is stored as 'Well done.', and its reply gets '"),
        (other_problems, "its problems are not those of its reply"),
        (rename_family, "is another family now (prompts), not another"),
        (one_more, "the session goes on, and this attempt ended it"),
        (seven, "have another number of attempts than the plan allows"),
        (word_for_success, "1 planned sessions are missing (items 0)"),
        (word_for_unscored, "1 planned sessions are missing (items 0)"),
        (letters, "1 planned sessions are missing (items 0)"),
        (nothing, "1 planned sessions are missing (items 0)"),
        (endless, "1 planned sessions are missing (items 0)"),
    ],
)
def test_resealed_sessions_that_are_not_the_planned_ones_are_named(results, forge, words):
    job = job_of(results, "weak")
    rows = rows_of(job)
    forge(rows)
    write_rows(job, rows)
    reseal(job)
    write_page(results)
    assert words in differences(results)


def test_one_run_in_place_of_all_seeds_is_named(results):
    """With the rows' seeds as they were, and with each made to fit."""
    rows, jobs = rows_of(job_of(results, "weak", 1)), [job_of(results, "weak", s) for s in (0, 2)]
    for seed, job in zip((0, 2), jobs, strict=True):
        write_rows(job, rows)
        reseal(job)
        assert f"24 sessions have another seed than {seed} (items 0, 1, 2, 3, 4, ...)" in (
            differences(results)
        )
        write_rows(job, [row | {"seed": seed} for row in rows])
        reseal(job)
    (told,) = verify.verify(results, sample=0).differences
    assert "word for word, though these are runs of seeds 0, 1, 2" in told


def test_runs_that_have_collapsed_or_are_right_everywhere_may_be_the_same():
    class Result:
        folder = None

        def __init__(self, seed):
            self.config = {"recipe": {"seed": seed}, "trains": True}

    def played(*replies):
        attempts = [Attempt(r, "", 0.0, r == "right", False, False, [], 1) for r in replies]
        return [Episode("t", f"t{i}", i, 0, 0, attempts=[a]) for i, a in enumerate(attempts)]

    for replies in (["right"] * 5, ["", "", "The the."]):
        runs = [(replay.Part(Result(s), "test", False), played(*replies)) for s in (0, 1)]
        assert list(replay.same_replies(runs)) == []


def test_a_session_that_fills_its_context_may_end_there():
    recipe = from_dict({"sampling": {"max_length": 60, "max_tokens": 10}})
    attempt = Attempt("x" * 9, "y" * 9, 0.0, False, False, False, [], 10)
    message = [{"role": "user", "content": "z" * 9}]
    # by hand: a prompt is 10 tokens, an attempt 20 with its feedback, and 12 have to be left
    for count, room in ((1, True), (2, False)):
        episode = Episode("t", "t", 0, 0, 0, attempts=[attempt] * count, messages=message)
        assert replay.has_room(episode, CharCodec(), recipe) is room


def test_a_tokenizer_that_is_not_here_is_a_note(results, monkeypatch):
    monkeypatch.setattr(replay, "codec_of", lambda engine, model, system: None)
    write_page(results)
    found = verify.verify(results)
    assert found.sound and "that was not checked, since the tokenizer of" in found.notes[0]


def test_nobody_knows_the_sample_before(results, monkeypatch, capsys):
    """By default all is replayed; a sample is drawn anew, and told so that it can be repeated."""
    drawn = []
    original = verify.generator
    monkeypatch.setattr(verify, "generator", lambda *a: drawn.append(a[0]) or original(*a))
    assert verify.verify(results).checked["episodes replayed"] == 14 * 24 * 2 and not drawn
    for _ in range(2):
        verify.verify(results, sample=3)
    assert len(set(drawn)) == 2
    assert main(["bench", "verify", str(results), "--sample", "3", "--seed", "7"]) == 0
    assert "3 of 672 episodes were replayed, drawn with --seed 7" in capsys.readouterr().out
    monkeypatch.setattr(verify, "MOST", 5)
    assert verify.verify(results).checked["episodes replayed"] == 5
    for name in ("sample", "seed"):
        with pytest.raises(ValueError, match=f"--{name} must be 0 or more, got -1"):
            verify.verify(results, **{name: -1})


@pytest.mark.parametrize("change", [{"trains": False}, {}, "x"])
def test_a_changed_job_does_not_vanish(results, change):
    job = job_of(results, "weak")
    data = json.loads((job / "job.json").read_text())
    data["config"] = data["config"] | change if change == {"trains": False} else change
    (job / "job.json").write_text(json.dumps(data))
    found = differences(results)
    assert f"{job.name}: its job.json has the hash {job_id(data['config'], data['code'])}" in found
    assert f"{job.name}: job.json is not the file that was recorded" in found


# ---------------------------------------------------------------- labels


def change_plan(folder, change):
    data = json.loads((folder / "spec.json").read_text())
    change(data)
    (folder / "spec.json").write_text(json.dumps(data))


def swap(data):
    """The arms of all seeds change their names."""
    names = {"weak": "strong", "strong": "weak"}
    for entry in data["jobs"]:
        arm = entry["labels"]["arm"]
        entry["labels"] |= {"arm": names.get(arm, arm), "algorithm": names.get(arm, arm)}


def rename(data):
    """Two arms change their names alone, and keep the entries that they are of."""
    names = {"weak": "strong", "strong": "weak"}
    for entry in data["jobs"]:
        entry["labels"]["arm"] = names.get(entry["labels"]["arm"], entry["labels"]["arm"])


def shift(data):
    for entry in data["jobs"]:
        entry["labels"]["seed"] = (entry["labels"]["seed"] + 1) % 3


def leave_out(data):
    del data["jobs"][0]


@pytest.mark.parametrize("other_code", [False, True])
@pytest.mark.parametrize(
    ("change", "same", "other"),
    [
        (swap, "weak / short / seed 0 is listed there as strong", "its algorithm is turn_grpo"),
        (rename, "weak / short / seed 0 is listed there as strong", "specified and not among its"),
        (shift, "seed 0 is listed there as weak / short / seed 1", "its seed is 0"),
        (leave_out, "seed 0 is specified and not among its jobs", "is specified and not among"),
    ],
)
def test_labels_are_those_of_the_specification(
    results, monkeypatch, change, same, other, other_code
):
    if change is leave_out:
        shutil.rmtree(job_of(results, "weak"))
    change_plan(results, change)
    write_page(results)
    if other_code:
        monkeypatch.setattr(planned, "code_version", lambda: "f" * 12)
    assert (other if other_code else same) in differences(results)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"budget": {"rounds": 5}}, "its recipe.train.rounds is not what the specification says"),
        ({"set": {"train": {"beta": 0.5}}}, "its recipe.train.beta is not what the specification"),
        (
            {"evaluations": {"test": {"tasks": 25}}},
            "its evaluations.test.tasks is not what the specification says",
        ),
    ],
)
def test_another_code_asks_each_configuration(results, monkeypatch, change, words):
    monkeypatch.setattr(planned, "code_version", lambda: "f" * 12)
    assert differences(results) == ""
    change_plan(results, lambda data: data["spec"].update(change))
    assert words in differences(results)


def test_a_recipe_that_has_changed_since_accuses_nobody(results):
    """Recipes are no code: with the same one, results of yesterday's recipe are sound."""
    change_plan(results, lambda data: data.update(recipe="0" * 12))
    found = verify.verify(results)
    assert found.sound and "the recipe 'quickstart' has changed since" in " ".join(found.notes)
    change_plan(results, rename)
    write_page(results)
    assert "is specified and not among its jobs" in differences(results)


def test_a_job_that_is_done_has_hashes(results):
    status = job_of(results, "weak") / "status.json"
    status.write_text(json.dumps({"status": "done"}))
    assert "its status.json has no hashes of its files" in differences(results)


def test_a_limit_that_a_budget_replaces_is_no_contradiction(scripted, tmp_path, monkeypatch):
    train = {"max_tokens": 0, "max_seconds": 60, "single_attempt_rounds": 0}
    spec = scripted(seeds=[0], set={"train": train}, budget={"tokens": 500})
    run_bench(spec, tmp_path, in_process, say=quiet)
    monkeypatch.setattr(planned, "code_version", lambda: "f" * 12)
    assert differences(tmp_path) == ""


# ---------------------------------------------------------------- reports


def lower(text):
    return text.replace("strong", "stronger", 1)


@pytest.mark.parametrize("name", ["report.md", "results.csv"])
def test_a_changed_report_is_named_by_its_line(results, name):
    write_page(results)
    assert differences(results) == ""
    (results / name).write_text(lower((results / name).read_text()))
    assert f"{name}: line " in differences(results)
    write_page(results)
    (results / "statistics.json").unlink()
    assert "statistics.json is missing beside report.md" in differences(results)


def test_a_page_of_another_making_is_a_note(results):
    write_page(results)
    assert verify.verify(results).notes == []
    page = results / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("strong", "stronger"), "utf-8")
    found = verify.verify(results)
    assert found.sound and found.notes[0].startswith("report.html is not what is written here")


def test_the_seed_of_the_statistics_is_fixed(results):
    """A forger may try many, and keep the one whose interval leaves out zero."""
    from corgi_gym.benchmarks.bench.analysis import analyse

    write_page(results)
    chosen = analyse(read_results(results), seed=7)
    (results / "statistics.json").write_text(json.dumps(chosen))
    assert "statistics.json: seed is 7, computed again 0" in differences(results)


def test_a_report_older_than_the_results_accuses_nobody(scripted, tmp_path, capsys):
    run_bench(scripted(), tmp_path, in_process, only="seed 0", say=quiet)
    write_page(tmp_path)
    run_bench(scripted(), tmp_path, in_process, say=quiet)
    found = verify.verify(tmp_path)
    assert found.sound and "DIFFERS" not in found.text()
    last = found.text().splitlines()[-1]
    assert last.startswith("sound, but the report is older than the results (it is of 6 jobs as")
    assert last.endswith("run `corgi-gym bench report`, and verify again")
    # but what people read was not checked, and a script must not take it for that
    assert main(["bench", "verify", str(tmp_path)]) == 1
    write_page(tmp_path)
    assert main(["bench", "verify", str(tmp_path)]) == 0
    assert "taken on trust: that the configured policy wrote" in capsys.readouterr().out


def test_a_job_that_fails_after_the_report_makes_it_older(scripted, tmp_path):
    """The report says nothing of it, and no number of it is wrong."""
    run_bench(scripted(), tmp_path, in_process, only="seed 0", say=quiet)
    write_page(tmp_path)

    def failing(folders, begun):
        yield from ((folder, "MemoryError: no room") for folder in folders)

    run_bench(scripted(), tmp_path, failing, only="weak / short / seed 1", say=quiet)
    found = verify.verify(tmp_path)
    assert found.sound and "the report is older than the results" in found.stale


def test_a_report_of_an_older_version_accuses_nobody(results):
    """It does not say what it was made of."""
    write_page(results)
    stored = json.loads((results / "statistics.json").read_text())
    del stored["made_of"]
    (results / "statistics.json").write_text(json.dumps(stored))
    last = verify.verify(results).text().splitlines()[-1]
    assert last.startswith("sound, but the report is of an older version of this package")


def test_other_words_of_another_code_are_a_note_where_they_are_few(results, monkeypatch):
    job = job_of(results, "weak")
    rows = rows_of(job)
    rows[0]["attempts"][0]["feedback"] = "As it was said then."
    write_rows(job, rows)
    reseal(job)
    assert "the feedback is stored as 'As it was said then.'" in differences(results)
    monkeypatch.setattr(verify, "code_version", lambda: "f" * 12)
    found = verify.verify(results)
    assert found.sound and "of 1 of " in " ".join(found.notes)
    monkeypatch.setattr(verify, "_REWORDED", 0.0001)
    assert "As it was said then." in differences(results)


def test_the_newer_of_two_results_is_the_one_that_ended_later(scripted, results, monkeypatch):
    """Whatever the times of the files, which a copy changes."""
    for module in (runner, job_module):
        monkeypatch.setattr(module, "code_version", lambda: "f" * 12)
    run_bench(scripted(), results, in_process, only="weak / short / seed 0", say=quiet)
    newer = [p for p in (results / "jobs").iterdir() if '"code": "ffff' in _text(p / "job.json")]
    os.utime(newer[0] / "status.json", (0, 0))
    mixed = {result.folder.name for result in read_results(results, mixed=True).done}
    assert newer[0].name in mixed
    for path in results.glob("jobs/*/status.json"):  # older results have the times of their files
        data = json.loads(path.read_text())
        del data["finished"]
        stat = path.stat()
        path.write_text(json.dumps(data))
        os.utime(path, (stat.st_atime, stat.st_mtime))
    mixed = {result.folder.name for result in read_results(results, mixed=True).done}
    assert newer[0].name not in mixed


def _text(path):
    return path.read_text(encoding="utf-8")


def test_sessions_of_wrong_types_are_left_out(tmp_path):
    good = {"reply": "a", "feedback": "", "score": 0.0, "success": False, "unscored": False,
            "truncated": False, "problems": [], "tokens": 1}  # fmt: skip
    row = {"phase": "after", "task": "t", "task_id": "t", "index": 0}
    wrong = [[None], "abc", [{**good, "success": "false"}], [{**good, "unscored": "no"}]]
    lines = [json.dumps({**row, "index": i, "attempts": a}) for i, a in enumerate([[good], *wrong])]
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join([*lines, json.dumps({**row, "index": 1e999, "attempts": [good]})]))
    assert [e.index for e in read_sessions(path, "after")] == [0]
