"""Text helpers: nothing invisible, nothing that a tokenizer reads as control, in linear time."""

import random
import re
import time
import unicodedata

import pytest

from corgi_gym.rewards.text import defuse, has_word, listing, normalise, plural, quote, words

# Written down here again, apart from the module's own pattern: what no feedback may hold.
TOKENS = (
    "<|im_start|>", "<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|start_header_id|>",
    "<|END_OF_TURN_TOKEN|>", "<｜User｜>", "<｜end▁of▁sentence｜>", "<s>", "</s>", "<bos>", "<eos>",
    "<pad>", "<unk>", "<mask>", "<start_of_turn>", "<end_of_turn>", "<think>", "</think>",
    "<tool_call>", "</tool_call>", "<repo_name>", "<jupyter_start>", "<image>", "[INST]", "[/INST]",
    "<<SYS>>", "<</SYS>>", "[TOOL_CALLS]", "[/SYSTEM_PROMPT]", "[PAD]", "[MASK]",
)  # fmt: skip
PIECES = (
    *TOKENS, "<", ">", "|", "<|", "|>", "[", "]", "/", "｜", "im_end", "s", "INST", "a b", "\n",
    " ", "\u200b", "\x00", "\x1b[0m", "\ud800", "\udc00", "\u202e", "\ufeff", "e\u0301", "\u0344",
    "\u2028", "\r\n", "😀", "\ufe0f", "\u034f", "\ue000", "中", "é",
)  # fmt: skip
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def hostile() -> list[str]:
    """Random strings assembled from tokens, halves of tokens and invisible characters."""
    rng = random.Random(0)
    return ["".join(rng.choices(PIECES, k=rng.randrange(1, 30))) for _ in range(3_000)]


def assert_visible(text: str) -> None:
    for character in text:
        allowed = character in "\n\t" or unicodedata.category(character) not in (
            "Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp",
        )  # fmt: skip
        assert allowed, ascii(text)


def test_normalise_is_idempotent_and_leaves_only_visible_nfc(hostile, fuzz_strings):
    for text in hostile + fuzz_strings:
        clean = normalise(text)
        assert normalise(clean) == clean, ascii(text)
        assert_visible(clean)
        assert unicodedata.is_normalized("NFC", clean)
        clean.encode()  # no lone surrogate is left


def test_normalise_keeps_ordinary_text():
    for text in ("", "plain", "two\nlines\tand a tab", "naïve café, 雪 😀", "“quotes” — dashes…"):
        assert normalise(text) == text


@pytest.mark.parametrize(
    ("dirty", "clean"),
    [
        ("e\u200b\u0301", "é"),  # composed only once the character between is gone
        ("a\r\nb\rc\u2028d\x0be\x85f", "a\nb\nc\nd\ne\nf"),
        ("\ud83d\ude00", "\U0001f600"),  # two halves of one character
        ("a\ud800b", "a\ufffdb"),
        ("w\u00ado\u2060r\ufeffd\x00", "word"),
        ("\u212a", "K"),  # KELVIN SIGN
        ("✔\ufe0f\u034f\u3164", "✔"),
    ],
)
def test_normalise_examples(dirty, clean):
    assert normalise(dirty) == clean


def test_defuse_leaves_no_control_token_and_keeps_the_limit(hostile):
    left = re.compile("|".join(map(re.escape, (*TOKENS, "<|", "|>", "<｜", "｜>"))), re.IGNORECASE)
    for text in hostile:
        for limit in (20, 600):
            safe = defuse(text, limit)
            assert len(safe) <= limit
            assert not re.search(left, safe), (ascii(text), ascii(safe))
            assert_visible(safe)


@pytest.mark.parametrize("outer", TOKENS)
def test_defuse_is_safe_on_tokens_nested_in_tokens(outer):
    for inner in TOKENS:
        for cut in range(1, len(outer)):
            safe = defuse(outer[:cut] + inner + outer[cut:], 100)
            assert outer not in safe and inner not in safe, safe


def test_defuse_is_the_identity_on_ordinary_sentences():
    for text in ('You wrote "3 < 4" and [a]. 5 > 2, so a|b.', "Use <= 3 words, f(x) -> y, i<3."):
        assert defuse(text, 600) == text


def test_quote_is_one_bounded_line_without_tokens(hostile):
    for text in hostile:
        shown = quote(text, 24)
        assert shown[0] == shown[-1] == '"' and len(shown) <= 26
        assert len(shown.splitlines()) == 1
        assert "<|" not in shown and "|>" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "\x00" * MEGABYTE,
        "\ud800" * MEGABYTE,
        "<|" * (MEGABYTE // 2),
        "<|im_end|>" * (MEGABYTE // 10),
        "<" * MEGABYTE,
        "[A" * (MEGABYTE // 2),
        "a" + "\u0316\u0301" * (MEGABYTE // 2),  # sorting such marks is quadratic
        "\u0344" * MEGABYTE,
        "e\u200b\u0301" * (MEGABYTE // 3),
        "".join(map(chr, range(MEGABYTE))),
    ],
    ids=lambda text: ascii(text[:4]),
)
def test_a_hostile_megabyte_is_handled_in_linear_time(text):
    start = time.process_time()
    normalise(text[:40_000])
    assert time.process_time() - start < 0.5  # quadratic code would not end below
    start = time.process_time()
    clean = normalise(text)
    defuse(text, 600)
    quote(text)
    assert time.process_time() - start < 5.0
    assert normalise(clean[:5_000]) == normalise(normalise(clean[:5_000]))


def test_words_keep_inner_apostrophes_and_hyphens_only():
    assert words("It's 'well-known' -- don’t stop!") == ["It's", "well-known", "don’t", "stop"]
    assert words("_ ... !") == []


def test_listing_and_plural():
    assert [listing(list("abc"[:n])) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listing(["a", "b"], "or") == "a or b"
    assert (plural(0, "word"), plural(1, "word")) == ("0 words", "1 word")


def test_ascii_text_has_the_same_words_as_any_other():
    rng = random.Random(0)
    for _ in range(2_000):
        text = "".join(rng.choices("aZ9'-_ .,\n", k=rng.randrange(30)))
        assert words(text) == words(f"{text} é")[:-1]


@pytest.mark.parametrize(
    ("text", "places", "expected"),
    [
        ("x -", (), True),
        ("- - -", (), False),
        ("x - y", (1,), True),
        ("x - y", (1, 4), False),
        ("x - y", (1, 5), True),
        ("x -", (1,), False),
    ],
)
def test_whether_a_word_stands_between_two_places(text, places, expected):
    assert has_word(text, *places) is expected
