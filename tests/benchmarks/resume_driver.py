"""Kills training runs for `test_resume.py`, resumes them, and writes down what came of it.

    python resume_driver.py MODEL_FOLDER WORK_FOLDER

Run as a program of its own: it imports torch and TRL once and forks a process for every run, before
any of them has done any work, so that each one dies and starts like a program of its own.
"""

import gc
import hashlib
import json
import os
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
from trl import GRPOTrainer

import corgi_gym.agents.training  # noqa: F401 (before the forks, as all that a run needs)
from corgi_gym.agents import checkpoints
from corgi_gym.agents.grpo import GuidedGRPOTrainer
from corgi_gym.agents.models import load_model
from corgi_gym.benchmarks import experiment, report
from corgi_gym.benchmarks.progress import TIMES
from corgi_gym.benchmarks.recipe import from_dict
from corgi_gym.benchmarks.run_writer import RunFolder

MODEL, WORK = sys.argv[1], Path(sys.argv[2])


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


def make_recipe(**changes):
    return from_dict({
        "name": "tiny", "model": MODEL, "engine": "transformers",
        "env": {"kwargs": {"prompts": [f"Say {c}." for c in "abcdef"], "checker": letters}},
        "sampling": {"max_tokens": 6, "max_length": 200},
        "train": {"rounds": 5, "sessions": 8, "num_generations": 4, "updates": 2, "micro_batch": 2,
                  "learning_rate": 1e-3, "max_attempts": 2, "beta": 0.05, "save_every": 2,
                  "options": {"lr_scheduler_type": "linear", "warmup_steps": 3}},
        "evaluation": {"tasks": 4, "attempts": 2},
        **changes,
    })  # fmt: skip


def train(out, recipe=None, **how):
    # dropout draws from torch's global generator, so its state must survive as well
    model = load_model(MODEL, attention_dropout=0.1)
    return experiment.run(recipe or make_recipe(), out, model=model, **how)


def short(**changes):
    """A recipe of three rounds, of which the second ends with a checkpoint."""
    spec = make_recipe().as_dict()["train"]
    return make_recipe(train={**spec, "rounds": 3, **changes.pop("train", {})}, **changes)


# Methods with more state than a policy, each killed in the round after its checkpoint.
OTHERS = {
    "ppo": short(algorithm="ppo", train={"beta": 0.0, "options": {"critic_learning_rate": 1e-2}}),
    "lora": short(train={"beta": 0.0, "lora": {"r": 4}, "options": {}}),
}


# ---------------------------------------------------------------- where to kill


def die():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def die_at(owner, name, when, *, after=False):
    """Replace ``owner.name``: the call for which ``when(count, *arguments)`` is true kills."""
    original, count = getattr(owner, name), 0

    def call(*arguments, **keywords):
        nonlocal count
        count += 1
        fatal = when(count, *arguments)
        if fatal and not after:
            die()
        result = original(*arguments, **keywords)
        if fatal:
            die()
        return result

    setattr(owner, name, call)


def row(phase, step, index):
    """True for a certain row of episodes.jsonl."""

    def when(count, folder, name, data):
        key = data.get("phase"), data.get("step"), data.get("index")
        return name == "episodes.jsonl" and key == (phase, step, index)

    return when


def half_a_row():
    original = RunFolder.append

    def append(self, name, data):
        if row("train", 3, 6)(0, self, name, data):
            with (self.path / name).open("a") as file:
                file.write(json.dumps(data)[:50])
            die()
        original(self, name, data)

    RunFolder.append = append


def interrupt():
    original, count = GuidedGRPOTrainer.training_step, 0

    def training_step(self, *arguments, **keywords):
        nonlocal count
        count += 1
        if count == 15:
            raise KeyboardInterrupt
        return original(self, *arguments, **keywords)

    GuidedGRPOTrainer.training_step = training_step


def die_in_the_third_round():
    """Kills in its second optimizer step."""
    die_at(
        GuidedGRPOTrainer, "training_step",
        lambda count, trainer, *_: trainer.state.global_step == 2 * trainer.steps_per_round + 1,
    )  # fmt: skip


def to(name):
    """True when something is renamed to this name."""
    return lambda count, source, target: Path(target).name == name


