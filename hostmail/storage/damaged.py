"""What stands in a mailbox for a message that cannot be read (D11). The file itself stays where it is."""

from __future__ import annotations

import errno
from email.utils import formatdate

_REASONS = {
    errno.EACCES: "the server is not allowed to read it",
    errno.EPERM: "the server is not allowed to read it",
    errno.ELOOP: "in its place is a link, which is not followed",
    errno.EISDIR: "in its place is something that is no message",
    errno.EIO: "the disk reported an error",
}


def explanation(error: OSError, uid: int, date: int) -> bytes:
    """A short message in place of the unreadable one. It says nothing of the server's insides but the kind of damage."""
    reason = _REASONS.get(error.errno or 0, "it is damaged")
    return (
        "From: Mail system <>\r\n"
        "Subject: [This message cannot be read at present]\r\n"
        f"Date: {formatdate(date)}\r\n"
        "Auto-Submitted: auto-generated\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=us-ascii\r\n"
        "\r\n"
        f"Message number {uid} of this folder could not be read: {reason}.\r\n"
        "It has not been deleted. Please tell the operator of this mail service; this text\r\n"
        "goes and the message is back as soon as it has been repaired.\r\n"
    ).encode("ascii")
