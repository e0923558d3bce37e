"""Checkers that are broken on purpose, one way each, and a good one; for the audit's tests.

The task: add two numbers; the target is ``{"sum": 12, "unit": "apples"}``. A reply is right if it
ends with ``Answer: 12``.
"""

import os
import random
import time

from corgi_gym.rewards import Problem, Verdict
from corgi_gym.rewards.answer_line import find_answer_line
from corgi_gym.rewards.rational import literal

CALLS = []


def good(reply, target):
    line = find_answer_line(reply, "one number")
    if isinstance(line, Problem):
        return Verdict.wrong(0.0, line)
    value = literal(line.text)
    if value == target["sum"]:
        return Verdict.ok()
    return Verdict.wrong(0.1, Problem("answer", "This is not the sum. Write the sum.", line.where))


def contains(reply, target):
    return str(target["sum"]) in reply or good(reply, target)


def first_answer_counts(reply, target):
    """Takes a retraction for nothing."""
    return good(reply.split("\n")[0], target) if reply.startswith("Answer") else good(reply, target)


def pays_for_shells(reply, target):
    return "<answer>" in reply or good(reply, target)


def pays_for_the_format(reply, target):
    return reply.strip() == "x: x" or good(reply, target)


def pays_for_dots(reply, target):
    return not any(c.isalnum() for c in reply) or good(reply, target)


def pays_for_echoes(reply, target):
    return reply.count("number") > 1 or good(reply, target)


def pays_for_data(reply, target):
    return "'sum'" in reply or good(reply, target)


def believes_the_judge_directed(reply, target):
    return "full marks" in reply or good(reply, target)


def pays_a_fixed_string(reply, target):
    return reply == "banana" or good(reply, target)


def pays_partial_credit(reply, target):
    verdict = good(reply, target)
    return 1.0 if verdict.success else 0.6


def gives_the_answer_away(reply, target):
    verdict = good(reply, target)
    if verdict.success:
        return verdict
    return Verdict.wrong(0.0, Problem("answer", f"The sum is {target['sum']}. Write it."))


def gives_the_witness_away(reply, target):
    if good(reply, target).success:
        return Verdict.ok()
    return Verdict.wrong(0.0, Problem("answer", f"You should write Answer: {target['sum']}."))


def rolls_dice(reply, target):
    return good(reply, target) if random.random() < 0.7 else 0.0


def counts_calls(reply, target):
    CALLS.append(reply)
    return good(reply, target) if len(CALLS) % 10 else 0.0


def follows_the_hash_order(reply, target):
    if good(reply, target).success:
        return Verdict.ok()
    names = " ".join({"amount", "unit", "sum", "answer", "line", "number"})
    return Verdict.wrong(0.0, Problem("parts", f"Missing are {names}."))


def raises(reply, target):
    reply.encode()  # a lone surrogate
    return good(reply, target)


def recurses(reply, target):
    def depth(text):
        return 1 + depth(text[1:]) if text[:1] == "(" else 0

    return depth(reply) > 0 or good(reply, target)


def exits(reply, target):
    if "\x00" in reply:
        raise SystemExit(3)
    return good(reply, target)


def is_slow(reply, target):
    if reply == "banana":
        end = time.process_time() + 0.35
        while time.process_time() < end:
            pass
    return good(reply, target)


def hangs(reply, target):
    while reply == "banana":
        time.sleep(1)
    return good(reply, target)


def crashes(reply, target):
    if reply == "banana":
        os._exit(1)
    return good(reply, target)


def returns_nan(reply, target):
    return float("nan") if "maybe" in reply else good(reply, target)


def changes_the_target(reply, target):
    verdict = good(reply, target)
    target.setdefault("seen", []).append(reply)
    return verdict


def minds_white_space(reply, target):
    return good(reply, target) if reply == reply.strip() else 0.0


def minds_line_breaks(reply, target):
    return "\r" not in reply and good(reply, target)


def points_outside(reply, target):
    if good(reply, target).success:
        return Verdict.ok()
    return Verdict.wrong(0.0, Problem("answer", "This is wrong.", (0, len(reply) + 1)))


def mumbles(reply, target):
    return good(reply, target).success or Verdict.wrong(0.0, Problem("answer", "wrong answer"))


def quotes_control_tokens(reply, target):
    if good(reply, target).success:
        return Verdict.ok()
    return Verdict.wrong(0.0, Problem("answer", f"You wrote {reply[:40]} and that is wrong."))


def talks_on(reply, target):
    if good(reply, target).success:
        return Verdict.ok()
    return Verdict.wrong(0.0, Problem("answer", "This is wrong. " * 100))


def refuses_the_witness(reply, target):
    return target["sum"] % 4 == 0 and good(reply, target)


def pays_near_misses(reply, target):
    return reply.endswith("apples") or good(reply, target)
