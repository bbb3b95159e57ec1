"""The words of an HTML text, for previews and searching. Linear in its length, whatever it holds."""

from __future__ import annotations

import re
from html import unescape

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
_MARKUP = re.compile(
    r"""<(?:
      !--(?:.*?-->|.*)
    | [!?][^>]*+>?
    | (?P<unseen>script|style|title|template|noscript)(?![a-z0-9])[^>]*+>?.*?(?=</(?P=unseen)|\Z)
    | /?(?P<name>[a-z][a-z0-9]*+)[^>]*+>?
    )""",
    re.IGNORECASE | re.ASCII | re.DOTALL | re.VERBOSE,
)


def html_text(markup: str) -> str:
    """Text without tags, comments, scripts and styles; a line end where a block begins or ends."""
    text = _MARKUP.sub(_instead, markup) if "<" in markup else markup
    return unescape(text.replace("&nbsp;", "\xa0")) if "&" in text else text


def _instead(markup: re.Match[str]) -> str:
    """What stands for a tag, a comment, or all of an element that nobody sees."""
    unseen, name = markup.groups()
    if name is None:
        return "" if unseen is None else "\n"
    return "" if name.lower() in _INLINE else "\n"
