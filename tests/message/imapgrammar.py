"""A strict reader of IMAP lists, and the shape RFC 3501 (section 9) demands of ENVELOPE and BODYSTRUCTURE."""

from __future__ import annotations

import re
from typing import Any

_TOKEN = re.compile(rb'\(|\)| |NIL|[0-9]+|"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*)"|\{([0-9]+)\}\r\n', re.S)


def parse(text: bytes) -> Any:
    """Nested lists of bytes, ints and None. Fails on anything that is not the grammar, spaces included."""
    stack: list[list[Any]] = [[]]
    position = 0
    previous = b"("
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None, text[position : position + 60]
        position = match.end()
        token = match[0]
        if token == b" ":
            assert previous not in (b" ", b"("), text[position - 20 : position + 20]
        elif token == b"(":
            assert previous in (b" ", b"(", b")")
            stack.append([])
        elif token == b")":
            assert previous != b" "
            done = stack.pop()
            assert done, "empty list"
            stack[-1].append(done)
        else:
            assert previous in (b" ", b"("), text[position - 20 : position + 20]
            if token == b"NIL":
                stack[-1].append(None)
            elif match[1] is not None:
                stack[-1].append(re.sub(rb"\\(.)", rb"\1", match[1]))
            elif match[2] is not None:
                size = int(match[2])
                value = text[position : position + size]
                assert len(value) == size
                assert b"\0" not in value
                stack[-1].append(value)
                position += size
            else:
                stack[-1].append(int(token))
        previous = token
    assert len(stack) == 1
    assert len(stack[0]) == 1
    return stack[0][0]


def check_envelope(value: Any) -> None:
    """Ten members; lists of four-member addresses."""
    assert len(value) == 10
    for index in (0, 1, 8, 9):
        assert value[index] is None or isinstance(value[index], bytes)
    for addresses in value[2:8]:
        if addresses is None:
            continue
        for address in addresses:
            assert len(address) == 4
            assert all(member is None or isinstance(member, bytes) for member in address)


def check_structure(value: Any, extended: bool) -> list[tuple[tuple[int, ...], int]]:
    """The shape of a body; returns each leaf's part numbers and octets, as a client would address them."""
    found: list[tuple[tuple[int, ...], int]] = []
    _check(value, extended, (), found)
    return found


def _check(value: Any, extended: bool, path: tuple[int, ...], found: list[tuple[tuple[int, ...], int]]) -> None:
    if isinstance(value[0], list):
        children = [each for each in value if isinstance(each, list)]
        count = next(index for index, each in enumerate(value) if not isinstance(each, list))
        for number, child in enumerate(children[:count], 1):
            _check(child, extended, (*path, number), found)
        rest = value[count:]
        assert isinstance(rest[0], bytes)
        assert len(rest) == (5 if extended else 1)
        if extended:
            _check_parameters(rest[1])
            _check_common(rest[2:])
        return
    path = path or (1,)
    main, sub, parameters, identity, description, encoding, octets = value[:7]
    assert isinstance(main, bytes)
    assert isinstance(sub, bytes)
    _check_parameters(parameters)
    assert identity is None or isinstance(identity, bytes)
    assert description is None or isinstance(description, bytes)
    assert isinstance(encoding, bytes)
    assert isinstance(octets, int)
    found.append((path, octets))
    rest = value[7:]
    if (main, sub) == (b"message", b"rfc822"):
        check_envelope(rest[0])
        inner = rest[1]
        _check(inner, extended, path if isinstance(inner[0], list) else (*path, 1), found)
        assert isinstance(rest[2], int)
        rest = rest[3:]
    elif main == b"text":
        assert isinstance(rest[0], int)
        rest = rest[1:]
    assert len(rest) == (4 if extended else 0)
    if extended:
        assert rest[0] is None or isinstance(rest[0], bytes)
        _check_common(rest[1:])


def _check_parameters(value: Any) -> None:
    if value is not None:
        assert len(value) % 2 == 0
        assert all(isinstance(each, bytes) for each in value)


def _check_common(value: list[Any]) -> None:
    disposition, language, location = value
    if disposition is not None:
        assert len(disposition) == 2
        assert isinstance(disposition[0], bytes)
        _check_parameters(disposition[1])
    assert language is None or all(isinstance(each, bytes) for each in language)
    assert location is None or isinstance(location, bytes)
