"""The page of a run while it trains, served to the browsers of this computer alone.

The server listens on this computer's own address, at a port that the system chooses, below an address that nobody can
guess: other users of the computer do not see the run. Nothing but the page of this one run is served, and nothing can
be asked of it. Names of other hosts are refused, so that no page of the web can have its browser read it.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from hebbarium.analysis import pages
from hebbarium.engine import interruption
from hebbarium.files.errors import Stopped
from hebbarium.studies.reports import contents
from hebbarium.training.run import Run
from hebbarium.training.so_far import RunSoFar

__all__ = ["HOST", "Watch"]

HOST = "127.0.0.1"
"""Where the server listens: no other computer reaches it."""
SHARE = 0.1
"""Part of one processor that drawing may take at most, so that training is not slowed."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_HTML, _SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"


class Watch:
    """A server of one run's page; for a ``with`` statement.

    Parameters
    ----------
    run : Run
        A folder in which a run has begun.
    every : float
        Seconds at least between two looks at it. Where drawing takes long, there are more: see `SHARE`.
    """

    def __init__(self, run: Run, every: float = 5.0) -> None:
        self.name, self.every = run.path.resolve().name, every
        self._run, self._lock = RunSoFar(run), threading.Lock()
        self._state: object = None
        self._values: dict[str, Any] = {}
        self._text, self._next = "", 0.0
        self._token = secrets.token_urlsafe(16)
        self._server, self._stopped = _Server((HOST, 0), self._answer), threading.Event()

    @property
    def address(self) -> str:
        """What is typed into a browser."""
        return f"http://{HOST}:{self._server.server_port}/{self._token}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.server_close()

    def serve(self) -> None:
        """Answer until Ctrl-C, another signal that asks for an end, or `stop`."""
        with interruption.stopping_on_signals(), contextlib.suppress(Stopped):
            while not self._stopped.is_set():
                self._server.handle_request()
                interruption.stop_if_asked()

    def stop(self) -> None:
        """End `serve`, from another thread."""
        self._stopped.set()

    # -- what is answered ------------------------------------------------------------------------------
    def _answer(self, path: str) -> tuple[str, str] | None:
        """Kind and text of what lies at a path; None where there is nothing."""
        token, _, name = path.removeprefix("/").partition("/")
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return None
        match name:
            case "":
                self._look()
                return _HTML, pages.render("watch.html.jinja", seconds=self.every, **self._values)
            case "run":
                self._look()
                return _HTML, self._text
            case "renew.js":
                return _SCRIPT, pages.text_of("renew.js")
        return None

    def _look(self) -> None:
        """Draw the page anew if there is more to be seen, and if it is time."""
        with self._lock:
            state = self._run.state
            if state == self._state or time.monotonic() < self._next:
                return
            begun = time.monotonic()
            self._values = self._seen()
            self._text = pages.render("watched.html.jinja", **self._values)
            self._state = state
            took = time.monotonic() - begun
            self._next = time.monotonic() + max(self.every, took / SHARE - took)

    def _seen(self) -> dict[str, Any]:
        tree, course = self._run.look()
        run = None
        if tree is not None:
            with tree:
                # a model that could not be loaded leaves its note
                own = None if course.note else self._run.run
                run = contents.gather(
                    self.name, tree, settings=own.settings if own else None, model=own.model if own else None
                )
        return {"name": self.name, "run": run, "course": course}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    timeout = 0.2  # seconds until `Watch.serve` looks whether it is to end

    def __init__(self, address: tuple[str, int], answer: Any) -> None:
        super().__init__(address, _Handler)
        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away is no error."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10  # seconds that a browser may take to say what it wants
    server_version, sys_version = "hebbarium", ""

    def do_GET(self) -> None:
        port = self.server.server_port
        if self.headers.get_all("Host") not in ([f"{HOST}:{port}"], [f"localhost:{port}"]):
            self._send(HTTPStatus.FORBIDDEN, "text/plain", f"Expected this computer's own address, {HOST}:{port}.")
            return
        try:
            answer = self.server.answer(self.path.partition("?")[0])
        except Exception as error:  # whatever a file holds, the next look may succeed
            said = f"{type(error).__name__}: {error}"
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain; charset=utf-8", said)
            return
        if answer is None:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "Nothing is here.")
            return
        kind, text = answer
        tag = f'"{hashlib.sha256(text.encode()).hexdigest()}"'
        if self.headers.get("If-None-Match") == tag:
            self._send(HTTPStatus.NOT_MODIFIED, kind, "", {"ETag": tag})
        else:
            self._send(HTTPStatus.OK, kind, text, {"ETag": tag})

    def _send(self, status: HTTPStatus, kind: str, text: str, more: Mapping[str, str] | None = None) -> None:
        body = text.encode("utf-8", errors="replace")
        self.send_response(status)
        for name, value in {**_HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        if status != HTTPStatus.NOT_MODIFIED:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are not printed."""
