"""Taking over trees of Dovecot and Courier, and giving them back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.directory import Usage
from hostmail.interfaces.mailstore import Flag
from hostmail.storage import adoption_formats as formats
from hostmail.storage.adoption import COURIER_KEYWORDS, FolderPlan, FoundFolder, departure, plan, special_uses
from hostmail.storage.adoption_formats import UidRow
from hostmail.storage.names import parse

DOVECOT = b"""3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1
25006 :1276528487.M364837P9451.kurkku,S=1355,W=1394:2,
25017 W2481 :1276533073.M242911P3632.kurkku:2,F
25020 PUID7-99 Z9 O3 :1276533074.M1P1.kurkku,S=10:2,
25021 P :1276533075.M1P1.kurkku,S=11:2,S
"""
CUR = [
    "1276528487.M364837P9451.kurkku,S=1355,W=1394:2,Sab",
    "1276533073.M242911P3632.kurkku:2,F",
    "1276533075.M1P1.kurkku,S=11:2,S",
    "1276533074.M1P1.kurkku,S=10:2,",
]


class UidLists(SynchronousTestCase):
    def test_version_3(self) -> None:
        """Dovecot's list gives UIDs, sizes and the unique-ids that differ from the default; P alone means the file name."""
        uids = formats.parse_uidlist(DOVECOT)
        assert uids is not None
        self.assertEqual((uids.uidvalidity, uids.uidnext, uids.damaged), (1275660208, 25022, 0))
        self.assertEqual(uids.guid, "3085f01b7f11094c501100008c4a11c1")
        self.assertEqual([row.uid for row in uids.rows], [25006, 25017, 25020, 25021])
        self.assertEqual([row.wire_size for row in uids.rows], [None, 2481, None, None])
        self.assertEqual([row.uidl for row in uids.rows], [None, None, "UID7-99", "1276533075.M1P1.kurkku,S=11"])

    def test_version_1(self) -> None:
        """Courier's and old Dovecot's list."""
        uids = formats.parse_uidlist(b"1 1200000000 17\n3 1.a.b\n16 2.a.b,S=5\n")
        assert uids is not None
        self.assertEqual((uids.uidvalidity, uids.uidnext), (1200000000, 17))
        self.assertEqual(uids.rows, [UidRow(3, "1.a.b"), UidRow(16, "2.a.b,S=5")])

    def test_lagging_header(self) -> None:
        """Dovecot appends rows without writing the header anew: UIDNEXT is above the last row all the same."""
        uids = formats.parse_uidlist(
            b"3 V1795274273 N3 Gb1ff3f241fb6016b7540000083ecc375\n1 :1795274271.M612679P16501.vm,S=23,W=26\n"
            b"2 :1795274271.M614558P16501.vm,S=23,W=26\n3 :1795274271.M617896P16501.vm,S=23,W=26\n"
        )
        assert uids is not None
        self.assertEqual((uids.uidnext, len(uids.rows)), (4, 3))

    def test_damage(self) -> None:
        """Lines that make no sense are passed over and counted; UIDNEXT is above all that remain."""
        uids = formats.parse_uidlist(
            b"3 V5 N2\n7 :a\nnonsense\n6 :b\n7 :c\n8 :a:2,S\n9 no colon\n10 :../etc\n11 :\n4294967295 :z\n0 :y\n12 :\xff\n"
        )
        assert uids is not None
        self.assertEqual([row.uid for row in uids.rows], [7, 12])
        self.assertEqual((uids.uidnext, uids.damaged), (13, 9))
        self.assertEqual(uids.rows[1].filename, "\udcff")

    def test_no_list(self) -> None:
        """Without a header that says UIDVALIDITY there is no list."""
        for data in (b"", b"\n", b"3 N5\n1 :a\n", b"2 1 1\n", b"1\n", b"3 V0 N1\n", b"3 V99999999999 N1\n", b"1 x y\n"):
            self.assertIsNone(formats.parse_uidlist(data), data)

    def test_truncated(self) -> None:
        """However short a list was cut, what is read is right."""
        whole = formats.parse_uidlist(DOVECOT)
        assert whole is not None
        for end in range(len(DOVECOT)):
            uids = formats.parse_uidlist(DOVECOT[:end])
            if uids is not None and len(uids.rows) > 1:
                self.assertEqual(uids.rows[:-1], whole.rows[: len(uids.rows) - 1])

    @given(st.binary(max_size=200) | st.binary(max_size=200).map(lambda junk: b"3 V5 N7\n" + junk))
    def test_any_octets(self, data: bytes) -> None:
        """No content makes a reader fail."""
        formats.parse_uidlist(data)
        formats.parse_keywords(data)
        formats.parse_courier_keywords(data)
        formats.parse_courier_pop3(data)
        formats.parse_maildirsize(data)
        formats.parse_subscriptions(data)
        formats.parse_courier_subscriptions(data)

    @given(
        st.dictionaries(
            st.integers(1, 2**32 - 2),
            st.tuples(st.none() | st.from_regex(r"[!-~]{1,70}", fullmatch=True), st.none() | st.integers(0, 10**12)),
            max_size=20,
        )
    )
    def test_round_trip(self, messages: dict[int, tuple[str | None, int | None]]) -> None:
        """What is written on leaving reads back the same."""
        rows = [UidRow(uid, f"{uid}.a.b,S=1:2,", uidl, size) for uid, (uidl, size) in messages.items()]
        uids = formats.parse_uidlist(formats.format_uidlist(77, 2**32 - 1, rows, "ab"))
        assert uids is not None
        self.assertEqual(uids.rows, sorted(rows, key=lambda row: row.uid))
        self.assertEqual((uids.uidvalidity, uids.uidnext, uids.guid, uids.damaged), (77, 2**32 - 1, "ab", 0))


