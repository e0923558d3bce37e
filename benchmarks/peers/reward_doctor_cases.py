"""The published cases of reward-doctor against our mathematical checker.

    python benchmarks/peers/reward_doctor_cases.py
    python benchmarks/peers/reward_doctor_cases.py --write tests/rewards/data/reward_doctor.json

Runs in the environment of ``requirements/peers.txt``. reward-doctor (Apache-2.0) lists replies that
a verifier must refuse (exploits, distinctions) and replies that it must accept: other forms of the
right answer ("equivalence"), and answers in free text ("format"). Our checker asks for one place,
so an equivalent form is tried there (``Answer: ...``); a "format" case that is not in that place is
refused on purpose, and counted apart, as are the cases that the package itself calls contested.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from corgi_gym.rewards import get_checker, judge

CHECKER = "math_verify"
SOURCE = "reward-doctor 0.2.0, Apache-2.0, https://pypi.org/project/reward-doctor/"


def cases() -> list[dict[str, Any]]:
    """The package's cases as plain data."""
    from reward_doctor.corpus import ALL_CASES, CONTESTED_TAG

    return [
        {
            "id": case.id,
            "category": case.category,
            "reference": case.reference,
            "completion": case.completion,
            "accept": case.expect,
            "contested": CONTESTED_TAG in case.tags,
        }
        for case in ALL_CASES
    ]


def replies(case: Mapping[str, Any]) -> list[str]:
    """What is judged: the text itself, and the text in the asked place."""
    text = case["completion"]
    placed = f"Answer: {text}"
    if case["category"] == "equivalence":
        return [placed]
    return [text] if case["category"] == "format" else [text, placed]


def wrong_cases(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Ids of the cases on which we differ, by category; contested ones under ``contested``."""
    check = get_checker(CHECKER)
    found: dict[str, list[str]] = {}
    for case in rows:
        kind = "contested" if case["contested"] else case["category"]
        found.setdefault(kind, [])
        for reply in replies(case):
            if judge(check, reply, case["reference"]).success != case["accept"]:
                found[kind].append(case["id"])
                break
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the counts, or write the cases for the tests."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--write", help="write the cases to this file instead")
    options = parser.parse_args(arguments)
    rows = cases()
    if options.write:
        data = {"source": SOURCE, "cases": rows}
        Path(options.write).write_text(json.dumps(data, indent=1) + "\n")
        return
    total = Counter("contested" if row["contested"] else row["category"] for row in rows)
    for kind, wrong in wrong_cases(rows).items():
        print(f"{kind:12} {len(wrong):3} of {total[kind]:3} differ  {', '.join(wrong)}")


if __name__ == "__main__":
    main()
