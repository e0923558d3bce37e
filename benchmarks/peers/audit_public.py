"""The audit kit on public checkers: IFEval's reference, math-verify, reasoning-gym's scorers.

    make audit-peers

or, in an environment with ``requirements/peers.txt`` and corgi-gym:

    python benchmarks/peers/audit_public.py --out runs/audit-peers

Their code runs as they publish it, called without `judge` in front; the figures are theirs, not
those of the adapters. Always ends with 0: what it finds is the result.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import _public_checkers as public

from corgi_gym.rewards.audit import Audit, Limits, audit, table, write

HERE = Path(__file__).parent
CHECKERS = {
    "ifeval": public.ifeval_rows,
    "math_verify": public.math_verify_rows,
    "reasoning_gym": public.reasoning_gym_rows,
}
# Wall seconds for the 200 prompt-blind strings of one checker.
BLIND_SECONDS = 600.0
# Wall seconds within which a slow checker gets all its tasks and strings, however slow.
ALL_TASKS = 1e9


def run(name: str, tasks: int | None, fuzz: int, seed: int) -> Audit:
    """Audit one public checker on its tasks."""
    rows = list(CHECKERS[name]())
    if tasks is not None:
        rows = rows[:: max(1, len(rows) // tasks)][:tasks]
    # half of the rows only lend their right answers to the prompt-blind strings
    pool = [row.witness for row in rows[1::2] if row.witness]
    return audit(
        f"{HERE / '_public_checkers.py'}:{name}",
        rows[::2] if pool else rows,
        pool=pool,
        fuzz=fuzz,
        seed=seed,
        raw=True,
        limits=Limits(hang=5.0, blind_seconds=BLIND_SECONDS, seconds=ALL_TASKS),
        name=name,
        progress=lambda check: print(f"{name}: {check}", file=sys.stderr, flush=True),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Audit the chosen checkers; what is done is written after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("names", nargs="*", default=list(CHECKERS), help="default: all")
    parser.add_argument("--tasks", type=int, help="rows of each (default: all)")
    parser.add_argument("--fuzz", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", default="runs/audit-peers")
    options = parser.parse_args(arguments)
    audits: list[Audit] = []
    for name in options.names:
        audits.append(run(name, options.tasks, options.fuzz, options.seed))
        paths = write(audits, options.out, "make audit-peers")
        print(f"{audits[-1].text()}\n", flush=True)
    print(table(audits))
    for path in paths:
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
