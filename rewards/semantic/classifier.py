"""The paper's critics, by hub id or folder, through transformers.

One class per task; each has the interface that the task's rule asks for, so a rule does not know
who judges. Models are loaded at the first judgement, in float32, once per process, and a text is
judged alone (no padding), so its verdict does not depend on its company. They pickle as their name.

Needs torch and transformers (extra ``semantic``) and, for hub ids, the weights: nothing is bundled.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from corgi_gym.rewards.extras import require_modules
from corgi_gym.rewards.semantic.encoder import DECIMALS

# What the released code of CORGI (arXiv 2411.01483) loads.
REVIEW_MODEL = "LiYuan/amazon-review-sentiment-analysis"
STYLE_MODEL = "cffl/bert-base-styleclassification-subjective-neutral"
PARAPHRASE_MODEL = "AMHR/adversarial-paraphrasing-detector"
SENTENCE_MODEL = "princeton-nlp/sup-simcse-bert-base-uncased"

# Longest input in tokens; these encoders take 512.
_MAX_TOKENS = 256
# Judgements kept per model.
_CACHE = 1 << 13
# Checkers are called in threads, and a fast tokenizer that truncates is not safe there.
_LOCK = threading.Lock()


@dataclass(frozen=True)
class _Model:
    """A model by name; subclasses say what its output means.

    Args:
        name: Hub id or folder; ``None``: the paper's.

    Raises:
        ImportError: If torch or transformers is missing.
    """

    name: str | None = None

    def __post_init__(self) -> None:
        require_modules("scorer='paper'", "semantic", "torch", "transformers")


class ReviewClassifier(_Model):
    """How many stars a review has; the model has five classes, from one star to five."""

    def read(self, text: str) -> tuple[int, bool]:
        """The class from 1 to 5, and that there is an opinion (the model always finds one)."""
        scores = _class_scores(self.name or REVIEW_MODEL, text, None)
        return scores.index(max(scores)) + 1, True


class StyleClassifier(_Model):
    """Whether a sentence is neutral; the model's classes are SUBJECTIVE and NEUTRAL."""

    def subjective(self, text: str) -> list[str]:
        """Empty for a neutral sentence, else one line that says that it is not."""
        name = self.name or STYLE_MODEL
        scores = _class_scores(name, text, None)
        neutral = _class_index(name, "neutral", 1)
        return [] if scores.index(max(scores)) == neutral else ["the sentence as a whole"]


class ParaphraseDetector(_Model):
    """Whether two sentences are paraphrases; class 1 of the model says yes."""

    def same(self, one: str, other: str) -> bool:
        """Whether they are paraphrases."""
        scores = _class_scores(self.name or PARAPHRASE_MODEL, one, other)
        return scores.index(max(scores)) == 1


class SentenceModel(_Model):
    """Sentence vectors of SimCSE (Gao et al., arXiv 2104.08821): the first token's."""

    threshold = 0.3

    def similarity(self, first: str, continuation: str) -> float:
        """The cosine of the two texts' vectors."""
        name = self.name or SENTENCE_MODEL
        one, other = _first_vector(name, first), _first_vector(name, continuation)
        return round(float((one @ other) / (one.norm() * other.norm())), DECIMALS)


@lru_cache(maxsize=4)
def _load(name: str, kind: str) -> tuple[Any, Any]:
    import transformers

    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(name)
        model = getattr(transformers, kind).from_pretrained(name)
    except OSError as error:
        raise ValueError(
            f"scorer='paper': the model {name!r} could not be loaded; check the name, and that the "
            f"hub can be reached or the files are in its cache ({str(error).splitlines()[0]})"
        ) from error
    return tokenizer, model.float().eval()


@lru_cache(maxsize=_CACHE)
def _class_scores(name: str, one: str, other: str | None) -> tuple[float, ...]:
    import torch

    with _LOCK, torch.inference_mode():
        tokenizer, model = _load(name, "AutoModelForSequenceClassification")
        batch = tokenizer(one, other, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        return tuple(model(**batch).logits[0].tolist())


def _class_index(name: str, label: str, default: int) -> int:
    """Which class carries ``label`` in its name."""
    labels = _load(name, "AutoModelForSequenceClassification")[1].config.id2label
    return next((int(i) for i, text in labels.items() if label in str(text).lower()), default)


@lru_cache(maxsize=_CACHE)
def _first_vector(name: str, text: str) -> Any:
    import torch

    with _LOCK, torch.inference_mode():
        tokenizer, model = _load(name, "AutoModel")
        batch = tokenizer(text, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        return model(**batch).last_hidden_state[0, 0].clone()
