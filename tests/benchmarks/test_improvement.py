"""First and last attempts of a run's replies, and the page of coloured pieces."""

import dataclasses
import json
import shutil

import pytest

from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.models import load_model
from corgi_gym.agents.pieces import AS, ES
from corgi_gym.benchmarks import segments
from corgi_gym.benchmarks.bench.identity import digest
from corgi_gym.benchmarks.bench.spec import jobs_of, spec_of
from corgi_gym.benchmarks.improvement import Tally, improvement, improvement_text
from corgi_gym.benchmarks.recipe import Recipe, load_recipe
from corgi_gym.benchmarks.run_writer import to_json
from corgi_gym.benchmarks.segments import cut_replies, page, run_segments
from corgi_gym.envs.self_improvement import make_env
from corgi_gym.rewards.trajectory import ALL_CORRECT, Trajectory

# What a report would show of a job; what is counted here is read from its sessions.
METRICS = {
    "evaluations": {
        "test": {
            "tasks": 5, "unscored": 0, "success": [0.6], "families": {}, "gain": 0.0,
            "mean_score": 0.6, "tokens": [9.0], "solved_at": {}, "retries": [], "fix": [],
            "regress": [], "repeat": [], "exploits": {"looked_at": 0, "found": 0, "kinds": {}},
        }
    },
    "curve": [], "cost": {"steps": 1, "sessions": 8, "tokens": 9, "train_seconds": 1.0},
}  # fmt: skip
KWARGS = {"tasks": "word_sorting", "level": "both"}


def played(env, rows):
    """Sessions of one reply each, as a run writes them: (index, reply, success)."""
    for index, text, success in rows:
        task = env.task_at(index)
        cut = text.endswith("Ans")
        attempt = Attempt(text, "", float(success), success, False, cut, [], len(text))
        yield Episode(task.family, task.task_id, index, 0, 0, attempts=[attempt])


@pytest.fixture
def replies():
    """A few replies on two levels, whose tasks alternate."""
    env = make_env(**KWARGS, split="test")
    witness = [env.task_at(index).witness for index in range(5)]
    said = "Step 1 is incorrect."
    rows = [
        (0, Trajectory((witness[0],), (ALL_CORRECT,)).text(), True),
        (2, Trajectory(("Answer: a", witness[2]), (said, ALL_CORRECT)).text(), True),
        (4, Trajectory((witness[4], "Answer: a"), (said, ALL_CORRECT)).text(), False),
        (1, Trajectory((witness[1], "Ans"), (said,)).text(), True),
        (3, "Answer: a", False),
    ]
    return list(played(env, rows))


@pytest.fixture
def run_folder(tmp_path, replies):
    """A run with these replies."""
    rows = [{"phase": "after", "step": 0, **episode.record()} for episode in replies]
    rows.append({"phase": "train", "task": "word_sorting", "index": 0, "attempts": []})
    config = {"recipe": "x", **Recipe().as_dict(), "versions": {}}
    config["env"] = {"id": "SelfImprovement-v0", "kwargs": KWARGS}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path


def test_attempts_are_counted_by_family(run_folder):
    found = improvement(run_folder)
    assert found == {
        "after": {
            "word_sorting": Tally(3, 2, 2, 2, 1, 1, 3, 2, 0),
            "word_sorting:unseen": Tally(2, 1, 1, 0, 0, 0, 0, 0, 1),
            "all": Tally(5, 3, 3, 2, 1, 1, 3, 2, 1),
        }
    }
    lines = improvement_text(found).splitlines()
    assert lines[1].split() == [
        "after", "word_sorting", "3", "0.667", "0.667", "0.667", "0.333", "0.333", "1.000", "0.667",
        "0.000",
    ]  # fmt: skip
    assert lines[2].split()[-2:] == ["-", "0.500"] and lines[3].split()[1] == "all"
    assert len(lines) == 4


def test_verdicts_that_end_nothing_and_replies_that_were_not_checked(run_folder):
    said = f"Answer: a\nFeedback: {ALL_CORRECT}\nUpdated answer:\nAnswer: b"
    path = run_folder / "episodes.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows[:2]:
        row["attempts"][0] |= {"reply": said, "success": False}
    rows[1]["attempts"][0]["unscored"] = True
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = improvement(run_folder)["after"]
    assert found["word_sorting"] == Tally(2, 1, 0, 2, 0, 1, 1, 0, 0, 1)
    last = "after: 1 more could not be checked"
    assert improvement_text({"after": found}).splitlines()[-1] == last
    nothing = improvement_text({"after": {"all": Tally(unscored=2)}}).splitlines()
    assert nothing[1].split() == ["after", "all", "0", *["-"] * 8]


