"""The name of a job's results: a hash of what was run and of the code that ran it.

The code version is a hash of the source files that a result can depend on: all of ``rewards/``,
``envs/`` and ``agents/``, and the files of ``benchmarks/`` in `RUNS`. Statistics, reports, tests
and documentation are not in it, so a better chart does not make old results stale. Versions of
torch and the like are recorded in ``run/config.json`` and not hashed: a report names them where
they differ. A model that is a folder is hashed by its name, not by its weights.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import corgi_gym
from corgi_gym.benchmarks.run_writer import to_json

_ROOMS = ("rewards", "envs", "agents")
RUNS = (
    "experiment.py", "evaluation.py", "policy.py", "progress.py", "recipe.py", "resume.py",
    "run_writer.py", "bench/files.py", "bench/job.py", "bench/measures.py", "bench/exploits.py",
    "bench/gap.py", "gap/estimator.py", "gap/measure.py", "gap/questions.py", "gap/samples.py",
    "gap/selection.py", "gap/verifiers.py", "gap/answers.py", "gap/settings.py", "bench/spec.py",
    "run_folder.py", "intervals.py",
)  # fmt: skip
# Twelve hex digits: two of a thousand jobs share a name with probability 2e-9.
_DIGITS = 12


def digest(data: Any) -> str:
    """A short hash of plain data, the same for equal data in every process.

    Example:
        >>> digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
        True
    """
    plain = json.loads(to_json(data))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def file_digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@functools.cache
def code_version(root: Path = Path(corgi_gym.__file__).parent) -> str:
    """The hash of the source files that results depend on."""
    paths = [root / "benchmarks" / name for name in RUNS]
    for room in _ROOMS:
        paths += (p for p in (root / room).rglob("*") if "__pycache__" not in p.parts)
    known = {str(p.relative_to(root)): file_digest(p) for p in paths if p.is_file()}
    return digest(known)


def job_id(config: dict[str, Any], code: str) -> str:
    """The name of a job's folder."""
    return digest({"config": config, "code": code})
