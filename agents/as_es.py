"""AS-ES: learn a rationale as continuations, piece by piece.

AS-ES (Xi et al., arXiv 2403.01969). A rationale is cut into pieces, each of them labelled by how
new it is (`corgi_gym.agents.pieces`), and becomes as many examples as it has pieces: the question
and the pieces before it are given, the piece is the target. One model learns all pieces (USM), or
one the abstractive and another the extractive ones (DSM); they write one piece at a time
(`corgi_gym.agents.engines.pieces`). `docs/as-es.md` has what differs from the paper.

A round cuts the rationales of ``questions`` new tasks. So runs that differ in ``train_on`` alone
learn from the same rationales in the same rounds, ``"whole"`` being plain fine-tuning.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from accelerate.utils import gather_object

from corgi_gym.agents.demonstrations import check_witnesses, demonstrate
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.models import check_same_tokenizer, load_model
from corgi_gym.agents.pieces import (
    AS,
    CUTTING,
    ES,
    MIN_WORDS,
    RATIO,
    Cut,
    Cutter,
    check_cutting,
    cut_pieces,
)
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.replay import Example
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.weighted import ExampleTrainer, ImitationConfig
from corgi_gym.envs import stable_hash

# Which examples are trained on: every piece (USM), those of one label (a half of DSM), or whole
# rationales (plain fine-tuning).
TrainOn = Literal["all", "as", "es", "whole"]
TRAIN_ON: tuple[TrainOn, ...] = get_args(TrainOn)
DATA = ("witness", "own")
WHOLE = "whole"
_LABEL = {"as": AS, "es": ES}
# The kind of a piece where all are learned, and nobody asks for its label.
PIECE = "piece"
# Options that make labels.
_LABELLING = {
    "scorer": "",
    "split": "entropy",
    "measure": "sum",
    "after": "question",
    "ratio": RATIO,
}


@dataclass
class ASESConfig(ImitationConfig):
    """`ImitationConfig` with AS-ES's choices; the defaults are those of its released code.

    Args:
        train_on: ``"all"`` pieces (USM), ``"as"`` or ``"es"`` ones (DSM), ``"whole"`` rationales.
        data: ``"witness"``, or the policy's ``"own"`` solved replies.
        questions: Tasks per round; 0 takes a fourth of ``train.sessions``, since most rationales of
            the math families have up to four pieces. A round learns at most ``train.sessions``
            examples; pieces beyond that are drawn out at random.
        scorer: The model that labels the pieces, by name or folder; "" is the policy as it is in
            that round. The paper's scorer was fine-tuned on whole rationales. Pieces are labelled
            for ``"as"`` and ``"es"`` alone; with the others this and the next four are refused.
        split: ``"entropy"`` (as released), ``"overlap"`` or ``"entailment"``.
        measure: Entropy of a piece as a ``"sum"`` over its tokens, or per ``"words"``.
        after: Pieces are scored after the ``"question"`` alone (as released) or the whole
            ``"reply"`` before them.
        ratio: A piece is abstractive above so many times the mean of its reply.
        min_words: Pieces of at most so many words are joined with their neighbour; no part of
            ``"whole"``.
    """

    train_on: str = field(default="all")
    data: str = field(default="witness")
    questions: int = field(default=0)
    scorer: str = field(default="")
    split: str = field(default="entropy")
    measure: str = field(default="sum")
    after: str = field(default="question")
    ratio: float = field(default=RATIO)
    min_words: int = field(default=MIN_WORDS)

    def __post_init__(self) -> None:
        for name, known in (("train_on", TRAIN_ON), ("data", DATA)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"unknown {name} {value!r}; choose from {', '.join(known)}")
        if self.questions < 0:
            raise ValueError(f"questions must be at least 0, got {self.questions!r}")
        check_cutting(**{name: getattr(self, name) for name in CUTTING})
        for name, default in _LABELLING.items():
            if self.train_on not in _LABEL and (value := getattr(self, name)) != default:
                raise ValueError(
                    f"{name}={value!r} labels pieces, and train_on={self.train_on!r} learns "
                    "without labels: leave it out, or set train_on to as or es"
                )
        super().__post_init__()


_PIECES_PER_RATIONALE = 4


class ASESTrainer(ExampleTrainer):
    """Cuts rationales into pieces and learns the pieces."""

    args: ASESConfig

    @staticmethod
    def check_settings(settings: Mapping[str, Any], env: gym.Env[str, str]) -> None:
        """Witnesses are needed where they are the data; see `GuidedGRPOTrainer`."""
        if settings.get("data", DATA[0]) == DATA[0]:
            check_witnesses(env)
        own = not settings.get("scorer") and settings.get("train_on") in _LABEL
        if own and Processes.current().sharded:
            raise ValueError(
                "as_es labels pieces by the policy, in passes that differ in number between "
                "processes, and weights split over them (FSDP, ZeRO-3) would wait for each other: "
                "set train.options.scorer, or use plain data parallelism (ddp.yaml, zero2.yaml)"
            )

    def __init__(self, model: Any, args: ASESConfig, rollout: Any, **kwargs: Any) -> None:
        self._samples = args.data == "own"
        if args.questions > args.generation_batch_size:
            raise ValueError(
                f"train.options.questions = {args.questions} is more than the "
                f"{args.generation_batch_size} sessions of a round: raise train.sessions"
            )
        super().__init__(model, args, rollout, **kwargs)
        self._labeller: Any = None
        if args.scorer:
            check_same_tokenizer(args.scorer, rollout.codec.tokenizer)
            self._labeller = load_model(args.scorer).to(self.accelerator.device).eval()
            add_chosen_head(self._labeller, 1.0)

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        count = self.accelerator.num_processes
        size = len(sessions) * count
        wanted = max(1, (self.args.questions or size // _PIECES_PER_RATIONALE) // count)
        if self.args.data == "own":
            played = self._sample(sessions)
        else:
            played = [demonstrate(self.rollout, session, 0.0) for session in sessions[:wanted]]
        solved = [episode for episode in played if episode.success][:wanted]
        replies = [(e.messages[0]["content"], _solution(e)) for e in solved]
        if self.args.train_on == WHOLE:
            made = [Example.single(WHOLE, prompt, reply) for prompt, reply in replies]
        else:
            made = self._pieces(replies)
        made = gather_object(made)
        if not made and self.accelerator.is_main_process:
            warnings.warn(self._why_none(len(replies)), stacklevel=2)
        rng = np.random.default_rng(stable_hash(self.args.seed, "pieces", self.state.global_step))
        order = rng.permutation(len(made))[:size]
        return [made[i] for i in order], played

    def _why_none(self, rationales: int) -> str:
        """Why a round has no examples."""
        begun = f"round {self.round_number + 1} has no examples and learns nothing: "
        if not rationales:
            return f"{begun}no reply solves its task; take train.options.data: witness for a start"
        label, ratio = _LABEL[self.args.train_on], self.args.ratio
        bound = f"; with split={self.args.split!r} no piece is more novel than 1"
        return (
            f"{begun}no piece of its {rationales} rationales is {label}, at train.options.ratio = "
            f"{ratio} times the mean novelty{bound if self.args.split != 'entropy' else ''}. Lower "
            "ratio for more abstractive pieces, raise it for more extractive ones"
        )

    def _pieces(self, replies: list[tuple[str, str]]) -> list[Example]:
        """The examples of the pieces that are trained on."""
        if self.args.train_on not in _LABEL:
            return [
                example
                for prompt, reply in replies
                for example in continuations(_unlabelled(prompt, reply, self.args.min_words))
            ]
        model = self._labeller or self.accelerator.unwrap_model(self.model)
        cutter = Cutter(
            model, self.rollout.codec, **{name: getattr(self.args, name) for name in CUTTING}
        )
        cuts = cutter(replies) if replies else []
        labels = [label for cut in cuts for label in cut.labels]
        self._log_share("examples/abstractive_share", labels.count(AS), len(labels))
        wanted = _LABEL[self.args.train_on]
        return [e for cut in cuts for e in continuations(cut) if e.kind == wanted]


def _unlabelled(prompt: str, reply: str, min_words: int) -> Cut:
    pieces = cut_pieces(reply, min_words)
    return Cut(prompt, tuple(pieces), (), (PIECE,) * len(pieces))


def _solution(episode: Episode) -> str:
    """The reply that solves a session."""
    return next(attempt.reply for attempt in episode.attempts if attempt.success)


def continuations(cut: Cut) -> list[Example]:
    """One example per piece: those before it stand below the question, the piece is learned.

    Example:
        >>> made = continuations(Cut("2 + 3?", ("2 + 3 is", " 5"), (1.0, 2.0), (ES, AS)))[1]
        >>> made.kind, made.messages, made.begun, made.texts
        ('abstractive', ('2 + 3?',), '2 + 3 is', (' 5',))
    """
    made = []
    for k, (piece, label) in enumerate(zip(cut.pieces, cut.labels, strict=True)):
        written = "".join(cut.pieces[:k]).strip()
        made.append(Example.single(label, cut.prompt, piece, begun=written))
    return made
