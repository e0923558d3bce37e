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

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from accelerate.utils import gather_object

from corgi_gym.agents.demonstrations import check_witnesses, demonstrate
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.pieces import AS, CUTTING, ES, MIN_WORDS, RATIO, Cut, Cutter, check_cutting
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
            that round. The paper's scorer was fine-tuned on whole rationales.
        split: ``"entropy"`` (as released), ``"overlap"`` or ``"entailment"``.
        measure: Entropy of a piece as a ``"sum"`` over its tokens, or per ``"words"``.
        after: Pieces are scored after the ``"question"`` alone (as released) or the whole
            ``"reply"`` before them.
        ratio: A piece is abstractive above so many times the mean of its reply.
        min_words: Pieces of at most so many words are joined with their neighbour.
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
        own = not settings.get("scorer") and settings.get("train_on") != WHOLE
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
        if args.scorer and args.train_on != WHOLE:
            from corgi_gym.agents.models import load_model

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
        rng = np.random.default_rng(stable_hash(self.args.seed, "pieces", self.state.global_step))
        order = rng.permutation(len(made))[:size]
        return [made[i] for i in order], played

    def _pieces(self, replies: list[tuple[str, str]]) -> list[Example]:
        """The examples of the pieces that are trained on."""
        model = self._labeller or self.accelerator.unwrap_model(self.model)
        cutter = Cutter(
            model, self.rollout.codec, **{name: getattr(self.args, name) for name in CUTTING}
        )
        cuts = cutter(replies) if replies else []
        labels = [label for cut in cuts for label in cut.labels]
        self._log_share("examples/abstractive_share", labels.count(AS), len(labels))
        wanted = _LABEL.get(self.args.train_on)
        return [e for cut in cuts for e in continuations(cut) if wanted in (None, e.kind)]


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
