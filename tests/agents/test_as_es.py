"""AS-ES: pieces and their labels by hand, the piece engine, and learning on the tiny model."""

import copy
import json
import re
import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from corgi_gym.agents import build
from corgi_gym.agents.as_es import continuations
from corgi_gym.agents.build import check_engine, check_engine_options
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import (
    CharCodec,
    Engine,
    EngineError,
    GenerationRequest,
    Sampling,
    ScriptedEngine,
)
from corgi_gym.agents.engines.pieces import PieceEngine
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.pieces import AS, ES, Cut, Cutter, cut_pieces, label_pieces, new_words
from corgi_gym.agents.replay import Example, encode
from corgi_gym.agents.rollout import Session
from corgi_gym.benchmarks.policy import check_inputs
from corgi_gym.benchmarks.recipe import load_recipe
from corgi_gym.envs import GuidedEnv

from .conftest import Letters

REPLIES = [("2 + 3?", "2 + 3 = 5\nso it is 5.\nAnswer: 5"), ("Say e.", "e"), ("Why?", "a b c d e")]


# ---------------------------------------------------------------- pieces and labels


@pytest.mark.parametrize(
    ("reply", "pieces"),
    [
        ("", []),
        ("one", ["one"]),
        ("a b c d, e f g h. i j k l", ["a b c d,", " e f g h.", " i j k l"]),
        ("it is 3.5 and 1,000 now\n\nthen 2 + 2 = 4.\n", ["it is 3.5 and 1,000 now\n\n",
                                                        "then 2 + 2 = 4.\n"]),
        ("so, 2 + 2 = 4\nAnswer: 4", ["so, 2 + 2 = 4\nAnswer: 4"]),
        ("e.g.this has no cut", ["e.g.this has no cut"]),
    ],
)  # fmt: skip
def test_pieces_make_up_the_reply(reply, pieces):
    assert cut_pieces(reply) == pieces
    assert "".join(cut_pieces(reply)) == reply


@pytest.mark.parametrize(
    "text", ["\n\n\n", ",,,. . .", "a,\r\nb\x00. c", "1,2.3," * 50, "\ud800. x"]
)
def test_cutting_never_loses_text(text):
    for words in (0, 3):
        pieces = cut_pieces(text, words)
        assert "".join(pieces) == text and all(pieces)


def test_labels_by_hand():
    # mean 2, threshold 2.8 with the released ratio of 1.4
    assert label_pieces([2.7, 2.9, 0.4, 2.0]) == [ES, AS, ES, ES]
    assert label_pieces([2.7, 2.9, 0.4, 2.0], ratio=1.3) == [AS, AS, ES, ES]
    assert label_pieces([]) == []
    assert label_pieces([0.0, 0.0]) == [ES, ES]


def test_new_words():
    assert new_words("The cat sat.", "the cat, 3.5") == 0.5
    assert new_words("", "") == 0.0


def entropies(model, ids, start):
    logps = model(input_ids=torch.tensor([ids])).logits[0, :-1].float().log_softmax(-1)
    return (-(logps.exp() * logps).sum(-1)).detach()[start - 1 :]


