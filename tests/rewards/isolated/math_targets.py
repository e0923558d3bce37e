"""math-verify as it is, without the refusals of `corgi_gym.rewards._math_child`."""

from math_verify import LatexExtractionConfig, parse, verify


def raw(gold, answer):
    pair = [
        parse(f"${text}$", [LatexExtractionConfig()], parsing_timeout=None)
        for text in (gold, answer)
    ]
    return verify(*pair, timeout_seconds=None)


raw(r"2\sqrt{3}", r"\sqrt{12}")
