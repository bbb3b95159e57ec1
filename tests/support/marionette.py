"""The remote control of Mozilla's programs: JSON over TCP, each message as LENGTH:[kind, number, name or error, arguments or result]."""

from __future__ import annotations

import json
import socket
from typing import Any

SECONDS = 30.0
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
RUN = """
const done = arguments[arguments.length - 1], given = [...arguments].slice(0, -1);
const until = async (look) => {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((next) => setTimeout(next, 20));
  }
};
(async (given) => { %s })(given).then((found) => done({found}), (error) => done({trouble: `${error} ${error.stack}`}));
"""


class Marionette:
    """One session in the program's main window. Scripts have all rights of the program itself, and see its modules."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), SECONDS)
        self._input = self._socket.makefile("rb")
        self._count = 0
        self._read()
        self.tell("WebDriver:NewSession", capabilities={})
        self.tell("WebDriver:SetTimeouts", script=int(SECONDS * 1000))
        self.tell("Marionette:SetContext", value="chrome")

    def close(self) -> None:
        """The program goes on."""
        self._input.close()
        self._socket.close()

    def tell(self, command: str, **arguments: Any) -> Any:
        """A command, and its result."""
        self._count += 1
        text = json.dumps([0, self._count, command, arguments]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        _, _, error, result = self._read()
        if error is not None:
            raise AssertionError(f"{command}: {error['error']}: {error['message']}")
        return result

    def run(self, body: str, *given: Any) -> Any:
        """What an async function returns; it knows `given`, and `until(look)`, which asks again until the answer is true."""
        answer = self.tell("WebDriver:ExecuteAsyncScript", script=RUN % body, args=list(given))["value"]
        if "trouble" in answer:
            raise AssertionError(answer["trouble"])
        return answer.get("found")

    def click(self, element: Any) -> None:
        """As with the mouse; a script has returned the element."""
        self.tell("WebDriver:ElementClick", id=element[ELEMENT])

    def fill(self, element: Any, text: str) -> None:
        """Type over what is there."""
        self.tell("WebDriver:ElementClear", id=element[ELEMENT])
        self.tell("WebDriver:ElementSendKeys", id=element[ELEMENT], text=text)

    def _read(self) -> Any:
        size = b""
        while (octet := self._input.read(1)) != b":":
            if not octet:
                raise AssertionError("the program has hung up")
            size += octet
        return json.loads(self._input.read(int(size)))
