"""The tokenizer of a GGUF file whose vocabulary is a SentencePiece BPE model.

Such a file has tokens and scores but no merges: the score of a token is minus the rank at which BPE
made it. transformers 5.17 reads it as a unigram model, which cuts words into other pieces than the
model was trained on ("▁Fr", "an", "ce" for "▁France") and leaves a working model talking nonsense.
Here the merges are put together again: each way to make a token of two others, by the rank of the
token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

# Kinds of tokens in GGUF files (ggml.h, llama_token_type).
_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4
_SPACE = "▁"

Merge = tuple[str, str]


def bpe_merges(tokens: Sequence[str], scores: Sequence[float], kinds: Sequence[int]) -> list[Merge]:
    """The merges of a BPE vocabulary, first ones first.

    Args:
        tokens: The vocabulary, by id.
        scores: Minus the rank of each token's merge; not read for other than normal tokens.
        kinds: The kinds of the tokens, as in a GGUF file.

    Example:
        >>> bpe_merges(["a", "b", "ab", "abb", "<s>"], [-9, -9, 0, -1, 0], [1, 1, 1, 1, 3])
        [('a', 'b'), ('ab', 'b')]
    """
    place = {
        token: index
        for index, (token, kind) in enumerate(zip(tokens, kinds, strict=True))
        if kind == _NORMAL
    }
    ranked = []
    for token, index in place.items():
        cuts = ((token[:i], token[i:]) for i in range(1, len(token)))
        pairs = [(place[a], place[b], (a, b)) for a, b in cuts if a in place and b in place]
        ranked += [(-scores[index], index, first, second, pair) for first, second, pair in pairs]
    return [pair for *_, pair in sorted(ranked)]


def bpe_tokenizer(gguf: Path) -> Any:
    """A fast tokenizer with the vocabulary, merges and control tokens of a GGUF file.

    It has no chat template.

    Raises:
        ValueError: If the file's vocabulary is not of this kind.
    """
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors
    from transformers import PreTrainedTokenizerFast

    fields = GGUFReader(gguf).fields

    def value(name: str) -> Any:
        return fields[f"tokenizer.ggml.{name}"].contents()

    if value("model") != "llama":  # GGUF's name for SentencePiece
        raise ValueError(f"{gguf} has a {value('model')!r} vocabulary, not a SentencePiece one")
    tokens, kinds = value("tokens"), value("token_type")
    vocabulary = {token: index for index, token in enumerate(tokens)}
    special = {
        f"{name}_token": tokens[value(f"{key}_token_id")]
        for name, key in (("bos", "bos"), ("eos", "eos"), ("unk", "unknown"), ("pad", "padding"))
    }
    tokenizer = Tokenizer(
        models.BPE(
            vocabulary,
            bpe_merges(tokens, value("scores"), kinds),
            unk_token=special["unk_token"],
            fuse_unk=True,
            byte_fallback=True,
        )
    )
    tokenizer.normalizer = normalizers.Replace(" ", _SPACE)
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(_SPACE, " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    for kind, add in (
        (_CONTROL, tokenizer.add_special_tokens),
        (_USER_DEFINED, tokenizer.add_tokens),
    ):
        names = [token for token, its_kind in zip(tokens, kinds, strict=True) if its_kind == kind]
        add([AddedToken(token, normalized=False, special=kind == _CONTROL) for token in names])
    bos = special["bos_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A {bos}:1 $B:1",
        special_tokens=[(bos, vocabulary[bos])],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **special
    )
