"""CPU time per call (`time.process_time` of the process that judges, so waiting is not counted).

Time that a checker spends in other processes (`corgi_gym.rewards.isolate`) does not show here; what
hangs is found by the deadline of the worker. Slow calls are measured twice more and the fastest
counts, because another program on the machine makes any call slow once.
"""

from __future__ import annotations

from corgi_gym.rewards.audit.calls import Case, Outcome
from corgi_gym.rewards.audit.subject import Section, Subject

REPEATS = 2
# Calls that are measured again, slowest first.
MAX_REPEATED = 400


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of all values do not exceed.

    Example:
        >>> percentile([3.0, 1.0, 2.0], 0.5), percentile([], 0.5)
        (2.0, 0.0)
    """
    if not values:
        return 0.0
    return sorted(values)[max(0, -int(-share * len(values) // 1) - 1)]


def check_timing(subject: Subject) -> Section:
    """Percentiles over all calls so far, the slow ones measured again."""
    section = Section("timing", "CPU time per call")
    calls = [(case, o) for case, o in subject.timed if not o.failed]
    slow = [k for k, (_, o) in enumerate(calls) if o.seconds > subject.limits.p99]
    slow = sorted(slow, key=lambda k: -calls[k][1].seconds)[:MAX_REPEATED]
    fastest: dict[int, Outcome] = {}
    for _ in range(REPEATS):
        for k, outcome in zip(slow, subject.call([calls[k][0] for k in slow]), strict=True):
            fastest[k] = min(fastest.get(k, calls[k][1]), outcome, key=lambda o: o.seconds)
    kept = [(case, fastest.get(k, outcome)) for k, (case, outcome) in enumerate(calls)]
    seconds = [outcome.seconds for _, outcome in kept]
    worst = max(kept, key=lambda pair: pair[1].seconds, default=None)
    section.tried = bool(kept)
    section.facts = {
        "calls": len(kept),
        "p50_ms": 1e3 * percentile(seconds, 0.5),
        "p99_ms": 1e3 * percentile(seconds, 0.99),
        "max_ms": 1e3 * max(seconds, default=0.0),
    }
    _report(subject, section, worst)
    return section


def _report(subject: Subject, section: Section, worst: tuple[Case, Outcome] | None) -> None:
    limits, facts = subject.limits, section.facts
    if worst is not None and worst[1].seconds > limits.worst:
        section.add(
            "worst",
            "defect",
            f"The slowest call took {facts['max_ms']:.0f} ms of CPU time "
            f"(limit {1e3 * limits.worst:.0f} ms).",
            [subject.evidence(*worst, None)],
        )
    if facts["p99_ms"] > 1e3 * limits.p99:
        section.add(
            "p99",
            "note",
            f"One call in a hundred takes over {facts['p99_ms']:.1f} ms of CPU time "
            f"(limit {1e3 * limits.p99:.0f} ms).",
        )
