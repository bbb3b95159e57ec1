"""Stylesheet, script and icon: each under a name with a hash of its content, so that browsers may keep it for ever."""

from __future__ import annotations

from hashlib import sha256
from importlib.resources import files

from hostmail.web.answers import FOR_EVER, Answer

KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
PREFIX = "/static/"


class StaticFiles:
    """All files of the folder, in memory. A name that is none of theirs is nothing: no path is ever made of what a peer asks for."""

    def __init__(self) -> None:
        self._by_name: dict[str, Answer] = {}
        self._urls: dict[str, str] = {}
        for file in files("hostmail.web").joinpath("static").iterdir():
            stem, dot, ending = file.name.rpartition(".")
            if f".{ending}" not in KINDS:
                continue
            content = file.read_bytes()
            digest = sha256(content).hexdigest()[:16]
            name = f"{stem}.{digest}{dot}{ending}"
            self._by_name[name] = Answer(content, kind=KINDS[f".{ending}"], cache=FOR_EVER, etag=digest)
            self._urls[file.name] = PREFIX + name

    def url(self, name: str) -> str:
        """Where `panel.css` is."""
        return self._urls[name]

    def find(self, name: str, known_etag: str) -> Answer | None:
        """The file, or that the browser has it already (RFC 9110, 13.1.2); None for no file of ours."""
        answer = self._by_name.get(name)
        if answer is not None and f'"{answer.etag}"' in known_etag:
            return Answer(status=304, cache=FOR_EVER, etag=answer.etag)
        return answer
