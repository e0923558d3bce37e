"""What importing costs, and which way imports point."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import corgi_gym

HEAVY = ("torch", "transformers", "trl", "vllm", "datasets", "lemminflect", "denckring_en_pos")
ROOT = Path(corgi_gym.__file__).parent


@pytest.mark.alone
def test_importing_is_fast_and_light(run_python):
    code = (
        "import sys, time\n"
        "start, wall = time.process_time(), time.perf_counter()\n"
        "import corgi_gym\n"
        "print(time.process_time() - start, time.perf_counter() - wall)\n"
        "print(*sys.modules)"
    )
    runs = [run_python(code).splitlines() for _ in range(2)]
    seconds = min(float(times.split()[0]) for times, _ in runs)
    print(f"import corgi_gym: {seconds:.2f} s of CPU time")
    assert seconds < 0.5
    modules = {name.split(".")[0] for name in runs[0][1].split()}
    assert not modules & set(HEAVY)


def test_making_and_playing_imports_no_training_stack(run_python):
    code = (
        "import sys, gymnasium as gym, corgi_gym\n"
        "for name in ('ConstrainedGen-v0', 'GuidedMath-v0'):\n"
        "    env = gym.make(name); env.reset(seed=0); env.step('a reply')\n"
        "print(*sys.modules)"
    )
    modules = {name.split(".")[0] for name in run_python(code).split()}
    assert not modules & {"torch", "transformers", "trl", "vllm", "datasets"}


@pytest.mark.skipif(shutil.which("lint-imports") is None, reason="needs import-linter (extra dev)")
def test_imports_point_one_way():
    result = subprocess.run(
        [shutil.which("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_every_package_on_disk_is_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"][
        "packages"
    ]
    rooms = ("rewards", "envs", "agents", "benchmarks")
    found = {
        "corgi_gym." + ".".join(init.parent.relative_to(ROOT).parts)
        for room in rooms
        for init in (ROOT / room).rglob("__init__.py")
    }
    assert found | {"corgi_gym"} == set(declared)
