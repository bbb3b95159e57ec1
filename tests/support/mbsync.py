"""What isync's mbsync is told: everything, both ways."""

from __future__ import annotations

from pathlib import Path

from tests.support.appliance import PASSWORD, Appliance


def mbsync_settings(here: Appliance, login: str, place: Path, certificate: Path, tls: str = "IMAPS") -> str:
    """For a Maildir in `place` and all folders of an account."""
    return f"""
IMAPAccount ann
Host 127.0.0.1
Port {here.ports["imaps" if tls == "IMAPS" else "imap"]}
User {login}
Pass {PASSWORD}
SSLType {tls}
CertificateFile {certificate}

IMAPStore remote
Account ann

MaildirStore local
Path {place}/
Inbox {place}/INBOX
SubFolders Verbatim

Channel all
Far :remote:
Near :local:
Patterns *
Create Both
Remove Both
Expunge Both
SyncState *
"""
