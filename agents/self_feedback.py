"""SELF: learn to give oneself feedback, then learn from one's own refined answers.

SELF (Lu et al., arXiv 2310.00533). Stage 1, the meta-skill: fine-tuning on answers with feedback
and refinement. Stage 2, round after round on tasks without labels: answer, judge, refine, keep what
the policy itself calls correct, fine-tune on it.

Here stage 1 takes its feedback from the checker's problems and its refinements from the tasks'
witnesses (`corgi_gym.agents.self_checked.demonstrations`; the paper asks a stronger model), and
stage 2 takes sessions of ``GuidedEnv(self_check=True)``: the policy's last answer is kept if its
own verdict on it is ``correct``. The checker has no say in that; it only measures how often the
kept answers are right (``self/kept_right`` in the logs).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from accelerate.utils import gather_object

from corgi_gym.agents.episode import Episode
from corgi_gym.agents.replay import Example, ReplayBuffer
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.self_checked import (
    SelfCheckedConfig,
    check_self_checked,
    check_warmup,
    demonstrations,
    own_verdicts,
)
from corgi_gym.agents.weighted import AfterWarmUp, ExampleTrainer, ImitationConfig
from corgi_gym.rewards.self_verdict import judged

KEPT = "kept"


@dataclass
class SelfConfig(ImitationConfig, SelfCheckedConfig):
    """`ImitationConfig` with the two stages: ``warmup_rounds`` of the first, then the second.

    Args:
        filter: Keep only answers that the policy calls correct. Without it everything is kept: the
            ablation that shows what the filter is worth.
    """

    filter: bool = field(default=True)


class SelfTrainer(AfterWarmUp, ExampleTrainer):
    """Fine-tuning on the policy's own refined answers, filtered by its own verdicts."""

    args: SelfConfig
    check_env = staticmethod(check_self_checked)
    check_settings = staticmethod(check_warmup)

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        if self.round_number < self.args.warmup_rounds:
            examples, episodes = demonstrations(self.rollout, sessions)
            return gather_object(examples), episodes
        episodes = self._sample(sessions)
        pairs = [
            (example, episode)
            for episode in episodes
            if (example := kept_example(episode, self.args.filter)) is not None
        ]
        last = [episode.attempts[-1] for _, episode in pairs]
        right = [attempt.score == 1.0 for attempt in last if not attempt.unscored]
        self._log_share("self/kept", len(pairs), len(episodes))
        self._log_share("self/kept_right", sum(right), len(right))
        return list(ReplayBuffer(gather_object([example for example, _ in pairs]))), episodes


def kept_example(episode: Episode, by_verdict: bool = True) -> Example | None:
    """The prompt and the refined answer of a session, with the verdict; ``None`` if it is not kept.

    The checker is not asked: what counts is the writer's verdict on its last answer. An empty
    answer is never kept.

    Args:
        episode: A session in which the writer judged itself.
        by_verdict: Keep only what it calls correct.
    """
    last = own_verdicts(episode)[-1]
    if not last.answer.strip() or (by_verdict and last.verdict is not True):
        return None
    prompt = episode.messages[0]["content"]
    return Example.single(KEPT, prompt, *judged(last.answer, True), task_id=episode.task_id)
