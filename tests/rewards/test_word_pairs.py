"""Pairs of small words: a line of pairs for each rule, and what each rule lets through."""

import pytest

from corgi_gym.rewards.word_pairs import impossible

# Each class of words that a rule refuses has a pair of its own.
IMPOSSIBLE = """
the this | a my | my the | their every | the he | an me | your itself | every is | the had
whose should | the nor | our unless | its during | the why | my yet | the being | the both
very the | very she | very them | very was | very or | very while | very upon | very which
very again | very have | very two | very one
no the | no our | no they | no him | no are | no has | no of | no without | no how
no then | no be
this a | these me | those your | some them | any the
with he | of is | from did | at can | into of | during be | despite been
to are | for has | to he | for of | to been
he the | we our | they this | i she | she us | he with | they be | we being
me him | them been
can was | will did | must should | may us | might been | shall being
is was | am does | were may | are be | was them
has is | had did | have can | had be | has we
does are | did had | does might | did been
been i | being them | been were | being do | been could | being have
be we | be us | be is | be does | be must | be been
and but | or nor
because and | if us | when because | though whether | unless been | while be
two the | three my | four those | five they | six two | ten be | nine been
"""
POSSIBLE = """
the will | a must | my can | whose may | the old | very old
a not | the just | the then | no and | no because | no at | did at | could with | him has
no one | no can | no will | no to | no in | no on | no for | no as | no by
this is | some of | any will | of will | with his | with him | from among
and or | to can | for will | to be | for me | he is | they had
him is | them of | can of | will at | must have | may be | is him | are we | is not
has had | have to | had him | does he | did not | being of | be at
because if | although when | if he | when the | and if | two of | one the | ten is | cat of
"""


def pairs(text):
    return [tuple(pair.split()) for pair in text.strip().replace("\n", "|").split("|")]


@pytest.mark.parametrize("pair", pairs(IMPOSSIBLE), ids=" ".join)
def test_no_sentence_has(pair):
    assert impossible(*pair)


@pytest.mark.parametrize("pair", pairs(POSSIBLE), ids=" ".join)
def test_some_sentence_has(pair):
    assert not impossible(*pair)
