"""A real Chromium, one for all tests of a process, and axe-core to judge what it shows."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.missing import lacking, program

AXE = Path(__file__).parents[2] / ".venv/node/node_modules/axe-core/axe.min.js"
WIDE, NARROWEST = 1280, 320
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)
JUDGE = """
const [rules, done] = arguments;
const options = {resultTypes: ["violations"], preload: false, performanceTimer: false};
if (rules.length) options.runOnly = {type: "rule", values: rules};
axe.run(document, options).then(
  told => done(told.violations.map(one => one.id + ": " + one.nodes.map(node => node.target.join(" ") + " " + node.html).join(" | "))),
  trouble => done(["axe: " + trouble]));
"""


class Browser:
    """Chromium with one window. Whoever uses it begins with `reset`."""

    def __init__(self) -> None:
        try:
            from selenium import webdriver
            from selenium.webdriver.chrome.service import Service
        except ImportError:
            raise lacking("selenium is not installed") from None
        self._profile = tempfile.mkdtemp(prefix="hostmail-chromium-")
        options = webdriver.ChromeOptions()
        options.binary_location = program("chromium")
        options.accept_insecure_certs = True
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in (*FLAGS, f"--user-data-dir={self._profile}"):
            options.add_argument(flag)
        self.driver = webdriver.Chrome(options=options, service=Service(program("chromedriver")))
        self.driver.set_page_load_timeout(30)
        self.driver.set_script_timeout(30)
        self.width = WIDE
        self._judge = ""

    def end(self) -> None:
        """Close it."""
        self.driver.quit()
        shutil.rmtree(self._profile, ignore_errors=True)

    def reset(self, *, scripts: bool = True) -> None:
        """As fresh from the box: nobody is signed in, light, wide."""
        if self._judge:
            self.tell("Page.removeScriptToEvaluateOnNewDocument", identifier=self._judge)
            self._judge = ""
        self.driver.get("about:blank")
        self.tell("Network.clearBrowserCookies")
        self.tell("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.look(WIDE)
        self.complaints()

    def tell(self, command: str, **arguments: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(command, arguments)

    def look(self, width: int, *, dark: bool = False, medium: str = "") -> None:
        """A window this wide, in this light; `medium` "print" is paper."""
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        wishes = {"prefers-color-scheme": "dark" if dark else "light", "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wishes.items()]
        self.tell("Emulation.setEmulatedMedia", media=medium, features=features)
        for _ in range(1_000):
            if self.run("return innerWidth") == width:
                self.width = width
                return
        raise AssertionError(f"the window does not become {width} pixels wide")

    def complaints(self) -> list[str]:
        """What the console said since it was last asked: scripts and styles that were not let in, files that were not there."""
        return [one["message"] for one in self.driver.get_log("browser")]

    def judged(self, *rules: str) -> list[str]:
        """What axe-core finds wrong with the page, by these rules or all. Once asked it is in each page from its beginning."""
        if not self._judge:
            self._judge = self.tell("Page.addScriptToEvaluateOnNewDocument", source=axe())["identifier"]
            self.run(axe())
        return list(self.driver.execute_async_script(JUDGE, list(rules)))

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script says of the page."""
        return self.driver.execute_script(script, *arguments)


@cache
def axe() -> str:
    """The program text of axe-core."""
    if not AXE.is_file():
        raise lacking("axe-core is not installed")
    return AXE.read_text()


@cache
def browser() -> Browser:
    """The one browser of this process."""
    made = Browser()
    atexit.register(made.end)
    return made
