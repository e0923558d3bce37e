"""How many prompts does one fixed string pass? Strict mode, reference mode, generated tasks.

    python benchmarks/peers/instruction_blind.py

Tries the 200 strings of `tests/rewards/data/blind_replies.json`, none of which depends on a prompt,
on the public rows in both modes and on 500 generated tasks. Prints the share of prompts that the
best single string passes, and the share that any of them passes. Reference mode needs langdetect.
"""

import json
import sys
from pathlib import Path

from corgi_gym.envs.tasks.instruction_following import IFEval, Instructions
from corgi_gym.rewards import judge

STRINGS = Path(__file__).parents[2] / "tests/rewards/data/blind_replies.json"
GENERATED = 500
# What the design asks for in strict mode.
MOST = 0.05


def shares(checker, targets: list, strings: list[str]) -> tuple[float, float, str]:
    """Share for the best string, share for any string, and the best string."""
    paid = [[judge(checker, s, target).success for s in strings] for target in targets]
    totals = [sum(row[i] for row in paid) for i in range(len(strings))]
    best = max(range(len(strings)), key=totals.__getitem__)
    return totals[best] / len(targets), sum(map(any, paid)) / len(targets), strings[best]


def main() -> int:
    """Print the table; fail if strict mode pays more than it may."""
    strings = json.loads(STRINGS.read_text("utf-8"))
    worst = 0.0
    for name, mode in (("ifeval", "strict"), ("instructions", "strict"), ("ifeval", "reference")):
        if name == "ifeval":
            source = IFEval(mode=mode)
            targets = [draft.target for part in source.drafts.values() for draft in part]
        else:
            source = Instructions()
            targets = [source.item(0, i).target for i in range(GENERATED)]
        one, anyone, best = shares(source.checker, targets, strings)
        print(
            f"{name} ({mode}): {len(targets)} prompts; best of {len(strings)} strings {one:.1%}, "
            f"any string {anyone:.1%}; best: {best[:60]!r}",
            flush=True,
        )
        worst = max(worst, one if mode == "strict" else 0.0)
    return 1 if worst > MOST else 0


if __name__ == "__main__":
    sys.exit(main())
