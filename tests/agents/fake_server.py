"""A small HTTP server in this process: speaks what the engines ask for, and fails on purpose."""

import contextlib
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from corgi_gym.agents.engines import CharCodec

CODEC = CharCodec()


class FakeServer(ThreadingHTTPServer):
    """vLLM's endpoints and OpenAI's chat, answered by ``script(conversation text)``.

    Attributes:
        seen: (path, body, headers) of every request.
        failures: Path to what happens to the next requests there, in order: a status, or
            ``(status, message)``, ``"reset"``, ``"hang"``, ``"html"`` or None for an answer.
        hung_up: Set when a client leaves while its request hangs.
        most: Requests that were answered at once, at most.
    """

    daemon_threads = True

    def __init__(self, script=str.upper):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.script = script
        self.seen, self.failures = [], {}
        self.models = [{"id": "tiny", "max_model_len": 2048}]
        self.dev, self.extension, self.total = True, True, 1.0
        self.weight_version, self.loaded, self.cache_held = "default", [], 0
        self.stopping, self.hung_up = threading.Event(), threading.Event()
        self.lock, self.answering = threading.Lock(), threading.Lock()
        self.under_way, self.most = 0, 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self):
        """Die: no further connection, and those that are open end."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        self.thread.join(5)

    def paths(self):
        """The paths asked for, in order."""
        return [path for path, _, _ in self.seen]

    def bodies(self, path):
        """The bodies sent to a path."""
        return [body for p, body, _ in self.seen if p == path]

    # ---------------------------------------------------------------- answers

    def answer(self, path, body):
        """Status and JSON for a request."""
        if path in ("/v1/models", "/models"):
            return 200, {"data": self.models}
        if path == "/tokenize":
            return 200, {"tokens": [ord(c) for c in body["prompt"]], "max_model_len": 2048}
        if path == "/v1/completions":
            return 200, self.completion(body)
        if path == "/v1/chat/completions":
            text = self.script(body["messages"][-1]["content"])
            choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            if len(text) > body.get("max_tokens", 10**6):
                choice["message"]["content"] = text[: body["max_tokens"]]
                choice["finish_reason"] = "length"
            return 200, {"choices": [choice]}
        return self.control(path, body) if self.dev else (404, {"detail": "Not Found"})

    def control(self, path, body):
        """The endpoints that VLLM_SERVER_DEV_MODE=1 opens."""
        if path == "/weight_info":
            return 200, {"weight_version": self.weight_version}
        if path == "/update_weight_version":
            self.weight_version = body["new_version"]
            return 200, {"success": True}
        if path == "/get_world_size":
            return 200, {"world_size": 2}
        if path == "/reset_prefix_cache":
            self.cache_held = max(0, self.cache_held - 1)
            return 200, {"success": self.cache_held == 0}
        if path == "/collective_rpc":
            return self.rpc(body["method"], body.get("kwargs", {}))
        return 404, {"detail": "Not Found"}

    def rpc(self, method, kwargs):
        """A call into the worker."""
        if method.startswith("corgi_") and not self.extension:
            return 500, {"error": {"message": f"no attribute {method!r}"}}
        if method == "corgi_setup":
            reply = {"device": "cpu", "dtype": "bfloat16", "transfer": None}
            return 200, {"results": [reply]}
        from safetensors.torch import load_file

        folder = kwargs.get("folder") or kwargs["weights_path"]
        self.loaded.append((method, load_file(f"{folder}/model.safetensors"), folder))
        return 200, {"results": [None]}

    def completion(self, body):
        """Completions of a prompt of token ids, or of several at once."""
        if isinstance(body["prompt"][0], list):
            top = {f"token_id:{i}": p for i, p in enumerate([-0.7, -0.7])}
            if self.total != 1.0:
                top = {"token_id:0": -1.0, "token_id:1": -2.0}
            logprobs = {"top_logprobs": [top], "token_logprobs": [-0.7]}
            choice = {"token_ids": [0], "logprobs": logprobs, "finish_reason": "length"}
            return {"choices": [choice] * len(body["prompt"])}
        ids = [ord(c) for c in self.script(CODEC.text(body["prompt"]))] + [CODEC.END]
        stopped = len(ids) <= body["max_tokens"]
        ids = ids[: body["max_tokens"]]
        return {
            "choices": [
                {
                    "token_ids": ids,
                    "logprobs": {"token_logprobs": [-0.5] * len(ids)},
                    "finish_reason": "stop" if stopped else "length",
                }
            ],
            "usage": {"prompt_tokens_details": {"cached_tokens": 3}},
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are used again
    timeout = 20

    def do_GET(self):
        self._serve(None)

    def do_POST(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._serve(json.loads(content) if content else None)

    def _serve(self, body):
        server = self.server
        with server.lock:
            server.seen.append((self.path, body, dict(self.headers)))
            server.under_way += 1
            server.most = max(server.most, server.under_way)
            plan = server.failures.get(self.path, [])
            failure = plan.pop(0) if plan else None
        if server.stopping.is_set() or failure == "reset":
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00"
            )
            self.close_connection = True
            self.connection.close()
            return
        if failure == "hang":
            self._hang()
            return
        if failure == "html":
            self._reply(200, b"<html>no JSON</html>")
            return
        if failure is not None:
            status, message = failure if isinstance(failure, tuple) else (failure, "on purpose")
            self._reply(status, json.dumps({"error": {"message": message}}).encode())
            return
        with server.answering:
            status, answer = server.answer(self.path, body)
        with server.lock:
            server.under_way -= 1
        self._reply(status, json.dumps(answer).encode())

    def _hang(self):
        """Answer nothing until the client leaves."""
        self.connection.settimeout(0.02)
        end = time.monotonic() + 10
        while time.monotonic() < end and not self.server.stopping.is_set():
            try:
                if not self.connection.recv(1):
                    self.server.hung_up.set()
                    break
            except TimeoutError:
                continue
            except OSError:
                self.server.hung_up.set()
                break
        self.close_connection = True

    def _reply(self, status, content):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the client has left

    def handle(self):
        with contextlib.suppress(OSError, ValueError):  # a connection that was closed on purpose
            super().handle()

    def finish(self):
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *args):
        pass
