"""The generation-verification gap: what a verifier can pick out of a model's own samples.

Song et al., "Mind the Gap" (arXiv 2412.02674, ICLR 2025). `docs/gap.md` has the formulas.
"""
