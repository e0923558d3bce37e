"""The algorithm table, one row per method: adding one is a row, and a file if it is new science.

A row names the trainer, the settings that make it that method, and its source. Everything else of
a run (steps, learning rate, sessions) belongs to the recipe. The table is plain data: reading it
loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from corgi_gym.agents.ppo_settings import CORGI_LORA, CORGI_SETTINGS, PPO_SETTINGS

_AGENTS = "corgi_gym.agents."


class Algorithm(NamedTuple):
    """One method.

    Attributes:
        summary: What it does, in one line.
        source: Paper.
        adapted: What differs from the paper here; "" where nothing does.
        settings: Fields of ``config`` that define the method.
        trainer: ``"module:Class"``, a `corgi_gym.agents.grpo.GuidedGRPOTrainer`; ``None`` for a
            method that trains nothing.
        config: ``"module:Class"`` of its arguments.
        env: Arguments of the training environment that the method sets.
        curriculum: How tasks are drawn unless the recipe says otherwise
            (`corgi_gym.agents.curriculum`); empty for the environment's order.
        lora: The adapter that the method trains unless the recipe says otherwise
            (`corgi_gym.agents.lora`); empty for all weights.
    """

    summary: str
    source: str
    adapted: str = ""
    settings: Mapping[str, Any] = {}
    trainer: str | None = _AGENTS + "grpo:GuidedGRPOTrainer"
    config: str = _AGENTS + "grpo:GuidedGRPOConfig"
    env: Mapping[str, Any] = {}
    lora: Mapping[str, Any] = {}
    curriculum: Mapping[str, Any] = {}


_TURN_GRPO: Mapping[str, Any] = {
    "loss_type": "dapo",
    "credit": "attempt",
    "scale_rewards": "batch",
    "epsilon_high": 0.28,
}
# One advantage per session, from the group's mean and deviation, as in GRPO and its successors.
_GROUP: Mapping[str, Any] = {"credit": "session", "scale_rewards": "group"}
# The writer judges itself, and the answer that stands at the end counts.
_SELF_CHECK: Mapping[str, Any] = {"self_check": True, "session_reward": "last"}

ALGORITHMS: dict[str, Algorithm] = {
    "turn_grpo": Algorithm(
        "GRPO with an advantage per attempt: reward-to-go minus the mean of the others that got "
        "as far",
        "DeepSeekMath (arXiv 2402.03300), DAPO (arXiv 2503.14476) for the loss",
        "the default; the baseline leaves the session itself out, so that it is unbiased "
        "(`agents/credit.py`)",
        _TURN_GRPO,
    ),
    "retry_grpo": Algorithm(
        "`turn_grpo` in which retries are compared from one failed reply of the policy's own",
        "turn_grpo's; resets to visited states: DR-PO (arXiv 2404.08495)",
        "half of a round's groups have one attempt, the others begin after a failed one of the "
        "rounds before; no paper has it like this (`agents/retry_grpo.py`)",
        {**_TURN_GRPO, "single_attempt_share": 0.5},
        _AGENTS + "retry_grpo:RetryGRPOTrainer",
        _AGENTS + "retry_grpo:RetryGRPOConfig",
    ),
    "grpo": Algorithm(
        "group-relative policy optimization: the session's reward against its group, clipped ratio",
        "DeepSeekMath (arXiv 2402.03300)",
        "a completion is a session, and its attempts share one advantage; KL is `train.beta`",
        {"loss_type": "grpo", "epsilon": 0.2, **_GROUP},
    ),
    "dr_grpo": Algorithm(
        "GRPO without the deviation and with a constant in place of the length",
        "Dr. GRPO (arXiv 2503.20783)",
        "the constant is the most tokens that a session's attempts can have",
        {"loss_type": "dr_grpo", "credit": "session", "scale_rewards": "none"},
    ),
    "dapo": Algorithm(
        "GRPO with clip-higher, token-level loss, dynamic sampling and overlong punishment",
        "DAPO (arXiv 2503.14476)",
        "at most 2 rounds of extra sampling; groups with equal session rewards are replaced, "
        "partial scores included; each attempt has its own overlong punishment",
        {"loss_type": "dapo", "epsilon": 0.2, "epsilon_high": 0.28, **_GROUP},
        _AGENTS + "dapo:DAPOTrainer",
        _AGENTS + "dapo:DAPOConfig",
    ),
    "gspo": Algorithm(
        "GRPO with one ratio per sequence, the geometric mean over its tokens",
        "GSPO (arXiv 2507.18071)",
        "the sequence is the model's tokens of a whole session; the trainer's own old log-probs "
        "(one more pass), since the engine's rounding exceeds the paper's clip range",
        {
            "loss_type": "grpo",
            "importance_sampling_level": "sequence",
            "epsilon": 3e-4,
            "epsilon_high": 4e-4,
            "engine_logps": False,
            **_GROUP,
        },
    ),
    "cispo": Algorithm(
        "policy gradient with a clipped, detached ratio as its weight: no token loses its gradient",
        "MiniMax-M1 (arXiv 2506.13585)",
        "weights are clipped at 5 from above (TRL's recommendation), not from below",
        {"loss_type": "cispo", "epsilon_high": 5.0, **_GROUP},
    ),
    "rloo": Algorithm(
        "REINFORCE with the mean of the group's other sessions as the baseline, unscaled",
        "RLOO (arXiv 2402.14740)",
        "the loss is a sum over a session's tokens with a clipped ratio per token; KL is "
        "`train.beta`, in the loss",
        {"loss_type": "dr_grpo", "credit": "loo", "scale_rewards": "none"},
    ),
    "reinforce_pp": Algorithm(
        "REINFORCE++: no groups, rewards-to-go normalised over the whole batch, clipped ratio",
        "REINFORCE++ (arXiv 2501.03262)",
        "KL is in the loss (TRL's estimate, `train.beta`), in the paper it is in the reward; mean "
        "and deviation are over attempts, not tokens",
        {"loss_type": "dapo", "epsilon": 0.2, "credit": "batch", "scale_rewards": "batch"},
    ),
    "ppo": Algorithm(
        "PPO with a critic and GAE across the attempts of a session",
        "PPO (arXiv 1707.06347)",
        "rewards on each attempt's last token; see [ppo.md](ppo.md)",
        PPO_SETTINGS,
        _AGENTS + "ppo:GuidedPPOTrainer",
        _AGENTS + "ppo:GuidedPPOConfig",
    ),
    "ppo_corgi": Algorithm(
        "PPO with CORGI's settings: LoRA, one reward on the last token, adaptive KL, whitening",
        "CORGI (arXiv 2411.01483)",
        "what its released code leaves open is recalled, see `agents/ppo_settings.py`",
        CORGI_SETTINGS,
        _AGENTS + "ppo:GuidedPPOTrainer",
        _AGENTS + "ppo:GuidedPPOConfig",
        lora=CORGI_LORA,
    ),
    "rft": Algorithm(
        "rejection sampling fine-tuning: cross-entropy on the first reply that solves",
        "RFT (arXiv 2308.01825)",
        "samples from the newest weights in each round; failed attempts are context without loss",
        {"temperature": 1.0},
        _AGENTS + "rft:RFTTrainer",
        _AGENTS + "rft:RFTConfig",
    ),
    "sft": Algorithm(
        "supervised fine-tuning on the tasks' witnesses, half of them after a near miss with its "
        "feedback",
        "maximum likelihood on demonstrations",
        "demonstrations are sessions that the checker has passed; a round has a task per session",
        {"temperature": 1.0},
        _AGENTS + "sft:SFTTrainer",
        _AGENTS + "sft:SFTConfig",
    ),
    "tripost": Algorithm(
        "the policy's wrong replies, corrected step by step, as data for finding and correcting "
        "its own mistakes",
        "TriPosT (arXiv 2310.13522)",
        "an iteration is a round; the reply has the feedback in it, and scripts or an engine edit "
        "it; see [tripost.md](tripost.md)",
        {"temperature": 1.0},
        _AGENTS + "tripost:TripostTrainer",
        _AGENTS + "tripost:TripostConfig",
        env={"max_attempts": 1},
    ),
    "as_es": Algorithm(
        "rationales cut into pieces by the policy's entropy, each piece a continuation to learn",
        "AS-ES (arXiv 2403.01969)",
        "the pieces before stand below the question (engine `pieces`); short pieces are joined and "
        "not dropped; see [as-es.md](as-es.md)",
        {"temperature": 1.0},
        _AGENTS + "as_es:ASESTrainer",
        _AGENTS + "as_es:ASESConfig",
        env={"max_attempts": 1},
    ),
    "tapir": Algorithm(
        "distillation: weighted cross-entropy on a teacher's (or the witness's) replies to tasks "
        "of a growing hard share",
        "TAPIR (arXiv 2405.13448)",
        "difficulty is a score of the environment; the checker drops wrong answers; new tasks come "
        "from the families and not from the teacher; see [curriculum.md](curriculum.md)",
        {"temperature": 1.0},
        _AGENTS + "tapir:TapirTrainer",
        _AGENTS + "tapir:TapirConfig",
        env={"max_attempts": 1},
        curriculum={"name": "tapir"},
    ),
    "s2r": Algorithm(
        "answers and the policy's own verdicts on them, each with a reward of its own, by RLOO",
        "S2R (arXiv 2502.12853)",
        "partial scores count in between; the session's turns are messages; see "
        "[self-verification.md](self-verification.md)",
        {"loss_type": "dr_grpo", "credit": "prefix", "scale_rewards": "none"},
        _AGENTS + "s2r:S2RTrainer",
        _AGENTS + "s2r:S2RConfig",
        env=_SELF_CHECK,
    ),
    "revise": Algorithm(
        "decide after an answer whether it stands or is refined, by cross-entropy and preference",
        "ReVISE (arXiv 2502.14565)",
        "the decision is a line of words, no new token; a refined answer is the task's witness; "
        "see [self-verification.md](self-verification.md)",
        {"temperature": 1.0},
        _AGENTS + "revise:ReviseTrainer",
        _AGENTS + "revise:ReviseConfig",
        env=_SELF_CHECK,
    ),
    "self": Algorithm(
        "fine-tuning on refined answers that the policy itself calls correct",
        "SELF (arXiv 2310.00533)",
        "feedback to imitate comes from the checker, refinements from witnesses; see "
        "[self-verification.md](self-verification.md)",
        {"temperature": 1.0},
        _AGENTS + "self_feedback:SelfTrainer",
        _AGENTS + "self_feedback:SelfConfig",
        env=_SELF_CHECK,
    ),
    "echo": Algorithm(
        "`turn_grpo` plus cross-entropy on the feedback's tokens, from the same pass",
        "ECHO (arXiv 2605.24517)",
        "environment tokens are the feedback messages between attempts; weight 0.05",
        _TURN_GRPO,
        _AGENTS + "echo:EchoTrainer",
        _AGENTS + "echo:EchoConfig",
    ),
    "best_of_k": Algorithm(
        "no training: k independent samples per task, success@k is that any of them solves",
        "repeated sampling (arXiv 2407.21787)",
        "k is `evaluation.attempts`; sampled at the training temperature, without feedback",
        trainer=None,
    ),
    "grpo_single": Algorithm(
        "control: `turn_grpo` with one attempt per session, so without feedback",
        "CORGI's baseline (arXiv 2411.01483)",
        "fewer tokens per session: compare at equal tokens",
        _TURN_GRPO,
        env={"max_attempts": 1},
    ),
    "grpo_best_of_4": Algorithm(
        "control: `turn_grpo` where a session is four independent attempts without feedback",
        "the control at equal compute for CORGI (arXiv 2411.01483)",
        "a session's value is the best of its attempts; none ends early",
        {**_TURN_GRPO, "best_of": 4},
        _AGENTS + "best_of:BestOfTrainer",
        _AGENTS + "best_of:BestOfConfig",
        env={"max_attempts": 1},
    ),
}


def get_algorithm(name: str | Algorithm) -> Algorithm:
    """Return a row of the table; one that is given as itself is returned as it is.

    Raises:
        ValueError: For an unknown name; the message lists the known ones.
    """
    if isinstance(name, Algorithm):
        return name
    if name not in ALGORITHMS:
        raise ValueError(f"unknown algorithm {name!r}; choose from {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]


def describe_algorithms() -> str:
    """The table as text, for ``corgi-gym train --help``.

    Example:
        >>> print(describe_algorithms().splitlines()[-2])
          grpo_single     control: `turn_grpo` with one attempt per session, so without feedback
    """
    width = max(map(len, ALGORITHMS))
    return "\n".join(f"  {name:{width}}  {row.summary}" for name, row in ALGORITHMS.items())
