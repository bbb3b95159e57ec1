"""SEARCH of texts against the slowest way of answering it: reading every message from beginning to end."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from hostmail.message.charsets import folded
from hostmail.message.decode import body_text, decode_header, header_block_text
from hostmail.message.scan import scan
from hostmail.protocols.imap import searching
from tests.protocols.imap.talk import ImapCase

_WORDS = [
    *(
        "Ann",
        "ANN",
        "ann@example.org",
        "Straße",
        "STRASSE",
        "ﬁn",
        "fin",
        "日本語",
        "İ",
        "é",
        "é",
        "+2AA-",
        "=00",
        "b\0c",
    ),
    *(
        " ",
        "  ",
        ",",
        ";",
        "<",
        ">",
        '"',
        "\\",
        "(",
        ")",
        "\r\n ",
        "\r\n\t",
        "a" * 40,
        "\u0301",
        "\u1161",
        "\u1100",
        "\u3099",
        "Re: ",
        "=?",
        "?=",
        "\ufffe",
    ),
]
_CHARSETS = ["utf-8", "iso-8859-1", "utf-7", "utf-16", "shift_jis", "unknown"]
_FIELDS = [b"From", b"TO", b"Cc", b"bcc", b"Subject", b"Message-ID", b"X-Other", b"Received"]

words = st.sampled_from(_WORDS) | st.text(max_size=4)


@st.composite
def encoded_words(draw: st.DrawFn) -> bytes:
    """An encoded word, of whatever charset."""
    charset = draw(st.sampled_from(_CHARSETS))
    text = draw(st.lists(words, max_size=3).map("".join))
    octets = text.encode(charset if charset != "unknown" else "utf-8", "ignore")
    return b"=?%b?Q?%b?=" % (charset.encode(), b"".join(b"=%02X" % octet for octet in octets))


values = st.lists(
    words.map(lambda text: text.encode("utf-8", "ignore")) | encoded_words() | st.binary(max_size=3), max_size=5
)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """A header of any fields, repeated or not, and a body of some kind."""
    fields = draw(st.lists(st.tuples(st.sampled_from(_FIELDS), values.map(b"".join)), max_size=6))
    header = b"".join(b"%b: %b\r\n" % field for field in fields)
    kind = draw(st.sampled_from([b"", b"Content-Type: text/html\r\n", b"Content-Type: image/png\r\n", b"MIXED"]))
    body = draw(values.map(b"".join))
    if kind == b"MIXED":
        kind = b"Content-Type: multipart/mixed; boundary=b\r\n"
        body = b"--b\r\n\r\n%b\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n%b\r\n--b--\r\n" % (
            body,
            body,
        )
    return header + kind + b"\r\n" + body


def matches(mail: bytes, field: str, needle: str) -> bool:
    """What RFC 3501 section 6.4.4 asks for."""
    root, needle = scan(mail), folded(needle)
    if field == "BODY":
        return needle in folded(body_text(mail, root, 1 << 24))
    if field == "TEXT":
        return needle in folded(header_block_text(mail, root)) or matches(mail, "BODY", needle)
    values = [each.value(mail) for each in root.fields if each.name == field.lower().encode()]
    return any(needle in folded(decode_header(value)) for value in values)


needles = (
    st.lists(words, max_size=2).map("".join).map(lambda text: text.replace("\0", "").encode("utf-8", "ignore").decode())
)
KEYS = ["From", "To", "Cc", "Bcc", "Subject", "Message-ID", "X-Other", "BODY", "TEXT"]


class Reference(ImapCase):
    """One folder for each example."""

    @settings(max_examples=150, deadline=None, database=None)
    @given(
        st.lists(mails(), min_size=1, max_size=4),
        st.lists(st.tuples(st.sampled_from(KEYS), needles), min_size=1, max_size=6),
        st.sampled_from([0, searching.FEW]),
    )
    def test_texts(self, letters: list[bytes], asked: list[tuple[str, str]], few: int) -> None:
        """Each key alone, its opposite, and two of them together find what reading everything finds,
        whether the store is asked first or not."""
        self.setUp()
        self.patch(searching, "FEW", few)
        self.put(*letters)
        talk = self.ann(b"INBOX")
        truth = [{number for number, mail in enumerate(letters, 1) if matches(mail, *key)} for key in asked]
        everything = set(range(1, len(letters) + 1))
        for key, found in zip(asked, truth, strict=True):
            self.finds(talk, self.said(*key), found)
            self.finds(talk, b"NOT " + self.said(*key), everything - found)
        one, other = self.said(*asked[0]), self.said(*asked[-1])
        self.finds(talk, b"%b %b" % (other, one), truth[0] & truth[-1])
        self.finds(talk, b"OR %b NOT %b" % (one, other), truth[0] | everything - truth[-1])

    def said(self, field: str, needle: str) -> bytes:
        """The search key."""
        text = b"{%d+}\r\n%b" % (len(needle.encode()), needle.encode())
        return (field if field in ("BODY", "TEXT") else f"HEADER {field}").encode() + b" " + text

    def finds(self, talk: object, program: bytes, wanted: set[int]) -> None:
        """The program finds exactly these."""
        answer = talk.asks(b"SEARCH CHARSET UTF-8 " + program)  # type: ignore[attr-defined]
        self.assertEqual(answer[0], b" ".join([b"* SEARCH", *(b"%d" % each for each in sorted(wanted))]), program)
