"""`sentiment`: a short review of a product that reads like 1 to 5 stars (CORGI, source task).

The paper takes product titles from Amazon and draws the stars. Its titles are in no package, so a
generator makes them (material, thing, detail); with ``data=…`` titles come from a data set.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task, check_range, stable_hash
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.rewards.lexicon import CLOSED, lemmas, readings
from corgi_gym.rewards.semantic import choose_checker
from corgi_gym.rewards.semantic.classifier import ReviewClassifier
from corgi_gym.rewards.sentiment import CLASSES, judge_review
from corgi_gym.rewards.sentiment import sentiment as check_sentiment
from corgi_gym.rewards.text import words

PROMPT = (
    "Write a short customer review of this product: {product}\n"
    "The review should read like {stars} of 5 stars ({meaning}). Name the product ({names}), write "
    "one to four sentences in plain English, use no word more than twice (apart from small ones "
    'such as "the"), and do not mention stars, points or a rating.'
)
# Longest title that is shown; Amazon has titles of a whole paragraph.
MAX_TITLE_CHARS = 160

# Things by the kind of word that goes with them.
_KINDS = {
    "kitchen": (
        "kettle teapot frying-pan saucepan toaster blender knife spoon bowl plate mug grater whisk "
        "colander tray jar bottle lunchbox corkscrew ladle spatula thermometer scale apron "
        "juicer teacup jug peeler wok",
        "steel; glass; ceramic; wooden; copper; enamel; bamboo; silicone",
    ),
    "room": (
        "lamp chair desk mirror shelf clock cushion curtain carpet sofa stool candle vase basket "
        "blanket pillow mattress bookcase wardrobe bench doormat drawer hanger footrest lantern",
        "wooden; brass; wicker; velvet; foldable; white; modern; small; round",
    ),
    "wear": (
        "jacket coat sweater scarf hat glove boot sandal shirt dress skirt belt raincoat bathrobe "
        "backpack handbag suitcase wallet purse umbrella watch necklace bracelet ring sneaker vest",
        "leather; cotton; woollen; waterproof; blue; black; red; summer; winter",
    ),
    "device": (
        "radio speaker keyboard printer monitor headset camera charger flashlight phone tablet "
        "microphone router projector vacuum fan heater humidifier razor hairdryer calculator alarm "
        "drill screwdriver hammer saw ladder toolbox",
        "wireless; portable; digital; cordless; silver; compact; electric; mini",
    ),
    "leisure": (
        "tent hammock kite bicycle helmet puzzle doll drone guitar drum notebook pencil novel "
        "cookbook calendar stroller leash birdhouse aquarium shovel rake hose wheelbarrow "
        "skateboard sled racket football frisbee kayak",
        "green; yellow; large; lightweight; outdoor; colorful; classic",
    ),
}  # fmt: skip
_DETAILS = (
    "", "", "with cover", "set of two", "gift edition", "with handle", "extra large", "for travel",
    "for children", "for beginners", "new model", "with case", "limited edition", "model A3",
    "model B12", "size M", "size L", "with manual", "for home and office", "two pieces",
)  # fmt: skip

# One review per class and line; {it} is the product's name.
_REVIEWS = {
    1: "The {it} is terrible, and it broke after one day.; This {it} was a waste of money.; I hate "
    "this {it} because it never worked.; The {it} fell apart, and I want my money back.",
    2: "I am disappointed with this {it} because it feels flimsy.; The {it} is bad.; I am unhappy "
    "with this {it} because its quality is poor.; The {it} is a poor product.",
    3: "The {it} is okay.; The {it} is average.; This {it} looks nice, but it is flimsy.; The {it} "
    "is fine, but its color is dull.",
    4: "The {it} is good.; This {it} works well, and it looks nice.; I am happy with this {it}.; "
    "The {it} is useful, and I like its color.",
    5: "The {it} is excellent, and I love it.; This {it} is perfect.; I love this {it} because it "
    "is beautiful.; This is the best {it} that I have ever owned.",
}
_FOLLOWERS = ("with", "for", "set", "of", "by", "in", "and")


def products() -> list[tuple[str, tuple[str, ...]]]:
    """Each thing and the words that go before it, in a fixed order."""
    return [
        (thing, tuple(before.strip() for before in prefix.split(";")))
        for things, prefix in _KINDS.values()
        for thing in dict.fromkeys(things.split())
    ]


class Sentiment(GeneratedOrRows):
    """Write a short review that reads like the number of stars.

    Args:
        stars: Smallest and largest target, within 1 and 5.
        data: Titles from a data set: a path, a hub id, or rows with the field of ``field``. Stars
            are drawn from the title's hash.
        field: Name of the field with the title.
        scorer: ``"embedded"``: a lexicon. ``"paper"``: a review classifier (extra ``semantic``).
        model: Hub id or folder for ``scorer="paper"``; default: the paper's.

    Raises:
        ValueError: For a value outside these bounds.
        ImportError: For ``scorer="paper"`` without torch and transformers.

    Example:
        >>> task = Sentiment(stars=(5, 5)).item(seed=0, index=0)
        >>> task.target["stars"]
        5
    """

    family = "sentiment"
    summary = "Write a short product review that reads like 1 to 5 stars."

    def __init__(
        self,
        stars: tuple[int, int] = (1, 5),
        data: Source | None = None,
        field: str = "product_title",
        scorer: str = "embedded",
        model: str | None = None,
    ) -> None:
        self.stars, self.field = check_range(stars, "stars", 1, 5), field
        self.products = products()
        self.checker = choose_checker(
            scorer, model, embedded=check_sentiment, rule=judge_review, critic=ReviewClassifier
        )
        super().__init__(data, {field: str})

    def make(self, rng: np.random.Generator) -> Draft:
        """Draw a product and the stars."""
        thing, before = self.products[int(rng.integers(len(self.products)))]
        detail = _DETAILS[int(rng.integers(len(_DETAILS)))]
        title = f"{before[int(rng.integers(len(before)))]} {thing.replace('-', ' ')}".capitalize()
        title = f"{title}, {detail}" if detail else title
        stars = int(rng.integers(self.stars[0], self.stars[1] + 1))
        name = thing.rsplit("-", 1)[-1]
        reviews = _REVIEWS[stars].split("; ")
        witness = reviews[int(rng.integers(len(reviews)))].format(it=name)
        return _draft(title, [name], stars, witness)

    def draft(self, row: dict[str, Any]) -> Draft:
        """A title of a data set, with stars from its hash; no witness with ``scorer="paper"``."""
        title = " ".join(row[self.field].split())[:MAX_TITLE_CHARS]
        names = title_names(title)
        if not names:
            raise BadRow(f"field {self.field!r} names no thing: {title!r:.60}")
        span = self.stars[1] - self.stars[0] + 1
        stars = self.stars[0] + stable_hash("stars", title) % span
        witness = _REVIEWS[stars].split("; ")[0].format(it=names[-1])
        known = self.checker is check_sentiment
        if not (known and check_sentiment(witness, _target(title, names, stars)).success):
            witness = ""
        return _draft(title, names, stars, witness)

    def near_misses(self, task: Task) -> list[str]:
        """Other classes, nothing but tone, the stars, another product, the prompt."""
        stars, name = task.target["stars"], task.target["names"][-1]
        other = {1: 5, 2: 4, 3: 5, 4: 2, 5: 1}[stars]
        misses = [review.format(it=name) for review in _REVIEWS[other].split("; ")]
        return [
            *misses,
            "great great great" if stars > 3 else "terrible terrible terrible",
            f"This {name} gets {stars} stars.",
            f"{name.capitalize()}: {stars}/5.",
            _REVIEWS[stars].split("; ")[0].format(it="thing"),
            f"The {name} is a {name}.",
            f"{task.witness} {task.witness}" if task.witness else "It is. It is.",
            task.witness.rstrip(".") if task.witness else "bad",
            task.target["product"],
            task.prompt,
        ]


def title_names(title: str) -> list[str]:
    """The nouns before the title's first comma or preposition: what the product may be called.

    Example:
        >>> title_names("Acme Steel Kettle with Lid, 1.7 Liter")
        ['acme', 'steel', 'kettle']
    """
    names: list[str] = []
    for word in words(title.split(",")[0].split(" - ")[0].split("(")[0]):
        low = word.lower()
        if low in _FOLLOWERS and names:
            break
        if low in CLOSED or not low.isalpha() or readings(low).isdisjoint(("Ns", "Nm", "Np")):
            continue
        names.append(min(lemmas(low), key=lambda lemma: (len(lemma), lemma)))
    return list(dict.fromkeys(names))


def _target(title: str, names: list[str], stars: int) -> dict[str, Any]:
    return {"product": title, "names": names, "stars": stars}


def _draft(title: str, names: list[str], stars: int, witness: str) -> Draft:
    prompt = PROMPT.format(
        product=title, stars=stars, meaning=CLASSES[stars], names=" or ".join(names)
    )
    # the name and the stars, not the whole title: one review solves all tasks that share these
    key = f"{' '.join(names)} {stars}"
    return Draft(key, prompt, _target(title, names, stars), witness)
