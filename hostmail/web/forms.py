"""Whether a form may be believed, and where it may lead: no other site sends our forms, or makes us send people to it."""

from __future__ import annotations

import re

from hostmail.web.asked import Asked
from hostmail.web.sessions import is_csrf_token

CSRF_FIELD, ACTION_FIELD = "csrf", "action"
MAX_PATH = 1_000
_OWN_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@%?-][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?\Z", re.ASCII)


def distrust(asked: Asked, token: str) -> str:
    """Why a POST may not be one of our own forms, for the log; "" if it is.

    Browsers tell in Sec-Fetch-Site and Origin which page a form is on. Those that send neither are old, and have the token alone to show.
    """
    if asked.fetch_site and asked.fetch_site != "same-origin":
        return f"sent from a {asked.fetch_site[:20]} page"
    if asked.origin is not None and asked.origin != asked.own_origin:
        return f"sent from {asked.origin[:100]}"
    if not is_csrf_token(asked.form.raw(CSRF_FIELD), token):
        return "without the token of its session"
    return ""


def own_path(text: str) -> str:
    """A path on this server that somebody asks to be sent to, "/" for anything that might be elsewhere."""
    return text if len(text) <= MAX_PATH and _OWN_PATH.match(text) and "//" not in text else "/"
