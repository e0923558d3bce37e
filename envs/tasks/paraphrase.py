"""`paraphrase`: ask a question in another form (CORGI, source task).

The paper takes pairs of Quora questions (QQP-Pos) and asks for one with the syntax of the other.
The pairs are in no package, so a generator fills frames: each intent is asked in two or more forms,
one is the question, another the witness. With ``data=…`` pairs come from a data set (QQP's fields
``question1``, ``question2``).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.rewards.paraphrase import FORMS, MAX_CHARS, judge_paraphrase, shared_content
from corgi_gym.rewards.paraphrase import paraphrase as check_paraphrase
from corgi_gym.rewards.semantic import choose_checker
from corgi_gym.rewards.semantic.classifier import ParaphraseDetector
from corgi_gym.rewards.semantic.encoder import require_encoder
from corgi_gym.rewards.text import listing, words

PROMPT = (
    "Ask this question in another way: {question}\n"
    "Your question must start with {form}, ask exactly the same, and be one natural question. "
    "{keep}Do not copy the question. Write only the new question."
)
# Slots of the frames below. Words that the sentence check reads without doubt.
_SLOTS = {
    "skill": "Spanish; French; chess; German; algebra; Italian; English; Japanese; Latin; grammar",
    "how": "at home; in a year; without a teacher; at night; with a book; in the summer",
    "city": "Berlin; Rome; Lisbon; Oslo; Vienna; Dublin; Prague; Boston; Toronto; Sydney; Tokyo",
    "country": "France; Spain; Italy; Mexico; Canada; Brazil; Egypt; Portugal; Peru; Kenya; India",
    "ride": "ticket; flight; train ticket; bus ticket",
    "pet": "my cat; my dog; my rabbit; my parrot; my horse; our puppy; our kitten; my neighbor",
    "habit": "sleep under the bed; hide behind the sofa; shout at night; run in the garden; sit "
    "near the window; jump on the table; wait at the door; dig in the garden; stare at the wall",
    "goods": "shoes; bicycles; books; carpets; umbrellas; lamps; guitars; boots; toys; watches",
    "job": "pilot; nurse; teacher; dentist; judge; lawyer; baker; farmer; plumber; painter; chef",
    "food": "an apple; a banana; some bread; some cheese; an egg; some rice; a sandwich; some soup",
    "time": "before bed; in the morning; after lunch; at night; before a race; in the evening",
    "stain": "ink; coffee; wine; paint; oil; mud; rust; glue",
    "thing": "a shirt; a carpet; a sofa; a table; a jacket; a wall; a curtain; a tablecloth",
    "sight": "bridge; castle; church; tower; station; museum; library; stadium; theater",
    "day": "Monday; Tuesday; Wednesday; Friday; Saturday; Sunday; Thursday",
    "feast": "Easter; Christmas; the new year; a wedding; the end of the harvest",
    "drink": "tea; ginger; honey; water; milk; coffee; soup",
    "ill": "a cold; a headache; a fever; a cough; a toothache",
    "shop": "hotel; restaurant; gym; hospital; bakery; hostel; school; cinema",
    "topic": "the sea; a dragon; a lost ring; the moon; a lonely farmer; two sisters; a horse",
    "work": "novel; song; poem; book; play; story",
}  # fmt: skip
# One intent a line; its forms are parted by "|".
_INTENTS = """
How can I learn {skill} {how}? | What is the best way to learn {skill} {how}?
How much does a {ride} to {city} cost? | What is the price of a {ride} to {city}?
Why does {pet} {habit}? | What makes {pet} {habit}?
Where can I buy {goods} in {city}? | Which shops in {city} sell {goods}?
How can I become a {job} in {country}? | What do I need to do to become a {job} in {country}?
Should I eat {food} {time}? | Is it a good idea to eat {food} {time}?
How do I remove {stain} from {thing}? | What is the best way to remove {stain} from {thing}?
How large is the population of {city}? | What is the population of {city}?
How old is the {sight} in {city}? | What is the age of the {sight} in {city}?
When does the {sight} in {city} open on {day}? | What time does the {sight} in {city} open on {day}?
Does {drink} help against {ill}? | Is {drink} good for {ill}?
How far is {city} from {city2}? | What is the distance between {city} and {city2}?
Who is the author of the {work} about {topic}? | Which writer wrote the {work} about {topic}?
Which city is the capital of {country}? | What is the capital of {country}?
Who is the best {job} in {city}? | Which {job} in {city} is the best?
How do people in {country} celebrate {feast}? | What do people in {country} do to celebrate {feast}?
How tall is the {sight} in {city}? | What is the height of the {sight} in {city}?
Where is the nearest {shop} in {city}? | How do I find the nearest {shop} in {city}?
"""
INTENTS = tuple(
    tuple(form.strip() for form in line.split("|")) for line in _INTENTS.strip().split("\n")
)
_SLOT = re.compile(r"\{(\w+?)(2?)\}")


class Paraphrase(GeneratedOrRows):
    """Ask a given question in another form.

    Args:
        data: Question pairs from a data set with the fields ``question1`` and ``question2`` (and
            ``label``, ``is_duplicate``: rows that are no paraphrases are left out). The form is
            that of the second question; pairs of one form are left out.
        scorer: ``"embedded"``: the packaged sentence encoder. ``"paper"``: a paraphrase detector.
            Both need the extra ``semantic``.
        model: Hub id or folder for ``scorer="paper"``; default: the paper's.

    Raises:
        ValueError: For an unknown scorer.
        ImportError: Where the scorer's packages are missing.

    Example:
        >>> task = Paraphrase().item(seed=0, index=0)  # doctest: +SKIP
    """

    family = "paraphrase"
    summary = "Ask a given question in another form with the same meaning."

    def __init__(
        self, data: Source | None = None, scorer: str = "embedded", model: str | None = None
    ) -> None:
        self.checker = choose_checker(
            scorer,
            model,
            embedded=check_paraphrase,
            rule=judge_paraphrase,
            critic=ParaphraseDetector,
        )
        if self.checker is check_paraphrase:
            require_encoder("the family paraphrase")
        super().__init__(data, {"question1": str, "question2": str})

    def make(self, rng: np.random.Generator) -> Draft:
        """Draw an intent, fill its slots, and choose which form is given and which is asked for."""
        forms = INTENTS[int(rng.integers(len(INTENTS)))]
        filled: dict[str, str] = {}
        for slot, second in _SLOT.findall(" ".join(forms)):
            options = [text for text in _SLOTS[slot].split("; ") if text not in filled.values()]
            filled.setdefault(slot + second, options[int(rng.integers(len(options)))])
        order = [int(i) for i in rng.permutation(len(forms))[:2]]
        source, witness = (forms[i].format(**filled) for i in order)
        # one key for both directions: the answer of one is the prompt of the other. And for what
        # stands in the slots in any order: from Rome to Sydney it is as far as from Sydney to Rome
        key = f"{forms[0]} {'; '.join(sorted(filled.values()))}"
        return _draft(source, witness, key, witness, grammar=True)

    def draft(self, row: dict[str, Any]) -> Draft:
        """A pair of questions of a data set."""
        source, other = (" ".join(row[name].split()) for name in ("question1", "question2"))
        for name in ("label", "is_duplicate"):
            if str(row.get(name, 1)) not in ("1", "1.0", "True", "true"):
                raise BadRow(f"field {name!r} says that the questions are no paraphrases")
        for name, question in (("question1", source), ("question2", other)):
            if len(question) > MAX_CHARS or not question.endswith("?"):
                raise BadRow(f"field {name!r} is no question of at most {MAX_CHARS} characters")
        form = form_of(other)
        if form is None or form == form_of(source):
            raise BadRow(f"field 'question2' has no other form: {other!r:.60}")
        return _draft(source, other, source, "")

    def near_misses(self, task: Task) -> list[str]:
        """Copies, the wrong form, other meanings, lists, answers, and the prompt."""
        source, form = task.target["question"], task.target["form"]
        start = FORMS[form][0].capitalize()
        tail = source.partition(" ")[2] or source
        misses = [
            source,
            f"{start} {source[0].lower()}{source[1:]}",
            f"{start} {tail}",
            f"{start}?",
            f"{start} {' '.join(task.target['keep'])}?",
            f"{start} is the weather today?",
            f"{start} do you think about {listing(task.target['keep'])}?",
            "I do not know the answer.",
            task.prompt,
        ]
        if task.witness:
            body = task.witness[:-1]
            misses += [
                body,
                f"{body}.",
                f"{task.witness} {task.witness}",
                f"{task.witness} {source}",
                f"Question: {task.witness}",
            ]
            negated = re.sub(r"\b(is|does|do|can|should)\b", r"\1 not", body, count=1)
            misses += [f"{negated}?"] if negated != body else []
        return misses


def form_of(question: str) -> str | None:
    """The form that a question's first word has, or ``None``.

    Example:
        >>> form_of("Are cats clever?"), form_of("In which city?")
        ('is', None)
    """
    said = words(question.lower())
    return next((name for name, firsts in FORMS.items() if said and said[0] in firsts), None)


def _draft(source: str, other: str, key: str, witness: str, grammar: bool = False) -> Draft:
    keep = shared_content(source, other)
    form = form_of(other) or "what"
    start = listing([f'"{word.capitalize()}"' for word in FORMS[form]], "or")
    kept = f"Keep these words: {', '.join(keep)}. " if keep else ""
    prompt = PROMPT.format(question=source, form=start, keep=kept)
    target = {"question": source, "form": form, "keep": keep, "grammar": grammar}
    return Draft(key, prompt, target, witness)
