"""Address lists as people and programs write them (RFC 5322 3.4 and 4.4), for ENVELOPE and for reading aloud.

Lenient and bounded: groups, comments, quoted names, source routes and raw 8-bit text are understood, nonsense becomes the nearest
address-like thing, nothing raises. Addresses that deliver mail are `hostmail.address`, which is strict.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_ADDRESSES = 2000
MAX_TOKENS = 40_000

_PHRASE = rb"[^\"<>,:;@()\[\]\\\x00]*+"
_DOT_ATOM = rb"[^\s\"<>,:;@()\[\]\\\x00]++"
_SIMPLE = re.compile(
    rb"\s*+(?:(?:\"([^\"\\]*+)\"\s*+|(%b))<(%b)@(%b)>|(%b)@(%b))\s*+(?:,|\Z)"
    % (_PHRASE, _DOT_ATOM, _DOT_ATOM, _DOT_ATOM, _DOT_ATOM)
)
_TOKEN = re.compile(
    rb"(\s++)|\"((?:[^\"\\]++|\\.)*+)\"?|([<>,:;@(])|\[[^\]]*+\]?|[^\s\"<>,:;@(\[]++",
    re.S,
)
_COMMENT_PIECE = re.compile(rb"[^()\\]++|\\.?|[()]", re.S)
_ESCAPED = re.compile(rb"\\(.)", re.S)


class MailAddress(NamedTuple):
    """One address of a list, as IMAP sees it (RFC 3501 7.4.2).

    A group begins with `host` None and its name in `mailbox`, and ends with both None. A missing domain is empty, never None.
    """

    name: bytes | None
    route: bytes | None
    mailbox: bytes | None
    host: bytes | None


GROUP_END = MailAddress(None, None, None, None)


class _Token(NamedTuple):
    text: bytes
    special: bool
    spaced: bool


def parse_addresses(value: bytes, most: int = MAX_ADDRESSES) -> list[MailAddress]:
    """The addresses in an (unfolded) field value, at most `most` of them."""
    found: list[MailAddress] = []
    position, end = 0, len(value)
    while position < end:
        match = _SIMPLE.match(value, position)
        if match is None:
            return _Reader(value, most).read() if value.strip() else []
        inside_quotes, phrase, local, host, bare_local, bare_host = match.groups()
        if bare_local is not None:
            found.append(MailAddress(None, None, bare_local, bare_host))
        else:
            name = inside_quotes if inside_quotes is not None else b" ".join(phrase.split())
            found.append(MailAddress(name or None, None, local, host))
        if len(found) >= most:
            break
        position = match.end()
    return found


class _Reader:
    """The slow and thorough way: a pass over the tokens of one value."""

    def __init__(self, value: bytes, most: int) -> None:
        self.value = value
        self.most = most
        self.position = 0
        self.tokens_left = MAX_TOKENS
        self.found: list[MailAddress] = []
        self.in_group = False
        self.pending: list[_Token] = []
        self.comment: bytes | None = None

    def read(self) -> list[MailAddress]:
        while len(self.found) < self.most:
            token = self.next()
            if token is None:
                break
            self.take(token)
        self.finish()
        self.end_group()
        return self.found

    def next(self) -> _Token | None:
        """The next token; comments are kept aside."""
        spaced = False
        while self.tokens_left > 0:
            match = _TOKEN.match(self.value, self.position)
            if match is None:
                return None
            self.tokens_left -= 1
            self.position = match.end()
            space, inside_quotes, special = match.groups()
            if space is not None:
                spaced = True
            elif inside_quotes is not None:
                text = _ESCAPED.sub(rb"\1", inside_quotes) if b"\\" in inside_quotes else inside_quotes
                return _Token(text, False, spaced)
            elif special == b"(":
                self.comment = self.read_comment()
                spaced = True
            elif special is not None:
                return _Token(special, True, spaced)
            else:
                return _Token(match[0], False, spaced)
        return None

    def read_comment(self) -> bytes:
        """The text of a comment whose first parenthesis is read; inner ones are part of it."""
        depth = 1
        pieces: list[bytes] = []
        while self.tokens_left > 0:
            match = _COMMENT_PIECE.match(self.value, self.position)
            if match is None:
                break
            self.tokens_left -= 1
            self.position = match.end()
            piece = match[0]
            depth += (piece == b"(") - (piece == b")")
            if depth == 0:
                break
            pieces.append(piece[1:] if piece[:1] == b"\\" else piece)
        return b"".join(pieces).strip()

    def take(self, token: _Token) -> None:
        if not token.special or token.text == b"@":
            self.pending.append(token)
        elif token.text == b"<":
            self.read_angle()
        elif token.text == b",":
            self.finish()
        elif token.text == b";":
            self.finish()
            self.end_group()
        elif token.text == b":" and not self.in_group:
            self.begin_group()

    def begin_group(self) -> None:
        self.found.append(MailAddress(None, None, _words(self.pending), None))
        self.in_group = True
        self.forget()

    def end_group(self) -> None:
        if self.in_group:
            self.found.append(GROUP_END)
            self.in_group = False

    def forget(self) -> None:
        self.pending = []
        self.comment = None

    def read_angle(self) -> None:
        """`<route:local@domain>`, and whatever follows it up to the separator."""
        inside: list[_Token] = []
        after: bytes | None = None
        while True:
            token = self.next()
            if token is None:
                break
            if token.special and token.text == b">":
                after = self.skip_to_separator()
                break
            is_route = bool(inside) and inside[0].special and inside[0].text == b"@"
            if token.special and token.text in b",;" and not is_route:
                after = token.text
                break
            inside.append(token)
        route, local, host = _angle_address(inside)
        name = _words(self.pending) or self.comment or None
        self.found.append(MailAddress(name, route, local, host))
        self.forget()
        if after == b";":
            self.end_group()

    def skip_to_separator(self) -> bytes | None:
        while True:
            token = self.next()
            if token is None:
                return None
            if token.special and token.text in b",;":
                return token.text

    def finish(self) -> None:
        """An address without angle brackets ends here; its comment, by old custom, is the name."""
        if self.pending:
            before, local, host = _split_address(self.pending)
            self.found.append(MailAddress(_words(before) or self.comment or None, None, local, host))
        self.forget()


def _words(tokens: list[_Token]) -> bytes:
    return b" ".join([token.text for token in tokens])


def _joined(tokens: list[_Token]) -> bytes:
    return b"".join([token.text for token in tokens])


def _last_at(tokens: list[_Token]) -> int:
    for index in range(len(tokens) - 1, -1, -1):
        if tokens[index].special and tokens[index].text == b"@":
            return index
    return -1


def _angle_address(tokens: list[_Token]) -> tuple[bytes | None, bytes, bytes]:
    """Route, local part and domain of what stood between angle brackets."""
    route: bytes | None = None
    if tokens and tokens[0].special and tokens[0].text == b"@":
        for index, token in enumerate(tokens):
            if token.special and token.text == b":":
                route, tokens = _joined(tokens[:index]), tokens[index + 1 :]
                break
    at = _last_at(tokens)
    if at < 0:
        return route, _joined(tokens), b""
    return route, _joined(tokens[:at]), _joined(tokens[at + 1 :])


def _split_address(tokens: list[_Token]) -> tuple[list[_Token], bytes, bytes]:
    """Words before, local part and domain. White space ends both parts, save around dots (RFC 5322 4.4, obs-local-part)."""
    at = _last_at(tokens)
    if at < 0:
        return [], _words(tokens), b""
    first = at - 1
    while first > 0 and _is_glued(tokens[first - 1], tokens[first]):
        first -= 1
    last = at + 1
    while last + 1 < len(tokens) and _is_glued(tokens[last], tokens[last + 1]):
        last += 1
    first = max(first, 0)
    return tokens[:first], _joined(tokens[first:at]), _joined(tokens[at + 1 : last + 1])


def _is_glued(left: _Token, right: _Token) -> bool:
    return not right.spaced or right.text.startswith(b".") or left.text.endswith(b".")
