"""JSON over HTTP: bounded connections, bounded retries, and errors that name the address.

Everything of ours that talks to a server talks through here: the engines `vllm-server` and
`openai`, and judges behind an endpoint. Requests run in one background event loop per endpoint, so
that many wait at once and any of them can be cancelled, which closes its connection.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import urllib.request
import weakref
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar
from urllib.parse import urlsplit

from corgi_gym.agents.engines.base import EngineError
from corgi_gym.rewards.extras import require_modules

T = TypeVar("T")

# Of OpenAI's chat completions, after a base address that usually ends in /v1.
CHAT_PATH = "/chat/completions"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Five more attempts, 0.5, 1, 2, 4 and 8 s apart: a busy server recovers within these 15 s, and one
# that is starting again does not, which is right, since it has lost the policy's weights.
RETRIES, FIRST_WAIT, LONGEST_WAIT = 5, 0.5, 30.0
# Seconds without a byte from the server. It sends none while a reply waits for its turn and is
# decoded, so this bounds a whole reply.
DEADLINE = 600.0
_CONNECT_SECONDS = 10.0
# Servers close idle connections (uvicorn after 5 s); we close them before, so that no request is
# sent into a connection that is just being closed.
_IDLE_SECONDS = 4.0
_CLOSE_SECONDS = 5.0
_MAX_CAUSE_CHARS = 300
# Client errors that mean "later", not "never": timeout, too many requests.
_LATER = (408, 429)


class Refused(EngineError):
    """The server understood the request and refused it; repeating it would not help.

    Attributes:
        status: The HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Endpoint:
    """A JSON service.

    Connections refused or lost, timeouts and server errors (5xx, 408, 429) are tried again a
    bounded number of times; other client errors (4xx) are errors at once.

    Args:
        url: Address that paths are appended to, such as ``"http://127.0.0.1:8000"``.
        api_key_env: Name of the environment variable that holds the key, read when the first
            request is sent; keys are taken from nowhere else and appear in no message.
        connections: Requests under way at once; more wait here.
        deadline: Seconds to wait for an answer.
        retries: Further attempts after a failure that may pass.
        first_wait: Seconds before the second attempt; doubled for each further one.

    Raises:
        ValueError: For an address that is none, or that holds a password.
        ImportError: Without aiohttp.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key_env: str | None = None,
        connections: int = 128,
        deadline: float = DEADLINE,
        retries: int = RETRIES,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self.url, self.host = check_url(url)
        if connections < 1:
            raise ValueError(f"connections must be at least 1, got {connections!r}")
        require_modules("a server over HTTP", "openai", "aiohttp")
        import aiohttp

        self._aiohttp = aiohttp
        self.api_key_env = api_key_env
        self.connections, self.deadline = connections, deadline
        self.retries, self.first_wait = retries, first_wait
        self._lock = threading.Lock()
        self._process: int | None = None
        self._key = ""
        self._closing: Any = None

    # ---------------------------------------------------------------- for callers in any thread

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine that uses `request`; cancelling the future closes its connection."""
        return asyncio.run_coroutine_threadsafe(work, self._running_loop())

    def call(self, method: str, path: str, body: Any = None, *, retries: int | None = None) -> Any:
        """Send one request and wait for its answer; see `request` for the errors."""
        return self.start(self.request(method, path, body, retries=retries)).result()[0]

    def close(self) -> None:
        """Cancel what is under way and close the connections; a second call does nothing."""
        if self._closing is not None:
            self._closing()
        self._process = None

    # ---------------------------------------------------------------- inside the loop

    async def request(
        self, method: str, path: str, body: Any = None, *, retries: int | None = None
    ) -> tuple[Any, int]:
        """Send one request; returns the answer's JSON (None if empty) and the attempts it took.

        Raises:
            Refused: If the server refuses the request (4xx).
            EngineError: If no attempt succeeded, with the address and the last error, or if the
                answer is no JSON.
        """
        attempts = 1 + (self.retries if retries is None else retries)
        trouble, wait = "", 0.0
        for attempt in range(1, attempts + 1):
            await asyncio.sleep(wait)
            wait = self.first_wait * 2 ** (attempt - 1)
            try:
                async with self._session.request(
                    method, self.url + path, json=body, proxy=self._proxy
                ) as response:
                    content, status = await response.read(), response.status
                    later = response.headers.get("Retry-After", "")
            except (self._aiohttp.ClientError, TimeoutError, OSError) as error:
                trouble = self._clean(f"{type(error).__name__}: {error}")
                continue
            if status < 400:
                return self._parsed(path, content), attempt
            trouble = f"status {status}: {self._clean(_cause(content))}"
            if status < 500 and status not in _LATER:
                raise Refused(f"{self.url}{path} refused the request with {trouble}", status)
            if later.isdecimal():
                wait = min(float(later), LONGEST_WAIT)
        tries = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        raise EngineError(f"no answer from {self.url}{path} in {tries}; the last error: {trouble}")

    def _parsed(self, path: str, content: bytes) -> Any:
        try:
            return json.loads(content) if content.strip() else None
        except ValueError as error:
            raise EngineError(f"{self.url}{path} answered without JSON") from error

    def _clean(self, text: str) -> str:
        text = " ".join(text.split())[:_MAX_CAUSE_CHARS]
        return text.replace(self._key, "(key)") if self._key else text

    # ---------------------------------------------------------------- the loop's life

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._process != os.getpid():  # the first call, or the first in a forked process
                self._open()
            return self._loop

    def _open(self) -> None:
        self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_run, args=(self._loop,), daemon=True)
        thread.start()
        self._key = os.environ.get(self.api_key_env or "", "")
        self._proxy = _proxy(self.url, self.host)
        # in the loop's own thread, as aiohttp wants it
        opening = asyncio.run_coroutine_threadsafe(self._new_session(), self._loop)
        self._session = opening.result()
        self._process = os.getpid()
        self._closing = weakref.finalize(
            self, _shut_down, self._loop, thread, self._session, self._process
        )

    async def _new_session(self) -> Any:
        timeout = self._aiohttp.ClientTimeout(
            total=None, sock_connect=min(_CONNECT_SECONDS, self.deadline), sock_read=self.deadline
        )
        connector = self._aiohttp.TCPConnector(
            limit=self.connections, keepalive_timeout=_IDLE_SECONDS
        )
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return self._aiohttp.ClientSession(connector=connector, timeout=timeout, headers=headers)


