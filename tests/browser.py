"""A headless Chromium, driven through its DevTools protocol over two pipes: no further library."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class Browser:
    """One tab. ``requests`` are the addresses it asked for, ``complaints`` what it logged."""

    def __init__(self, read, write):
        self._read, self._write = read, write
        self._number, self._session = 0, None
        self.requests: list[str] = []
        self.complaints: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "Chromium ended"
            text += byte
        message = json.loads(text)
        self._note(message.get("method"), message.get("params", {}))
        return message

    def _note(self, method: str | None, params: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(params["entry"]["text"])

    def open(self, page: Path) -> None:
        self.call("Page.navigate", url=page.absolute().as_uri())
        self.evaluate(
            "new Promise(r => document.readyState == 'complete' ? r() : onload = () => r())"
        )

    def resize(
        self, width: int, height: int = 900, *, dark: bool = False, scale: float = 1
    ) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    def evaluate(self, script: str) -> Any:
        """The value of an expression in the page, awaited."""
        done = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def violations(self) -> list[list[str]]:
        """What axe finds on the open page: rule and element of each."""
        script = Path(pytest.importorskip("axe_core_python").__file__).with_name("axe.min.js")
        self.evaluate(f"{script.read_text()}; 0")
        found: list[list[str]] = self.evaluate(
            "axe.run().then(found => found.violations.map(one => [one.id, one.nodes[0].html]))"
        )
        return found

    def press(self, key: str, times: int = 1) -> None:
        """Press a key as a person does; ``key`` is a name such as ArrowLeft."""
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        codes |= {"Home": 36, "End": 35, "PageUp": 33, "PageDown": 34, "Tab": 9, "Enter": 13}
        text = {"text": "\r"} if key == "Enter" else {}
        for _ in range(times):
            for kind in ("keyDown", "keyUp"):
                self.call(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    code=key,
                    windowsVirtualKeyCode=codes[key],
                    **(text if kind == "keyDown" else {}),
                )

    def screenshot(self, path: Path, *, first: str, last: str, quality: int = 70) -> None:
        """A JPEG from the element that the selector ``first`` finds to the end of ``last``'s."""
        top, bottom, width = self.evaluate(
            f"""(() => {{
            const box = (name) => document.querySelector(name).getBoundingClientRect();
            const [first, last] = [box({json.dumps(first)}), box({json.dumps(last)})];
            return [first.top + scrollY, last.bottom + scrollY, innerWidth];
            }})()"""
        )
        clip = {"x": 0, "y": max(0, top - 24), "width": width, "scale": 1}
        clip["height"] = bottom + 24 - clip["y"]
        shot = self.call(
            "Page.captureScreenshot",
            format="jpeg",
            quality=quality,
            clip=clip,
            captureBeyondViewport=True,
        )
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium():
    """A :class:`Browser` with a new, empty profile; it is closed at the end of the block."""
    commands, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    # It reads from 3 and writes to 4; numbers far from these cannot collide with them.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (commands, answers)]
    os.close(commands)
    os.close(answers)
    with TemporaryDirectory(prefix="chromium-") as profile:
        script = f'exec "$0" "$@" 3<&{ends[0]} 4>&{ends[1]}'
        process = subprocess.Popen(
            ["/bin/bash", "-c", script, CHROMIUM, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for end in ends:
            os.close(end)
        try:
            with os.fdopen(from_browser, "rb") as read, os.fdopen(to_browser, "wb") as write:
                browser = Browser(read, write)
                yield browser
                browser._session = None
                browser.call("Browser.close")
        finally:
            process.terminate()
            process.wait(20)
