"""The words of an HTML text, for previews and searching. Linear in its length, whatever it holds."""

from __future__ import annotations

import re
from html import unescape

_TAG = re.compile(r"</?([A-Za-z][A-Za-z0-9]*)")
_INLINE = frozenset(
    [
        *(
            "a",
            "abbr",
            "acronym",
            "b",
            "bdi",
            "bdo",
            "big",
            "cite",
            "code",
            "dfn",
            "del",
            "em",
            "font",
            "i",
            "ins",
            "kbd",
            "mark",
        ),
        *(
            "nobr",
            "q",
            "rt",
            "ruby",
            "s",
            "samp",
            "small",
            "span",
            "strike",
            "strong",
            "sub",
            "sup",
            "tt",
            "u",
            "var",
            "wbr",
        ),
    ]
)
_UNSEEN = {
    name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "title", "template", "noscript")
}


def html_text(markup: str) -> str:
    """Text without tags, comments, scripts and styles; a line end where a block begins or ends."""
    pieces: list[str] = []
    position, end = 0, len(markup)
    while position < end:
        bracket = markup.find("<", position)
        if bracket < 0:
            pieces.append(markup[position:])
            break
        pieces.append(markup[position:bracket])
        position = _behind_markup(markup, bracket, pieces)
    return unescape("".join(pieces))


def _behind_markup(markup: str, bracket: int, pieces: list[str]) -> int:
    """Where the text goes on behind a tag or comment; a bracket that begins neither is text."""
    if markup.startswith("<!--", bracket):
        return _behind(markup, "-->", bracket + 4)
    if markup.startswith(("<!", "<?"), bracket):
        return _behind(markup, ">", bracket + 2)
    tag = _TAG.match(markup, bracket)
    if tag is None:
        pieces.append("<")
        return bracket + 1
    name = tag[1].lower()
    if name not in _INLINE:
        pieces.append("\n")
    position = _behind(markup, ">", tag.end())
    unseen = None if markup[bracket + 1] == "/" else _UNSEEN.get(name)
    if unseen is None:
        return position
    closing = unseen.search(markup, position)
    return len(markup) if closing is None else closing.start()


def _behind(markup: str, mark: str, position: int) -> int:
    found = markup.find(mark, position)
    return len(markup) if found < 0 else found + len(mark)
