"""Kills a benchmark of real (tiny) trainings four times, and goes on; for `test_kill.py`.

    python kill_driver.py MODEL_FOLDER WORK_FOLDER

A program of its own that forks a process per part, like `tests/benchmarks/resume_driver.py`.
"""

import gc
import json
import os
import signal
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers

import corgi_gym.agents.training  # noqa: F401 (before the forks)
from corgi_gym.benchmarks import evaluation
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.runner import job_folder, run_bench, status_of
from corgi_gym.benchmarks.bench.spec import jobs_of, spec_of
from corgi_gym.benchmarks.bench.verify import verify
from corgi_gym.benchmarks.run_writer import RunFolder

MODEL, WORK = sys.argv[1], Path(sys.argv[2])
# A round of the tiny model writes some 80 tokens, so this budget ends after a few rounds.
BUDGET = 200
SPEC = spec_of({
    "name": "tiny",
    "start": {"algorithm": "grpo_single", "seed": 7, "train": {"rounds": 2}},
    "algorithms": ["grpo", "untrained"],
    "families": {"letters": {"kwargs": {"checker": "panagram", "prompts": [
        {"prompt": f"Use {word}.", "target": word} for word in ("aflg", "art", "dog", "rain")
    ]}}},
    "set": {
        "model": MODEL, "engine": "transformers",
        "sampling": {"max_tokens": 6, "max_length": 400, "temperature": 1.0},
        "train": {"sessions": 8, "num_generations": 4, "updates": 2, "micro_batch": 4,
                  "max_attempts": 2, "single_attempt_rounds": 0, "save_every": 1,
                  "max_seconds": 0, "learning_rate": 1e-3},
    },
    "seeds": [0],
    "budget": {"tokens": BUDGET},
    "curve": {"every": 1, "tasks": 2, "attempts": 2},
    "evaluations": {"test": {"tasks": 4, "attempts": 3, "resampling": 2}},
})  # fmt: skip


def bench(out):
    return run_bench(SPEC, out, in_process, say=lambda line: print(line, file=sys.stderr))


def die():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def in_second_round(part="jobs"):
    original = RunFolder.append

    def append(self, name, row):
        second = (name, row.get("phase"), row.get("step")) == ("episodes.jsonl", "train", 1)
        if second and part in self.path.parts:
            die()
        original(self, name, row)

    RunFolder.append = append


def in_the_start():
    in_second_round("starts")


def in_resampling():
    original = evaluation.evaluate

    def evaluate(recipe, policy, *, independent=False, on_episode=None):
        if independent:
            die()
        return original(recipe, policy, independent=independent, on_episode=on_episode)

    evaluation.evaluate = evaluate


def before_the_status():
    original = RunFolder.write_json

    def write_json(self, name, data):
        if name == "status.json":
            die()
        original(self, name, data)

    RunFolder.write_json = write_json


def in_child(function):
    """Run a function in a forked process; returns its exit code, negative if killed by a signal."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = function()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def outcome(out):
    """What must be the same whether it was killed or not, and what was left behind."""
    jobs = {}
    for job in jobs_of(SPEC):
        folder = job_folder(out, job)
        metrics = json.loads((folder / "metrics.json").read_text())
        metrics["cost"].pop("train_seconds")
        for row in metrics["curve"]:
            row.pop("seconds")
        sessions = {p.name: p.read_text() for p in sorted((folder / "evaluations").glob("*"))}
        weights = [str(p.relative_to(folder)) for p in folder.rglob("*.safetensors")]
        start = json.loads((folder / "start.json").read_text())
        start.pop("train_seconds")
        jobs[job.arm] = {
            "metrics": metrics, "sessions": sessions, "weights": weights, "start": start,
        }  # fmt: skip
    return jobs


def main():
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    gc.freeze()
    whole, killed = WORK / "whole", WORK / "killed"
    codes = {"whole": in_child(lambda: bench(whole))}
    for kill in (in_the_start, in_second_round, in_resampling, before_the_status):
        codes[kill.__name__] = in_child(lambda kill=kill: kill() or bench(killed))
    states = [status_of(job_folder(killed, job)) for job in jobs_of(SPEC)]
    codes["rest"] = in_child(lambda: bench(killed))
    write_page(killed)
    results = {
        "codes": codes,
        "states": states,
        "whole": outcome(whole),
        "killed": outcome(killed),
        "verified": verify(killed, sample=0).text(),
    }
    (WORK / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
