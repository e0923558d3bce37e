"""Background with which a student answers right: CORGI's `rationale_generation` task.

Source: CORGI (arXiv 2411.01483) and its released critic: a question of ECQA, and a background of at
most two sentences; right if flan-t5-large, given question, options and background, writes the gold
option. The prompt there forbids to reveal the answer, and nobody looks.

What is different here, and why:

- ``embedded`` (default) asks the packaged SmolLM2-135M, which ranks the options by likelihood;
  ``paper`` asks flan-t5-large. (There, an empty answer of the student counts as right.)
- Revealing the answer fails: no option may be named, right or wrong (naming the wrong ones reveals
  it too), nor its number, letters, or "the answer".
- A student that knows the answer needs no background, and a weak one is swayed by anything. So with
  the embedded student the background must also help: the log-odds of the gold option rise by at
  least `GAIN` over those without a background.
- The background takes up a word of the question, adds at least three of its own, and is one or two
  well-formed sentences.
- While the student is wrong the score is half of its probability of the gold option.

Not judged: whether the background is true. A false one that sways the student is paid, as there.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from corgi_gym.rewards.dictionary import is_word
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.passage import content_words, examine_passage
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.semantic.student import CausalStudent, Student
from corgi_gym.rewards.text import quote, words
from corgi_gym.rewards.verdict import Problem, Verdict


def _words(text: str) -> list[str]:
    return text.split()


MAX_SENTENCES, MAX_WORDS = 2, 60
# What the background adds to the question, in content words: less is an echo.
MIN_NEW = 3
# Rise of the gold option's log-odds (natural logarithm), so that the background is what decides.
GAIN = 0.75
# What a reply that breaks a rule earns at most, and one that leaves the student wrong.
BROKEN, WRONG = 0.05, 0.5
# Rollouts judge in threads: students would share the cores, and tokenizers must not be shared.
_ONE_AT_A_TIME = threading.Lock()

# Words about the task: they point at an option without naming it.
_POINTS = re.compile(
    r"\b(?:answers?|options?|choices?|correct|letters?|rhymes?|spell(?:ed|s|ing)?"
    r"|(?<!other )words?|alphabet"
    r"|starts? with|begins? with|ends? with|syllables?|[a-e]\)|questions?|first one|last one)\b",
    re.IGNORECASE,
)
# Words of a question that fit every question: they do not show that the background is about it.
_GENERIC = frozenset(
    _words(
        "use person people man woman child do make go get animal food wear thing need look "
        "give have know see take work live come put find day place home house person's other "
        "all long big large old young new good eat drink walk sleep watch hold carry bring "
        "cover buy sell cut grow catch morning night winter summer water hot cold wet dry "
        "high"
    )
)
_BREAD = {
    "question": "What does a cook use to cut bread?",
    "options": ["broom", "knife", "rope"],
    "gold": 1,
}


@checker(
    "rationale_generation",
    slow=True,  # waits for the student
    examples=[  # without a passing one: that takes the student
        ("A cook uses a knife.", _BREAD, False),
        ("The answer has a sharp blade for the bread.", _BREAD, False),
        ("A cook cuts bread with neither a broom nor a rope.", _BREAD, False),
        ("What does a cook use to cut bread?", _BREAD, False),
        ("The sky is blue.", _BREAD, False),
        ("blade sharp slice bread", _BREAD, False),
        ("2", _BREAD, False),
    ],
)
def rationale_generation(reply: str, target: Any) -> Verdict:
    """Judge a background for ``{"question": text, "options": [text, ...], "gold": index}``.

    Example:
        >>> rationale_generation("A cook uses a knife.", _BREAD).problems[0].message
        'You name the option "knife". Give background knowledge, and name no option.'
    """
    return judge_rationale(reply, target, None)


def judge_rationale(reply: str, target: Any, student: Student | None) -> Verdict:
    """Judge a background with any `Student`; ``None``: the packaged one."""
    question, options, gold = target["question"], list(target["options"]), target["gold"]
    passage = examine_passage(reply, 1, MAX_SENTENCES, MAX_WORDS)
    if not passage.sentences:
        return Verdict.wrong(0.0, *passage.problems)
    problems = [
        problem for problem in (_reveals(reply, options), _unrelated(reply, question)) if problem
    ]
    problems.extend(passage.problems)
    if problems:  # the student is slow, and what breaks a rule is wrong whatever it says
        revealed = any(problem.kind in ("reveals", "question") for problem in problems)
        return Verdict.wrong(0.0 if revealed else BROKEN * passage.form, *problems[:3])
    reader = student if student is not None else _packaged()
    with _ONE_AT_A_TIME:
        answer = reader.answer(reply, question, options)
    share = answer.shares[gold] if answer.shares else float(answer.choice == gold)
    metrics = {"gold_share": share}
    if answer.choice != gold:
        picked = f"picks {quote(options[answer.choice])}" if answer.choice is not None else "fails"
        text = (
            f"With your background the student {picked}. Explain better what one must know, in at "
            f"most {MAX_SENTENCES} sentences, and name no option."
        )
        problems.append(Problem("student", text))
    elif answer.shares:
        with _ONE_AT_A_TIME:
            before = reader.answer("", question, options).shares
        gain = _log_odds(share) - _log_odds(before[gold] if before else 0.5)
        metrics["gain"] = gain
        if gain < GAIN:
            text = (
                "The student finds the answer as well without your background. Write what makes "
                "the right option clearer."
            )
            problems.append(Problem("no_help", text))
    if not problems:
        return Verdict.ok(**metrics)
    return Verdict.wrong(WRONG * min(share, 1.0), *problems, **metrics)


@lru_cache(maxsize=1)
def _packaged() -> CausalStudent:
    return CausalStudent()


def _log_odds(share: float) -> float:
    share = min(max(share, 1e-4), 1.0 - 1e-4)
    return math.log(share / (1.0 - share))


def _names(part: str) -> frozenset[str]:
    """A word of an option and its singular (not "see" for the tool "saw")."""
    return frozenset((part, part.removesuffix("s"), part.removesuffix("es")))


def _is_other_word(word: str, option: str) -> bool:
    """Whether a dictionary's word only begins like an option ("broomsticks", not "breadknife")."""
    beyond = word.removesuffix("s") not in (option, option + "e")
    return word.startswith(option) and beyond and is_word(word)


