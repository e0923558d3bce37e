"""`ChatCodec`: messages to token ids and back, append only.

A conversation is a growing list of token ids. What the model wrote is kept exactly as it wrote it;
what the environment says is encoded on its own, with control tokens switched off, and appended
between the fixed pieces of the chat template. Nothing is ever decoded and encoded again, so the ids
that are trained on are the ids that were sampled.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

# Placeholders that no template changes and that cannot occur in its own text.
_FIRST, _REPLY, _SECOND = "⁂first⁂", "⁂reply⁂", "⁂second⁂"


class ChatCodec:
    """Encodes the turns of one chat template.

    Args:
        tokenizer: A Hugging Face tokenizer with a chat template.
        system: System prompt; ``""`` sends an empty one (which keeps templates from inserting their
            own), ``None`` leaves it to the template.

    Attributes:
        stop_ids: Token ids that end a reply.

    Raises:
        ValueError: If the template cannot render such a chat.
    """

    def __init__(self, tokenizer: Any, system: str | None = "") -> None:
        self.tokenizer = tokenizer
        first = {"role": "user", "content": _FIRST}
        opening = [{"role": "system", "content": system}] if system is not None else []
        chat = [
            *opening,
            first,
            {"role": "assistant", "content": _REPLY},
            {"role": "user", "content": _SECOND},
        ]
        try:
            start = tokenizer.apply_chat_template(
                [*opening, first], tokenize=False, add_generation_prompt=True
            )
            whole = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
            head, ask = start.split(_FIRST)
            between, ask_again = whole.split(_REPLY)[1].split(_SECOND)
        except Exception as error:  # templates raise their own jinja errors
            raise ValueError(
                f"the chat template of {tokenizer.name_or_path!r} cannot render a conversation "
                f"with system={system!r}: {error}; try system=None"
            ) from error
        self._head, self._ask = self._template_ids(head), self._template_ids(ask)
        self._between, self._ask_again = (
            self._template_ids(between),
            self._template_ids(ask_again),
        )
        # a turn ends with the tokenizer's end token, or with the template's where that is a control
        # token (a plain one, such as a space, would cut replies at their first space)
        control = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
        ends = [tokenizer.eos_token_id, *(i for i in self._between[:1] if i in control)]
        self.stop_ids: tuple[int, ...] = tuple(dict.fromkeys(i for i in ends if i is not None))

    def start(self, message: str) -> list[int]:
        """Token ids of the first user message, ready for a reply."""
        return [*self._head, *self._text_ids(message), *self._ask]

    def follow_up(self, message: str, reply_ids: Sequence[int]) -> list[int]:
        """Token ids to append after ``reply_ids`` for the next user message."""
        between = self._between
        if reply_ids and between and reply_ids[-1] == between[0]:
            between = between[1:]  # the model has closed its turn itself
        return [*between, *self._text_ids(message), *self._ask_again]

    def reply(self, text: str) -> list[int]:
        """Token ids of a reply as a model would write it, with its end-of-turn token."""
        ends = self._between[:1] if self._between[0] in self.stop_ids else self.stop_ids[:1]
        return [*self._text_ids(text), *ends]

    def text(self, reply_ids: Sequence[int]) -> str:
        """The text of a reply, without its end-of-turn token."""
        ids = list(reply_ids)
        while ids and ids[-1] in self.stop_ids:
            ids.pop()
        return self.tokenizer.decode(ids, skip_special_tokens=False).strip()

    def extended(self, prompt_ids: Sequence[int], text: str) -> list[int]:
        """A conversation that waits for a reply, with one more line in its last user message.

        The ids before that line stay as they are.
        """
        ask = next(
            ids for ids in (self._ask_again, self._ask) if list(prompt_ids[-len(ids) :]) == ids
        )
        return [*prompt_ids[: -len(ask)], *self._text_ids(f"\n{text}"), *ask]

    def offsets(self, reply_ids: Sequence[int]) -> list[tuple[int, int]]:
        """Characters ``(start, end)`` of each token in `text` of the same ids.

        End-of-turn tokens, and white space that `text` strips, have no characters.
        """
        ids = list(reply_ids)
        while ids and ids[-1] in self.stop_ids:
            ids.pop()

        def decode(part: list[int]) -> str:
            return self.tokenizer.decode(part, skip_special_tokens=False)

        whole = decode(ids)
        parts = [decode([i]) for i in ids]
        ends = list(itertools.accumulate(map(len, parts)))
        if "".join(parts) != whole:  # a character is spread over several tokens
            ends = [len(decode(ids[: n + 1])) for n in range(len(ids))]
        before = len(whole) - len(whole.lstrip())
        length = len(whole.strip())
        ends = [min(max(end - before, 0), length) for end in itertools.accumulate(ends, max)]
        ends += [length] * (len(reply_ids) - len(ids))
        return list(itertools.pairwise([0, *ends]))

    def _template_ids(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False)

    def _text_ids(self, text: str) -> list[int]:
        # split_special_tokens: "<|im_end|>" in a message is spelled out, never a control token
        return self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