class OtherFiles(SynchronousTestCase):
    def test_keywords(self) -> None:
        """Numbers and names, nonsense left out; and back."""
        found = formats.parse_keywords(b"0 $Junk\n1 NonJunk\nx y\n3\n4 two words\n1 again\n5 \\Seen\n99999 far\n")
        self.assertEqual(found, {0: "$Junk", 1: "NonJunk"})
        self.assertEqual(formats.parse_keywords(formats.format_keywords(["A", "B"])), {0: "A", 1: "B"})
        self.assertEqual(len(formats.parse_keywords(formats.format_keywords([f"k{n}" for n in range(30)]))), 26)

    def test_courier_keywords(self) -> None:
        """Names, an empty line, and numbers by message."""
        names, messages = formats.parse_courier_keywords(b"$Junk\nWork\n\n1.a.b,S=3:0 1\n2.a.b:1\n3.a.b:7\nbroken\n")
        self.assertEqual(names, ["$Junk", "Work"])
        self.assertEqual(messages, {"1.a.b,S=3": [0, 1], "2.a.b": [1]})

    def test_courier_pop3(self) -> None:
        """Each version's unique-ids, as clients know them."""
        three = b"/3 9 77\n1.a.b,S=9:2,S 500 8:77:0\n2.a.b 10 3:0:1\n"
        self.assertEqual(formats.parse_courier_pop3(three), {"1.a.b,S=9": "UID8-77", "2.a.b": "UID3"})
        self.assertEqual(formats.parse_courier_pop3(b"/2 9 77\n1.a.b 500 8:77\n"), {"1.a.b": "UID8-77"})
        self.assertEqual(formats.parse_courier_pop3(b"/1 9\n1.a.b 500 8\n"), {"1.a.b": "UID8"})
        self.assertEqual(formats.parse_courier_pop3(b"1.a+b:2,S 500\nbroken\n"), {"1.a+b": "1.a+2Bb"})

    def test_maildirsize(self) -> None:
        """Limits of the first line, and the sum of the others."""
        self.assertEqual(
            formats.parse_maildirsize(b"20971520S,1000C\n 5000 3\n-1000 -1\nbroken\n"),
            formats.MaildirSize(20971520, 1000, Usage(4000, 2)),
        )
        self.assertEqual(formats.parse_maildirsize(b"\n"), formats.MaildirSize(None, None, Usage()))
        self.assertEqual(formats.parse_maildirsize(b"0S\n-5 -5\n"), formats.MaildirSize(None, None, Usage()))

    def test_subscriptions(self) -> None:
        """Dovecot's both forms and Courier's give our names."""
        expected = ["INBOX", "Sent", "Work/2026", "Entwürfe"]
        old = b"INBOX\nSent\nWork.2026\nEntw&APw-rfe\nSent\n..\n"
        self.assertEqual(formats.parse_subscriptions(old), expected)
        self.assertEqual(formats.parse_subscriptions(b"V\t2\n\nINBOX\nSent\nWork\t2026\nEntw&APw-rfe\n"), expected)
        self.assertEqual(formats.parse_subscriptions(b"Work/2026\n"), ["Work/2026"])
        courier = b"INBOX\nINBOX.Sent\nINBOX.Work.2026\nINBOX.Entw&APw-rfe\n"
        self.assertEqual(formats.parse_courier_subscriptions(courier), expected)
        self.assertEqual(formats.parse_subscriptions(formats.format_subscriptions(expected)), expected)

    def test_uidl_formats(self) -> None:
        """Dovecot's pop3_uidl_format is understood, except for variables that need the message."""
        expand = formats.expand_uidl_format
        self.assertEqual(expand("%08Xu%08Xv", 255, 16, "b"), formats.dovecot_uidl(255, 16))
        self.assertEqual(expand("%v-%u", 255, 16, "b"), "16-255")
        self.assertEqual(expand("UID%u-%v%%", 5, 6, "b"), "UID5-6%")
        self.assertEqual(expand("%f", 5, 6, "1.a.b"), "1.a.b")
        self.assertIsNone(expand("%m", 5, 6, "b"))
        self.assertIsNone(expand("", 5, 6, "b"))

    def test_special_uses(self) -> None:
        """Well-known names get their use, one folder for each."""
        names = ["INBOX", "sent items", "Sent", "Junk E-mail", "INBOX/Trash", "Work"]
        self.assertEqual(special_uses(names), {"Sent": "\\Sent", "Junk E-mail": "\\Junk", "INBOX/Trash": "\\Trash"})


