"""How the API speaks HTTP: methods, kinds of content, errors, pages, rates, and requests that are made once."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hostmail.errors import TemporaryFailure
from hostmail.web.api.kept import KEPT_SECONDS, PER_TOKEN, KeptAnswer, KeptAnswers, key_of
from hostmail.web.api.problems import Trouble
from tests.web.api.fakes import ANN, IP, LOOKS, ONE, ROOT, TWO, ApiTestCase

NEW = {"address": "cleo@one.test", "password": "Correct-Horse-7"}


class AnswerTests(ApiTestCase):
    def test_what_is_made_is_found(self) -> None:
        """What is created answers 201, and says where it is from now on."""
        made = self.ask("POST", "/accounts", ONE, NEW)
        self.assertEqual((made.status, made.headers["location"]), (201, "/api/v1/accounts/cleo@one.test"))
        self.assertEqual(self.told("GET", "/accounts/cleo@one.test", ONE)["address"], "cleo@one.test")
        entry = self.world.audit.entries[-1]
        self.assertEqual((entry.verb, entry.way, entry.login), ("account.add", "api", "owen (script)"))
        self.assertNotIn("Horse", entry.arguments)

    def test_changes_and_removals(self) -> None:
        """PATCH changes what is named and leaves the rest, PUT sets, DELETE removes."""
        changed = self.told("PATCH", "/accounts/ann@one.test", ONE, {"quota": None, "login_suspended": True})
        self.assertEqual((changed["quota"], changed["login_suspended"]), (None, True))
        self.told("PUT", "/accounts/ann@one.test/password", ONE, {"password": "Correct-Horse-7"})
        self.told("DELETE", "/accounts/ann@one.test", ONE)
        self.problem(self.ask("GET", "/accounts/ann@one.test", ONE), 404)

    def test_a_query_is_read_as_what_is_meant(self) -> None:
        """Numbers, switches and lists in a query become what the verb takes; what is none of that is refused."""
        self.told("GET", "/history?about=ann@one.test&seconds=3600&most=5")
        self.problem(self.ask("GET", "/history?about=ann@one.test&most=many"), 422)
        self.problem(self.ask("GET", "/history?about=a&about=b"), 422)
        self.problem(self.ask("GET", "/history?text=ann@one.test"), 422)
        self.problem(self.ask("GET", "/accounts?domian=one.test"), 422)
        self.problem(self.ask("DELETE", "/tokens/x"), 422)
        self.problem(self.ask("DELETE", "/sessions/1?all=true"), 422)
        self.problem(self.ask("DELETE", f"/tokens/{1 << 70}"), 422)

    def test_odd_addresses(self) -> None:
        """Whatever an address may have in it goes into a path with percent signs, and comes back so in Location."""
        for address in (
            "a/b@one.test",
            "a%2Fb@one.test",
            "a+b@one.test",
            '"a b"@one.test',
            "a?b#c@one.test",
            "ü@one.test",
        ):
            made = self.ask("POST", "/accounts", ONE, NEW | {"address": address})
            self.assertEqual(made.status, 201, made.text)
            location = made.headers["location"].removeprefix("/api/v1")
            self.assertEqual(location, f"/accounts/{quote(address, safe='@')}")
            self.assertEqual(self.told("GET", location, ONE)["address"], address)

    def test_a_slash_in_an_argument(self) -> None:
        """A slash in what a path names is written %2F."""
        told = self.problem(self.ask("GET", "/accounts/ann%2Fbob@one.test"), 404)
        self.assertIn("ann/bob@one.test", told["detail"])
        self.problem(self.ask("GET", "/accounts/ann/bob@one.test"), 404)

    def test_refusals_are_problems(self) -> None:
        """A refusal says why in plain words, what may have been meant, and its number in the log."""
        reply = self.ask("GET", "/accounts/anne@one.test")
        told = self.problem(reply, 404)
        self.assertEqual((told["title"], told["suggestion"]), ("Not Found", "ann@one.test"))
        self.assertEqual(told["request_id"], reply.headers["x-request-id"])
        self.problem(self.ask("POST", "/accounts", ROOT, {"address": "ann@one.test", "password": "long enough"}), 409)
        self.problem(self.ask("POST", "/accounts", ROOT, {"address": "no address"}), 422)

    def test_what_is_wrong_is_named(self) -> None:
        """A problem says which field or parameter it is about, by the name that it has here."""
        for method, path, body, argument in (
            ("POST", "/accounts", {**NEW, "quota": "much"}, "quota"),
            ("POST", "/accounts", {"password": "x"}, "address"),
            ("POST", "/accounts", {**NEW, "colour": "red"}, "colour"),
            ("POST", "/accounts", {**NEW, "password": "short"}, "password"),
            ("POST", "/accounts/import", {"rows": [{"line": "x"}]}, "rows"),
            ("GET", "/history?about=ann@one.test&most=x", None, "most"),
            ("GET", "/history?about=%20", None, "about"),
            ("GET", "/lists?domian=one.test", None, "domian"),
            ("GET", "/domains?limit=0", None, "limit"),
        ):
            told = self.problem(self.ask(method, path, ROOT, body), 422)
            self.assertEqual(told.get("argument"), argument, path)

    def test_not_yours_looks_like_not_there(self) -> None:
        """What an owner is told of another's domain, and of none at all, differs in the name only."""
        theirs, none = (self.ask("GET", f"/domains/{name}", TWO) for name in ("one.test", "no1.test"))
        texts = [json.loads(one.body) | {"request_id": ""} for one in (theirs, none)]
        self.assertEqual(texts[0], json.loads(json.dumps(texts[1]).replace("no1.test", "one.test")))
        self.assertEqual(self.told("GET", "/domains", TWO)["items"][0]["name"], "two.test")

    def test_what_breaks_tells_nothing(self) -> None:
        """A fault of ours is 500 with a number that is in the log with all of it; what is for now is 503."""
        self.world.letters_refused = ZeroDivisionError("secret insides")
        told = self.problem(self.ask("POST", "/accounts/ann@one.test/welcome"), 500)
        self.assertNotIn("insides", json.dumps(told))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.world.letters_refused = TemporaryFailure(private="disk")
        reply = self.ask("POST", "/accounts/ann@one.test/welcome")
        self.problem(reply, 503)
        self.assertEqual(reply.headers["retry-after"], "10")

    def test_users_have_their_own(self) -> None:
        """A token for one account opens that account, and says so."""
        self.assertEqual(self.told("GET", "/accounts/ann@one.test", ANN)["address"], "ann@one.test")
        self.problem(self.ask("GET", "/accounts/bob@one.test", ANN), 404)
        self.assertEqual(self.told("GET", "/own", ANN)["role"], "user")
        self.assertTrue(self.told("GET", "/own", LOOKS)["read_only"])