def check_url(url: object) -> tuple[str, str]:
    """The address without a slash at its end, and its host.

    Raises:
        ValueError: For an address that is none, or that holds a password.

    Example:
        >>> check_url("http://127.0.0.1:8000/")
        ('http://127.0.0.1:8000', '127.0.0.1')
    """
    parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"a url such as http://127.0.0.1:8000 is needed, got {url!r}")
    if parts.username or parts.password:
        raise ValueError(
            f"the url for {parts.hostname} holds a user name or password, which would end up in "
            "logs; keys belong into an environment variable"
        )
    return str(url).rstrip("/"), parts.hostname


def chat_reply(url: str, answer: Any, *, may_be_silent: bool = False) -> tuple[str, str]:
    """The text of a chat completion and why it ended (``"stop"``, ``"length"`` or another word).

    Args:
        url: For the error.
        answer: What the endpoint sent.
        may_be_silent: Whether a completion without text that says why it ended is "" (a refusal, or
            a reasoning model whose tokens were used up), and no error.

    Raises:
        EngineError: For an answer of another shape.
    """
    try:
        choice = answer["choices"][0]
        text, reason = choice["message"]["content"], choice.get("finish_reason")
        if may_be_silent and text is None and isinstance(reason, str):
            text = ""
    except (LookupError, TypeError, AttributeError):
        text = reason = None
    if not isinstance(text, str):
        raise EngineError(f"{url} answered without text")
    return text, str(reason)


def _cause(content: bytes) -> str:
    """The server's own words: ``{"error": {"message": ...}}`` and its relatives, else the body."""
    text = content.decode("utf-8", "replace")
    try:
        data = json.loads(text)
    except ValueError:
        return text
    for key in ("error", "message", "detail"):
        if isinstance(data, dict) and data.get(key):
            data = data[key]
    return data if isinstance(data, str) else json.dumps(data)


def _proxy(url: str, host: str) -> str | None:
    if host in LOOPBACK or urllib.request.proxy_bypass(host):
        return None
    return urllib.request.getproxies().get(urlsplit(url).scheme)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()


def _shut_down(
    loop: asyncio.AbstractEventLoop, thread: threading.Thread, session: Any, process: int
) -> None:
    """Cancel the loop's tasks, close the session, stop the loop (from any thread, at any time)."""
    if process != os.getpid() or not thread.is_alive():
        return  # in a forked process the loop's thread does not exist

    async def finish() -> None:
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await session.close()
        loop.stop()

    asyncio.run_coroutine_threadsafe(finish(), loop)
    if threading.current_thread() is not thread:
        thread.join(_CLOSE_SECONDS)