class Planning(SynchronousTestCase):
    def plan_one(self, folder: FoundFolder, **options: str) -> FolderPlan:
        """The plan for a mailbox of one folder."""
        (planned,) = plan([folder], {}, 1000, **options).folders
        return planned

    def test_dovecot(self) -> None:
        """All UIDs, flags, keywords and unique-ids are kept, and the UID goes into each name."""
        files = {"dovecot-uidlist": DOVECOT, "dovecot-keywords": b"0 $Junk\n1 Work\n"}
        planned = self.plan_one(FoundFolder("", CUR, ["1276533999.M1P1.kurkku"], files))
        self.assertEqual((planned.name, planned.uidvalidity, planned.uidnext), ("INBOX", 1275660208, 25023))
        self.assertEqual((planned.keywords, planned.problems), (["$Junk", "Work"], []))
        self.assertEqual([message.uid for message in planned.messages], [25006, 25017, 25020, 25021, 25022])
        first, second, third, fourth, newest = planned.messages
        self.assertEqual(first.new, "1276528487.M364837P9451.kurkku,S=1355,W=1394,U=25006:2,Sab")
        self.assertEqual(first.flags, Flag.SEEN | 1 << 5 | 1 << 6)
        self.assertEqual((first.size, first.wire_size, first.uidl), (1355, 1394, None))
        self.assertEqual((second.wire_size, second.flags), (2481, Flag.FLAGGED))
        self.assertEqual((third.uidl, fourth.uidl), ("UID7-99", "1276533075.M1P1.kurkku,S=11"))
        self.assertEqual((newest.subdirectory, newest.new), ("new", "1276533999.M1P1.kurkku,U=25022"))

    def test_every_file_has_one_message(self) -> None:
        """No message file is left out, and none is planned twice."""
        planned = self.plan_one(FoundFolder("", CUR, CUR, {"dovecot-uidlist": DOVECOT}))
        self.assertEqual(len(planned.messages), 8)
        self.assertEqual(len({message.uid for message in planned.messages}), 8)

    def test_hidden_files(self) -> None:
        """Files that are no messages are let alone."""
        self.assertEqual(self.plan_one(FoundFolder("", [".nfs0001", ",S=3:2,"])).messages, [])

    def test_again(self) -> None:
        """An adoption that broke off plans the same UIDs when it is done again."""
        names = [f"{number}.a.b,S=1:2," for number in range(9, 0, -1)]
        files = {"dovecot-uidlist": b"3 V5 N4\n2 :3.a.b,S=1:2,\n3 :8.a.b,S=1:2,\n"}
        whole = self.plan_one(FoundFolder("", names, [], files))
        for renamed in range(len(names)):
            halfway = [message.new if n < renamed else message.old for n, message in enumerate(whole.messages)]
            again = self.plan_one(FoundFolder("", halfway, [], files))
            self.assertEqual(
                {message.new: message.uid for message in again.messages},
                {message.new: message.uid for message in whole.messages},
            )

    def test_foreign_uids_in_names(self) -> None:
        """A UID in a name that no adoption of ours can have put there does not count."""
        names = ["1.a.b,U=4294967294:2,", "2.a.b,U=3:2,", "3.a.b,U=11:2,", "4.a.b,U=11:2,"]
        planned = self.plan_one(FoundFolder("", names, [], {"dovecot-uidlist": b"3 V5 N10\n"}))
        self.assertEqual({message.old: message.uid for message in planned.messages}[names[2]], 11)
        self.assertEqual([message.uid for message in planned.messages], [11, 12, 13, 14])
        self.assertEqual(planned.uidnext, 15)

    def test_no_lists(self) -> None:
        """A bare Maildir is numbered by time of arrival, cur/ and new/ together."""
        planned = self.plan_one(FoundFolder("", ["10.b.c:2,S", "9.b.c:2,"], ["8.x.y", "odd"]))
        self.assertEqual([message.old for message in planned.messages], ["odd", "8.x.y", "9.b.c:2,", "10.b.c:2,S"])
        self.assertEqual((planned.uidvalidity, planned.uidnext), (1000, 5))
        self.assertEqual([message.uidl for message in planned.messages], [None] * 4)

    def test_courier(self) -> None:
        """Courier's UIDs, its own POP3 unique-ids and its keywords are kept."""
        files = {
            "courierimapuiddb": b"1 55 9\n3 1.a.b,S=4\n8 2.a.b\n",
            "courierpop3dsizelist": b"/2 9 77\n1.a.b,S=4:2,S 500 8:77\n",
            COURIER_KEYWORDS: b"$Junk\nWork\n\n2.a.b:1\n",
        }
        planned = self.plan_one(FoundFolder("", ["1.a.b,S=4:2,S", "2.a.b:2,"], [], files))
        self.assertEqual([message.uid for message in planned.messages], [3, 8])
        self.assertEqual([message.uidl for message in planned.messages], ["UID8-77", None])
        self.assertEqual(planned.keywords, ["$Junk", "Work"])
        self.assertEqual((planned.messages[1].flags, planned.messages[1].new), (1 << 6, "2.a.b,U=8:2,b"))

    def test_damaged_lists(self) -> None:
        """Damage is told; a list that is no list is passed over for the next."""
        files = {"dovecot-uidlist": b"rubbish", "courierimapuiddb": b"1 55 9\n3 1.a.b\nrubbish\n"}
        planned = self.plan_one(FoundFolder("", ["1.a.b:2,"], [], files))
        self.assertEqual((planned.uidvalidity, planned.messages[0].uid), (55, 3))
        self.assertEqual(planned.problems, ["dovecot-uidlist cannot be read", "courierimapuiddb: 1 damaged lines"])

    def test_nameless_keywords(self) -> None:
        """A keyword letter whose name is lost gets a name, so that the flag stays."""
        planned = self.plan_one(FoundFolder("", ["1.a.b:2,Sac"], [], {"dovecot-keywords": b"0 Dup\n1 dup\n"}))
        self.assertEqual(planned.keywords, ["Dup", "unknown-1", "unknown-2"])
        self.assertEqual(planned.messages[0].flags, Flag.SEEN | 1 << 5 | 1 << 7)
        self.assertEqual(planned.problems, ["keyword 1 has no name", "keyword 2 has no name"])

    def test_uidl_format(self) -> None:
        """The old server's unique-id format counts for the messages it knew, in its file or as the operator says."""
        folder = FoundFolder("", ["1.a.b:2,", "2.a.b:2,"], [], {"dovecot-uidlist": b"3 V5 N4\n3 :1.a.b\n"})
        planned = self.plan_one(folder, uidl_format="%v.%u")
        self.assertEqual([message.uidl for message in planned.messages], ["5.3", None])
        folder = FoundFolder("", ["1.a.b:2,"], [], {"dovecot-uidlist": b"3 V5 N4 P%f\n3 :1.a.b\n"})
        self.assertEqual(self.plan_one(folder).messages[0].uidl, "1.a.b")

    def test_doubled_uidls(self) -> None:
        """Two messages never share a unique-id: the second gets its default."""
        files = {"dovecot-uidlist": b"3 V5 N4\n1 Px :1.a.b\n2 Px :2.a.b\n3 P0000000300000005 :3.a.b\n"}
        planned = self.plan_one(FoundFolder("", ["1.a.b:2,", "2.a.b:2,", "3.a.b:2,"], [], files))
        self.assertEqual([message.uidl for message in planned.messages], ["x", None, None])
        self.assertEqual(planned.problems, ["the UIDL x is there twice"])

    def test_long_names(self) -> None:
        """A name without room for the UID stays as it is, and that is told."""
        old = "1." + "x" * 250 + ":2,"
        planned = self.plan_one(FoundFolder("", [old]))
        self.assertEqual((planned.messages[0].new, len(planned.problems)), (old, 1))

    def test_no_uid_left(self) -> None:
        """At the end of the UIDs a message is told of, not numbered wrongly."""
        files = {"dovecot-uidlist": b"3 V5 N4294967294\n"}
        planned = self.plan_one(FoundFolder("", ["1.a.b:2,", "2.a.b:2,"], [], files))
        self.assertEqual([message.uid for message in planned.messages], [2**32 - 2])
        self.assertEqual(planned.problems, ["no UID is left for 2.a.b:2,"])

    def test_folders(self) -> None:
        """Directories become folders; foreign spellings are renamed, but never onto another folder."""
        found = [FoundFolder(name, []) for name in ("", ".Sent Items", ".Entwürfe", ".Entw&APw-rfe", ".Grün", "...")]
        planned = plan(found, {"subscriptions": b"Sent Items\n", "maildirsize": b"5S\n"}, 1000)
        self.assertEqual(
            [(folder.name, folder.directory, folder.new_directory) for folder in planned.folders],
            [
                ("Entwürfe", ".Entw&APw-rfe", ".Entw&APw-rfe"),
                ("Grün", ".Grün", ".Gr&APw-n"),
                ("INBOX", "", ""),
                ("Sent Items", ".Sent Items", ".Sent Items"),
            ],
        )
        self.assertEqual([folder.special_use for folder in planned.folders], ["\\Drafts", "", "", "\\Sent"])
        self.assertEqual(len({folder.uidvalidity for folder in planned.folders}), 4)
        self.assertEqual(sorted(planned.left), ["...", ".Entwürfe"])
        self.assertEqual(planned.subscriptions, ["Sent Items"])
        assert planned.quota is not None
        self.assertEqual(planned.quota.limit_bytes, 5)

    def test_no_quota(self) -> None:
        """Without a quota file nothing is claimed."""
        self.assertIsNone(plan([], {}, 1).quota)


