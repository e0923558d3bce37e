"""The command line: ``corgi-gym`` or ``python -m corgi_gym``. One thin function per command."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from corgi_gym import __version__
from corgi_gym.agents.algorithms import describe_algorithms
from corgi_gym.agents.engines.base import EngineError
from corgi_gym.agents.health import UnhealthyError
from corgi_gym.agents.processes import Processes

_ABOUT = (
    "Train language models to use a checker's corrective feedback, and measure whether they do."
)
_EPILOG = "Documentation: README.md and docs/. Every command: corgi-gym COMMAND --help"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    Bad input ends with one line that names it and the way out, and status 2; an engine that fails
    and a training that diverges end with status 1.
    """
    arguments = _parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ValueError, KeyError, OSError, ImportError, EngineError, UnhealthyError) as error:
        if arguments.traceback:
            raise
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"corgi-gym {arguments.command}: error: {message}", file=sys.stderr)
        return 1 if isinstance(error, (EngineError, UnhealthyError)) else 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="corgi-gym", description=_ABOUT, epilog=_EPILOG)
    parser.add_argument("--version", action="version", version=f"corgi-gym {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    train = _command(
        commands, "train", _train,
        "train a model with corrective feedback and write a run folder",
        "corgi-gym train quickstart --out runs/mine --set train.rounds=5 --seed 1",
    )  # fmt: skip
    train.description += f"\n\nAlgorithms (docs/algorithms.md):\n{describe_algorithms()}"
    _recipe_options(train)
    train.add_argument("--out", default=None, help="run folder (default: runs/RECIPE)")
    existing = train.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace the run in that folder")
    existing.add_argument(
        "--resume", action="store_true", help="go on with the run in that folder, however it ended"
    )

    evaluate = _command(
        commands, "evaluate", _evaluate,
        "success by attempt of a model on a recipe's fixed tasks",
        "corgi-gym evaluate quickstart --model runs/quickstart/checkpoint",
    )  # fmt: skip
    _recipe_options(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print one JSON object")

    play = _command(
        commands, "play", _play,
        "attempt tasks yourself and read the feedback a model would get",
        "corgi-gym play corgi/Countdown-v0 --seed 3",
    )  # fmt: skip
    play.add_argument("env", nargs="?", default="ConstrainedGen-v0", help="environment id")
    play.add_argument("--seed", type=int, default=0, help="which task (default: 0)")
    play.add_argument("--feedback", default="full", help="silent, binary, score, which or full")
    play.add_argument("--max-attempts", type=int, default=4, help="attempts (default: 4)")

    tasks = _command(
        commands, "tasks", _tasks,
        "list every task family with an example, its witness and its feedback",
        "corgi-gym tasks concepts countdown",
    )  # fmt: skip
    tasks.add_argument("families", nargs="*", help="only these families (default: all)")
    tasks.add_argument("--seed", type=int, default=0, help="which example (default: 0)")

    audit = _command(
        commands, "audit", _audit,
        "try to break a checker: exploits, crashes, nondeterminism, slow calls, bad messages",
        "corgi-gym audit my_checker.py:no_letter_e --rows tasks.jsonl --out runs/audit",
    )  # fmt: skip
    audit.add_argument(
        "name", help="a family, a checker, a plug-in, module:function, path.py:function, or all"
    )
    audit.add_argument("--family", help="audit with this family's tasks")
    audit.add_argument("--rows", help="a file of prompt, target, witness and near_misses")
    audit.add_argument("--reference", help="another checker to compare with")
    audit.add_argument("--tasks", type=int, default=200, help="tasks (default: 200)")
    audit.add_argument("--fuzz", type=int, default=2000, help="random strings (default: 2000)")
    audit.add_argument("--seed", type=int, default=0, help="of tasks and strings (default: 0)")
    audit.add_argument("--out", default="runs/audit", help="folder (default: runs/audit)")
    return parser


def _command(commands: Any, name: str, run: Any, text: str, example: str) -> Any:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=f"Example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--traceback", action="store_true", help="show where an error came from")
    parser.set_defaults(run=run)
    return parser


def _recipe_options(parser: Any) -> None:
    parser.add_argument("recipe", nargs="?", default="quickstart", help="name or YAML file")
    parser.add_argument("--model", help="smollm2-135m, a folder, or a hub id")
    parser.add_argument("--algorithm", "--algo", help="a row of the algorithm table")
    parser.add_argument("--engine", help="auto, vllm, transformers, vllm-server or openai")
    parser.add_argument("--url", help="address of the server (vllm-server and openai)")
    parser.add_argument("--seed", type=int, help="seed of the run")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="any other value of the recipe, such as train.rounds=5 or env.kwargs.feedback=binary",
    )  # fmt: skip


def _recipe(arguments: argparse.Namespace) -> Any:
    from corgi_gym.benchmarks.display import quiet_libraries
    from corgi_gym.benchmarks.recipe import load_recipe, override

    quiet_libraries()
    recipe = load_recipe(arguments.recipe)
    for name in ("model", "algorithm", "engine", "seed"):
        if (value := getattr(arguments, name)) is not None:
            setattr(recipe, name, value)
    if arguments.url is not None:
        recipe.engine_options["url"] = arguments.url
    return override(recipe, arguments.set)


def _train(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.experiment import run, summary_text

    recipe = _recipe(arguments)
    summary = run(
        recipe,
        arguments.out or f"runs/{recipe.name}",
        overwrite=arguments.overwrite,
        resume=arguments.resume,
    )
    if Processes.current().main:
        print(summary_text(summary))
    return 0 if summary["status"] == "finished" else 130


def _evaluate(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.experiment import evaluate_recipe, evaluation_text

    result = evaluate_recipe(_recipe(arguments))
    print(json.dumps(result) if arguments.json else evaluation_text(result))
    return 0


def _play(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.play import play

    return play(
        arguments.env,
        seed=arguments.seed,
        feedback=arguments.feedback,
        max_attempts=arguments.max_attempts,
    )


def _tasks(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.play import describe_families

    print(describe_families(arguments.families, seed=arguments.seed))
    return 0


def _audit(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.audit import run_audit

    options = ("family", "rows", "reference", "tasks", "fuzz", "seed", "out")
    return run_audit(arguments.name, **{name: getattr(arguments, name) for name in options})


if __name__ == "__main__":
    sys.exit(main())
