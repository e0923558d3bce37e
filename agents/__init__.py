"""A policy, its rollouts and its training: the one room that knows torch, TRL and vLLM."""
