"""What a store promises to who searches for texts: it may name too many messages, and never one too few."""

from __future__ import annotations

import random
from typing import Any

from hostmail.message.charsets import folded
from hostmail.message.searchable import header_part, header_text, whole_body_text
from tests.contracts.mailstore_base import LETTER, StoreGround

_WORDS = [
    "Straße",
    "STRASSE",
    "日本語の件名",
    "ﬁnance",
    "İstanbul",
    "naïve",
    "naïve",
    '"quoted"',
    "a*b",
    "AND",
    "𝒳𝒴𝒵",
    "x\0y",
    "&amp;",
]
_CHARSETS = ["utf-8", "iso-8859-1", "utf-16", "shift_jis", "utf-7", "us-ascii"]


def letter(chance: random.Random) -> bytes:
    """A message of some words in some charset, plain, HTML, or an embedded message."""
    words = [
        chance.choice([*_WORDS, "".join(chance.choices("abcABC <>\r\n=", k=6))]) for _ in range(chance.randrange(12))
    ]
    charset = chance.choice(_CHARSETS)
    body = " ".join(words).encode(charset, "replace")
    kind = b"text/" + chance.choice([b"plain", b"html"]) + b"; charset=" + charset.encode()
    subject = " ".join(words[:2]).encode("utf-8").replace(b"\r", b"").replace(b"\n", b"")
    inner = b"Subject: %b\r\nContent-Type: %b\r\n\r\n%b\r\n" % (subject, kind, body)
    if chance.random() < 0.3:
        return b"Subject: outer\r\nContent-Type: message/rfc822\r\n\r\n" + inner
    return inner


class SearchPromises(StoreGround):
    async def indexed(self, folder: Any) -> None:
        """For stores that index behind everybody's back: all of it is done."""

    async def test_candidates_before_anything_is_indexed(self) -> None:
        """A store that knows nothing says so, or tells the truth."""
        inbox = await self.fill()
        self.assertIn(await inbox.candidates("dear ann", [1]), (None, [1]))

    async def test_candidates(self) -> None:
        """A string that is nowhere is nowhere; one that is there is found where it is; the header counts if it is asked."""
        inbox = await self.fill([LETTER, b"Subject: other\r\n\r\nnothing\r\n"] * 2)
        await self.indexed(inbox)
        self.assertEqual(await inbox.candidates("dear ann", [1, 2, 3, 4]), [1, 3])
        self.assertEqual(await inbox.candidates("dear ann", [4, 3]), [3])
        self.assertEqual(await inbox.candidates("zebra", [1, 2, 3, 4]), [])
        self.assertEqual(await inbox.candidates("subject: other", [1, 2, 3, 4], True), [2, 4])

    async def test_no_candidate_is_missed(self) -> None:
        """Whatever the texts, charsets and strings: what reading finds is among the candidates."""
        chance = random.Random(8)
        letters = [letter(chance) for _ in range(40)]
        inbox = await self.fill(letters[:30])
        await self.indexed(inbox)
        inbox = await self.fill(letters[30:])
        await inbox.expunge([3, 4, 35], only_deleted=False)
        uids = [uid for uid in range(1, 41) if uid not in (3, 4, 35)]
        headers = {uid: header_text(letters[uid - 1], header_part(letters[uid - 1])) for uid in uids}
        bodies = {uid: whole_body_text(letters[uid - 1]) for uid in uids}
        for _ in range(150):
            text = chance.choice([*headers.values(), *bodies.values(), *map(folded, _WORDS)])
            start = chance.randrange(len(text) + 1)
            needle = text[start : start + chance.randrange(12)]
            for in_header in (False, True):
                found = await inbox.candidates(needle, uids, in_header)
                true = {uid for uid in uids if needle in bodies[uid] or (in_header and needle in headers[uid])}
                self.assertTrue(found is None or true <= set(found) <= set(uids), (needle, true, found))
        self.assertEqual(await inbox.candidates("\0nowhere", [1, 2]), [])

    async def test_candidates_of_new_and_moved_messages(self) -> None:
        """What has come since is a candidate until it is indexed; copies are found where they are."""
        inbox = await self.fill([LETTER] * 3)
        await self.indexed(inbox)
        await self.append(inbox, b"Subject: x\r\n\r\nnew words\r\n")
        found = await inbox.candidates("new words", [1, 4])
        self.assertTrue(found is None or 4 in found)
        await inbox.move([4], "Sent")
        await inbox.copy([1], "Sent")
        sent = await self.folder("Sent")
        found = await sent.candidates("new words", [1, 2])
        self.assertTrue(found is None or 1 in found)
        await self.indexed(sent)
        self.assertEqual(await sent.candidates("new words", [1, 2]), [1])

    async def test_candidates_survive_a_restart(self) -> None:
        """Nothing is forgotten, and nothing made up."""
        inbox = await self.fill([LETTER] * 3)
        await self.indexed(inbox)
        await self.restarted()
        inbox = await self.folder()
        self.assertEqual(await inbox.candidates("dear ann", [1, 2, 3]), [1, 2, 3])
        self.assertEqual(await inbox.candidates("zebra", [1, 2, 3]), [])
