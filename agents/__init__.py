"""A policy, its rollouts and its training: the one package that knows torch, TRL and vLLM."""
