"""Every capability that is offered has a line in docs/standards.rst, and answers as its RFC shows. Details are tested elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

from tests.protocols.imap.talk import HELLO, ImapCase

STANDARDS = Path(__file__).parents[3] / "docs" / "standards.rst"
SIZE = len(HELLO)
# Capability: RFC, what a client says (with INBOX selected, two messages in it), and a line that must be among the answers.
OFFERED: dict[str, tuple[int, list[bytes], bytes]] = {
    "IMAP4rev1": (3501, [b"FETCH 1 RFC822.SIZE"], rb"\* 1 FETCH \(RFC822.SIZE %d\)" % SIZE),
    "IMAP4rev2": (9051, [b"ENABLE IMAP4rev2", b"SEARCH ALL"], rb'\* ESEARCH \(TAG "t\d+"\) ALL 1:2'),
    "LITERAL+": (7888, [b"STATUS {5+}\r\nINBOX (MESSAGES)"], rb"\* STATUS INBOX \(MESSAGES 2\)"),
    "SASL-IR": (4959, [], rb""),
    "ID": (2971, [b'ID ("name" "x")'], rb"\* ID \(.*"),
    "ENABLE": (5161, [b"ENABLE CONDSTORE X-UNKNOWN"], rb"\* ENABLED CONDSTORE"),
    "IDLE": (2177, [], rb""),
    "NAMESPACE": (2342, [b"NAMESPACE"], rb'\* NAMESPACE \(\("" "/"\)\) NIL NIL'),
    "UIDPLUS": (4315, [b"COPY 1 Trash"], rb"\. OK \[COPYUID \d+ 1 1\].*"),
    "UNSELECT": (3691, [b"UNSELECT"], rb"\. OK UNSELECT.*"),
    "CHILDREN": (3348, [b"CREATE A/B", b'LIST "" A'], rb'\* LIST \(.*\\HasChildren.*\) "/" A'),
    "MOVE": (6851, [b"MOVE 1 Trash"], rb"\* OK \[COPYUID \d+ 1 1\].*"),
    "SPECIAL-USE": (6154, [b'LIST (SPECIAL-USE) "" *'], rb'\* LIST \(.*\\Trash.*\) "/" Trash'),
    "CREATE-SPECIAL-USE": (
        6154,
        [b"CREATE Old (USE (\\Archive))", b'LIST "" Old'],
        rb'\* LIST \(.*\\Archive.*\) "/" Old',
    ),
    "LIST-EXTENDED": (
        5258,
        [b"SUBSCRIBE Gone", b'LIST (SUBSCRIBED) "" Gone'],
        rb"\* LIST \(.*\\NonExistent.*\) .* Gone",
    ),
    "LIST-STATUS": (5819, [b'LIST "" INBOX RETURN (STATUS (MESSAGES))'], rb"\* STATUS INBOX \(MESSAGES 2\)"),
    "STATUS=SIZE": (8438, [b"STATUS INBOX (SIZE)"], rb"\* STATUS INBOX \(SIZE %d\)" % (2 * SIZE)),
    "UTF8=ACCEPT": (6855, [b"ENABLE UTF8=ACCEPT"], rb"\* ENABLED UTF8=ACCEPT"),
    "CONDSTORE": (7162, [b"STORE 1 (UNCHANGEDSINCE 1) +FLAGS (x)"], rb"\. (OK|NO) \[MODIFIED 1\].*"),
    "QRESYNC": (7162, [b"ENABLE QRESYNC", b"UID STORE 1 +FLAGS (\\Deleted)", b"EXPUNGE"], rb"\* VANISHED 1"),
    "OBJECTID": (8474, [b"FETCH 1 (EMAILID THREADID)"], rb"\* 1 FETCH \(EMAILID \([A-Za-z0-9_-]+\) THREADID NIL\)"),
    "MULTIAPPEND": (3502, [b"APPEND Trash {1+}\r\na {1+}\r\nb"], rb"\. OK \[APPENDUID \d+ 1:2\].*"),
    "REPLACE": (8508, [b"REPLACE 1 INBOX {1+}\r\na"], rb"\* OK \[APPENDUID \d+ 3\].*"),
    "BINARY": (
        3516,
        [b"APPEND Trash ~{3+}\r\na\0b", b"FETCH 1 BINARY.SIZE[1]"],
        rb"\* 1 FETCH \(BINARY.SIZE\[1\] 26\)",
    ),
    "PREVIEW": (8970, [b"FETCH 1 (PREVIEW)"], rb'\* 1 FETCH \(PREVIEW "Hello Ann, how are you\?"\)'),
    "SAVEDATE": (8514, [b"FETCH 1 (SAVEDATE)"], rb'\* 1 FETCH \(SAVEDATE "[^"]{26}"\)'),
    "PARTIAL": (9394, [b"UID SEARCH RETURN (PARTIAL 1:1) ALL"], rb"\* ESEARCH .* UID PARTIAL \(1:1 1\)"),
    "ESEARCH": (4731, [b"SEARCH RETURN (MIN MAX COUNT) ALL"], rb"\* ESEARCH .* MIN 1 MAX 2 COUNT 2"),
    "SEARCHRES": (5182, [b"SEARCH RETURN (SAVE) ALL", b"FETCH $ (UID)"], rb"\* 2 FETCH \(UID 2\)"),
    "SORT": (5256, [b"SORT (REVERSE ARRIVAL) UTF-8 ALL"], rb"\* SORT 2 1|\* SORT 1 2"),
    "SORT=DISPLAY": (5957, [b"SORT (DISPLAYFROM) UTF-8 ALL"], rb"\* SORT 1 2"),
    "ESORT": (5267, [b"SORT RETURN (COUNT) (DATE) UTF-8 ALL"], rb"\* ESEARCH .* COUNT 2"),
    "THREAD=ORDEREDSUBJECT": (5256, [b"THREAD ORDEREDSUBJECT UTF-8 ALL"], rb"\* THREAD \(1 2\)"),
    "THREAD=REFERENCES": (5256, [b"THREAD REFERENCES UTF-8 ALL"], rb"\* THREAD .*"),
    "WITHIN": (5032, [b"SEARCH YOUNGER 3600"], rb"\* SEARCH 1 2"),
    "QUOTA": (9208, [b"GETQUOTAROOT INBOX"], rb'\* QUOTAROOT INBOX ".*"|\* QUOTAROOT INBOX \S+'),
    "QUOTA=RES-STORAGE": (9208, [b"GETQUOTAROOT INBOX"], rb"\* QUOTA \S+ \(STORAGE \d+ 20480.*\)"),
    "QUOTA=RES-MESSAGE": (
        9208,
        [b"STORE 1 +FLAGS (\\Deleted)", b"STATUS INBOX (DELETED DELETED-STORAGE)"],
        rb"\* STATUS INBOX \(DELETED 1 DELETED-STORAGE %d\)" % SIZE,
    ),
    "METADATA": (
        5464,
        [b'SETMETADATA INBOX (/private/comment "x")', b"GETMETADATA INBOX /private/comment"],
        rb"\* METADATA INBOX .*",
    ),
    "METADATA-SERVER": (
        5464,
        [b'SETMETADATA "" (/private/a "x")', b'GETMETADATA "" /private/a'],
        rb'\* METADATA "" .*',
    ),
    "NOTIFY": (5465, [b"NOTIFY SET (selected (MessageNew MessageExpunge))"], rb"\. OK NOTIFY.*"),
    "APPENDLIMIT": (7889, [b"STATUS INBOX (APPENDLIMIT)"], rb"\* STATUS INBOX \(APPENDLIMIT \d+\)"),
    "COMPRESS": (4978, [b"COMPRESS DEFLATE"], rb"\. OK .*"),
    "AUTH": (4616, [], rb""),
}


class StandardsTests(ImapCase):
    def words(self) -> set[str]:
        """All that is offered, before login and after it."""
        found: set[str] = set()
        for talk in (self.client(), self.ann()):
            (line, _) = talk.asks(b"CAPABILITY")
            found |= set(line.decode().split()[2:])
            talk.hangs_up()
        bare = {
            word.partition("=")[0] if word.startswith(("AUTH=", "COMPRESS=", "APPENDLIMIT=")) else word
            for word in found
        }
        return bare - {"STARTTLS", "LOGINDISABLED"}

    def test_each_has_a_line(self) -> None:
        """What CAPABILITY names, the manual names with its RFC; what the table below names is offered."""
        self.assertEqual(self.words(), set(OFFERED))
        section = STANDARDS.read_text().partition("\nIMAP\n----")[2]
        for capability, (rfc, _, _) in OFFERED.items():
            if capability != "AUTH":
                self.assertRegex(section, rf"(?m)^{rfc} ", capability)

    def test_each_answers(self) -> None:
        """A transcript of each."""
        for capability, (_, commands, wanted) in OFFERED.items():
            self.setUp()
            self.put(HELLO, HELLO)
            talk = self.ann(b"INBOX")
            heard = [line for command in commands for line in talk.asks(command)]
            with self.subTest(capability):
                self.assertTrue(any(re.fullmatch(wanted, line) for line in heard) or not commands, heard)
            talk.hangs_up()

    def test_keywords_of_mail_programs(self) -> None:
        r"""$Forwarded, $MDNSent, $Junk, $NotJunk and any others may be set, \* says so, and they are kept."""
        self.put(HELLO)
        talk, words = self.ann(), [b"$Forwarded", b"$MDNSent", b"$Junk", b"$NotJunk", *(b"w%d" % n for n in range(200))]
        lines = talk.asks(b"SELECT INBOX")
        self.assertTrue(any(re.match(rb"\* OK \[PERMANENTFLAGS \(.* \\\*\)\]", line) for line in lines), lines)
        self.assertTrue(talk.last(b"STORE 1 +FLAGS (%b)" % b" ".join(words)).startswith(b". OK"))
        talk.hangs_up()
        (line, _) = self.ann(b"INBOX").asks(b"FETCH 1 FLAGS")
        found = re.search(rb"FLAGS \((.*)\)\)", line)
        assert found is not None
        self.assertEqual(set(found[1].split()) - {b"\\Recent"}, set(words))
