"""More verbs for the admin of the panel's tests: what the DNS, mail programs, tokens, letters and files need."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor

MX = {
    "what": "mail",
    "kind": "MX",
    "values": ["10 mail.example.net."],
    "need": "required",
    "purpose": "brings mail here",
}


class MoreVerbs:
    """Kept apart from the first ones for their number. `dns_found` is what is wrong with the MX record, "" for nothing."""

    def __init__(self) -> None:
        self.dns_found = ""

    def dns_records(self, actor: Actor, name: str) -> dict[str, Any]:
        return {"domain": name, "records": [MX | {"name": name}], "zone": f"{name}. IN MX 10 mail.example.net.\n"}

    def dns_check(self, actor: Actor, name: str) -> dict[str, Any]:
        wrong = bool(self.dns_found)
        found = {
            "name": name,
            "state": "wrong" if wrong else "ok",
            "problem": wrong,
            "found": ["5 <i>mx</i>.far.test."],
            "words": self.dns_found,
            "fix": ["replace it"] if wrong else [],
        }
        words = f"{name} is not pointed here yet" if wrong else f"mail for {name} comes to this server"
        return {"domain": name, "pointed": not wrong, "words": words, "problems": int(wrong), "records": [MX | found]}

    def dns_last(self, actor: Actor, name: str) -> dict[str, Any]:
        told = self.dns_check(actor, name)
        return {"at": 1.7e9, **{key: told[key] for key in ("domain", "pointed", "words", "problems")}}
