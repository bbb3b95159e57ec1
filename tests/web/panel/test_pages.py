"""What the first pages show, and what their forms do."""

from __future__ import annotations

import json
import re

from hostmail.actor import Actor, Role
from hostmail.errors import TemporaryFailure
from tests.web.facts import MINE, PASSWORD, THEIRS, account
from tests.web.fakes import Browser, PanelCase

ACCOUNTS = f"/domains/{MINE}/accounts"
ANN = f"{ACCOUNTS}/Ann@{MINE}"
NEW = "Another-Horse-8"


class PageTests(PanelCase):
    # ------------------------------------------------------------------------------------------------ which domain

    def test_one_domain(self) -> None:
        """Who has but one domain is in it at once (F2)."""
        self.assertEqual(self.browser.get("/").headers["location"], f"/domains/{MINE}")

    def test_several_domains(self) -> None:
        """Who has several chooses, and finds the way back."""
        self.site.sign_in.people["owen"] = Actor(Role.OWNER, "owen", "panel", domains=frozenset({MINE, THEIRS}))
        text = self.browser.get("/").text
        for name in (MINE, THEIRS):
            self.assertIn(f'<a href="/domains/{name}">', text)
        self.assertIn("All domains", self.browser.get(f"/domains/{MINE}").text)

    def test_no_domain(self) -> None:
        """An owner without a domain is told whom to ask."""
        self.site.sign_in.people["owen"] = Actor(Role.OWNER, "owen", "panel")
        self.assertIn("No domain has been given to you yet", self.browser.get("/").text)

    def test_a_user_is_at_his_mailbox(self) -> None:
        """A mailbox user is led to his mailbox, and finds no domains."""
        browser = Browser(self.site)
        browser.sign_in(f"Ann@{MINE}")
        self.assertEqual(browser.get("/").headers["location"], "/mailbox")
        text = browser.get("/mailbox").text
        self.assertIn(f"Ann@{MINE}", text)
        self.assertNotIn("/domains/", text)

    def test_suspended_by_an_operator(self) -> None:
        """An owner reads that only his provider can lift it, and has the other switches; the provider has all."""
        self.admin.accounts[f"Ann@{MINE}"] |= {"outgoing_suspended": True, "operator_suspended": ["outgoing"]}
        text = self.browser.get(ANN).text
        self.assertIn("outgoing suspended", text)
        self.assertIn("Your provider has suspended", text)
        self.assertNotIn('name="outgoing"', text)
        self.browser.fill(ANN, "suspensions", incoming="on")
        self.assertEqual(self.admin.calls[-1][:2], ("account.set", {"address": f"Ann@{MINE}", "login_suspended": True}))
        root = Browser(self.site)
        root.sign_in("root")
        self.assertIn('name="outgoing"', root.get(ANN).text)

    def test_a_main_login_has_both(self) -> None:
        """Who came by a domain's main login has the domain, and its default mailbox (A3)."""
        browser = Browser(self.site)
        browser.sign_in("main")
        text = browser.get(f"/domains/{MINE}").text
        self.assertIn('href="/mailbox"', text)
        self.assertIn(f"info@{MINE}", browser.get("/mailbox").text)

    # ---------------------------------------------------------------------------------------------------- overview

    def test_navigation(self) -> None:
        """A page below another one has the place of that in the navigation, wherever its path is."""
        for page in (ACCOUNTS, ANN, f"/domains/{MINE}/deleted"):
            self.assertEqual(
                re.findall(r'aria-current="page">([^<]+)', self.browser.get(page).text), ["Accounts"], page
            )

    def test_overview(self) -> None:
        """The overview shows how full the domain and its mailboxes are, and warns of those nearly full."""
        text = self.browser.get(f"/domains/{MINE}").text
        self.assertIn('20\xa0MB <span class="faint">of 1\xa0GB, 2&nbsp;%</span>', text)
        self.assertIn(f"Nearly full: info@{MINE}", text)
        self.assertIn(f'href="{ACCOUNTS}"', text)
        self.assertIn(f"hostmail domain show {MINE}", text)
        self.assertNotIn("What you may have", text)

    def test_limits(self) -> None:
        """An owner with limits of his own sees them."""
        self.admin.limits = {"accounts": 500, "forwards": None, "lists": 0, "quota": 2 << 30}
        text = self.browser.get(f"/domains/{MINE}").text
        for words in ("What you may have", "<dd>500</dd>", "<dd>no limit</dd>", "<dd>0</dd>", "<dd>2\xa0GB</dd>"):
            self.assertIn(words, text)

    def test_fullest(self) -> None:
        """The fullest mailboxes are those that have least room for what they may hold, and not the largest ones."""
        self.admin.accounts[f"small@{MINE}"] = account(f"small@{MINE}", 990, 1_000)
        text = self.browser.get(f"/domains/{MINE}").text
        _, _, fullest = text.partition("Fullest mailboxes")
        found = re.findall(r"accounts/([^@]+)@", fullest)
        self.assertEqual(found, ["small", "info", "Ann"])

    def test_warnings(self) -> None:
        """What is wrong with a domain is said with what it means."""
        self.admin.domains[MINE] |= {"active": False, "incoming_suspended": True, "default_mailbox": None, "quota": 1}
        text = self.browser.get(f"/domains/{MINE}").text
        for words in (
            "does not come here yet",
            "Incoming mail is suspended for the whole domain",
            "no default mailbox",
            "storage is nearly full",
        ):
            self.assertIn(words, text)

    def test_all_is_well(self) -> None:
        """Where nothing is wrong, that is said."""
        self.admin.accounts[f"info@{MINE}"]["used"] = 0
        self.assertIn("All is well", self.browser.get(f"/domains/{MINE}").text)

    def test_empty_domain(self) -> None:
        """A domain without accounts says what to do first."""
        self.admin.accounts.clear()
        self.assertIn("There is no account yet", self.browser.get(f"/domains/{MINE}").text)
        self.assertIn("Add the first one below", self.browser.get(ACCOUNTS).text)

    # ---------------------------------------------------------------------------------------------------- accounts

    def test_exact_logins(self) -> None:
        """The accounts page lists the logins exactly as they must be typed (F2)."""
        text = self.browser.get(ACCOUNTS).text
        self.assertIn(f'<span class="mono">Ann@{MINE}</span>', text)
        self.assertNotIn(THEIRS, text)

    def test_csv(self) -> None:
        """The table is there as CSV, with plain numbers, for spreadsheets that calculate nothing of it."""
        self.admin.accounts[f"=1+1@{MINE}"] = account(f"=1+1@{MINE}") | {"last_check": {"at": 60, "protocol": "pop3"}}
        reply = self.browser.get(f"{ACCOUNTS}?format=csv")
        self.assertEqual(reply.headers["content-type"], "text/csv; charset=utf-8")
        self.assertEqual(reply.headers["content-disposition"], f'attachment; filename="accounts-{MINE}.csv"')
        self.assertEqual(
            reply.text.splitlines(),
            [
                "address,used,quota,messages,last_check,checked_by,state",
                f"info@{MINE},19922944,20971520,1992,,,nearly full",
                f"Ann@{MINE},1048576,none,104,,,",
                f"'=1+1@{MINE},0,20971520,0,1970-01-01T00:01:00Z,pop3,",
            ],
        )

    def test_json(self) -> None:
        """The same as JSON."""
        rows = json.loads(self.browser.get(f"{ACCOUNTS}?format=json").body)
        self.assertEqual([row["address"] for row in rows], [f"info@{MINE}", f"Ann@{MINE}"])
        self.assertEqual(rows[0]["used"], 19 << 20)

    def test_pages(self) -> None:
        """A hundred rows are on a page; a search looks through all of them, and CSV has all of them."""
        for number in range(250):
            self.admin.accounts[f"u{number:03}@{MINE}"] = account(f"u{number:03}@{MINE}")
        text = self.browser.get(ACCOUNTS).text
        self.assertEqual(text.count("<tr role"), 101)
        self.assertIn("Page 1 of 3", text)
        self.assertIn("Page 3 of 3", self.browser.get(f"{ACCOUNTS}?page=99").text)
        self.assertIn("Page 1 of 3", self.browser.get(f"{ACCOUNTS}?page=x").text)
        found = self.browser.get(f"{ACCOUNTS}?q=U24").text
        self.assertEqual(found.count("<tr role"), 11)
        self.assertIn("Nothing fits that search", self.browser.get(f"{ACCOUNTS}?q=zzz").text)
        self.assertEqual(len(self.browser.get(f"{ACCOUNTS}?format=csv").text.splitlines()), 253)

    def test_adds_with_a_password_of_ours(self) -> None:
        """A password that is made here is shown once, and in no later page."""
        reply = self.browser.fill(ACCOUNTS, "add", name="Bob", make="yes", quota_kind="default")
        verb, given = self.admin.calls[-1]
        self.assertEqual((verb, given["address"]), ("account.add", f"Bob@{MINE}"))
        self.assertNotIn("quota", given)
        self.assertRegex(given["password"], r"\A[a-z2-9]{5}(-[a-z2-9]{5}){3}\Z")
        self.assertIn(given["password"], reply.text)
        self.assertEqual(reply.headers["cache-control"], "no-store")
        self.assertNotIn(given["password"], self.browser.get(f"{ACCOUNTS}/Bob@{MINE}").text)

    def test_adds_with_a_typed_password(self) -> None:
        """After adding comes the account's page, with a word about it that is said once."""
        reply = self.browser.fill(
            ACCOUNTS,
            "add",
            name="bob",
            make="no",
            password=PASSWORD,
            password_again=PASSWORD,
            quota_kind="own",
            quota="2G",
        )
        self.assertEqual((reply.status, reply.headers["location"]), (303, f"{ACCOUNTS}/bob@{MINE}"))
        self.assertEqual(self.admin.calls[-1][1], {"address": f"bob@{MINE}", "password": PASSWORD, "quota": 2 << 30})
        self.assertIn("has been created", self.browser.get(reply.headers["location"]).text)
        self.assertNotIn("has been created", self.browser.get(reply.headers["location"]).text)

    def test_refused(self) -> None:
        """What is refused is shown with the reason, and with what was typed but for passwords."""
        weak = self.browser.fill(ACCOUNTS, "add", name="bob", make="no", password="Short-1", password_again="Short-1")
        self.assertEqual(weak.status, 422)
        self.assertIn("The password needs at least 8 characters", weak.text)
        self.assertIn('value="bob"', weak.text)
        self.assertNotIn("Short-1", weak.text)
        self.assertIn('value="no" checked', weak.text)
        taken = self.browser.fill(ACCOUNTS, "add", name="Ann")
        self.assertEqual((taken.status, "exists already" in taken.text), (409, True))

    def test_refused_beside_its_field(self) -> None:
        """What is wrong with one field is said beside it, and a screen reader is told where."""
        fields = {"make": "no", "password": PASSWORD, "password_again": "Another-Horse-7", "name": "bob"}
        text = self.browser.fill(ACCOUNTS, "add", **fields).text
        self.assertIn('<p id="add-password_again-wrong" class="wrong-words">The two are not the same</p>', text)
        self.assertIn('aria-describedby="add-password_again-wrong', text)
        text = self.browser.fill(ACCOUNTS, "add", name="bob", quota_kind="own", quota="much").text
        self.assertIn('id="add-quota-wrong"', text)
        for name in ("", f"bob@{THEIRS}"):
            self.assertIn('id="add-name-wrong"', self.browser.fill(ACCOUNTS, "add", name=name).text)
        self.assertEqual([verb for verb, _ in self.admin.calls if verb == "account.add"], [])

    # ----------------------------------------------------------------------------------------------------- account

    def test_quota(self) -> None:
        """An account's quota, as people write it."""
        reply = self.browser.fill(ANN, "quota", quota="1.5G", quota_messages="")
        self.assertEqual((reply.status, reply.headers["location"]), (303, ANN))
        changed = self.admin.accounts[f"Ann@{MINE}"]
        self.assertEqual((changed["quota"], changed["quota_messages"]), (1536 << 20, None))
        self.assertIn('value="1536M"', self.browser.get(ANN).text)

    def test_suspensions(self) -> None:
        """What is not ticked is suspended (A9)."""
        self.browser.fill(ANN, "suspensions", login="yes", incoming="yes")
        changed = self.admin.accounts[f"Ann@{MINE}"]
        self.assertEqual(
            [changed[f"{what}_suspended"] for what in ("login", "incoming", "outgoing")], [False, False, True]
        )
        self.assertIn("outgoing suspended", self.browser.get(ACCOUNTS).text)

    def test_password(self) -> None:
        """A new password for somebody's account."""
        self.browser.fill(ANN, "password", make="no", password=PASSWORD, password_again=PASSWORD)
        self.assertIn(("account.passwd", {"address": f"Ann@{MINE}", "password": PASSWORD}), self.admin.calls)
        made = self.browser.fill(ANN, "password", make="yes")
        self.assertIn(self.admin.calls[-1][1]["password"], made.text)

    def test_own_password(self) -> None:
        """Who changes the password he signed in with says it, stays signed in here, and nowhere else."""
        here, there = Browser(self.site), Browser(self.site)
        here.sign_in("main")
        there.sign_in("main")
        page, fields = f"{ACCOUNTS}/info@{MINE}", {"make": "no", "password": NEW, "password_again": NEW}
        without = here.fill(page, "password", **fields)
        self.assertEqual((without.status, 'id="password-current-wrong"' in without.text), (422, True))
        token = here.csrf(page)

        async def change() -> None:
            self.site.sign_in.stamps["main"] = "another"

        self.admin.before = change
        reply = here.post(page, csrf=token, action="password", current=PASSWORD, **fields)
        self.assertEqual(reply.status, 303)
        self.assertIn(("own.passwd", {"current": PASSWORD, "password": NEW}), self.admin.calls)
        self.assertEqual(here.get(ACCOUNTS).status, 200)
        self.assertEqual(there.get(ACCOUNTS).status, 303)

    def test_delete(self) -> None:
        """An account is deleted only by who has typed its address."""
        wrong = self.browser.fill(ANN, "remove", confirm="yes")
        self.assertEqual(wrong.status, 422)
        self.assertIn('<details class="card fold" open>', wrong.text)
        self.assertIn(f"Ann@{MINE}", self.admin.accounts)
        reply = self.browser.fill(ANN, "remove", confirm=f"ann@{MINE}")
        self.assertEqual((reply.status, reply.headers["location"]), (303, ACCOUNTS))
        self.assertNotIn(f"Ann@{MINE}", self.admin.accounts)

    def test_gone_meanwhile(self) -> None:
        """A form about what was removed meanwhile is answered as what is not there."""
        token = self.browser.csrf(ANN)
        del self.admin.accounts[f"Ann@{MINE}"]
        self.assertEqual(self.browser.post(ANN, csrf=token, action="quota", quota="1G").status, 404)

    def test_odd_addresses(self) -> None:
        """Addresses with letters that mean something in paths have their pages."""
        for local in ("a/b", "a?b", "a#b", "a%2fb", "a&b", "ä", "a+b"):
            address = f"{local}@{MINE}"
            self.admin.accounts[address] = account(address)
        text = self.browser.get(ACCOUNTS).text
        for path in ("a%2Fb", "a%3Fb", "a%23b", "a%252fb", "a%26b", "%C3%A4", "a+b"):
            self.assertIn(f'href="{ACCOUNTS}/{path}@{MINE}"', text)
            self.assertEqual(self.browser.get(f"{ACCOUNTS}/{path}@{MINE}").status, 200, path)

    # ------------------------------------------------------------------------------------------------------- faults

    def test_a_fault_of_ours(self) -> None:
        """What nobody expected is logged once with a number, and the visitor learns the number alone."""
        self.admin.fault = ZeroDivisionError("/inner/secret.py")
        reply = self.browser.get(ACCOUNTS)
        self.assertEqual(reply.status, 500)
        [failure] = self.flushLoggedErrors(ZeroDivisionError)
        self.assertNotIn("secret", reply.text)
        self.assertNotIn("ZeroDivision", reply.text)
        self.assertRegex(reply.text, r"Number: <code>[0-9a-f]{8}</code>")
        self.assertEqual(failure.type, ZeroDivisionError)

    def test_trouble_for_now(self) -> None:
        """What does not work for now says so, and not why."""
        self.admin.fault = TemporaryFailure(private="directory.sqlite is locked")
        reply = self.browser.get(ACCOUNTS)
        self.assertEqual(reply.status, 503)
        self.assertNotIn("sqlite", reply.text)

    def test_nobody_else_is_told(self) -> None:
        """What a form has done is said to the session that sent it."""
        other = Browser(self.site)
        other.sign_in("owen")
        self.browser.fill(ANN, "quota", quota="1G")
        self.assertNotIn("has been changed", other.get(ANN).text)
        self.assertIn("has been changed", self.browser.get(ANN).text)
