"""Segments of replies, weighted examples, and the buffer of them."""

import itertools

import numpy as np
import pytest

from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import CharCodec
from corgi_gym.agents.replay import Example, Piece, ReplayBuffer, encode
from corgi_gym.agents.segments import Segment, token_segments

TEXTS = ["", "2 + 3 = 5\nAnswer: 5", "naïve café, 字 and 🙂!", "a  b\n\n c"]


@pytest.mark.parametrize("text", TEXTS)
def test_offsets_cover_the_text_of_a_reply(text, tiny_tokenizer):
    for codec in (ChatCodec(tiny_tokenizer), CharCodec()):
        ids = codec.reply(text)
        offsets = codec.offsets(ids)
        shown = codec.text(ids)
        assert len(offsets) == len(ids) and offsets[-1] == (len(shown), len(shown))
        assert [a for a, _ in offsets] == [0, *(b for _, b in offsets[:-1])]
        assert "".join(shown[a:b] for a, b in offsets) == shown


def test_offsets_know_that_text_is_stripped(tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    ids = codec.reply(" \n hi there \n")
    assert codec.text(ids) == "hi there"
    assert max(end for _, end in codec.offsets(ids)) == 8


def test_a_token_belongs_to_the_segment_that_it_shares_most_with():
    segments = [Segment("a", 0, 4), Segment("b", 5, 9)]
    offsets = [(0, 3), (3, 5), (4, 8), (8, 9), (9, 9)]
    assert token_segments(offsets, segments) == [0, 0, 1, 1, 1]
    assert token_segments([(4, 5), (9, 12)], segments) == [None, None]


def test_an_example_is_encoded_piece_by_piece():
    codec = CharCodec()
    example = Example("k", ("ask", "again"), ((Piece("no", 0.5),), (Piece("ye"), Piece("s", 2.0))))
    episode, weights = encode(example, codec)
    assert codec.text(episode.token_ids) == "asknoagainyes" and episode.demonstrated
    written = [w for w, m in zip(weights, episode.model_mask, strict=True) if m]
    assert written == [0.5, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0]  # with both ends of turn
    assert [w for w, m in zip(weights, episode.model_mask, strict=True) if not m] == [0.0] * 10
    assert [a.tokens for a in episode.attempts] == [3, 4]
    assert episode.turn_ends == [7, len(episode.token_ids)]
    opened, weights = encode(Example.single("k", "ask", "no", closed=False), codec)
    assert opened.token_ids[-1] == ord("o") and weights[-2:] == [1.0, 1.0]


def test_examples_that_are_none():
    with pytest.raises(ValueError, match="a reply for each message, got 2 messages and 1"):
        Example("k", ("a", "b"), ((Piece("c"),),))
    with pytest.raises(ValueError, match="finite numbers, got nan"):
        Example.single("k", "a", Piece("b", float("nan")))


def examples(kind, count):
    return [Example.single(kind, f"{kind} {i}", "x") for i in range(count)]


def test_a_buffer_holds_each_content_once_and_survives_the_disk(tmp_path):
    buffer = ReplayBuffer(examples("a", 3))
    assert buffer.extend([*examples("a", 4), Example.single("a", "a 0", Piece("x", 3.0))]) == 1
    assert buffer.counts() == {"a": 4}
    assert buffer.add(Example.single("a", "a 0", "x", closed=False))
    buffer.save(tmp_path / "b.jsonl")
    assert list(ReplayBuffer.load(tmp_path / "b.jsonl")) == list(buffer)
    (tmp_path / "bad.jsonl").write_text('{"kind": "a"}\n')
    with pytest.raises(ValueError, match=r"bad.jsonl, line 1 is no example: 'replies'"):
        ReplayBuffer.load(tmp_path / "bad.jsonl")


@pytest.mark.parametrize(
    ("ratio", "limit", "counts"),
    [
        (1.5, None, {"i": 30, "o": 20, "r": 20}),  # 30 / 70 is p = rho / (rho + 2) = 0.43
        (2.5, None, {"i": 30, "o": 12, "r": 12}),
        (0.5, None, {"i": 30, "o": 25, "r": 50}),  # there are no more
        (-1.0, None, {"i": 30, "o": 25, "r": 50}),
        (1.5, 35, {"i": 15, "o": 10, "r": 10}),
        (1.5, 2, {"i": 1}),
    ],
)
def test_balancing_by_hand(ratio, limit, counts):
    buffer = ReplayBuffer([*examples("r", 50), *examples("o", 25), *examples("i", 30)])
    taken = buffer.balanced("i", ratio, np.random.default_rng(0), limit)
    assert ReplayBuffer(taken).counts() == counts
    assert len(taken) == sum(counts.values())
    again = buffer.balanced("i", ratio, np.random.default_rng(0), limit)
    assert taken == again
    if taken:
        assert taken != buffer.balanced("i", ratio, np.random.default_rng(1), limit)


def test_where_one_has_too_many_others_these_are_cut_down():
    buffer = ReplayBuffer([*examples("r", 50), *examples("o", 25), *examples("i", 30)])
    taken = buffer.balanced("i", 0.1, np.random.default_rng(0), 20)  # 1 to 10 and 10: 21
    assert ReplayBuffer(taken).counts() == {"i": 1, "r": 9, "o": 9}
    assert ReplayBuffer(buffer.balanced("i", 0.1, np.random.default_rng(0), 21)).counts() == {
        "i": 1, "r": 10, "o": 10,
    }  # fmt: skip


@pytest.mark.parametrize("ratio", [1.5, -1.0])
def test_what_two_kinds_have_counts_for_the_first_and_the_other_takes_something_else(ratio):
    """A mended answer is often the task's rationale, word for word: there is enough of both."""
    own = [Example.single("o", f"task {i}", Piece("x", 1.5)) for i in range(60)]
    rationales = [Example.single("r", f"task {i}", "x") for i in range(64)]
    buffer = ReplayBuffer([*examples("i", 30), *own, *rationales])
    taken = buffer.balanced("i", ratio, np.random.default_rng(0))
    contents = [example.content for example in taken]
    assert len(set(contents)) == len(contents)
    expected = {"i": 30, "o": 20, "r": 20} if ratio > 0 else {"i": 30, "o": 60, "r": 4}
    assert ReplayBuffer(taken).counts() == expected


def test_what_is_measured_by_comes_first():
    """Improvements are all taken, also where another kind came first with the same content."""
    same = [Example.single(kind, f"task {i}", "x") for kind in "ri" for i in range(10)]
    taken = ReplayBuffer(same).balanced("i", 1.0, np.random.default_rng(0))
    assert ReplayBuffer(taken).counts() == {"i": 10}
    assert ReplayBuffer(examples("r", 5)).balanced("i", 1.0, np.random.default_rng(0)) == []


def test_draws_are_passes_over_the_buffer():
    buffer = ReplayBuffer(examples("a", 5))
    stream = buffer.draw(12, 0, np.random.default_rng)
    assert buffer.draw(4, 3, np.random.default_rng) == stream[3:7]
    for start, end in itertools.pairwise([0, 5, 10]):
        assert {e.messages for e in stream[start:end]} == {e.messages for e in buffer}
    assert ReplayBuffer().draw(3, 0, np.random.default_rng) == []
