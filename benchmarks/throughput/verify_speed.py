"""Mathematical verifications per second of one core.

    python -m corgi_gym.benchmarks.throughput.verify_speed

Two numbers: symbolic comparisons through the killable worker (one caller, one worker, so both
together use about one core), and whole `math_verify` checks of GSM8K-style numbers, which need no
worker. CPU seconds of caller and worker are counted, so a busy machine changes little.
"""

from __future__ import annotations

import argparse
import os
import resource
import time

from corgi_gym.rewards.math_verify import math_verify, pool

# Answer and gold in different forms, so that nothing is decided by equal text.
SYMBOLIC = (
    (r"\sqrt{12}", r"2\sqrt{3}"),
    ("(x+1)^2", "x^2+2x+1"),
    (r"\{2, 1\}", r"\{1, 2\}"),
    (r"\frac{1}{2}\pi", r"\frac{\pi}{2}"),
    ("(1, 3)", "(1, 2)"),
    ("6-5i", "-5i+6"),
    ("2k+2", "2(k+1)"),
    (r"[0, \infty)", r"[0,\infty)"),
)
NUMBERS = (("72", "72"), ("1,200", "1200"), ("3/4", "0.75"), ("41", "42"))


def cpu_seconds() -> float:
    """CPU time of this process and of the workers that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=2_000, help="checks of each kind")
    count = parser.parse_args().checks
    workers = pool()
    workers.start()
    workers.close()  # from here, a worker's CPU time counts from its start, which is taken off
    before, began = cpu_seconds(), time.perf_counter()
    workers.start()
    workers.close()
    start_cpu, start_clock = cpu_seconds() - before, time.perf_counter() - began
    before, began = cpu_seconds(), time.perf_counter()
    for i in range(count):
        outcome = workers.call(*reversed(SYMBOLIC[i % len(SYMBOLIC)]))
        assert outcome.ok, outcome
    workers.close()
    spent = cpu_seconds() - before - start_cpu
    clock = time.perf_counter() - began - start_clock
    print(f"symbolic, through the worker: {count / spent:,.0f} per CPU second", end="")
    print(f" ({count / clock:,.0f} per second of the clock; worker start {start_cpu:.2f} s)")
    before = time.process_time()
    for i in range(count):
        answer, gold = NUMBERS[i % len(NUMBERS)]
        math_verify(f"So it is {answer}.\nAnswer: {answer}", gold)
    spent = time.process_time() - before
    print(f"numbers, in process: {count / spent:,.0f} per CPU second")
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
