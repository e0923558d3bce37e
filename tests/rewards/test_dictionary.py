"""Which strings are words, and which contractions."""

import pytest

from corgi_gym.rewards.dictionary import MAX_WORD_CHARS, is_contraction, is_word


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("plane", True),
        ("PLANES", True),
        ("colour", True),
        ("a", True),
        ("I", True),
        ("O", True),
        ("b", False),
        ("plaen", False),
        ("Berlin", False),
        ("cs", False),  # in the graded list, and among its exclusions
        ("caf\u00e9", False),
        ("well-fed", False),
        ("", False),
    ],
)
def test_words(word, expected):
    assert is_word(word) is expected


def test_longer_strings_are_never_looked_up(monkeypatch):
    longest = "x" * MAX_WORD_CHARS
    monkeypatch.setattr(
        "corgi_gym.rewards.dictionary._graded", lambda: frozenset((longest, f"{longest}x"))
    )
    is_word.cache_clear()
    assert MAX_WORD_CHARS == 45  # of the longest word in any dictionary of English
    assert is_word(longest) and not is_word(f"{longest}x")
    is_word.cache_clear()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Don't", True),
        ("needn't", True),
        ("bxn't", False),
        ("can't", True),
        ("o'clock", True),
        ("dog's", True),
        ("boys'", True),
        ("they'll", True),
        ("you're", True),
        ("we've", True),
        ("he'd", True),
        ("I'm", True),
        ("qq's", False),
        ("qqs'", False),
        ("'s", False),
        ("dog", False),
        ("", False),
    ],
)
def test_contractions(word, expected):
    assert is_contraction(word) is expected
