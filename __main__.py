"""The command line: ``corgi-gym`` or ``python -m corgi_gym``. One thin function per command."""

from __future__ import annotations

import argparse
import json
import os
import select
import sys
from collections.abc import Callable, Sequence
from typing import Any

from corgi_gym import __version__
from corgi_gym.agents.algorithms import describe_algorithms
from corgi_gym.agents.engines.base import EngineError
from corgi_gym.agents.health import UnhealthyError
from corgi_gym.agents.processes import Processes
from corgi_gym.benchmarks.needs import advice

_ABOUT = (
    "Train language models to use a checker's corrective feedback, and measure whether they do."
)
_EPILOG = "Documentation: README.md and docs/. Every command: corgi-gym COMMAND --help"

_OWN_RECIPES = """\
  corgi-gym train tripost   find and correct its own mistakes, in one reply
  corgi-gym train tapir     distillation with a growing share of hard tasks
  corgi-gym train as_es     worked sums, learned piece by piece
  corgi-gym train s2r       judge and correct itself, with a reward for each
  corgi-gym train revise    decide whether an answer stands or is refined
  corgi-gym train self      learn from the answers that it calls correct"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status.

    Bad input ends with one line that names it and the way out, and status 2; an engine that fails
    and a training that diverges end with status 1.
    """
    parser = _parser()
    arguments, unknown = parser.parse_known_args(argv)
    if unknown:
        hint = ""
        if hasattr(arguments, "set"):
            hint = "; values of the recipe are set with --set, such as --set train.rounds=5"
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    try:
        status = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except (ValueError, KeyError, OSError, ImportError, EngineError, UnhealthyError) as error:
        if isinstance(error, BrokenPipeError) and _reader_has_gone():  # `corgi-gym tasks | head`
            return 1
        if arguments.traceback:
            raise
        message = error.args[0] if isinstance(error, KeyError) else error
        message = f"{message}{advice(error)}"
        print(f"corgi-gym {arguments.command}: error: {message}", file=sys.stderr)
        return 1 if isinstance(error, (EngineError, UnhealthyError)) else 2


def _reader_has_gone() -> bool:
    """Whether nobody reads our output any more; if so, nothing is written at exit either."""
    output = sys.stdout.fileno()
    states = select.poll()
    states.register(output, 0)  # errors are always told
    if not states.poll(0):
        return False  # another pipe broke: an engine's, say
    os.dup2(os.open(os.devnull, os.O_WRONLY), output)
    return True


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
    train.description += f"\n\nRecipes with tasks of their own:\n{_OWN_RECIPES}"
    _recipe_options(train)
    train.add_argument(
        "--curriculum", help="uniform, learnable or tapir (docs/curriculum.md); any algorithm"
    )
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
    play.add_argument(
        "env",
        nargs="?",
        default="ConstrainedGen-v0",
        help="environment id (default: ConstrainedGen-v0)",
    )
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
    audit.add_argument(
        "--seconds", type=int, default=60,
        help="a checker of over 3 ms a call gets as many tasks and strings as fit (default: 60)",
    )  # fmt: skip
    audit.add_argument("--out", help="folder (default: runs/audit/NAME)")
    existing = audit.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace what is in that folder")
    existing.add_argument(
        "--resume", action="store_true", help="audit all: keep the families that are in the folder"
    )

    gap = _command(
        commands, "gap", _gap,
        "what a verifier can pick out of a model's own samples (the generation-verification gap)",
        "corgi-gym gap quickstart --prompts 8 --samples 4 --verifier mc --verifier cot_b",
    )  # fmt: skip
    _recipe_options(gap, ", or any environment id (module:Id-v0 of your own)")
    _gap_options(gap)

    segments = _command(
        commands, "segments", _segments,
        "a page with replies cut into pieces, coloured by what is new in them (AS-ES)",
        "corgi-gym segments as_es --count 20 --out runs/segments.html",
    )  # fmt: skip
    _recipe_options(segments)
    segments.set_defaults(recipe="as_es")
    segments.add_argument("--count", type=int, default=12, help="replies (default: 12)")
    segments.add_argument(
        "--out",
        default="runs/segments.html",
        help="the page to write (default: runs/segments.html)",
    )

    vote = _command(
        commands, "vote", _vote,
        "several sessions of a policy that judges itself, and which answer stands (ReVISE)",
        "corgi-gym vote revise --model runs/revise/checkpoint --samples 8",
    )  # fmt: skip
    _recipe_options(vote)
    vote.set_defaults(recipe="revise")
    vote.add_argument("--samples", type=int, default=8, help="sessions per task (default: 8)")
    vote.add_argument("--out", default="runs/vote", help="folder (default: runs/vote)")
    vote.add_argument("--overwrite", action="store_true", help="replace what is in that folder")

    from corgi_gym.benchmarks.bench import cli as bench

    improvement = _command(
        commands, "improvement", _improvement,
        "first and last attempts of the self-improving replies of a run (TriPosT)",
        "corgi-gym improvement runs/tripost",
    )  # fmt: skip
    improvement.add_argument(
        "run_folder", help="a run on SelfImprovement-v0, or a benchmark of such runs"
    )
    bench.code_options(improvement)

    about = "run a benchmark: which algorithm is better, and how sure that is"
    add_bench = commands.add_parser("bench", help=about, description=f"{about.capitalize()}.")
    bench.add_commands(add_bench, _command)
    return parser