def _is_hidden(option: str, said: Sequence[str]) -> bool:
    """Whether an option stands in a longer word ("breadknife"), or in pieces ("bro om").

    Pieces that are words themselves name nothing: "raise the sail or clean the deck" is no sailor.
    """
    if any(option in word and not _is_other_word(word, option) for word in said):
        return True
    for first in range(len(said)):
        for end in range(first + 2, len(said) + 1):
            joined = "".join(said[first:end])
            if len(joined) > len(option) + 1:
                break
            pieces = all(map(is_word, said[first:end]))
            if joined in (option, option + "s") and not pieces:
                return True
    return False


def _reveals(reply: str, options: Sequence[str]) -> Problem | None:
    said = [lemmas(word) for word in words(reply)]
    for option in options:
        parts = [word for word in words(option.lower()) if word not in CLOSED] or words(option)
        named = all(any(not _names(part).isdisjoint(form) for form in said) for part in parts)
        compact = "".join(words(option.lower()))
        if named or (len(compact) > 4 and _is_hidden(compact, words(reply.lower()))):
            named_option = f"You name the option {quote(option)}."
            text = f"{named_option} Give background knowledge, and name no option."
            return Problem("reveals", text)
    pointed = _POINTS.search(reply)
    if pointed or any(word.isdigit() for word in words(reply)):
        shown = quote(pointed[0] if pointed else next(w for w in words(reply) if w.isdigit()), 24)
        text = f"Do not write {shown}: give background knowledge, and do not point at an option."
        return Problem("reveals", text)
    return None


def _unrelated(reply: str, question: str) -> Problem | None:
    """Whether the background is about something else, or says nothing new."""
    asked = [lemmas(word) for word in content_words(question)]
    topics = [forms for forms in asked if forms.isdisjoint(_GENERIC)] or asked
    said = [lemmas(word) for word in dict.fromkeys(content_words(reply))]
    if topics and not any(not one.isdisjoint(other) for one in topics for other in said):
        return Problem("question", "Your background takes up no word of the question. Explain it.")
    if sum(all(one.isdisjoint(other) for other in asked) for one in said) < MIN_NEW:
        text = "Your background only repeats the question. Add what one must know to answer it."
        return Problem("question", text)
    return None
