"""Lists page by page: each row once, whatever comes and goes meanwhile."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.web.api.paging import MOST, Order, part_of
from hostmail.web.api.reading import is_paged
from hostmail.web.api.table import ENDPOINTS
from hostmail.webparts import shapes_of
from tests.web.api.fakes import ApiTestCase


class PageTests(ApiTestCase):
    """Of five domains and two more."""

    def setUp(self) -> None:
        super().setUp()
        for number in range(5):
            self.world.call("domain.add", name=f"d{number}.test")

    def names(self, reply: Any) -> list[str]:
        """The domains on a page."""
        return [row["name"] for row in json.loads(reply.body)["items"]]

    def test_pages_follow_each_other(self) -> None:
        """Following `next`, or the Link header, one sees each row once, and the last page has neither."""
        path, seen = "/domains?limit=3", []
        while path:
            reply = self.ask("GET", path)
            seen.append(self.names(reply))
            link = reply.headers.get("link", "")
            following = json.loads(reply.body)["next"]
            self.assertEqual(bool(link), following is not None)
            path = link.partition(">")[0].removeprefix("</api/v1")
        self.assertEqual(seen, [["d0.test", "d1.test", "d2.test"], ["d3.test", "d4.test", "one.test"], ["two.test"]])

    def test_rows_that_come_and_go(self) -> None:
        """What is added or removed between two pages neither hides nor repeats others, even where the last row went, too."""
        cursor = self.told("GET", "/domains?limit=3")["next"]
        for name in ("aaa.test", "aab.test"):
            self.world.call("domain.add", name=name)
        page = self.ask("GET", f"/domains?limit=2&cursor={cursor}")
        self.assertEqual(self.names(page), ["d3.test", "d4.test"])
        cursor = json.loads(page.body)["next"]
        for name in ("aaa.test", "d0.test", "d1.test", "d4.test"):
            self.world.call("domain.remove", name=name)
        self.assertEqual(self.names(self.ask("GET", f"/domains?limit=9&cursor={cursor}")), ["one.test", "two.test"])

    def test_each_list_has_an_order(self) -> None:
        """Every list is sorted by fields that each of its rows has, and that can be compared."""
        shapes = shapes_of(self.world.admin.verbs)
        for each in ENDPOINTS:
            if is_paged(each, shapes[each.verb]):
                [row] = get_args(shapes[each.verb].answer)
                hints = get_type_hints(row)
                for name in Order(each.key).names:
                    self.assertIn(name, row.__required_keys__, each.path)
                    self.assertIn(hints[name], (str, int, float), each.path)

    def test_odd_pages(self) -> None:
        """Limits and cursors that are none of ours are refused; paging is for lists only."""
        for query in (
            "limit=0",
            f"limit={MOST + 1}",
            "limit=-1",
            "limit=",
            "limit=x",
            "cursor=x",
            "cursor=W10",
            "cursor=%C3%A9",
            "cursor=W1sxXSwxXQ",
            "cursor=W1siYSIsImIiXSwxXQ",
            "limit=3&limit=4",
        ):
            self.problem(self.ask("GET", f"/domains?{query}"), 422)
        self.problem(self.ask("GET", "/domains/one.test?limit=3"), 422)


ROWS = [{"at": at, "words": words} for at, words in ((1.5, "a"), (2.5, "c"), (2.5, "b"), (2.5, "d"), (3.5, "e"))]


class OrderTests(SynchronousTestCase):
    def pages(self, rows: list[dict[str, Any]], key: str, limit: int) -> str:
        """What is shown, page by page."""
        found, cursor = [], ""
        while True:
            part = part_of(rows, limit, cursor, Order(key))
            found.append("".join(row["words"] for row in part.rows))
            cursor = part.following
            if not cursor:
                return " ".join(found)

    def test_rows_of_the_same_moment(self) -> None:
        """Rows that are not told apart by their key keep the order they have, and come once."""
        self.assertEqual(
            [self.pages(ROWS, "at", limit) for limit in (1, 2, 3, 9)], ["a c b d e", "ac bd e", "acb de", "acbde"]
        )

    def test_the_largest_first(self) -> None:
        """With a - the largest come first."""
        self.assertEqual(self.pages(ROWS, "-at", 2), "ec bd a")

    def test_several_fields(self) -> None:
        """Where one field is not enough, the next one decides."""
        self.assertEqual(self.pages(ROWS, "at words", 2), "ab cd e")

    @given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(0, 9), max_size=30), st.integers(1, 5))
    def test_what_stays_is_seen_once(self, before: list[int], after: list[int], limit: int) -> None:
        """Whatever comes and goes after the first page: who was there before and is there after it is on one page, and on one only."""
        first = part_of([{"id": each} for each in set(before)], limit, "", Order("id"))
        if first.following:
            second = part_of([{"id": each} for each in set(after)], 99, first.following, Order("id"))
            seen = [row["id"] for row in (*first.rows, *second.rows)]
            stays = set(before) & set(after)
            self.assertEqual({each: seen.count(each) for each in stays}, dict.fromkeys(stays, 1))