class Leaving(SynchronousTestCase):
    def test_there_and_back(self) -> None:
        """A tree that is taken over and given back has the UIDs, unique-ids and keywords that it came with."""
        files = {"dovecot-uidlist": DOVECOT, "dovecot-keywords": b"0 $Junk\n1 Work\n"}
        (here,) = plan([FoundFolder("", CUR, [], files)], {}, 1000).folders
        rows = [UidRow(message.uid, message.new, message.uidl, message.wire_size) for message in here.messages]
        back = departure(here.uidvalidity, here.uidnext, rows, here.keywords)
        names = [message.new for message in here.messages]
        (again,) = plan([FoundFolder("", names, [], back)], {}, 2000).folders
        self.assertEqual((again.uidvalidity, again.uidnext), (here.uidvalidity, here.uidnext))
        self.assertEqual(again.keywords, here.keywords)
        self.assertEqual(
            [(message.uid, message.uidl, message.flags, message.new) for message in again.messages],
            [(message.uid, message.uidl, message.flags, message.new) for message in here.messages],
        )

    def test_no_keywords(self) -> None:
        """A folder without keywords gets no file for them."""
        self.assertEqual(list(departure(1, 1, [], [])), ["dovecot-uidlist"])

    def test_names_keep_their_uid(self) -> None:
        """The names that Dovecot then lists are ours."""
        content = departure(7, 9, [UidRow(8, "1.a.b,S=3,U=8:2,S")], [])["dovecot-uidlist"]
        self.assertEqual(content, b"3 V7 N9\n8 :1.a.b,S=3,U=8:2,S\n")
        self.assertEqual(parse("1.a.b,S=3,U=8:2,S").uid, 8)