class HttpTests(ApiTestCase):
    def test_methods(self) -> None:
        """What cannot be done at a path is 405 with what can; OPTIONS tells it, too, and invites no other site (no CORS)."""
        reply = self.ask("PUT", "/domains")
        self.problem(reply, 405)
        self.assertEqual(reply.headers["allow"], "GET, HEAD, OPTIONS, POST")
        asked = self.ask("OPTIONS", "/domains", "", origin="https://evil.example", access_control_request_method="POST")
        self.assertEqual((asked.status, asked.headers["allow"]), (204, "GET, HEAD, OPTIONS, POST"))
        self.assertEqual([name for name in asked.headers if name.startswith("access-control")], [])
        self.assertNotIn("content-length", asked.headers)

    def test_any_method(self) -> None:
        """A method that nobody has heard of is told the same, in JSON, and what is not there is not there for any."""
        for method in ("TRACE", "PROPFIND", "BREW", "get"):
            reply = self.ask(method, "/domains")
            self.problem(reply, 405)
            self.assertEqual(reply.headers["allow"], "GET, HEAD, OPTIONS, POST")
            self.problem(self.ask(method, "/nothing"), 404)

    def test_nothing_on_a_condition(self) -> None:
        """A change that is to be made only if something is as it was is refused: nothing here could tell, and it would be made anyhow."""
        for condition in ("if_match", "if_none_match", "if_unmodified_since"):
            for value in ('"x"', "*"):
                self.problem(self.ask("PATCH", "/accounts/ann@one.test", ROOT, {}, **{condition: value}), 412)
        self.assertEqual(self.ask("GET", "/domains", if_none_match='"x"').status, 200)

    def test_head_is_get_without_a_body(self) -> None:
        """HEAD has the headers of GET."""
        got, head = self.ask("GET", "/domains"), self.ask("HEAD", "/domains")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.headers["content-length"], got.headers["content-length"])

    def test_bodies_are_json(self) -> None:
        """Any other kind is 415, what is no JSON 400, what is no object 422; a browser's form is none of it."""
        for kind in ("application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", "x", ""):
            self.problem(self.ask("POST", "/domains", ROOT, b'{"name": "x.test"}', content_type=kind), 415)
        self.problem(self.ask("POST", "/domains", ROOT, b"{"), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"name": "\xff"}'), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b"[" * 60_000), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"a":' * 900 + b"1" + b"}" * 900), 422)
        self.problem(self.ask("POST", "/domains", ROOT, b"\xef\xbb\xbf{}"), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"name": "\\ud800.test"}'), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"quota": NaN, "name": "x.test"}'), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"quota": 1e999, "name": "x.test"}'), 400)
        self.problem(self.ask("POST", "/domains", ROOT, b'{"quota": %s, "name": "x.test"}' % (b"9" * 9_000)), 400)
        self.problem(self.ask("POST", "/domains", ROOT, {"name": "x.test"}, content_encoding="gzip"), 415)
        self.problem(self.ask("POST", "/domains", ROOT, b"[]"), 422)
        self.problem(self.ask("POST", "/domains?name=x.test", ROOT, {}), 422)
        self.problem(self.ask("POST", "/domains", ROOT, {"name": "x.test", "quota": 1 << 70}), 422)
        self.problem(self.ask("PATCH", "/domains/one.test", ROOT, {"name": "two.test"}), 422)
        self.told("POST", "/domains", ROOT, {"name": "x.test"}, content_type="application/json; charset=UTF-8")

    def test_each_name_once(self) -> None:
        """A body that says something twice is refused, however deep: others may have read the other value (RFC 8259, 4)."""
        twice = self.problem(self.ask("POST", "/domains", ROOT, b'{"name": "x.test", "name": "y.test"}'), 400)
        self.assertIn("name", twice["detail"])
        rows = b'{"rows": [{"line": 1, "address": "ann@one.test", "line": 2}]}'
        self.problem(self.ask("POST", "/accounts/import", ROOT, rows), 400)
        many = {f"n{number}": 1 for number in range(500)}
        body = json.dumps(many)[:-1] + "," + json.dumps(many)[1:]
        told = self.problem(self.ask("POST", "/domains", ROOT, body.encode()), 400)
        self.assertTrue(told["detail"].endswith("n0, n1, n2, n3, n4 and 495 more"))
        self.problem(self.ask("POST", "/accounts/import", ROOT, {"rows": [{"line": 1 << 70, "address": "x"}]}), 422)

    def test_nothing_is_removed_by_mistake(self) -> None:
        """DELETE with a body is refused: what it says there would not be heard."""
        self.problem(self.ask("DELETE", "/aliases/sales@one.test", ROOT, {"targets": ["ann@one.test"]}), 422)

    def test_bodies_have_an_end(self) -> None:
        """More than 64 KiB, and a query of more than 100 words, is 413, in JSON and with a number as all else."""
        query = "&".join(f"a{number}=1" for number in range(101))
        for reply in (
            self.ask("POST", "/domains", ROOT, {"name": "x" * 70_000}),
            self.ask("GET", f"/domains?{query}"),
        ):
            self.assertEqual(self.problem(reply, 413)["request_id"], reply.headers["x-request-id"])

    def test_only_json_comes_back(self) -> None:
        """Who takes no JSON is told 406."""
        for accept in ("text/html", "application/json;q=0", "image/*, text/*"):
            self.problem(self.ask("GET", "/domains", accept=accept), 406)
        for accept in (
            "*/*",
            "application/*;q=0.5",
            "text/html, application/json",
            "application/problem+json",
            "application/json; charset=utf-8;q=0.5",
            "",
        ):
            self.assertEqual(self.ask("GET", "/domains", accept=accept).status, 200, accept)

    def test_no_such_path(self) -> None:
        """A path that is none of ours is 404, without a token, too."""
        for path in (
            "/nothing",
            "/domains/",
            "/domains//catchall",
            "/domains/one.test/nothing",
            "/openapi.json/x",
            "/",
            "//",
        ):
            self.problem(self.ask("GET", path, ""), 404)
        for path in ("/../../api/", "/../v2/domains", "/../%76%31/domains", "domains"):
            self.problem(self.ask("GET", path, ""), 404)
        self.problem(self.ask("GET", "/accounts/an%0An@one.test"), 422)

    def test_answers_are_private(self) -> None:
        """No cache keeps an answer, no cookie is set, each has a number of its own."""
        replies = [self.ask("GET", "/domains") for _ in range(2)]
        for reply in replies:
            self.assertEqual((reply.headers["cache-control"], reply.cookies), ("no-store", []))
        self.assertNotEqual(*(reply.headers["x-request-id"] for reply in replies))


