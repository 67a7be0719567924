"""What does a real browser do with a page: what runs in it, and whom does it ask?

An installed Chromium is driven over a pipe; nothing is installed for it. Where there is none, the tests that need one are skipped.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import monotonic
from typing import Any

from fcrlib.publish.pdf import CHOSEN, browser

PATIENCE = 30.0
MISSING = (
    "the browser is driven over a pipe that only POSIX systems hand down"
    if sys.platform == "win32"
    else f"no Chromium, Chrome or Edge was found; name one in {CHOSEN}"
    if browser() is None
    else ""
)
"""Why there is no browser to test with; empty where there is one."""
_STATE = """({title: document.title, text: (document.body || document.documentElement).textContent.length,
 policy: !!document.querySelector('meta[http-equiv="Content-Security-Policy"]'),
 scripts: document.scripts.length, frames: document.querySelectorAll('iframe,object,embed,base,link,form:not(.vega-bindings)').length,
 handlers: [...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length,
 links: [...new Set([...document.querySelectorAll('a')].map(a => typeof a.href === 'string' ? a.href : a.href.baseVal))],
 charts: [...document.querySelectorAll('svg')].length, drawn: document.querySelectorAll('.chart.live svg').length})"""
_MOVED = """document.querySelectorAll('details').forEach(e => e.open = true);
document.querySelectorAll('*').forEach(e => ['mouseover', 'mousemove', 'pointerover', 'pointermove', 'focus', 'toggle'].forEach(
 n => e.dispatchEvent(new Event(n, {bubbles: n !== 'focus' && n !== 'toggle'}))))"""

# The browser reads from descriptor 3 and writes to 4; the ends of the pipes are moved there, out of each other's way first.
_MOVER = """import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execvp(sys.argv[3], sys.argv[3:])"""


@dataclass(slots=True)
class Seen:
    """What a page was like after it had been loaded and moved over: its state, what it asked for, what it said, and the dialogs it opened."""

    state: dict[str, Any]
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    @property
    def outside(self) -> list[str]:
        """What was asked for that is no file of the report."""
        return [address for address in self.asked if not address.startswith(("file:", "data:", "blob:", "about:"))]


class Browser:
    """A browser without a window, with one page that goes where it is sent."""

    def __init__(self, process: subprocess.Popen[bytes], write: int, read: int) -> None:
        self.process, self.write, self.read = process, write, read
        self.number, self.rest = 0, b""
        self.events: list[dict[str, Any]] = []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and wait for its answer; what happens meanwhile is kept."""
        self.number += 1
        session = {"sessionId": self.session} if hasattr(self, "session") else {}
        os.write(self.write, json.dumps({"id": self.number, "method": method, "params": parameters, **session}).encode() + b"\0")
        number, ends = self.number, monotonic() + PATIENCE
        while monotonic() < ends:
            message = self._next(ends - monotonic())
            if message and message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return dict(message["result"])
        raise TimeoutError(f"the browser did not answer {method}")

    def open(self, page: Path | str, *, settle: float = 0.3) -> Seen:
        """Load a page, open what is closed, move over everything, and tell what it did."""
        self.events.clear()
        self.ask("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        self._until("Page.loadEventFired")
        self._listen(settle)
        self.ask("Runtime.evaluate", expression=_MOVED)
        self._listen(settle)
        state = self.ask("Runtime.evaluate", expression=_STATE, returnByValue=True)["result"]["value"]
        return Seen(state, self._of("Network.requestWillBeSent", "request", "url"), self._of("Log.entryAdded", "entry", "text"), self._dialogs())

    def _of(self, method: str, part: str, name: str) -> list[str]:
        return [str(event["params"][part][name]) for event in self.events if event["method"] == method]

    def _dialogs(self) -> list[str]:
        return [str(event["params"]["message"]) for event in self.events if event["method"] == "Page.javascriptDialogOpening"]

    def _until(self, method: str) -> None:
        ends = monotonic() + PATIENCE
        while not any(event["method"] == method for event in self.events):
            if monotonic() > ends:
                raise TimeoutError(f"the page never came to {method}")
            self._next(ends - monotonic())

    def _listen(self, seconds: float) -> None:
        ends = monotonic() + seconds
        while (left := ends - monotonic()) > 0:
            self._next(left)

    def _next(self, seconds: float) -> dict[str, Any] | None:
        """The next message; an event is kept, and a dialog is closed so that the page goes on."""
        while b"\0" not in self.rest:
            if not select.select([self.read], [], [], max(seconds, 0))[0]:
                return None
            read = os.read(self.read, 1 << 20)
            if not read:
                raise RuntimeError(f"the browser ended with {self.process.wait()}")
            self.rest += read
        head, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(head)
        if "method" in message:
            self.events.append(message)
            if message["method"] == "Page.javascriptDialogOpening":
                self.number += 1
                closed = {"id": self.number, "method": "Page.handleJavaScriptDialog", "params": {"accept": False}, "sessionId": self.session}
                os.write(self.write, json.dumps(closed).encode() + b"\0")
        return message


@contextmanager
def opened(profile: Path) -> Iterator[Browser]:
    """A browser of its own, with a profile of its own, that ends with the block."""
    program = browser()
    assert program is not None, MISSING
    theirs, write = os.pipe()
    read, ours = os.pipe()
    moved = [sys.executable, "-c", _MOVER, str(theirs), str(ours)]
    quiet = ("--headless", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-background-networking", "--disable-component-update")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [*moved, program, *quiet, *sandbox, "--disable-extensions", "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, pass_fds=(theirs, ours), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for end in (theirs, ours):
        os.close(end)
    try:
        yield Browser(process, write, read)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        for end in (write, read):
            os.close(end)


@dataclass(slots=True)
class Listener:
    """Somebody who waits on this machine for a payload to call: the port, and the paths that were asked for."""

    port: int
    hits: list[str] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Listener]:
    """Listen on a port of this machine for as long as the block lasts."""
    heard = Listener(0)

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.hits.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *words: object) -> None:
            """Nobody reads a log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        heard.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield heard
        finally:
            server.shutdown()
            thread.join()