def _gap_options(gap: Any) -> None:
    gap.add_argument("--prompts", type=int, default=64, help="tasks (default: 64)")
    gap.add_argument("--samples", type=int, default=16, help="replies per task (default: 16)")
    gap.add_argument("--temperature", type=float, help="of the samples (default: the recipe's)")
    gap.add_argument("--top-p", type=float, default=0.9, help="of the samples (default: 0.9)")
    gap.add_argument(
        "--verifier", action="append", metavar="NAME",
        help="mc, cot_b, cot_s, tournament, checker:NAME or checker:own; can be repeated "
        "(default: the first four)",
    )  # fmt: skip
    gap.add_argument("--verifier-model", help="another model that verifies (default: the policy)")
    gap.add_argument("--verifier-url", help="the endpoint of that model, if it is behind one")
    gap.add_argument(
        "--rule", action="append", metavar="RULE",
        help="what is kept: 'mc>=0.8', 'cot_s top 0.25', 'mc>=0.5 and cot_b>=1'; can be repeated",
    )  # fmt: skip
    gap.add_argument(
        "--reasoning-tokens", type=int, default=160, help="longest verdict (default: 160)"
    )
    gap.add_argument(
        "--tournament-rounds",
        type=int,
        default=0,
        help="comparison rounds (default: until a quarter is left, at most 2)",
    )
    gap.add_argument("--graded", action="store_true", help="the utility is the score, not success")
    gap.add_argument("--improve", type=int, default=0, help="rounds of self-improvement")
    gap.add_argument(
        "--improve-rule",
        default="",
        help="the rule whose kept replies they train on (default: the first)",
    )
    gap.add_argument(
        "--epochs", type=int, default=1, help="training passes over the kept replies (default: 1)"
    )
    gap.add_argument("--out", default="runs/gap", help="folder (default: runs/gap)")
    existing = gap.add_mutually_exclusive_group()
    existing.add_argument("--overwrite", action="store_true", help="replace what is in that folder")
    existing.add_argument(
        "--resume", action="store_true",
        help="go on; verifiers and rules may differ, so that samples are judged in another way",
    )  # fmt: skip


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


def _recipe_options(parser: Any, also: str = "") -> None:
    parser.add_argument(
        "recipe", nargs="?", default="quickstart",
        help="a YAML file, or the name of one in benchmarks/recipes/"
        f"{also} (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--model", help="smollm2-135m, gemma3-270m, a folder, or a hub id")
    parser.add_argument("--algorithm", "--algo", help="a row of the algorithm table")
    parser.add_argument("--engine", help="auto, vllm, transformers, vllm-server, openai or pieces")
    parser.add_argument("--url", help="address of the server (vllm-server and openai)")
    parser.add_argument("--seed", type=int, help="seed of the run")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="any other value of the recipe, such as train.rounds=5 or env.kwargs.feedback=binary; "
        "can be repeated",
    )  # fmt: skip


def _recipe(arguments: argparse.Namespace, load: Callable[[str], Any] | None = None) -> Any:
    from corgi_gym.benchmarks.display import quiet_libraries
    from corgi_gym.benchmarks.recipe import load_recipe, override

    quiet_libraries()
    curriculum = getattr(arguments, "curriculum", None)
    given = {
        **{name: getattr(arguments, name) for name in ("model", "algorithm", "engine", "seed")},
        "engine_options.url": arguments.url,
        "train.curriculum": curriculum and {"name": curriculum},
    }
    given = {key: value for key, value in given.items() if value is not None}
    return override((load or load_recipe)(arguments.recipe), arguments.set, given)


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

    options = (
        "family", "rows", "reference", "tasks", "fuzz", "seed", "seconds", "out", "overwrite",
        "resume",
    )  # fmt: skip
    return run_audit(arguments.name, **{name: getattr(arguments, name) for name in options})


def _gap(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.gap.run import run_gap
    from corgi_gym.benchmarks.gap.settings import GapSettings, gap_recipe

    given = {"evaluation.tasks": arguments.prompts, "sampling.temperature": arguments.temperature}
    own = [f"{name}={value}" for name, value in given.items() if value is not None]
    arguments.set = [*own, *arguments.set]
    names = (
        "samples", "top_p", "verifier_model", "verifier_url", "reasoning_tokens",
        "tournament_rounds", "graded", "improve", "improve_rule", "epochs",
    )  # fmt: skip
    settings = GapSettings(
        **{name: getattr(arguments, name) for name in names},
        **({"verifiers": tuple(arguments.verifier)} if arguments.verifier else {}),
        rules=tuple(arguments.rule or ()),
    )
    run_gap(
        _recipe(arguments, gap_recipe),
        settings,
        arguments.out,
        overwrite=arguments.overwrite,
        resume=arguments.resume,
    )
    return 0


def _segments(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.segments import run_segments

    print(run_segments(_recipe(arguments), arguments.out, count=arguments.count))
    return 0


def _vote(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.vote import run_vote, vote_text

    result = run_vote(
        _recipe(arguments), arguments.out, samples=arguments.samples, overwrite=arguments.overwrite
    )
    print(vote_text(result))
    return 0


def _improvement(arguments: argparse.Namespace) -> int:
    from corgi_gym.benchmarks.improvement import improvement, improvement_text

    found = improvement(arguments.run_folder, code=arguments.code, mixed=arguments.mixed_code)
    print(improvement_text(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
