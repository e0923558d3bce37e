"""`style_transfer`: take the opinion out of a sentence, keep the facts (CORGI, held out).

The paper takes sentences of the Wiki Neutrality Corpus. They are in no package, so a generator
writes a neutral sentence about a public event and spoils it: loaded adjectives and adverbs, framing
by the writer, a verdict at the end, a loaded verb. The neutral sentence is the witness. With
``data=…`` sentences come from a data set (the corpus' fields ``src_raw`` and ``tgt_raw``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task, check_range, check_unused
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.rewards.semantic import choose_checker
from corgi_gym.rewards.semantic.classifier import StyleClassifier
from corgi_gym.rewards.semantic.subjective_lexicon import find, neutral_content
from corgi_gym.rewards.style_transfer import MAX_CHARS, judge_neutral
from corgi_gym.rewards.style_transfer import style_transfer as check_style


def _words(text: str) -> list[str]:
    return text.split()


def _items(text: str) -> list[str]:
    return text.split("; ")


PROMPT = (
    "Rewrite this sentence in a neutral style: {source}\n"
    "Leave out or replace everything that shows opinion, praise, blame, emotion or doubt. Keep "
    "every fact, in the same words and order, and add nothing. Write only the new sentence."
)
MAX_COUNT = 4
_COUNT = (1, 3)

# Subjects; actions with * where an adjective fits (said: an action of speech); times and places.
_DOMAINS = (
    (
        "the *mayor of {city}; the *governor; the *president; the *council; the *minister; the "
        "*senator; the *ambassador",
        "approved the *budget; closed two *schools; raised the *taxes; opened the *bridge; signed "
        "the *treaty; rejected the *proposal; met the *workers; visited {city}; sold the *land",
        "in {month}; in {year}; on {day}; in the spring; after the *election; before the vote",
    ),
    (
        "the *director; the *actor; the *studio; the *writer; the *singer; the *painter; the "
        "*composer",
        "made the *film; finished the *novel; recorded the *album; left the *festival; wrote the "
        "*song; moved to {city}; painted the *portrait; sold the *paintings; cancelled the *tour",
        "in {month}; in {year}; on {day}; in the autumn; after the *premiere; in {city}",
    ),
    (
        "the *team; the *coach; the *captain; the *club; the *goalkeeper; the *runner",
        "won the *match; lost the *final; changed the *rules; left the *club; trained the "
        "*players; bought the *stadium; played in {city}; signed the *contract",
        "in {month}; in {year}; on {day}; in the summer; after the *season; before the break",
    ),
    (
        "the *company; the *manager; the *bank; the *factory; the *owner; the *airline",
        "closed the *office; built the *factory; hired the *engineers; sold the *shares; bought "
        "the *newspaper; cut the *prices; opened the *store in {city}; dismissed the *staff",
        "in {month}; in {year}; on {day}; in the winter; after the *meeting; before the holidays",
    ),
    (
        "the *university; the *professor; the *museum; the *scientist; the *librarian; the "
        "*doctor; the *engineer",
        "published the *report; repeated the *experiment; opened the *exhibition; tested the "
        "*medicine; designed the *engine; moved the *collection to {city}; taught the *students",
        "in {month}; in {year}; on {day}; in the spring; after the *conference; before the war",
    ),
)  # fmt: skip
_SPEECH = [
    "the team won the race",
    "the plan was ready",
    "the bridge was safe",
    "the project was on time",
    "the company needed the money",
    "the road was open",
    "the number of visitors grew",
    "the work was done",
]
# Loaded verbs for "said".
_LOADED = ("boasted", "claimed", "insisted", "admitted", "bragged", "confessed")
_CITIES = _words(
    "Berlin Rome Lisbon Oslo Vienna Dublin Prague Boston Toronto Sydney Tokyo Cairo Lima "
    "Helsinki Geneva Houston Denver Munich Milan"
)
_MONTHS = _words("January February March April May June July September October November")
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_ADJECTIVES = _words(
    "brilliant incompetent greedy wonderful terrible ridiculous magnificent corrupt "
    "heroic pathetic visionary reckless legendary shameful outstanding pointless gorgeous "
    "hideous amazing awful disgraceful superb selfish lousy clever stupid extraordinary "
    "mediocre infamous glorious outrageous disastrous splendid useless"
)
_ADVERBS = (
    (
        "foolishly wisely shamefully bravely recklessly brilliantly stupidly heroically finally-x "
        "predictably rightly wrongly stubbornly generously greedily shamelessly cleverly carelessly"
    )
    .replace("finally-x ", "")
    .split()
)
_FRAMES = _items(
    "Sadly,; Fortunately,; Of course,; Unfortunately,; Surprisingly,; Needless to say,; "
    "Clearly,; To nobody's surprise,; In my opinion,; As everyone knows,; Thank "
    "goodness,; Believe it or not,; Without a doubt,; Obviously,; Regrettably,; Luckily,; "
    "It is a shame that; It is obvious that; It is wonderful that; It is outrageous that; "
    "Some people say that; I think that; We all know that; Tragically,; Thankfully,"
)
_VERDICTS = _items(
    "which was a complete disaster; which was a stroke of genius; which was a huge "
    "mistake; which was the right thing to do; which nobody should forgive; which "
    "everyone should admire; which was long overdue; what a shame; which was a disgrace"
)


class StyleTransfer(GeneratedOrRows):
    """Rewrite a subjective sentence neutrally and keep its facts.

    Args:
        count: Smallest and largest number of subjective parts, within 1 and 4.
        data: Sentences from a data set with the fields ``src_raw`` and ``tgt_raw``; those in which
            the lexicon finds nothing subjective are left out.
        scorer: ``"embedded"``: a lexicon. ``"paper"``: a style classifier (extra ``semantic``).
        model: Hub id or folder for ``scorer="paper"``; default: the paper's.

    Raises:
        ValueError: For a value outside these bounds.
        ImportError: For ``scorer="paper"`` without torch and transformers.

    Example:
        >>> task = StyleTransfer().item(seed=0, index=0)
        >>> find(task.witness), len(find(task.target["source"])) > 0
        ([], True)
    """

    family = "style_transfer"
    summary = "Rewrite a subjective sentence neutrally and keep its facts."

    def __init__(
        self,
        count: tuple[int, int] = _COUNT,
        data: Source | None = None,
        scorer: str = "embedded",
        model: str | None = None,
    ) -> None:
        self.count = check_range(count, "count", 1, MAX_COUNT)
        if data is not None:
            check_unused("data", count=(self.count, _COUNT))
        self.checker = choose_checker(
            scorer, model, embedded=check_style, rule=judge_neutral, critic=StyleClassifier
        )
        super().__init__(data, {"src_raw": str, "tgt_raw": str})

    def make(self, rng: np.random.Generator) -> Draft:
        """Write a neutral sentence, then spoil it in as many places as asked for."""

        def pick(options: list[str]) -> str:
            return options[int(rng.integers(len(options)))]

        subjects, actions, times = (
            part.split("; ") for part in _DOMAINS[int(rng.integers(len(_DOMAINS)))]
        )
        subject = pick(subjects)
        verb, _, rest = pick(actions).partition(" ")
        loaded = verb
        if rng.integers(6) == 0:
            verb, loaded, rest = "said", pick(list(_LOADED)), f"that {pick(_SPEECH)}"
            when = ""
        else:
            when = f" {pick(times)}"
        neutral = [subject, verb, rest + when]
        for place, options in (("{city}", _CITIES), ("{month}", _MONTHS), ("{day}", _DAYS)):
            neutral = [part.replace(place, pick(options)) for part in neutral]
        neutral = [part.replace("{year}", str(1900 + int(rng.integers(120)))) for part in neutral]
        wanted = int(rng.integers(self.count[0], self.count[1] + 1))
        core = " ".join(neutral).replace("*", "")
        spoiled = _spoil(rng, neutral, loaded, wanted)
        witness = f"{core[0].upper()}{core[1:]}."
        return _draft(f"{spoiled[0].upper()}{spoiled[1:]}.", witness, core)

    def draft(self, row: dict[str, Any]) -> Draft:
        """A sentence of the corpus; its neutral version is the witness where it passes.

        With ``scorer="paper"`` none is known: asking that model for every row would take hours.
        """
        source, neutral = (" ".join(row[name].split()) for name in ("src_raw", "tgt_raw"))
        if len(source) > MAX_CHARS:
            raise BadRow(f"field 'src_raw' has {len(source)} characters; at most {MAX_CHARS} fit")
        if not find(source) or not neutral_content(source):
            raise BadRow(f"field 'src_raw' has nothing subjective that is known: {source!r:.60}")
        draft = _draft(source, "", source, grammar=False)
        passes = self.checker is check_style and check_style(neutral, draft.target).success
        return Draft(draft.key, draft.prompt, draft.target, neutral if passes else "")

    def near_misses(self, task: Task) -> list[str]:
        """The source, the witness with opinion, without facts, with more, spoiled, the prompt."""
        source = task.target["source"]
        parts = [span.text for span in find(source)]
        if not task.witness:
            return [source, " ".join(neutral_content(source)), task.prompt, " ".join(parts)]
        body = task.witness[:-1]
        words = body.split()
        low = body[0].lower() + body[1:]
        return [
            source,
            f"Sadly, {low}.",
            f"{body}, which was a disgrace.",
            f"{' '.join(words[:2])}.",
            f"{' '.join(reversed(words))}.",
            " ".join(neutral_content(source)),
            f"{body} and the king died.",
            body,
            f"{task.witness} {task.witness}",
            f"Here is the neutral sentence: {task.witness}",
            f"It is not true that {low}.",
            "The council approved the plan on a day in a year.",
            task.prompt,
        ]


def _spoil(rng: np.random.Generator, neutral: list[str], loaded: str, wanted: int) -> str:
    """Put ``wanted`` subjective parts into a neutral sentence (subject, verb, rest)."""
    subject, verb, rest = neutral
    ways = ["front", "adverb", *["subject"] * ("*" in subject), *["rest"] * ("*" in rest)]
    ways += ["verdict"] if "that " not in rest else []
    chosen = {ways[int(i)] for i in rng.permutation(len(ways))[:wanted]}
    if loaded != verb:  # speech: the verb is loaded always, and counts
        chosen = set(sorted(chosen)[: wanted - 1])
        verb = loaded
    adjectives = [_ADJECTIVES[int(i)] for i in rng.permutation(len(_ADJECTIVES))[:2]]
    if "subject" in chosen:
        subject = subject.replace("*", f"{adjectives[0]} ", 1)
    if "rest" in chosen:
        rest = rest.replace("*", f"{adjectives[1]} ", 1)
    if "adverb" in chosen:
        verb = f"{_ADVERBS[int(rng.integers(len(_ADVERBS)))]} {verb}"
    text = f"{subject} {verb} {rest}".replace("*", "")
    if "front" in chosen:
        text = f"{_FRAMES[int(rng.integers(len(_FRAMES)))]} {text}"
    if "verdict" in chosen:
        text = f"{text}, {_VERDICTS[int(rng.integers(len(_VERDICTS)))]}"
    return text


def _draft(source: str, witness: str, key: str, grammar: bool = True) -> Draft:
    target = {"source": source, "grammar": grammar}
    return Draft(key, PROMPT.format(source=source), target, witness)
