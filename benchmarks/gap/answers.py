"""What verifiers have answered, kept as it comes, so that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Answers:
    """Answers by verifier and key.

    Args:
        rows: Rows of an earlier part, as ``keep`` got them.
        keep: Called with each new row (plain data).
        on_answer: Called after each answer, known or new.
    """

    def __init__(
        self,
        rows: Iterable[Mapping[str, Any]] = (),
        keep: Callable[[dict[str, Any]], None] = lambda row: None,
        on_answer: Callable[[], None] = lambda: None,
    ) -> None:
        self._known = {(row["verifier"], row["key"]): row["answer"] for row in rows}
        self._keep, self._on_answer = keep, on_answer

    def collect(
        self,
        verifier: str,
        questions: Mapping[str, T],
        ask: Callable[[Mapping[str, T]], Iterable[tuple[str, Any]]],
    ) -> dict[str, Any]:
        """The answer to every question; ``ask`` gets those that have none yet.

        An answer is plain data; None says that there is none and why is not the reply's fault.
        """
        missing = {k: q for k, q in questions.items() if (verifier, k) not in self._known}
        for _ in range(len(questions) - len(missing)):
            self._on_answer()
        for key, answer in ask(missing) if missing else ():
            self._known[verifier, key] = answer
            self._keep({"verifier": verifier, "key": key, "answer": answer})
            self._on_answer()
        return {key: self._known[verifier, key] for key in questions}