def test_entropy_of_a_piece_is_that_of_its_tokens(tiny_model, tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    plain = tiny_model.forward
    add_chosen_head(tiny_model, 1.0)
    scored = {}
    for after in ("question", "reply"):
        cuts = Cutter(tiny_model, codec, after=after, min_words=0)(REPLIES)
        assert [c.pieces for c in cuts] == [tuple(cut_pieces(r, 0)) for _, r in REPLIES]
        scored[after] = cuts[0].novelty
    per_word = Cutter(tiny_model, codec, measure="words", min_words=0)(REPLIES)[0]
    tiny_model.forward = plain
    prompt = codec.start(REPLIES[0][0])
    pieces = [codec.reply(piece)[:-1] for piece in cut_pieces(REPLIES[0][1], 0)]
    alone = [float(entropies(tiny_model, prompt + ids, len(prompt)).sum()) for ids in pieces]
    assert scored["question"] == pytest.approx(alone, rel=0.02)  # bf16
    values = entropies(tiny_model, prompt + [i for ids in pieces for i in ids], len(prompt))
    split = [float(part.sum()) for part in values.split([len(ids) for ids in pieces])]
    assert scored["reply"] == pytest.approx(split, rel=0.02)
    words = [len(piece.split()) for piece in cut_pieces(REPLIES[0][1], 0)]
    assert per_word.novelty == pytest.approx(
        [value / n for value, n in zip(alone, words, strict=True)], rel=0.02
    )


def test_other_ways_to_split(tiny_model, tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    add_chosen_head(tiny_model, 1.0)
    cut = Cutter(tiny_model, codec, split="overlap", min_words=0)(REPLIES)[0]
    # "2 + 3 = 5": "=" and "5" are new; "so it is 5.": all but the 5; "Answer: 5": two of three
    assert cut.novelty == pytest.approx([0.4, 0.8, 2 / 3])
    assert [segment.label for segment in cut.segments()] == list(cut.labels)
    assert "".join(cut.pieces)[cut.segments()[1].start :].startswith("so it is")
    denied = Cutter(tiny_model, codec, split="entailment", min_words=0)(REPLIES)[0]
    assert all(0.0 < value < 1.0 for value in denied.novelty)
    for kwargs, words in (
        ({"split": "mood"}, "unknown split 'mood'"),
        ({"ratio": 0.0}, "ratio must be positive"),
        ({"min_words": -1}, "min_words must be at least 0"),
    ):
        with pytest.raises(ValueError, match=words):
            Cutter(tiny_model, codec, **kwargs)


class SaysYes(torch.nn.Module):
    """A model that prefers one token after everything."""

    def __init__(self, token, vocabulary):
        super().__init__()
        self.head = torch.nn.Linear(2, vocabulary, bias=False)
        torch.nn.init.zeros_(self.head.weight)
        with torch.no_grad():
            self.head.weight[token] = 8.0
        self.config = SimpleNamespace(get_text_config=SimpleNamespace)
        self.base_model = self.hidden

    def hidden(self, input_ids, use_cache):
        return SimpleNamespace(last_hidden_state=torch.ones(*input_ids.shape, 2))

    def get_output_embeddings(self):
        return self.head


def test_a_piece_that_the_model_says_follows_is_not_novel(tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    ids = {word: codec.reply(word)[0] for word in ("Yes", "No")}
    assert ids["Yes"] != ids["No"]
    for word, sign in (("Yes", 1), ("No", -1)):
        model = SaysYes(ids[word], len(tiny_tokenizer))
        for value in Cutter(model, codec, split="entailment", min_words=0)(REPLIES)[0].novelty:
            assert sign * value < sign * 0.5


def test_a_continuation_is_what_the_engine_will_ask_for(tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    made = continuations(Cut("why?", ("ab\n", " c"), (1.0, 2.0), (ES, AS)))
    assert [(e.kind, e.messages, e.begun, e.texts) for e in made] == [
        (ES, ("why?",), "", ("ab\n",)), (AS, ("why?",), "ab", (" c",)),
    ]  # fmt: skip
    assert [Example.from_dict(e.as_dict()) for e in made] == made
    episode, weights = encode(made[1], codec)
    assert episode.messages[0]["content"] == "why?\nab"
    asked = codec.extended(codec.start("why?"), codec.text(codec.reply("ab\n")))
    assert episode.token_ids[: len(asked)] == asked
    assert weights == [0.0] * len(asked) + [1.0] * (len(weights) - len(asked))
    later = [*codec.start("why?"), *codec.reply("no"), *codec.follow_up("so?", codec.reply("no"))]
    assert codec.extended(later, "x") == [
        *codec.start("why?"), *codec.reply("no"), *codec.follow_up("so?\nx", codec.reply("no")),
    ]  # fmt: skip


@pytest.fixture
def joining_tokenizer(tiny_tokenizer):
    """One that joins a sign with the line break after it, as Qwen's and Llama 3's do."""
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers

    data = json.loads(tiny_tokenizer.backend_tokenizer.to_str())
    vocab = data["model"]["vocab"]
    vocab["?Ċ"] = max(vocab.values()) + 1
    merges = [tuple(pair) for pair in data["model"]["merges"]]
    joining = Tokenizer(models.BPE(vocab=vocab, merges=[("?", "Ċ"), *merges]))
    joining.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    joining.decoder = tiny_tokenizer.backend_tokenizer.decoder
    joining.add_special_tokens(
        [AddedToken(row["content"], special=True) for row in data["added_tokens"]]
    )
    made = copy.deepcopy(tiny_tokenizer)
    made._tokenizer = joining
    return made


def test_a_continuation_is_that_with_a_tokenizer_that_joins_over_the_line_break(joining_tokenizer):
    """Question and pieces encoded together were another prompt than the engine's."""
    codec = ChatCodec(joining_tokenizer)
    example = continuations(Cut("why?", ("ab\n", " c"), (1.0, 2.0), (ES, AS)))[1]
    asked = codec.extended(codec.start("why?"), codec.text(codec.reply("ab\n")))
    assert codec.start("why?\nab") != asked
    assert encode(example, codec)[0].token_ids[: len(asked)] == asked


# ---------------------------------------------------------------- the engine


def ask(engine, codec, prompt, max_tokens=50):
    engine.submit(
        GenerationRequest("r", codec.start(prompt), Sampling(0.0, max_tokens, 1.0, (codec.END,)), 7)
    )
    for _ in range(50):
        if done := engine.poll():
            return done[0]
    raise AssertionError("no reply")


def by_pieces(pieces):
    """A scripted engine: the first piece that the conversation does not end with yet."""

    def script(conversation):
        written = conversation.split("?")[1].strip()
        for n in range(len(pieces)):
            if written == "".join(pieces[:n]):
                return pieces[n]
        return ""

    return ScriptedEngine(script)


def test_pieces_are_asked_for_until_the_reply_is_finished():
    codec = CharCodec()
    engine = PieceEngine(
        by_pieces(["ab,", "cd,", "Answer", "more"]), codec, lambda text: len(text) == 12
    )
    assert isinstance(engine, Engine)
    done = ask(engine, codec, "q?")
    assert codec.text(done.token_ids) == "ab,cd,Answer" and done.finish_reason == "stop"
    assert done.token_ids[-1] == codec.END and len(done.logprobs) == len(done.token_ids)
    # an empty piece, the limits on pieces, on a reply and on a piece
    never = lambda text: False  # noqa: E731
    assert (
        codec.text(ask(PieceEngine(by_pieces(["ab"]), codec, never), codec, "q?").token_ids) == "ab"
    )
    two = PieceEngine(by_pieces(["a", "b", "c"]), codec, never, max_pieces=2)
    given_up = ask(two, codec, "q?")
    assert codec.text(given_up.token_ids) == "ab" and given_up.finish_reason == "length"
    assert len(given_up.logprobs) == len(given_up.token_ids) == 2
    whole = PieceEngine(by_pieces(["a", "b", "c"]), codec, lambda text: text == "ab", max_pieces=2)
    assert ask(whole, codec, "q?").finish_reason == "stop"
    silent = ask(PieceEngine(by_pieces(["ab"]), codec, never), codec, "q?")
    assert silent.finish_reason == "stop" and silent.token_ids[-1] == codec.END
    mute = ask(PieceEngine(by_pieces([]), codec, never, max_pieces=1), codec, "q?")
    assert mute.finish_reason == "stop" and mute.token_ids == [codec.END]
    short = ask(PieceEngine(by_pieces(["abc", "def"]), codec, never), codec, "q?", max_tokens=5)
    assert codec.text(short.token_ids) == "abcde" and short.finish_reason == "length"
    assert len(short.token_ids) == 5
    with pytest.raises(ValueError, match="max_pieces must be at least 1, got 0"):
        PieceEngine(two, codec, never, max_pieces=0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"inner": "nonsense"}, "unknown engine 'nonsense'"),
        ({"inner": "pieces"}, "inner must be an engine that writes the policy's replies"),
        ({"inner": "openai", "url": "http://h/v1"}, "inner must be an engine that writes the pol"),
        ({"inner": "vllm-server"}, "engine 'vllm-server' needs engine_options.url"),
        ({"inner": "transformers", "kv_cache_gib": 1}, "'kv_cache_gib' for engine 'transformers'"),
        ({"max_pieces": 0}, "max_pieces must be a positive integer, got 0"),
        ({"piece_tokens": "all"}, "piece_tokens must be a positive integer, got 'all'"),
    ],
)
def test_options_of_the_engine_inside_are_checked_before_anything_is_loaded(options, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        check_engine_options("pieces", options)


def test_options_of_the_engine_inside_reach_it(monkeypatch, tiny_model, tiny_tokenizer):
    check_engine_options("pieces", {"inner": "vllm", "kv_cache_gib": 1, "max_pieces": 3})
    made, closed, original = [], [], build.make_engine

    def make(name, *args, options=None, **kwargs):
        made.append((name, options))
        engine = original("transformers", *args, **kwargs)
        engine.close = lambda: closed.append(name)
        return engine

    monkeypatch.setattr(build, "make_engine", make)
    codec = ChatCodec(tiny_tokenizer)
    shared = {"max_length": 99, "batch": 2, "codec": codec, "bf16": False}
    options = {"inner": "vllm", "kv_cache_gib": 1, "max_pieces": 3}
    engine = build._piece_engine("m", tiny_model, options, **shared)
    assert made == [("vllm", {"kv_cache_gib": 1})] and engine.max_pieces == 3
    with pytest.raises(ValueError, match="unknown model"):
        build._piece_engine("m", tiny_model, {**options, "abstractive": "./nowhere"}, **shared)
    assert closed == ["vllm"]


def test_two_models_take_turns():
    codec = CharCodec()
    first, second = ScriptedEngine(lambda text: "e"), ScriptedEngine(lambda text: "A")
    engine = PieceEngine(first, codec, lambda text: len(text) == 5, abstractive=second)
    assert codec.text(ask(engine, codec, "q?").token_ids) == "eAeAe"
    with pytest.raises(EngineError, match="train each of them by itself"):
        engine.load_weights([])
    one = PieceEngine(first, codec, lambda text: True)
    one.load_weights([])
    assert one.version == first.version == 1
    one.submit(GenerationRequest("r", codec.start("q?"), Sampling(stop_ids=(codec.END,)), 0))
    one.cancel(["r"])
    assert one.poll() == []
    engine.close()


def test_the_first_piece_has_the_models_log_probs(tiny_model, tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    engine = PieceEngine(TransformersEngine(tiny_model), codec, bool, piece_tokens=20)
    sampling = Sampling(1.0, 9, 1.0, codec.stop_ids)
    engine.submit(GenerationRequest("r", codec.start("hi"), sampling, 3))
    done = []
    while not done:
        done = engine.poll()
    ids = [*codec.start("hi"), *done[0].token_ids]
    logps = tiny_model(input_ids=torch.tensor([ids])).logits[0, :-1].float().log_softmax(-1)
    picked = logps.gather(1, torch.tensor(ids)[1:, None])[len(codec.start("hi")) - 1 :, 0]
    assert done[0].logprobs == pytest.approx(picked.tolist(), abs=0.1)


# ---------------------------------------------------------------- training


class Lines(Letters):
    solution, misses = "e,\ne,\ne,\ne", ("e",)


SPEC = {
    "rounds": 3, "sessions": 32, "num_generations": 2, "updates": 2, "micro_batch": 8,
    "learning_rate": 4e-3, "max_attempts": 1,
}  # fmt: skip


@pytest.fixture
def trainer_of(make_tiny_trainer, tiny_tokenizer):
    """A function: an AS-ES trainer on the letter task, with the piece engine."""

    def make(model, spec=None, **options):
        codec = ChatCodec(tiny_tokenizer)
        engine = PieceEngine(TransformersEngine(model), codec, lambda text: text.count("e") >= 4)
        trainer = make_tiny_trainer(
            model, lambda: GuidedEnv(tasks={"letters": Lines()}, max_attempts=1),
            {**SPEC, **(spec or {})}, algorithm="as_es", max_tokens=24, engine=engine,
            options={"min_words": 0, **options},
        )  # fmt: skip
        trainer.reports = []
        trainer.on_rollout = trainer.reports.append
        return trainer

    return make


def played(trainer, count=32):
    sessions = [Session(index=i, seed=i) for i in range(count)]
    return float(np.mean([e.reward for e in trainer.rollout.run(sessions)]))


@pytest.mark.parametrize("train_on", ["all", "whole"])
def test_as_es_and_plain_fine_tuning_learn_the_tiny_problem(train_on, tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, train_on=train_on, num_iterations=4)
    before = played(trainer)
    trainer.train()
    assert played(trainer) > before + 0.2
    # the same rationales, in the same rounds: a fourth of the sessions
    assert [len(r.episodes) for r in trainer.reports] == [8] * 3
    count = next(r for r in trainer.state.log_history if "examples/count" in r)["examples/count"]
    assert count == (32.0 if train_on == "all" else 8.0)


def test_one_label_alone_and_the_policys_own_replies(tiny_model, tiny_folder, trainer_of):
    shares = {}
    for train_on in ("as", "es"):
        trainer = trainer_of(
            tiny_model, {"rounds": 1, "learning_rate": 1e-9}, train_on=train_on, scorer=tiny_folder
        )
        trainer.train()
        row = next(r for r in trainer.state.log_history if "examples/count" in r)
        shares[train_on] = row["examples/count"] / 32
    assert sum(shares.values()) == pytest.approx(1.0)
    trainer.close()  # the model that labels is nobody's teacher, which has an engine to close
    drawn = trainer_of(tiny_model, {"rounds": 1}, train_on="as", scorer=tiny_folder)
    drawn.use_curriculum({"name": "learnable", "pool": 16, "samples": 2})
    labelling = drawn._labeller
    assert labelling is not None and drawn._pool_scorer is not None
    drawn.train()
    drawn.close()
    own = trainer_of(tiny_model, {"rounds": 2}, data="own")
    assert own._samples
    own.train()
    assert [len(r.episodes) for r in own.reports] == [32, 32]


def test_all_pieces_are_learned_without_labels(tiny_model, trainer_of, monkeypatch):
    monkeypatch.setattr(Cutter, "__call__", lambda *_: pytest.fail("labelled"))
    trainer = trainer_of(tiny_model, {"rounds": 1}, train_on="all")
    examples, _ = trainer._examples([Session(index=i, seed=i) for i in range(8)])
    assert {e.kind for e in examples} == {"piece"}
    assert sorted(e.begun for e in examples if e.messages == examples[0].messages) == [
        "", "e,", "e,\ne,", "e,\ne,\ne,",
    ]  # fmt: skip


def test_a_round_without_examples_says_why(tiny_model, trainer_of):
    sessions = [Session(index=i, seed=i) for i in range(8)]
    trainer = trainer_of(tiny_model, {"rounds": 1}, train_on="as", split="overlap", ratio=99.0)
    with pytest.warns(
        UserWarning, match=r"round 1 has no .* abstractive, at .*ratio = 99.0 .* 1\."
    ):
        assert trainer._examples(sessions)[0] == []
    own = trainer_of(tiny_model, {"rounds": 1}, data="own")
    own._sample = lambda sessions: []
    with pytest.warns(UserWarning, match="no reply solves its task"):
        assert own._examples(sessions)[0] == []


@pytest.fixture
def other_folder(tiny_folder, tmp_path):
    """The tiny model with a token more in its tokenizer."""
    from transformers import AutoTokenizer

    folder = shutil.copytree(tiny_folder, tmp_path / "other")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<other>"])
    tokenizer.save_pretrained(folder)
    return str(folder)


def test_a_second_model_has_the_policys_tokenizer(
    tiny_model, tiny_tokenizer, trainer_of, other_folder
):
    refused = re.escape(f"the tokenizer of {other_folder!r} (401 tokens) is not that of the policy")
    with pytest.raises(ValueError, match=refused):
        trainer_of(tiny_model, train_on="as", scorer=other_folder)
    shared = {"max_length": 99, "batch": 2, "codec": ChatCodec(tiny_tokenizer), "bf16": False}
    options = {"inner": "transformers", "abstractive": other_folder}
    with pytest.raises(ValueError, match=refused):
        build._piece_engine("m", tiny_model, options, **shared)


def test_a_scorer_that_is_not_there_is_found_before_a_model_is_loaded():
    recipe = load_recipe("as_es")
    spec = replace(recipe.train, options={"train_on": "as", "scorer": "./nowhere"})
    with pytest.raises(ValueError, match=r"unknown model './nowhere'"):
        check_inputs(replace(recipe, train=spec))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"train_on": "some"}, "unknown train_on 'some'; choose from all, as, es, whole"),
        ({"data": "gold"}, "unknown data 'gold'"),
        ({"measure": "mean"}, "unknown measure 'mean'"),
        ({"ratio": 1.1}, "ratio=1.1 labels pieces, and train_on='all' learns without labels"),
        ({"train_on": "whole", "split": "overlap"}, "split='overlap' labels pieces, and train_on"),
        ({"scorer": "smollm2-135m"}, "leave it out, or set train_on to as or es"),
        ({"questions": -1}, "questions must be at least 0, got -1"),
        ({"questions": 500}, r"questions = 500 is more than the \d+ sessions of a round"),
    ],
)
def test_settings_that_cannot_be_are_named(options, words, tiny_model, trainer_of):
    with pytest.raises(ValueError, match=words):
        trainer_of(tiny_model, **options)


def test_two_models_are_not_trained_as_one():
    check_engine("pieces", {"abstractive": "smollm2-135m"})
    with pytest.raises(ValueError, match="a policy of two models"):
        check_engine("pieces", {"abstractive": "smollm2-135m"}, train=True)