# 4 micro-batches make a round, 2 rounds a checkpoint, 5 rounds the training
KILLS = {
    "evaluation_before": lambda: die_at(RunFolder, "append", row("before", 0, 1)),
    "rollout": half_a_row,
    "step": lambda: die_at(GuidedGRPOTrainer, "training_step", lambda count, *_: count == 15),
    "first_save": lambda: die_at(GuidedGRPOTrainer, "_save_rng_state", lambda *_: True),
    "second_save": lambda: die_at(checkpoints, "flush", lambda count, path: count == 20),
    "rename": lambda: die_at(os, "replace", to("round-00004")),
    "renamed": lambda: die_at(os, "replace", to("round-00004"), after=True),
    "prune": lambda: die_at(os, "replace", to(".tmp-old-round-00002"), after=True),
    "model": lambda: die_at(os, "replace", to("checkpoint")),
    "evaluation_after": lambda: die_at(RunFolder, "append", row("after", 5, 1), after=True),
    "report": lambda: die_at(report, "write_report", lambda *_: True),
    "interrupt": interrupt,
}
THRICE = ("first_save", "prune", "evaluation_after")

# ---------------------------------------------------------------- running


def in_child(function):
    """Run a function in a forked process; returns its exit code, negative if killed by a signal."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def killed(name, out, **how):
    return killed_by(KILLS[name], out, **how)


def killed_by(kill, out, **how):
    def run():
        kill()
        train(out, **how)

    return in_child(run)


def resumed(out, prepare=lambda: None, recipe=None):
    def run():
        prepare()
        train(out, recipe, resume=True)

    code = in_child(run)
    if code:
        raise RuntimeError(f"resuming {out} ended with {code}")


def outcome(out):
    """What must be equal whether a run was killed or not."""
    weights = (out / "checkpoint" / "model.safetensors").read_bytes()
    rows = {
        name: [json.loads(line) for line in (out / name).read_text().splitlines()]
        for name in ("metrics.jsonl", "episodes.jsonl")
    }
    for line in rows["metrics.jsonl"]:
        for key in TIMES:
            del line[key]
    summary = json.loads((out / "summary.json").read_text())
    for key in ("train_seconds", "total_seconds", "peak_rss_bytes"):
        del summary[key]
    return {
        "parameters": hashlib.sha256(weights).hexdigest(),
        **rows,
        "summary": summary,
        "files": sorted(path.name for path in out.iterdir()),
    }


def kill_from_outside(out):
    """A kill that no code of the run takes part in, soon after the first checkpoint is there."""
    pid = os.fork()
    if pid == 0:
        try:
            train(out)
        finally:
            os._exit(0)
    while not (out / "checkpoints" / "round-00002").exists():
        time.sleep(0.005)
    time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def tear():
    """The disk loses the end of the newest checkpoint's weights."""
    newest = sorted((WORK / "torn" / "checkpoints").glob("round-*"))[-1] / "model.safetensors"
    os.truncate(newest, newest.stat().st_size // 2)


def forget(name):
    """A resume that forgets something, to see that the comparison would notice."""
    return lambda: setattr(GRPOTrainer, name, lambda self, checkpoint: None)


# More ways to resume the run that a kill has left: what happens to it before.
FORGOTTEN = ("_load_optimizer_and_scheduler", "_load_rng_state")
VARIANTS = {"prune": {"torn": tear}, "step": {name: forget(name) for name in FORGOTTEN}}


def main():
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    gc.freeze()  # the forked processes share what was imported
    results = {}
    out = WORK / "whole"
    if in_child(lambda: train(out)):
        raise RuntimeError("the uninterrupted run failed")
    results["whole"] = outcome(out)
    for name in KILLS:
        out = WORK / name
        code = killed(name, out)
        held = sorted(str(p.relative_to(out)) for p in out.glob("checkpoints/*"))
        for variant, prepare in VARIANTS.get(name, {}).items():
            shutil.copytree(out, WORK / variant)
            resumed(WORK / variant, prepare)
            results[variant] = outcome(WORK / variant)
        resumed(out)
        results[name] = {"code": code, "held": held, **outcome(out)}
    out = WORK / "thrice"
    codes = [killed(name, out, resume=True) for name in THRICE]
    resumed(out)
    results["thrice"] = {"codes": codes, **outcome(out)}
    out = WORK / "outside"
    code = kill_from_outside(out)
    resumed(out)
    results["outside"] = {"code": code, **outcome(out)}
    for name, recipe in OTHERS.items():
        whole, out = WORK / f"{name}-whole", WORK / name
        in_child(lambda out=whole, recipe=recipe: train(out, recipe))
        code = killed_by(die_in_the_third_round, out, recipe=recipe)
        resumed(out, recipe=recipe)
        results[f"{name}-whole"] = outcome(whole)
        results[name] = {"code": code, **outcome(out)}
    (WORK / "results.json").write_text(json.dumps(results))


if __name__ == "__main__":
    main()
