"""The checker test kit: tries to break a checker before a policy does. See `docs/audit.md`.

    corgi-gym audit panagram
    corgi-gym audit my_checker.py:no_letter_e --rows tasks.jsonl

Knows checkers and replies only; the rows (tasks) come from the caller.
"""

from corgi_gym.rewards.audit.report import Audit, write
from corgi_gym.rewards.audit.runner import audit, show
from corgi_gym.rewards.audit.subject import Evidence, Finding, Limits, Row, Section
from corgi_gym.rewards.audit.tables import table

__all__ = [
    "Audit",
    "Evidence",
    "Finding",
    "Limits",
    "Row",
    "Section",
    "audit",
    "show",
    "table",
    "write",
]
