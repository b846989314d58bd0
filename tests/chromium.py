"""A headless Chromium to open pages in, over the pipe of its DevTools protocol: the standard library is enough."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATH = next((found for name in NAMES if (found := shutil.which(name))), None)
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--remote-debugging-pipe",
]  # fmt: skip
PATIENCE = 300


class Chromium:
    """One browser; `open` gives a page in it."""

    def __init__(self):
        self.profile = tempfile.TemporaryDirectory(prefix="xifen-chromium-", ignore_cleanup_errors=True)
        # The browser reads commands from descriptor 3 and answers on 4; ours must not be in the way.
        commands, self._write = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in os.pipe())
        self._read, answers = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in os.pipe())

        def place():
            os.dup2(commands, 3)
            os.dup2(answers, 4)

        self.process = subprocess.Popen(
            [PATH, *FLAGS, f"--user-data-dir={self.profile.name}", "about:blank"],
            preexec_fn=place,  # noqa: PLW1509 - the descriptors have to be placed in the child
            close_fds=False,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._buffer = b""
        self._ids = itertools.count(1)
        self.events = []

    def close(self):
        os.close(self._write)
        os.close(self._read)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.profile.cleanup()

    def call(self, method, session=None, **parameters):
        message = {"id": next(self._ids), "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data) :]
        while True:
            answer = self._receive()
            if answer.get("id") == message["id"]:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]
            self.events.append(answer)

    def _receive(self):
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0, until - time.monotonic()))
            assert ready, f"Chromium did not answer in {PATIENCE} s"
            part = os.read(self._read, 1 << 16)
            assert part, "Chromium ended"
            self._buffer += part
        answer, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(answer)

    def open(self, path, *, width=1280, height=900, dark=False, phone=False):
        return Page(self, Path(path), width, height, dark, phone)


class Page:
    """A file opened in a tab of its own, with the network watched."""

    def __init__(self, browser, path, width, height, dark, phone):
        self.browser = browser
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.target = target
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        browser.events.clear()
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.documentElement?.dataset.ready === 'true'")

    def call(self, method, **parameters):
        return self.browser.call(method, self.session, **parameters)

    def run(self, script):
        """Give the value of an expression of JavaScript."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script):
        until = time.monotonic() + PATIENCE
        while not self.run(script):
            assert time.monotonic() < until, f"this never came true: {script}; {self.complaints()}"
            time.sleep(0.05)

    def press(self, key, text=""):
        for kind in ("keyDown", "keyUp"):
            code = {"Enter": 13, "Tab": 9, "Escape": 27}.get(key, 0)
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code,
                **({"text": text} if kind == "keyDown" and text else {}),
            )  # fmt: skip

    def requests(self):
        """Every address asked for, the file itself and data: apart."""
        self.run("1")
        sent = [event for event in self.browser.events if event.get("method") == "Network.requestWillBeSent"]
        return [
            event["params"]["request"]["url"]
            for event in sent
            if not event["params"]["request"]["url"].startswith(("file:", "data:"))
        ]

    def complaints(self):
        """Every error and warning of the console, refused resources included."""
        said = []
        for event in self.browser.events:
            if event.get("method") == "Runtime.exceptionThrown":
                said.append(event["params"]["exceptionDetails"])
            elif event.get("method") == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "warning"):
                said.append(event["params"]["args"])
            elif event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] in ("error", "warning"):
                said.append(event["params"]["entry"]["text"])
        return said

    def picture(self, path, *, whole=True):
        found = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole))
        Path(path).write_bytes(base64.b64decode(found["data"]))

    def _clip(self, whole):
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def pdf(self, path):
        found = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        Path(path).write_bytes(base64.b64decode(found["data"]))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self.target)
