"""Somebody at the panel in a real browser, who finds forms by what they do and fields by their names."""

from __future__ import annotations

import time
from typing import Any

from tests.support.browser import Browser, browser

SECONDS = 30.0
SELECTED = "const [field] = arguments; field.focus(); if (field.select) field.select(); return field.type;"


class Surfer:
    """Has the browser for himself, fresh; with `scripts` off no page runs any."""

    def __init__(self, port: int, *, scripts: bool = True) -> None:
        self.origin = f"https://127.0.0.1:{port}"
        self.browser: Browser = browser()
        self.driver = self.browser.driver
        self.browser.reset(scripts=scripts)

    def open(self, path: str) -> None:
        """Go there."""
        self.driver.get(self.origin + path)

    @property
    def path(self) -> str:
        """Where he is."""
        return str(self.driver.current_url).removeprefix(self.origin)

    @property
    def text(self) -> str:
        """What he reads."""
        return str(self.one("main").text)

    def one(self, selector: str) -> Any:
        """The first element that fits."""
        return self.driver.find_element("css selector", selector)

    def follow(self, words: str) -> None:
        """Follow a link of the page itself that says this."""
        self.press(self.one("main").find_element("link text", words))

    def sign_in(self, login: str, password: str) -> None:
        """By the login page."""
        self.open("/login")
        self.fill("login", login)
        self.fill("password", password)
        self.press(self.one("main form button"))

    def sends(self, action: str, **fields: str | bool) -> None:
        """Fill in the form that does this, and press its button."""
        button = self.button(action)
        for folded in button.find_elements("xpath", "./ancestor::details[not(@open)]"):
            folded.find_element("tag name", "summary").click()
        for name, value in fields.items():
            self.fill(f"{action}-{name}", value)
        self.press(button)

    def types(self, keys: str) -> None:
        """Press keys wherever the focus is."""
        self.driver.switch_to.active_element.send_keys(keys)

    def press(self, button: Any) -> None:
        """Click what leads to another page, and wait until this one is gone."""
        before = self._document()
        button.click()
        deadline = time.monotonic() + SECONDS
        while self._document() in ("", before):
            if time.monotonic() > deadline:
                raise AssertionError(f"this leads nowhere: {self.path}")
            time.sleep(0.02)

    def _document(self) -> str:
        """Which one is shown, "" between two."""
        from selenium.common.exceptions import WebDriverException

        try:
            return str(self.one("html").id)
        except WebDriverException:
            return ""

    def button(self, action: str) -> Any:
        """The button that does this."""
        return self.one(
            f'form:has(input[name="action"][value="{action}"]) .buttons button, button[name="action"][value="{action}"]'
        )

    def fill(self, field: str, value: str | bool) -> None:
        """Type, choose or tick, whatever this field wants, in place of what it holds."""
        found = self.driver.find_elements("id", field)
        if not found:
            self.one(f"#{field}-{value}").click()
            return
        kind = self.browser.run(SELECTED, found[0])
        if isinstance(value, bool):
            if found[0].is_selected() is not value:
                found[0].click()
        elif kind == "select-one":
            found[0].find_element("css selector", f'option[value="{value}"]').click()
        elif kind in ("date", "file"):
            found[0].send_keys(value)
        else:
            self.browser.tell("Input.insertText", text=value)
