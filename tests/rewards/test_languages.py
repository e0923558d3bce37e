"""Telling languages apart, at the limits: letters, scripts, share of small words."""

import pytest

from corgi_gym.rewards.instructions._languages import identify, in_other_script

XQZ = "xqz xqz xqz "
# Letters of which none is a word, one Cyrillic word of Russian, one Latin word.
RU, LA = "что ", "xqzz "


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # twelve letters, in ASCII and in other scripts
        ("die und der da", None),
        ("die und der das", "de"),
        ("что они был", None),
        ("что они было", None),
        ("что они были", None),
        ("что они были и", None),
        ("что они был был", "ru"),
        # a tenth of the words are small words of the language; what has no letter is no word
        (f"und {XQZ * 3}", "de"),
        (f"und {XQZ * 3}xqz", None),
        (f"und -- 12 {XQZ * 3}", "de"),
        # words of two languages, or of three, decide nothing; one more word does
        (f"con {XQZ}xqz", None),
        (f"que {XQZ}xqz", None),
        (f"con que {XQZ}xqz", "es"),
        # marks around a word and typographic apostrophes
        (f"(\u201eund\u201c), {XQZ}xqz", "de"),
        (f"c\u2019est {XQZ}xqz", "fr"),
        (f"DON\u2019T {XQZ}xqz", "en"),
        # six different letters in a script of one language
        ("אבגדהו" * 2, "he"),
        ("אבגדה" * 3, None),
        # 60 % of the letters are of one script
        ("אבגדהו abcd", None),
        ("אבגדהואבגדהו abcdefgh", "he"),
        ("אבגדהואבגדהו abcdefghi", None),
        # Japanese: a fifth of the letters are kana, of either kind
        ("漢" * 12 + "はな", None),
        ("漢" * 10 + "はな", None),
        ("漢" * 12 + "はなア", "ja"),
        ("漢" * 12 + "アイウ", "ja"),
        ("はなみ" * 4, "ja"),
        ("漢" * 12, None),
        # kana and Chinese signs together are 60 % of the letters: 12 of 20, not 12 of 21
        ("漢" * 8 + "はなみは" + "a" * 8, "ja"),
        ("漢" * 8 + "はなみは" + "a" * 9, None),
        ("the house is by the river and we eat はな there", "en"),
        # scripts that are not told apart
        ("το σπίτι είναι κοντά στο ποτάμι", None),
    ],
)
def test_limits(text, code):
    assert identify(text) == code


def test_the_first_6000_letters_are_looked_at():
    """3,600 Russian ones are 60 % of them, and one Latin letter more would be too much."""
    text = LA * 600 + RU * 1_200
    assert identify(text) == "ru"
    assert identify(f"{text}{LA}") == "ru"
    assert identify(f"{LA}{text}") is None


def test_the_first_12000_characters_are_looked_at():
    german = "die und der das nicht"
    assert identify(" " * 11_980 + german) == "de"
    assert identify(" " * 12_000 + german) is None


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("το σπίτι μας", False),
        ("το σπίτι μας ω", False),
        ("το σπίτι μας είναι", True),
        ("漢" * 12, True),
        ("漢" * 11, False),
        ("漢" * 12 + "a" * 8, True),
        ("漢" * 12 + "a" * 9, False),
        ("что они были там", False),
        ("אבגדהו" * 2, False),
        ("the old river and so on", False),
        (" " * 11_988 + "漢" * 12, True),
        (" " * 11_989 + "漢" * 12, False),
    ],
)
def test_other_scripts(text, other):
    assert in_other_script(text) is other
