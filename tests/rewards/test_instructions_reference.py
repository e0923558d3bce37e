"""Reference mode: recorded verdicts of the published checkers, and the parts it is made of.

`data/ifeval_verdicts.json` holds verdicts of the published code on 160 replies times the 380
distinct instructions of the 541 rows; `benchmarks/peers/ifeval_reference.py` records it anew.
"""

import builtins
import json
from pathlib import Path

import pytest

from corgi_gym.rewards.instructions import instruction_following, kind_names, read_target
from corgi_gym.rewards.instructions._langdetect import NoLanguage, _tables, detect
from corgi_gym.rewards.instructions._punkt import count_sentences, punkt_spans
from corgi_gym.rewards.instructions._treebank import count_capital_words
from corgi_gym.rewards.instructions.reply import Reply

RECORDED = json.loads(
    (Path(__file__).parent / "data/ifeval_verdicts.json").read_text(encoding="utf-8")
)
# What asks for a language needs langdetect's tables (extra "text").
_LANGUAGE = (
    "language:response_language",
    "change_case:english_capital",
    "change_case:english_lowercase",
)


def _recorded(reply_number):
    size = len(RECORDED["instructions"])
    return format(int(RECORDED["verdicts"][reply_number], 16), f"0{size}b")


def _differences(kinds):
    """(instruction, reply, recorded verdict) where ours is another."""
    chosen = [(i, row) for i, row in enumerate(RECORDED["instructions"]) if row["kind"] in kinds]
    read = {
        i: read_target({"mode": "reference", "instructions": [row]}).instructions[0]
        for i, row in chosen
    }
    found, compared = [], 0
    for number, reply in enumerate(RECORDED["replies"]):
        view, verdicts = Reply(reply), _recorded(number)
        for i, row in chosen:
            ours = bool(reply.strip()) and read[i].problem(view, "reference") is None
            compared += 1
            if ours != (verdicts[i] == "1"):
                found.append((row, reply, verdicts[i]))
    return found, compared


def test_the_sample_covers_every_published_kind_with_both_verdicts():
    assert len(RECORDED["instructions"]) == 380 and len(RECORDED["rows"]) == 541
    assert len(RECORDED["replies"]) == 160
    seen = {}
    for number in range(len(RECORDED["replies"])):
        for row, bit in zip(RECORDED["instructions"], _recorded(number), strict=True):
            seen.setdefault(row["kind"], set()).add(bit)
    assert seen == {kind: {"0", "1"} for kind in kind_names(published=True)}


def test_verdicts_are_the_published_ones():
    kinds = set(kind_names(published=True)) - set(_LANGUAGE)
    found, compared = _differences(kinds)
    assert compared > 50_000 and found == []


def test_verdicts_on_languages_are_the_published_ones():
    pytest.importorskip("langdetect")
    found, compared = _differences(_LANGUAGE)
    assert compared > 3_000 and found == []


def test_the_checker_scores_rows_by_their_share():
    rows = [own for own in RECORDED["rows"].values() if len(own) > 1][:40]
    language = [i for i, row in enumerate(RECORDED["instructions"]) if row["kind"] in _LANGUAGE]
    for number in range(0, len(RECORDED["replies"]), 16):
        reply, verdicts = RECORDED["replies"][number], _recorded(number)
        for own in rows:
            if set(own) & set(language):
                continue
            target = {
                "mode": "reference",
                "instructions": [RECORDED["instructions"][i] for i in own],
            }
            share = sum(verdicts[i] == "1" for i in own) / len(own)
            verdict = instruction_following(reply, target)
            assert verdict.score == pytest.approx(share)
            assert verdict.success == (share == 1.0)


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("", []),
        ("No mark", ["No mark"]),
        ("Mr. Smith came. He left.", ["Mr. Smith came.", "He left."]),
        ("1. One. 2. Two.", ["1.", "One.", "2.", "Two."]),
        ("Really?! Yes... no.", ["Really?!", "Yes... no."]),
        ('He said "go." Then he went.', ['He said "go."', "Then he went."]),
        ("It is 3.14 now. OK", ["It is 3.14 now.", "OK"]),
        ("Acme Inc. was sold. J. Bach wrote it.", ["Acme Inc. was sold.", "J. Bach wrote it."]),
        ("a. b? c! d", ["a. b?", "c!", "d"]),
    ],
)
def test_punkt(text, sentences):
    assert [text[a:b] for a, b in punkt_spans(text)] == sentences
    assert count_sentences(text) == len(sentences)


@pytest.mark.parametrize(
    "text, number",
    [
        ("nothing here", 0),
        ("I AM A CAT", 4),
        ("I'M HERE", 3),
        ("CANNOT", 2),
        ("GO:NOW,PLEASE", 3),
        ("WELL-KNOWN A/B", 2),
        ("U.S. X1 3D", 3),
        ("WANNA GO", 3),
        ("CamelCase iOS", 0),
    ],
)
def test_treebank_capitals(text, number):
    assert count_capital_words(text) == number


def test_langdetect_is_followed_exactly():
    factory = pytest.importorskip("langdetect").detector_factory
    factory.init_factory()
    factory._factory.seed = 0
    texts = [reply for reply in RECORDED["replies"] if reply.strip()][::6]
    for text in texts:
        detector = factory._factory.create()
        detector.seed = 0
        detector.append(text)
        try:
            asked = detector.detect()
        except Exception:
            with pytest.raises(NoLanguage):
                detect(text)
        else:
            assert detect(text) == asked, text[:80]


def test_without_langdetect_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def no_langdetect(name, *args, **kwargs):
        if name.startswith("langdetect"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_langdetect)
    _tables.cache_clear()
    try:
        with pytest.raises(ImportError, match=r"corgi-gym\[text\]"):
            detect("hello there")
    finally:
        _tables.cache_clear()


def test_reference_mode_takes_the_letter_of_seed_zero_for_other_characters():
    row = {"let_frequency": 2, "let_relation": "at least", "letter": "#"}
    target = {
        "mode": "reference",
        "instructions": [{"kind": "keywords:letter_frequency", "kwargs": row}],
    }
    assert not instruction_following("## ##", target).success
    letter = next(
        c for c in map(chr, range(97, 123)) if instruction_following(c * 2, target).success
    )
    assert instruction_following(letter.upper() * 2, target).success
