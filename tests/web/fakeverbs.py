"""More verbs for the admin of the panel's tests: what the DNS, mail programs, tokens, letters and files need."""

from __future__ import annotations

from typing import Any

from hostmail.actor import Actor
from hostmail.errors import BadValue, NotFound, Overloaded

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
        self.imported: list[dict[str, Any]] = []
        self.letters: dict[str, str] = {}
        self.logins: list[dict[str, Any]] = []
        self.tokens: list[dict[str, Any]] = []
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

    def mailbox_folders(self, actor: Actor, address: str) -> list[dict[str, Any]]:
        inbox = {"name": "INBOX", "messages": 1_234, "octets": 5 << 20, "unread": 7}
        return [inbox, {"name": "<i>Odd</i>/one", "messages": 0, "octets": 0, "unread": 0}]

    def own_logins(self, actor: Actor) -> list[dict[str, Any]]:
        return self.logins

    def person_logins(self, actor: Actor, login: str) -> list[dict[str, Any]]:
        return self.logins

    def token_add(self, actor: Actor, name: str, days: int | None, **asked: Any) -> dict[str, Any]:
        about = {"role": actor.role.value, "domains": asked.get("domains", []), "address": asked.get("address")}
        times = {"created": 1.7e9, "expires": None if days is None else 1.7e9 + days * 86_400, "last_used": None}
        row = {"id": len(self.tokens) + 1, "name": name, "read_only": asked["read_only"], "made_by": actor.login}
        self.tokens.append(row | about | times)
        return self.tokens[-1] | {"token": "hm_secret"}

    def token_list(self, actor: Actor) -> list[dict[str, Any]]:
        return self.tokens

    def token_revoke(self, actor: Actor, id: int) -> dict[str, Any]:
        if id not in [one["id"] for one in self.tokens]:
            raise NotFound(f"there is no token {id}")
        self.tokens = [one for one in self.tokens if one["id"] != id]
        return {"id": id}

    def client_show(self, actor: Actor, address: str) -> dict[str, Any]:
        def guide(key: str, title: str) -> dict[str, Any]:
            facts = [{"name": "User name", "value": address}]
            return {"key": key, "title": title, "steps": [{"text": f"Open {title} <b>now</b>.", "facts": facts}]}

        return {
            "address": address,
            "settings": [{"name": "User name (login)", "value": address}],
            "notes": ["Capital letters matter."],
            "guides": [guide("thunderbird", "Thunderbird"), guide("ios", "iPhone and iPad")],
            "apple_profile": f"https://mail.example.com:8443/setup/apple.mobileconfig?address={address}",
            "apple_code": '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0"/></svg>',
            "text": f"All for {address}",
        }

    def welcome_show(self, actor: Actor, name: str) -> dict[str, Any]:
        template = self.letters.get(name, "Subject: Hello\n\nHello {login}.\n")
        told = {"name": name, "on": self.letters.get(name) != "", "own": bool(self.letters.get(name))}
        means = [{"name": "login", "means": "the exact user name"}]
        return told | {"laid_down": name in self.letters, "template": template, "placeholders": means}

    def welcome_set(self, actor: Actor, name: str, template: str) -> dict[str, Any]:
        if "{odd}" in template:
            raise BadValue("{odd} is no placeholder")
        self.letters[name] = template
        return self.welcome_show(actor, name)

    def welcome_off(self, actor: Actor, name: str) -> dict[str, Any]:
        self.letters[name] = ""
        return self.welcome_show(actor, name)

    def welcome_reset(self, actor: Actor, name: str) -> dict[str, Any]:
        self.letters.pop(name, None)
        return self.welcome_show(actor, name)

    def welcome_preview(self, actor: Actor, address: str, template: str) -> dict[str, Any]:
        if "{odd}" in template:
            raise BadValue("{odd} is no placeholder")
        text = template.partition("\n\n")[2].replace("{login}", address)
        return {"address": address, "subject": "<b>s</b>", "text": text}

    def welcome_send(self, actor: Actor, address: str) -> dict[str, Any]:
        return {"address": address}

    def certificate_list(self, actor: Actor) -> dict[str, Any]:
        good = {"server_name": "mail.one.test", "names": ["mail.one.test"], "issuer": "<b>CA</b>", "file": "one.pem"}
        row = good | {"valid_from": 1.7e9, "valid_until": 1.8e9, "self_signed": False, "problems": []}
        own = {"server_name": None, "self_signed": True, "problems": ["it ends in 3 days"]}
        rest = {"hostname": "mail.example.net", "without": ["mail.example.net", "mail.two.test"], "without_count": 2}
        return rest | {"certificates": [row | own, row]}

    def account_import(self, actor: Actor, rows: list[dict[str, Any]], dry_run: bool) -> list[dict[str, Any]]:
        if any(row["address"].startswith("busy") for row in rows):
            raise Overloaded()
        told = []
        for row in rows:
            outcome = (
                {"outcome": "created"} if row["password"] else {"outcome": "problem", "problem": "<i>needs</i> one"}
            )
            told.append({"line": row["line"], "address": row["address"], **outcome})
            if not dry_run and row["password"]:
                self.imported.append(row)
        return told

    def dns_last(self, actor: Actor, name: str) -> dict[str, Any]:
        told = self.dns_check(actor, name)
        return {"at": 1.7e9, **{key: told[key] for key in ("domain", "pointed", "words", "problems")}}
