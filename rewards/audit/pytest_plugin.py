"""What the fixture `audit_checker` is: an audit that fails a test.

    def test_my_checker(audit_checker):
        audit_checker(my_checker, rows=[{"prompt": "...", "target": 1, "witness": "..."}])

The hooks are in the top-level module `corgi_gym_pytest`, which pytest can import without loading
corgi-gym.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from corgi_gym.rewards.audit.report import Audit
from corgi_gym.rewards.audit.runner import audit
from corgi_gym.rewards.audit.subject import SEVERITIES, Row
from corgi_gym.rewards.names import did_you_mean
from corgi_gym.rewards.verdict import Checker


def of_mark(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the mark ``audit`` gives a test.

    Raises:
        ValueError: For what `audit_checker` has no option for.
    """
    parameters = inspect.signature(audit).parameters.values()
    known = ["fail_on", *(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)]
    if args:
        raise ValueError(f"@pytest.mark.audit takes options by name only, got {args!r:.80}")
    for name in kwargs:
        if name not in known:
            hint = did_you_mean(name, known, ";")
            raise ValueError(
                f"@pytest.mark.audit has no option {name!r}{hint} known: {', '.join(known)}"
            )
    return dict(kwargs)


class CheckerAudit:
    """Audits checkers with the options of a test.

    Args:
        options: Keyword arguments of `audit`, and ``fail_on``: the mildest severity that fails.

    Raises:
        ValueError: For an unknown ``fail_on``.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = dict(options)
        self.fail_on = self.options.pop("fail_on", "defect")
        if self.fail_on not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            raise ValueError(
                f"fail_on={self.fail_on!r} (corgi_audit_fail_on, or the marker's) is unknown; "
                f"choose from {known}"
            )

    def __call__(
        self,
        check: str | Checker,
        rows: Iterable[Row | Mapping[str, Any]] = (),
        **options: Any,
    ) -> Audit:
        """Audit a checker; returns the audit for tests that look closer.

        Raises:
            AssertionError: If there is a finding of a severity that fails; the message is the
                report.
        """
        __tracebackhide__ = True
        found = audit(check, rows, **{**self.options, **options})
        failing = SEVERITIES[: SEVERITIES.index(self.fail_on) + 1]
        if any(finding.severity in failing for finding in found.findings):
            raise AssertionError(found.text())
        return found
