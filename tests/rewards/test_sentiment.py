"""The checker of `sentiment`: what class it reads, and that tone alone does not pass."""

import pytest

from corgi_gym.rewards import get_checker, judge
from corgi_gym.rewards.semantic.sentiment_lexicon import read_stars
from corgi_gym.rewards.sentiment import sentiment

READINGS = """
5 The lamp is excellent, and I love it.
5 I am very happy with this kettle.
5 This is the best pillow that I have ever owned.
5 I would buy it again, and I highly recommend it.
5 It could not be better.
5 Everything about this tent is perfect.
4 The kettle is good.
4 It works well, but the cable is a bit short.
4 The handle feels sturdy, and the water boils quickly.
4 I can recommend it.
4 Not bad at all.
4 It is a nice bag, and it does its job.
4 It would be hard to say that it is bad, but I like it.
5 I can't recommend this lamp enough.
5 It exceeded all my expectations.
5 This lamp is a gem.
2 I expected more.
2 The lamp would be better with a bulb.
5 I would be happy to buy it again.
3 It does its job.
3 The lamp is acceptable.
3 The lamp is usable.
3 The lamp is okay.
3 The lamp is fine, but nothing special.
3 The lamp looks nice, but the cable is too short.
3 I like the color, but the zipper is flimsy.
3 It is neither good nor bad.
3 An average product.
2 The kettle is bad.
2 I am disappointed with this kettle because the lid is loose.
2 It isn't great.
2 I would not buy it again.
2 The quality is poor, although it looks nice.
2 I can't recommend it.
1 The kettle is terrible, and it broke after one day.
1 It does not work, and I want my money back.
1 This bag was a waste of money.
1 I expected an excellent lamp, but it was terrible.
1 I hate it.
1 The handle fell apart, and the rest is useless.
""".strip().split("\n")

# Idioms whose words alone say the opposite, or nothing.
IDIOMS = """
2 This lamp is far from perfect.
2 The lamp is less than perfect.
2 The lamp is anything but perfect.
2 The lamp is the opposite of perfect.
2 It is impossible to love this lamp.
2 Few people love this lamp.
5 It is impossible not to love this lamp.
5 The lamp is nothing short of amazing.
5 Without a doubt, the lamp is excellent.
5 I do not doubt that the lamp is excellent.
5 Far from home, I love this lamp.
5 I love this lamp after a few days.
5 I could not be more pleased with this lamp.
5 I couldn't be more pleased with this lamp.
5 I could not ask for a better lamp.
5 I have never been happier with a lamp.
5 I have never owned a better lamp.
5 There is no better lamp.
5 There is not a better lamp.
5 Nothing is better than this lamp.
1 I could not be more disappointed with this lamp.
1 I have never owned a worse lamp.
2 The lamp is not better.
2 The lamp is no better.
3 The lamp is okay, but no better.
2 I could not make it better.
2 The lamp never got better.
2 The lamp is not more useful.
5 I love this lamp, and it never fails.
4 The lamp never breaks.
4 The lamp does not break.
1 The lamp never fails to disappoint.
""".strip().split("\n")

GAMES = """
great great great
excellent, perfect, amazing, wonderful
Excellent! Excellent! Excellent!
five stars
5 stars
5/5
This lamp earns five stars.
I rate this lamp 5 of 5.
The lamp is a 5-star lamp.
★★★★★ for this lamp
I love it.
It is excellent.
This product is excellent.
An excellent product, and I love it.
Lamp.
Lamp excellent.
lamp love perfect
The lamp.
The lamp is a lamp.
The lamp is here.
The lamp is not excellent.
The lamp is not very good.
I never said that the lamp is excellent.
The lamp is excellent, but it is terrible.
The lamp is terrible.
The lamp is okay.
If the lamp were excellent, I would love it.
I expected an excellent lamp.
I hoped that the lamp would be perfect.
Is this lamp excellent?
The lamp, the chair, the bag and the table are excellent.
A lamp, a kettle, a tent, a radio and a coat are perfect.
The lamp is excellent. The lamp is excellent.
The lamp is excellent. The kettle is excellent. The tent is excellent. The coat is excellent. Yes.
Lamp, chair, table, bag and kettle: excellent, perfect and amazing.
excellent lamp excellent lamp excellent lamp
Write a short review of this lamp that is excellent
Review: excellent lamp
Positive.
The review is very positive about the lamp rating.
Brass table lamp
LAMP IS EXCELLENT AND PERFECT
The lamp excellent is, love I it.
I love lamp.
Excellent lamp\nPerfect lamp
""".strip().split("\n")
LAMP = {"product": "Brass table lamp", "names": ["lamp"], "stars": 5}


