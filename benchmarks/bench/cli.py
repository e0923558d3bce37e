"""``corgi-gym bench``: the arguments of its commands, and one thin function for each."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Where results lie unless --out says otherwise, a folder per specification.
RUNS = Path("runs/bench")


def add_commands(parser: argparse.ArgumentParser, command: Callable[..., Any]) -> None:
    """Add the subcommands to ``bench``; ``command`` makes each, as for all other commands."""
    commands = parser.add_subparsers(required=True, metavar="run | report | verify | pack")
    run = command(
        commands, "run", _run,
        "run the jobs of a specification that have no result yet",
        "corgi-gym bench run smoke --out runs/bench/smoke",
    )  # fmt: skip
    run.add_argument("spec", help="name or YAML file (docs/benchmark.md)")
    run.add_argument("--out", help=f"folder of results (default: {RUNS}/NAME)")
    run.add_argument(
        "--jobs",
        type=int,
        help="most jobs at once (default: 1, and with --ray as many as there is room for)",
    )
    run.add_argument("--ray", metavar="ADDRESS", help="run on a Ray cluster; local: start one here")
    run.add_argument("--only", metavar="PATTERN", help="only jobs whose name has or matches this")
    run.add_argument("--dry-run", action="store_true", help="check and list the jobs")
    run.add_argument("--keep-weights", action="store_true", help="keep the policy of each job")

    report = command(
        commands, "report", _report,
        "write report.html, report.md, results.csv and statistics.json of a folder of results",
        "corgi-gym bench report runs/bench/smoke",
    )  # fmt: skip
    _results_options(report)
    report.add_argument(
        "--figures", metavar="FOLDER", help="also write the main charts there, as SVG files"
    )

    verify = command(
        commands, "verify", _verify,
        "check that a folder of results is what its episodes say: hashes, numbers, scores",
        "corgi-gym bench verify runs/bench/smoke --sample 500",
    )  # fmt: skip
    _results_options(verify)
    verify.add_argument(
        "--sample",
        type=int,
        help="episodes to replay (default: all, up to 5,000 drawn; 0: all)",
    )
    verify.add_argument("--seed", type=int, help="draws the sample (default: a new one, told)")

    pack = command(
        commands, "pack", _pack,
        "copy what a report and a check need of a folder of results, to send or keep it",
        "corgi-gym bench pack runs/bench/smoke --out results/smoke",
    )  # fmt: skip
    _results_options(pack)
    pack.add_argument("--out", required=True, help="a folder that does not exist yet")


def _results_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", help=f"folder of results (default: newest in {RUNS})")
    code_options(parser)


def code_options(parser: argparse.ArgumentParser) -> None:
    """Which versions of the code the results may be of."""
    parser.add_argument("--code", metavar="HASH", help="only results of this version of the code")
    parser.add_argument(
        "--mixed-code", action="store_true", help="mix results of several versions of the code"
    )


def _folder(arguments: argparse.Namespace) -> Path:
    from corgi_gym.benchmarks.bench.runner import newest

    return Path(arguments.folder) if arguments.folder else newest(RUNS)


def _run(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.bench.launch import local, on_ray
    from corgi_gym.benchmarks.bench.runner import plan_text, run_bench
    from corgi_gym.benchmarks.bench.spec import load_spec
    from corgi_gym.benchmarks.display import quiet_libraries

    quiet_libraries()
    spec = load_spec(arguments.spec)
    out = Path(arguments.out) if arguments.out else RUNS / spec.name
    if arguments.dry_run:
        print(plan_text(spec, out, arguments.only))
        return 0
    if arguments.ray is None:
        jobs = 1 if arguments.jobs is None else arguments.jobs
        launcher = local(jobs, keep_weights=arguments.keep_weights)
    else:
        launcher = on_ray(arguments.ray, arguments.jobs, keep_weights=arguments.keep_weights)
    status = run_bench(spec, out, launcher, only=arguments.only)
    print(f"corgi-gym bench report {out}")
    return status


def _report(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.bench.page import write_page

    written = write_page(
        _folder(arguments),
        code=arguments.code,
        mixed=arguments.mixed_code,
        say=lambda note: print(f"note: {note}"),
        figures=Path(arguments.figures) if arguments.figures else None,
    )
    for path in written:
        print(f"wrote {path}")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.bench.verify import verify

    report = verify(
        _folder(arguments),
        sample=arguments.sample,
        seed=arguments.seed,
        code=arguments.code,
        mixed=arguments.mixed_code,
    )
    print(report.text())
    return 0 if report.sound and report.stale is None else 1


def _pack(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.bench.pack import pack

    jobs = pack(
        _folder(arguments), Path(arguments.out), code=arguments.code, mixed=arguments.mixed_code
    )
    print(f"wrote {arguments.out}: {jobs} jobs")
    return 0
