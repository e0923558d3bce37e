"""What makes vLLM fast on a CPU, against stand-ins of its sampler."""

import types

import pytest

torch = pytest.importorskip("torch")

from corgi_gym.agents.engines.vllm_worker import invert, sample_by_one_uniform  # noqa: E402

LAST = float(torch.nextafter(torch.tensor(1.0), torch.tensor(0.0)))


@pytest.mark.parametrize("size", [1, 7, 256, 257, 1000, 49_152])
@pytest.mark.parametrize("uniform", [0.0, 0.3, 0.999, LAST])
def test_inverts_the_distribution_function(size, uniform):
    logits = torch.randn(3, size, generator=torch.Generator().manual_seed(size)) * 3
    logits[:, 1::3] = -torch.inf  # tokens that must never be chosen
    probs = logits.double().softmax(-1)
    tokens, logprobs = invert(logits, torch.full((3,), uniform))
    own = probs.gather(1, tokens[:, None])[:, 0]
    upper = probs.cumsum(-1).gather(1, tokens[:, None])[:, 0]
    assert (own > 0).all()
    assert (upper - own <= uniform + 1e-6).all() and (uniform <= upper + 1e-6).all()
    torch.testing.assert_close(logprobs.double(), own.log(), rtol=0, atol=1e-5)


def test_samples_as_often_as_the_probabilities_say():
    probs = torch.tensor([0.5, 0.0, 0.3, 0.15, 0.05])
    count = 20_000
    uniform = torch.rand(count, generator=torch.Generator().manual_seed(0))
    tokens, _ = invert(probs.log().expand(count, -1), uniform)
    shares = torch.bincount(tokens, minlength=5) / count
    assert (shares - probs).abs().max() < 0.015 and shares[1] == 0


def test_a_row_does_not_depend_on_the_others():
    logits = torch.randn(6, 700, generator=torch.Generator().manual_seed(1))
    uniform = torch.rand(6, generator=torch.Generator().manual_seed(2))
    together, _ = invert(logits, uniform)
    alone = torch.cat([invert(logits[i : i + 1], uniform[i : i + 1])[0] for i in range(6)])
    assert torch.equal(together, alone)


class Sampler:
    """The parts of vLLM's sampler that are replaced or called."""

    def __init__(self):
        self.left = 0

    def sample(self, logits, metadata):
        self.left += 1
        return logits.argmax(-1), logits.log_softmax(-1)

    def apply_temperature(self, logits, temperature, all_random):
        return logits.div_(temperature[:, None])

    def gather_logprobs(self, logprobs, number, token_ids):
        return "gathered", logprobs.shape


@pytest.fixture
def sampler():
    made = Sampler()
    worker = types.SimpleNamespace(
        device=torch.device("cpu"), model_runner=types.SimpleNamespace(sampler=made)
    )
    sample_by_one_uniform(worker)
    sample_by_one_uniform(worker)  # a second call does nothing
    return made


def metadata(rows, **changes):
    return types.SimpleNamespace(
        **{
            "all_random": True,
            "generators": {i: torch.Generator().manual_seed(i) for i in range(rows)},
            "temperature": torch.full((rows,), 0.5),
            "top_k": None,
            "top_p": None,
            "max_num_logprobs": 0,
            "logprob_token_ids": None,
            "logitsprocs": types.SimpleNamespace(argmax_invariant=[]),
            **changes,
        }
    )


def test_seeded_rows_take_one_uniform_each(sampler):
    logits = torch.randn(4, 300, generator=torch.Generator().manual_seed(3))
    tokens, logprobs = sampler.sample(logits.clone(), metadata(4))
    expected = (logits / 0.5).log_softmax(-1).gather(1, tokens[:, None])
    torch.testing.assert_close(logprobs, expected, rtol=1e-5, atol=1e-5)
    assert sampler.left == 0
    again, _ = sampler.sample(logits.clone(), metadata(4))
    assert torch.equal(tokens, again)


@pytest.mark.parametrize(
    "changes",
    [
        {"all_random": False},
        {"generators": {}},
        {"top_k": torch.ones(4)},
        {"top_p": torch.ones(4)},
        {"max_num_logprobs": 5},
        {"logprob_token_ids": {0: [1]}},
    ],
)
def test_other_requests_keep_vllms_sampler(sampler, changes):
    _, logprobs = sampler.sample(torch.randn(4, 30), metadata(4, **changes))
    assert sampler.left == 1 and logprobs.shape == (4, 30)
    assert sampler.gather_logprobs(logprobs, 5, token_ids=torch.zeros(4).long()) == (
        "gathered",
        (4, 30),
    )


def test_processors_are_applied(sampler):
    def only_the_last(logits):
        logits[:, :-1] = -torch.inf
        return logits

    processor = types.SimpleNamespace(apply=only_the_last)
    given = metadata(4, logitsprocs=types.SimpleNamespace(argmax_invariant=[processor]))
    tokens, logprobs = sampler.sample(torch.randn(4, 30), given)
    assert tokens.tolist() == [29] * 4 and logprobs.abs().max() < 1e-6
