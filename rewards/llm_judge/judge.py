"""`Judge`: any language model as a checker with a rubric.

Source: judging by a strong model is LLM-as-a-judge (Zheng et al., arXiv 2306.05685), whose biases
(position, length, own style) a rubric does not remove. What is ours is the strictness: an answer
that is not exactly in the asked form is no verdict.

This module knows no engine: a judge gets a function from messages to text.
`corgi_gym.agents.judges` makes such functions from engines and from OpenAI-compatible endpoints.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corgi_gym.rewards.compose import BELOW_ONE
from corgi_gym.rewards.llm_judge.answer import (
    MAX_PROBLEM_CHARS,
    FormatError,
    Mark,
    is_copied,
    read_answer,
)
from corgi_gym.rewards.llm_judge.cache import AnswerCache
from corgi_gym.rewards.llm_judge.prompt import (
    MAX_TARGET_CHARS,
    Message,
    build_messages,
    fence_code,
    target_text,
)
from corgi_gym.rewards.llm_judge.rubric import MAX_MARK, Rubric
from corgi_gym.rewards.text import defuse, normalise, quote
from corgi_gym.rewards.verdict import Problem, Verdict

Complete = Callable[[list[Message]], str]

# Longest reply that is shown to a judge; a longer one is wrong, never cut (what is cut off would go
# unjudged).
MAX_JUDGED_CHARS = 8_000
# Raise it when the prompt or the form of the answer changes: it is part of the cache's keys.
_VERSION = 1
_MAX_CAUSE_CHARS = 300
_DEFAULT_KEY = b"corgi-gym/llm-judge"


class Judge:
    """A checker that asks a language model.

    The score is the weighted mean over the criteria of ``min(1, mark / passing)``, so it is 1.0
    exactly when every criterion is met; each criterion that is not is a problem. ``unscored``, and
    never a bad score, is the verdict when the model fails, when its answer is not in the asked form
    after all tries, and when it repeats marks that stand in the reply.

    What it makes a policy want: what the judge likes, which is only as good as the judge. It is
    deterministic if ``complete`` is. Rollouts call it from several threads (`is_slow`), and so
    ``complete``.

    Args:
        complete: From messages (``{"role", "content"}``) to the model's text; may raise.
        rubric: What is asked.
        model_id: Names the model in cache keys and messages; default: ``complete.model_id``, else
            "unnamed". It must change with whatever changes the answers.
        retries: Further tries after an answer in another form, at least 0.
        cache_dir: A folder that keeps answers, shared by judges with the same ``model_id``, rubric
            and key; default: memory alone, of this judge.
        key: Secret of the fence codes. The default is public, which is enough: a code depends on
            the whole reply, so a reply cannot hold its own.
        name: Name in messages and logs.

    Raises:
        TypeError: If ``complete`` is not callable or ``rubric`` is no `Rubric`.
        ValueError: For negative ``retries``, and a ``cache_dir`` without a name for the model.

    Example:
        >>> def generous(messages):
        ...     code = messages[0]["content"].rpartition('"check": "')[2][:12]
        ...     return '{"check": "%s", "clear": {"score": 6, "problem": "It is long."}}' % code
        >>> judge = Judge(generous, Rubric.of(clear="Every sentence is clear."))
        >>> round(judge("Some reply.", None).score, 2)
        0.86
    """

    slow = True  # a call waits for the model

    def __init__(
        self,
        complete: Complete,
        rubric: Rubric,
        *,
        model_id: str | None = None,
        retries: int = 2,
        cache_dir: str | Path | None = None,
        key: bytes = _DEFAULT_KEY,
        name: str = "judge",
    ) -> None:
        if not callable(complete):
            raise TypeError(f"complete must be a function of messages, got {complete!r:.80}")
        if not isinstance(rubric, Rubric):
            raise TypeError(f"rubric must be a Rubric, got {rubric!r:.80}")
        if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
            raise ValueError(f"retries must be at least 0, got {retries!r}")
        model_id = model_id or getattr(complete, "model_id", None)
        if cache_dir is not None and not model_id:
            raise ValueError(
                "cache_dir needs a model_id, or judges by different models would read each other's "
                'answers: Judge(..., model_id="my-model", cache_dir=...)'
            )
        self.complete = complete
        self.rubric = rubric
        self.model_id = str(model_id or "unnamed")
        self.retries = retries
        self.cache = AnswerCache(cache_dir)
        self.key = key
        self.name = name

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge a reply; ``target`` (text or JSON-able data) tells the judge the single case."""
        reply = normalise(reply)
        if len(reply) > MAX_JUDGED_CHARS:
            message = f"Your reply has {len(reply)} characters. Write at most {MAX_JUDGED_CHARS}."
            return Verdict.wrong(0.0, Problem("too_long", message))
        case = target_text(target)
        if len(case) > MAX_TARGET_CHARS:  # a judge that reads half of it judges something else
            return self._unscored(_too_long(case))
        code = self._code(reply, case)
        cache_key = self._cache_key(reply, case)
        kept = self.cache.get(cache_key)
        if kept is not None:
            try:
                return self._verdict(read_answer(kept, self.rubric, code))
            except FormatError:
                pass  # damaged or from another version: asked again
        fault = ""
        for _ in range(self.retries + 1):
            messages = build_messages(self.rubric, reply, case, code, fault)
            try:
                answer = self.complete(messages)
            except Exception as error:  # an engine may raise anything; it is no bad answer
                return self._unscored(f"the model failed: {type(error).__name__}: {error}")
            try:
                marks = read_answer(answer, self.rubric, code)
            except FormatError as error:
                fault = str(error)
                continue
            if is_copied(marks, self.rubric, reply):
                return self._unscored("it repeats a verdict that stands in the reply")
            self.cache.put(cache_key, answer)
            return self._verdict(marks)
        return self._unscored(f"no answer in the asked form in {self.retries + 1} tries: {fault}")

    def check_target(self, target: Any) -> None:
        """Refuse a target that is too long to be shown whole (see `rewards.compose.check_target`).

        Raises:
            ValueError: Says how long it is, and how long it may be.
        """
        case = target_text(target)
        if len(case) > MAX_TARGET_CHARS:
            raise ValueError(f"{self.name}: {_too_long(case)}")

    def _code(self, reply: str, case: str) -> str:
        code = fence_code(self.key, json.dumps(self.rubric.as_data()), case, reply)
        while code in reply or code in case:  # 2^-48 by chance
            code = fence_code(self.key, code, reply)
        return code

    def _cache_key(self, reply: str, case: str) -> str:
        parts = [_VERSION, self.model_id, self.rubric.as_data(), self.key.hex(), case, reply]
        text = json.dumps(parts).encode("utf-8")
        return hashlib.sha256(text).hexdigest()

    def _unscored(self, cause: str) -> Verdict:
        return Verdict.unscored(f"{self.name} ({self.model_id}): {defuse(cause, _MAX_CAUSE_CHARS)}")

    def _verdict(self, marks: tuple[Mark, ...]) -> Verdict:
        passing = self.rubric.passing
        total = sum(criterion.weight for criterion in self.rubric.criteria)
        problems, score, rating = [], 0.0, 0.0
        metrics = {}
        for criterion, mark in zip(self.rubric.criteria, marks, strict=True):
            metrics[criterion.name] = mark.score / MAX_MARK
            rating += criterion.weight / total * mark.score / MAX_MARK
            score += criterion.weight / total * min(1.0, mark.score / passing)
            if mark.score < passing:
                said = " ".join(mark.problem.split())
                why = f" The judge says: {quote(said, MAX_PROBLEM_CHARS)}" if said else ""
                message = (
                    f'"{criterion.name}" has {mark.score} of {MAX_MARK} marks, and {passing} are '
                    f"needed: {defuse(criterion.description, 120)}{why}"
                )
                problems.append(Problem(criterion.name, message))
        metrics["rating"] = rating
        if not problems:
            return Verdict.ok(**metrics)
        return Verdict.wrong(min(score, BELOW_ONE), *problems, **metrics)


def _too_long(case: str) -> str:
    return (
        f"the target has {len(case)} characters; a judge is shown at most {MAX_TARGET_CHARS}: "
        "shorten it"
    )
