"""One training run, for `test_processes.py`; started alone or by ``accelerate launch``.

python processes_driver.py MODEL_FOLDER RUN_FOLDER
"""

import os
import sys

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from corgi_gym.benchmarks.experiment import run
from corgi_gym.benchmarks.recipe import from_dict

MODEL, OUT = sys.argv[1:]


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


recipe = from_dict({
    "name": "tiny", "model": MODEL, "engine": "transformers",
    "env": {"kwargs": {"prompts": [f"Say {c}." for c in "abcdef"], "checker": letters}},
    "sampling": {"max_tokens": 6, "max_length": 200},
    # one update per round: micro-batches are drawn per process, and their sum is the same
    "train": {"rounds": 4, "sessions": 16, "num_generations": 4, "updates": 1, "micro_batch": 4,
              "learning_rate": 1e-3, "max_attempts": 2, "save_every": 1,
              "options": {"bf16": False}},
    "evaluation": {"tasks": 5, "attempts": 2},
})  # fmt: skip

run(recipe, OUT, resume=True)
