"""Who may ask the API for what: made from its table, so that no call can be forgotten (F1)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hostmail.actor import Role
from hostmail.web.api.reading import WITH_BODY
from hostmail.web.api.table import ENDPOINTS, LEFT_OUT, Endpoint, Paths
from tests.admin.test_permissions import about, fields_of, something
from tests.web.api.fakes import EVE, LOOKS, TWO, ApiTestCase

FOREIGN = {"address": "ann@one.test", "domain": "one.test", "either": "one.test"}


class TableTests(ApiTestCase):
    def wanted(self, endpoint: Endpoint, foreign: bool = False) -> tuple[str, dict[str, Any]]:
        """A path with its query, and a body, with all that the verb needs; with `foreign` it names what is in one.test."""
        verb = self.world.admin.verbs[endpoint.verb]
        said = {name: something(each.type) for name, each in fields_of(verb).items() if each.required}
        said |= {name: something(fields_of(verb)[name].type) for name in endpoint.parts}
        if foreign:
            for path, kind in verb.may.about.items():
                said |= about(verb, path, FOREIGN[kind.value])
        path = endpoint.path
        for name in endpoint.parts:
            path = path.replace(f"{{{name}}}", quote(str(said.pop(name)), safe="@"))
        if endpoint.method in WITH_BODY:
            return path, said
        query = "&".join(
            f"{endpoint.called(name)}={quote(str(text))}"
            for name, value in said.items()
            for text in (value if isinstance(value, list) else [value])
        )
        return f"{path}?{query}" if query else path, {}

    def every(self, token: str, endpoint: Endpoint, foreign: bool = False) -> tuple[int, dict[str, Any]]:
        """What somebody is told there."""
        path, body = self.wanted(endpoint, foreign)
        reply = self.ask(endpoint.method, path, token, body or None)
        return reply.status, json.loads(reply.body)

    def test_each_verb_is_there_or_has_a_reason(self) -> None:
        """A verb that is added comes into the table, or onto the short list of those that are not for programs."""
        offered, verbs = {each.verb for each in ENDPOINTS}, set(self.world.admin.verbs)
        self.assertEqual((verbs - offered - set(LEFT_OUT), offered - verbs), (set(), set()))
        self.assertEqual(offered & set(LEFT_OUT), set())

    def test_looking_is_get(self) -> None:
        """What changes nothing is GET, and nothing else is: no link and no prefetching browser changes anything."""
        for each in ENDPOINTS:
            self.assertEqual(each.method == "GET", self.world.admin.verbs[each.verb].may.looks, each.path)

    def test_each_path_is_found(self) -> None:
        """Every path of the table leads to its own calls, and not to another's."""
        paths = Paths(ENDPOINTS)
        for each in ENDPOINTS:
            found = paths.find(each.path.replace("{", "%7B").replace("}", "%7D"))
            assert found is not None
            self.assertIs(found[0][each.method], each, each.path)
            self.assertEqual(set(found[1]), set(each.parts), each.path)

    def test_arguments_are_the_verbs_own(self) -> None:
        """Parts of paths, and words that stand for others, are arguments of their verbs; what is made is said to be where something is."""
        for each in ENDPOINTS:
            known = set(fields_of(self.world.admin.verbs[each.verb]))
            self.assertLessEqual({*each.parts, *each.names.values()}, known, each.path)
            self.assertFalse(set(each.names) & known, each.path)
            self.assertEqual(each.creates, bool(each.made), each.path)
            if each.made:
                self.assertIn(each.made, [one.path for one in ENDPOINTS], each.path)

    def test_nothing_without_a_token(self) -> None:
        """Every call without a token, and with a wrong one, is answered 401, and nothing is asked or changed."""
        before = len(self.world.audit.entries)
        for each in ENDPOINTS:
            path, body = self.wanted(each)
            for token in ("", "hostmail_wrong", "x y"):
                reply = self.ask(each.method, path, token, body or None)
                self.problem(reply, 401)
                self.assertTrue(reply.headers["www-authenticate"].startswith("Bearer "), path)
        self.assertEqual(len(self.world.audit.entries), before)

    def test_a_cookie_is_no_token(self) -> None:
        """Whoever is signed in to the panel in a browser is nobody here."""
        for each in ENDPOINTS:
            path, body = self.wanted(each)
            self.problem(self.ask(each.method, path, "", body or None, cookie="__Host-session=hostmail_root"), 401)

    def test_what_is_others_is_not_there(self) -> None:
        """Another domain's owner, and a user, are told 404 or 403 wherever they name what is not theirs."""
        for each in ENDPOINTS:
            may = self.world.admin.verbs[each.verb].may
            for token, role in ((TWO, Role.OWNER), (EVE, Role.USER)):
                if may.about and role in may.who and not each.bare:
                    status, _ = self.every(token, each, foreign=True)
                    allowed = (404,) if may.looks else (403, 404)
                    self.assertIn(status, allowed, f"{each.method} {each.path} for {role}")

    def test_what_is_for_others_is_refused(self) -> None:
        """Whoever is of another role than the verb is for is told 403."""
        for each in ENDPOINTS:
            may = self.world.admin.verbs[each.verb].may
            for token, role in ((TWO, Role.OWNER), (EVE, Role.USER)):
                if role not in may.who:
                    self.assertEqual(self.every(token, each)[0], 403, f"{each.method} {each.path} for {role}")

    def test_a_token_that_may_look_changes_nothing(self) -> None:
        """With a read-only token every change is refused with 403, an operator's, too."""
        for each in ENDPOINTS:
            if each.method != "GET":
                self.assertEqual(self.every(LOOKS, each)[0], 403, f"{each.method} {each.path}")
