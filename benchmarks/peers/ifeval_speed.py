"""Checks a second: reference mode and the published IFEval checkers, in turn on the same work.

    make bench-peers        # makes the environments; or, with .venv-ifeval from peers/ifeval.txt:
    python benchmarks/peers/ifeval_speed.py --python .venv-ifeval/bin/python

The work: every distinct instruction of the 541 rows on witnesses and prompt-blind strings. Both are
measured in CPU seconds, interleaved (ours, theirs, ours, ...), and their verdicts are compared. Two
rows are printed: with the three kinds that ask for a language, which take most of the time of both,
and without. "ours" parses the target anew for each check, as the environment does.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

from _record import write_record
from ifeval_reference import BLIND, IFEval, ask_peer, distinct, public_rows

from corgi_gym.rewards.instructions import instruction_following

LANGUAGE = ("language:response_language", "change_case:english_capital")
LANGUAGE += ("change_case:english_lowercase",)


def our_turn(instructions: list[dict], replies: list[str]) -> tuple[list[str], float]:
    """Verdicts and CPU seconds of one pass through the checker."""
    targets = [{"mode": "reference", "instructions": [row]} for row in instructions]
    start = time.process_time()
    found = [
        "".join("1" if instruction_following(reply, t).success else "0" for t in targets)
        for reply in replies
    ]
    return found, time.process_time() - start


def main() -> int:
    """Measure, print the ratio, fail when verdicts differ or the ratio is below two."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", required=True, help="python of the reference environment")
    parser.add_argument("--replies", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="write the results here (JSON)")
    args = parser.parse_args()
    rows = public_rows()
    everything, _ = distinct(rows)
    source = IFEval(mode="reference")
    half = args.replies // 2
    replies = [source.item(0, i).witness for i in range(half)]
    replies += json.loads(BLIND.read_text("utf-8"))[-(args.replies - half) :]
    found = {}
    for name, kinds in (("all 25 kinds", ()), ("without language", LANGUAGE)):
        work = [row for row in everything if row["kind"] not in kinds]
        our_turn(work, replies[:2])  # tables are loaded, as the peer does
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for _ in range(args.rounds):
            mine, seconds = our_turn(work, replies)
            times["ours"].append(seconds)
            told = ask_peer(args.python, {"instructions": work, "replies": replies})
            times["theirs"] += told["seconds"]
            if mine != told["verdicts"]:
                print("the verdicts differ: run ifeval_reference.py", file=sys.stderr)
                return 1
        checks = len(work) * len(replies)
        own, peer = (checks / statistics.median(times[key]) for key in ("ours", "theirs"))
        found[name] = {
            "checks": checks,
            "different_verdicts": 0,
            "checks_per_second": own,
            "reference_checks_per_second": peer,
            "ratio": own / peer,
        }
        print(
            f"{name}: {checks} checks, identical verdicts; ours {own:,.0f} checks/s, "
            f"reference {peer:,.0f} checks/s, ratio {own / peer:.1f}"
        )
    if args.out:
        write_record(args.out, {"rows": found, "rounds": args.rounds}, sys.argv)
    return 0 if min(row["ratio"] for row in found.values()) >= 2 else 1


if __name__ == "__main__":
    sys.exit(main())
