"""corgi-gym: multi-turn Gymnasium environments in which a checker's feedback guides a writer.

    import gymnasium as gym
    import corgi_gym  # registers ConstrainedGen-v0, GuidedMath-v0 and corgi/<Family>-v0

Four packages: `corgi_gym.rewards`, `corgi_gym.envs`, `corgi_gym.agents`, `corgi_gym.benchmarks`.
"""

from corgi_gym.envs.registration import register_envs

__version__ = "0.1.0"

register_envs()