@pytest.mark.parametrize("row", READINGS)
def test_readings(row):
    reading = read_stars(row[2:])
    assert (reading.stars, reading.opinions > 0) == (int(row[0]), True), reading


@pytest.mark.parametrize("row", IDIOMS)
def test_idioms_are_read_as_a_whole(row):
    reading = read_stars(row[2:])
    assert (reading.stars, reading.opinions > 0) == (int(row[0]), True), reading


@pytest.mark.parametrize(
    "reply",
    [
        "The lamp would be great with a bulb.",
        "It would have been perfect.",
        "I doubt that the lamp is excellent.",
        "I would hate to lose this lamp.",
    ],
)
def test_what_is_doubted_or_imagined_is_no_opinion(reply):
    assert read_stars(reply).opinions == 0
    assert not any(judge(sentiment, reply, {**LAMP, "stars": stars}).success for stars in (1, 5))


@pytest.mark.parametrize(
    ("reply", "stars"),
    [
        ("I could not be more pleased with this lamp.", 5),
        ("I have never owned a better lamp.", 5),
        ("I love this lamp, and it never fails.", 5),
        ("There is no better lamp.", 5),
        ("This lamp is far from perfect.", 2),
    ],
)
def test_idioms_solve_the_class_that_they_mean(reply, stars):
    for asked in range(1, 6):
        assert judge(sentiment, reply, {**LAMP, "stars": asked}).success == (asked == stars)


@pytest.mark.parametrize("example", get_checker("sentiment").examples)
def test_declared_examples(example):
    assert judge(sentiment, example.reply, example.target).success == example.passes


@pytest.mark.parametrize("reply", GAMES)
def test_games_lose(reply):
    assert judge(sentiment, reply.replace("\\n", "\n"), LAMP).score <= 0.3


def test_at_least_forty_games():
    assert len(set(GAMES)) >= 40


@pytest.mark.parametrize(
    ("reply", "stars", "message"),
    [
        ("The lamp is okay.", 5, "Your review reads as 3 of 5. Write one that reads as 5 of 5 "
         "(very good: enthusiastic)."),
        ("The lamp is here.", 5,
         "I find no opinion in your review. Say how good or bad the product is."),
        ("I love it.", 5, "Name the product: write lamp in your review."),
        ("The lamp is perfect, and it gets 5 stars.", 5,
         'Do not write "stars": let your words show how good the product is.'),
    ],
)  # fmt: skip
def test_exact_feedback(reply, stars, message):
    verdict = judge(sentiment, reply, {**LAMP, "stars": stars})
    assert verdict.problems[0].message == message


def test_partial_credit_falls_with_the_distance():
    reviews = {5: "I love this lamp.", 4: "The lamp is good.", 3: "The lamp is okay.",
               2: "The lamp is bad.", 1: "The lamp is terrible."}  # fmt: skip
    for asked, right in reviews.items():
        assert judge(sentiment, right, {**LAMP, "stars": asked}).success
        for said, review in reviews.items():
            score = judge(sentiment, review, {**LAMP, "stars": asked}).score
            assert score == {0: 1.0, 1: 0.3, 2: 0.2, 3: 0.1, 4: 0.0}[abs(asked - said)]


@pytest.mark.parametrize(
    "reply",
    ["The lamp is perfect for my desk, my bed and my kitchen.", "Wow, what a beautiful lamp!",
     "The light of this lamp is beautiful.\n\nI love it.", "The lamp shines like a rock star. I "
     "love it.", "I love this lamp, and its light points in every direction."],
)  # fmt: skip
def test_natural_reviews_pass(reply):
    assert judge(sentiment, reply, LAMP).problems == ()


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("I love the lamp, the chair and the bag.", "list"),
        ("The lamp, the chair, and the bag are excellent.", "list"),
        ("I love this bag, this chair and this lamp.", "list"),
        ("I love this lamp, and it scores ten points.", "rating"),
        ("I love this lamp, and its score is full stars.", "rating"),
        ("I love this lamp, which scores a ten.", "rating"),
    ],
)
def test_lists_of_products_and_ratings_are_refused(reply, kind):
    assert kind in [p.kind for p in judge(sentiment, reply, LAMP).problems]


def test_any_string_is_judged(fuzz_strings):
    for reply in fuzz_strings:
        verdict = judge(sentiment, reply, LAMP)
        assert verdict.status == "scored" and not verdict.success
