"""Writes into its own package when it is imported, and then works."""

import contextlib
from pathlib import Path

with contextlib.suppress(OSError):
    Path(__file__).with_name("hostile_was_here").write_text("x")


def check(reply, target):
    """Says whether the reply is polite."""
    return "please" in reply
