"""QR codes as SVG: a telephone reads the address of its profile from a page or from paper."""

from __future__ import annotations

import segno

CONTENT_TYPE = "image/svg+xml"
MAX_CONTENT = 1024


def svg(content: str) -> bytes:
    """The code, black on white whatever the page is, with its quiet border and a size that scales; raises ValueError for a long content."""
    if len(content) > MAX_CONTENT:
        raise ValueError("too long for a code that is easily read")
    code = segno.make(content, error="m", micro=False)
    written: str = code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True, svgclass=None, lineclass=None)
    return written.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode()