def test_the_jobs_of_a_benchmark_are_counted_by_arm(tmp_path, replies):
    """All seeds of an arm together, over the tasks of the evaluation and not of training."""
    data = {
        "name": "x", "question": "?", "recipe": "tripost", "algorithms": ["tripost", "untrained"],
        "families": {"all": {"id": "SelfImprovement-v0", "kwargs": {"tasks": "word_sorting"}}},
        "seeds": [0, 1], "evaluations": {"test": {"tasks": 5, "attempts": 1, "kwargs": KWARGS}},
    }  # fmt: skip
    jobs = jobs_of(spec_of(data))
    entries = []
    for job in jobs:
        folder = tmp_path / "jobs" / f"{job.arm}-{job.seed}"
        (folder / "evaluations").mkdir(parents=True)
        kept = replies if job.trains else replies[-1:]
        rows = [{"phase": "after", "step": 0, **episode.record()} for episode in kept]
        path = folder / "evaluations" / "test.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files = {
            "job": {"labels": job.labels, "config": job.config(), "code": "c"},
            "status": {"status": "done"},
            "metrics": METRICS,
        }  # fmt: skip
        for name, content in files.items():
            (folder / f"{name}.json").write_text(to_json(content))
        entries.append({"labels": job.labels, "config": digest(job.config())})
    spec = dataclasses.asdict(spec_of(data))
    (tmp_path / "spec.json").write_text(to_json({"spec": spec, "jobs": entries}))
    found = improvement(tmp_path)
    assert list(found) == ["tripost", "untrained"]
    assert found["tripost"]["word_sorting"] == Tally(6, 4, 4, 4, 2, 2, 6, 4)
    assert found["tripost"]["seed 1"] == Tally(5, 3, 3, 2, 1, 1, 3, 2, 1)
    assert found["untrained"]["all"] == Tally(1, 0, 0, 0, 0, 0, 0, 0)
    lines = improvement_text(found).splitlines()
    assert lines[1].split()[:4] == ["tripost", "seed", "0", "5"]
    assert lines[3].split()[:3] == ["tripost", "word_sorting", "6"]
    assert lines[-1].split()[:3] == ["untrained", "all", "1"]


def test_sessions_of_several_attempts_are_refused(run_folder):
    path = run_folder / "episodes.jsonl"
    row = json.loads(path.read_text().splitlines()[0])
    row["attempts"] *= 3
    path.write_text(json.dumps(row) + "\n")
    with pytest.raises(ValueError, match=r"have up to 3 attempts, .* set the evaluation's"):
        improvement(run_folder)


def test_other_runs_have_no_attempts_within_replies(run_folder):
    config = json.loads((run_folder / "config.json").read_text())
    config["env"]["id"] = "GuidedMath-v0"
    (run_folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="is on GuidedMath-v0: only replies of SelfImprovement-v0"):
        improvement(run_folder)


def test_a_folder_without_a_run_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"neither a run folder \(no config.json\) nor"):
        improvement(tmp_path)


@pytest.mark.parametrize("text", ['{"env": {', "[]", "null", '{"env": 3}', "\udcff"])
def test_a_damaged_config_is_named(run_folder, text):
    (run_folder / "config.json").write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=r"config\.json is not that of a run: "):
        improvement(run_folder)


def test_a_run_without_sessions_says_so(run_folder):
    (run_folder / "episodes.jsonl").unlink()
    with pytest.raises(ValueError, match=f"{run_folder} has no sessions of an evaluation"):
        improvement(run_folder)


@pytest.mark.parametrize("data", ["witness", "own"])
def test_the_page_is_scored_by_the_model_that_it_names(data, tiny_folder, tmp_path, monkeypatch):
    used = []
    monkeypatch.setattr(segments, "cut_replies", lambda model, *_: used.append(model) or [])
    scorer = shutil.copytree(tiny_folder, tmp_path / "scorer")
    recipe = load_recipe("as_es")
    recipe.engine, recipe.engine_options, recipe.model = "transformers", {}, tiny_folder
    # the recipe learns all pieces; the page labels them whatever is learned
    recipe.train.options |= {"data": data, "scorer": str(scorer), "ratio": 1.1}
    html = run_segments(recipe, tmp_path / "page.html", count=1).read_text()
    assert used[0].name_or_path == str(scorer) and f"scored by {scorer}" in html
    assert recipe.train.options["train_on"] == "all"


def test_a_page_that_cannot_be_written_is_named_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(segments, "_witnesses", lambda recipe: pytest.fail("the work began"))
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path, tmp_path / "file" / "page.html"):
        with pytest.raises(OSError, match=f"page '{out}' cannot be written .*--out"):
            run_segments(load_recipe("as_es"), out)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["mine"]


def test_the_page_shows_every_piece_as_text(tiny_folder, tiny_tokenizer, tmp_path):
    codec = ChatCodec(tiny_tokenizer)
    replies = [("<b>1 < 2?</b>", "<script>\n2 + 2 = 4 now,\nAnswer: & 4")]
    options = {"min_words": 0, "after": "reply", "train_on": "all"}
    cuts = cut_replies(load_model(tiny_folder), codec, options, replies)
    recipe = load_recipe("as_es")
    html = page(recipe, cuts, own=False)
    assert "<script>" not in html and "&lt;script&gt;" in html and "Answer: &amp; 4" in html
    assert "&lt;b&gt;1 &lt; 2?" in html
    assert html.count(f'title="{AS},') + html.count(f'title="{ES},') == len(cuts[0].pieces) == 3
    recipe.engine, recipe.engine_options, recipe.model = "transformers", {}, tiny_folder
    path = run_segments(recipe, tmp_path / "x" / "page.html", count=2)
    assert path.read_text().count("<section>") == 2
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        run_segments(recipe, path, count=0)
    recipe.env.kwargs = {"prompts": ["Say a.", "Say b."], "checker": "math_verify"}
    with pytest.raises(ValueError, match="no witness"):
        run_segments(recipe, path)