class BearerTests(ApiTestCase):
    def test_guessing_is_slowed(self) -> None:
        """A wrong token is answered after the delay of wrong passwords, and counted; the same one again is no guess."""
        self.guesses.delay = 2.0
        for token in ("hostmail_no", "hostmail_no", "hostmail_nor"):
            answer = self.send("GET", "/domains", token)
            self.assertEqual(answer(), [])
            self.clock.advance(2.0)
            [reply] = answer()
            self.problem(reply, 401)
            self.assertIn("invalid_token", reply.headers["www-authenticate"])
        self.assertEqual(self.guesses.told, [(IP, True), (IP, False), (IP, True)])

    def test_who_guessed_too_much_waits(self) -> None:
        """An address that is refused is told 429 for wrong tokens; a right one is not slowed even there."""
        self.guesses.blocked.add(IP)
        reply = self.ask("GET", "/domains", "hostmail_no")
        self.problem(reply, 429)
        self.assertEqual(reply.headers["retry-after"], "900")
        self.assertEqual(self.ask("GET", "/domains").status, 200)

    def test_no_token_is_no_guess(self) -> None:
        """A request without a token, or with another kind of login, is not counted."""
        self.problem(self.ask("GET", "/domains", ""), 401)
        self.problem(self.ask("GET", "/domains", "", authorization="Basic cm9vdDpyb290"), 401)
        self.assertEqual(self.guesses.told, [])


class RateTests(ApiTestCase):
    per_minute = 3

    def test_too_many_requests(self) -> None:
        """A minute's requests may come at once; then 429 says when the next is taken. Each token has its own."""
        left = [self.ask("GET", "/domains").headers["ratelimit"] for _ in range(3)]
        self.assertEqual(left, ['"token";r=2;t=20', '"token";r=1;t=20', '"token";r=0;t=20'])
        reply = self.ask("GET", "/domains")
        self.problem(reply, 429)
        self.assertEqual((reply.headers["retry-after"], reply.headers["ratelimit-policy"]), ("20", '"token";q=3;w=60'))
        self.assertEqual(self.ask("GET", "/domains", ONE).status, 200)
        self.clock.advance(20)
        self.assertEqual(self.ask("GET", "/domains").status, 200)
        self.problem(self.ask("GET", "/domains"), 429)


class OnceTests(ApiTestCase):
    def add(self, key: str = '"k1"', token: str = ONE, **changes: Any) -> Any:
        """Create an account."""
        return self.ask("POST", "/accounts", token, NEW | changes, idempotency_key=key)

    def test_sent_again(self) -> None:
        """The same request with the same key is done once: the first answer comes again, after a restart, too."""
        first = self.add()
        self.begin()
        for key in ('"k1"', "k1"):
            again = self.add(key)
            self.assertEqual((again.status, again.body), (first.status, first.body))
            self.assertEqual(again.headers["location"], first.headers["location"])
            self.assertEqual(again.headers["idempotency-replayed"], "true")
        self.assertEqual([entry.verb for entry in self.world.audit.entries[-2:]], ["domain.add", "account.add"])

    def test_another_request(self) -> None:
        """The key of another request is refused with 422, and nothing is done."""
        self.add()
        self.problem(self.add(address="dora@one.test"), 422)
        self.problem(self.ask("POST", "/forwards", ONE, NEW, idempotency_key="k1"), 422)
        self.problem(self.ask("GET", "/accounts/dora@one.test"), 404)

    def test_keys_are_each_tokens_own(self) -> None:
        """Another token's key means nothing to this one: nobody gets another's answer."""
        self.add()
        self.problem(self.add(token=ROOT), 409)

    def test_a_day(self) -> None:
        """After a day the key is free."""
        self.add()
        self.clock.advance(KEPT_SECONDS)
        self.problem(self.add(), 409)

    def test_what_was_refused_may_be_tried_again(self) -> None:
        """A refusal is not kept: when what was missing is there, the same request succeeds."""
        self.problem(self.add(address="x@new.test", token=ROOT), 404)
        self.world.call("domain.add", name="new.test")
        self.assertEqual(self.add(address="x@new.test", token=ROOT).status, 201)

    def test_two_at_once(self) -> None:
        """While a request is worked on, the same one is told to come again; a work that died is begun anew after a while."""
        self.assertIsNone(self.kept.begin(ONE, "k", b"request"))
        with self.assertRaises(Trouble) as caught:
            self.kept.begin(ONE, "k", b"request")
        self.assertEqual((caught.exception.status, caught.exception.headers), (409, (("retry-after", "1"),)))
        self.clock.advance(301)
        self.assertIsNone(self.kept.begin(ONE, "k", b"request"))

    def test_secrets_are_sealed(self) -> None:
        """Nothing that was sent or answered can be read in the file, nor the token."""
        self.add()
        octets = b"".join(path.read_bytes() for path in self.folder.glob("api.sqlite*"))
        for secret in (b"Horse", b"cleo", b"hostmail_one"):
            self.assertNotIn(secret, octets)

    def test_not_for_ever(self) -> None:
        """Of one token so many answers are kept, the newest."""
        answer = KeptAnswer(201, "", b"x" * 20_000)
        for number in range(450):
            self.clock.advance(1)
            self.kept.begin(ONE, str(number), b"")
            self.kept.end(ONE, str(number), answer)
        self.assertIsNone(self.kept.begin(ONE, "0", b""))
        self.assertEqual(self.kept.begin(ONE, "449", b""), answer)
        self.assertGreater(PER_TOKEN, 400)

    def test_not_without_end(self) -> None:
        """Nor do many tokens, one after the other, fill the disk: beyond so many octets the oldest answers of all go."""
        kept = KeptAnswers(path=self.folder / "many.sqlite", now=self.clock.seconds, most_octets=1 << 20)
        self.addCleanup(kept.close)
        for number in range(200):
            self.clock.advance(1)
            kept.begin(f"token {number}", "k", b"")
            kept.end(f"token {number}", "k", KeptAnswer(201, "", b"x" * 20_000))
        self.assertIsNone(kept.begin("token 0", "k", b""))
        self.assertLess((self.folder / "many.sqlite").stat().st_size, 3 << 20)

    def test_keys(self) -> None:
        """A key is a string as in RFC 8941, or bare; anything else is refused."""
        self.assertEqual((key_of('"a b"'), key_of("a-b_1")), ("a b", "a-b_1"))
        for odd in ("", '""', "a b", "a, b", '"a\\"', "é", "x" * 256):
            self.problem(self.ask("POST", "/domains", ROOT, {"name": "x.test"}, idempotency_key=odd), 400)


class Forgetful(KeptAnswers):
    """Has no room for answers."""

    def end(self, token: str, key: str, answer: KeptAnswer) -> None:
        raise TemporaryFailure(private="disk full")


class NotKeptTests(ApiTestCase):
    keeps = Forgetful

    def test_what_is_done_is_told(self) -> None:
        """An answer that cannot be kept is given all the same: it has been done."""
        self.assertEqual(self.ask("POST", "/accounts", ONE, NEW, idempotency_key="k").status, 201)
        self.assertEqual(len(self.flushLoggedErrors(TemporaryFailure)), 1)
