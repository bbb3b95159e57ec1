"""hostmail.auth.foreign: hashes of other systems keep working (A7)."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import argon2
import bcrypt
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from hostmail.auth.foreign import reader
from hostmail.errors import BadValue

# All for the password "secret".
SECRETS = [
    "{PLAIN}secret",
    "{plain}secret",
    "{CLEARTEXT}secret",
    "{PLAIN.B64}c2VjcmV0",
    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
    "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ",
    "{SHA.HEX}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4",
    "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
    "{SHA512.HEX}" + hashlib.sha512(b"secret").hexdigest(),
    "{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69",
    "{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==",
    "{SSHA}" + b64encode(hashlib.sha1(b"secretsalt").digest() + b"salt").decode(),
    "{SSHA256}" + b64encode(hashlib.sha256(b"secretsalt").digest() + b"salt").decode(),
    "{SSHA512}" + b64encode(hashlib.sha512(b"secretsalt").digest() + b"salt").decode(),
    "{SMD5}" + b64encode(hashlib.md5(b"secretsalt").digest() + b"salt").decode(),
    "{PBKDF2}$1$salty$5000$" + hashlib.pbkdf2_hmac("sha1", b"secret", b"salty", 5000).hex(),
    "{BLF-CRYPT}" + bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode(),
    bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "{ARGON2I}" + argon2.PasswordHasher(1, 64, 1, type=argon2.Type.I).hash("secret"),
    "{ARGON2ID}" + argon2.PasswordHasher(1, 64, 1).hash("secret"),
    argon2.PasswordHasher(1, 64, 1).hash("secret"),
]
# Written by OpenSSL and the C library's crypt.
CRYPTED = [
    (
        "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
        "Hello world!",
    ),
    ("{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
    ("{CRYPT}$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"),
    ("{MD5-CRYPT}$1$saltstri$YMyguxXMBpd2TEZ.vS/3q1", "Hello world!"),
    ("{CRYPT}rEK1ecacw.7.c", "password"),
]


class ReaderTests(SynchronousTestCase):
    def test_right_and_wrong(self) -> None:
        """Each scheme takes its password and no other."""
        for stored in SECRETS:
            check = reader(stored)
            self.assertTrue(check(b"secret"), stored)
            for wrong in (b"Secret", b"secret ", b"", b"secre\0t", b"\xff\xfe"):
                self.assertFalse(check(wrong), stored)

    def test_what_crypt_wrote(self) -> None:
        """Hashes of the crypt family, with and without a scheme before them."""
        for stored, password in CRYPTED:
            check = reader(stored)
            self.assertTrue(check(password.encode()), stored)
            self.assertFalse(check(b"other"), stored)
            self.assertFalse(check(b"with\0nul"), stored)

    def test_bcrypt_reads_72_octets(self) -> None:
        """A longer password is the right one, as it was where it was set."""
        stored = "{BLF-CRYPT}" + bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
        self.assertTrue(reader(stored)(b"x" * 100))
        self.assertFalse(reader(stored)(b"x" * 71))

    def test_malformed(self) -> None:
        """What is no hash is refused when it comes in, not when somebody signs in."""
        for stored in (
            "",
            "secret",
            "{NONSENSE}x",
            "{PLAIN}",
            "{SHA}!!!",
            "{SHA}c2hvcnQ=",
            "{SHA.HEX}xyz",
            "{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
            "{SHA}" + b64encode(bytes(24)).decode(),
            "{BLF-CRYPT}$2b$04$short",
            "{SHA512-CRYPT}$6$salt",
            "{SHA512-CRYPT}$6$rounds=abc$salt$x",
            "{MD5-CRYPT}nonsense",
            "{ARGON2ID}$argon2id$nonsense",
            "{PBKDF2}$1$salt$0$" + "0" * 40,
            "{CRYPT}x",
            "{CRYPT}$y$j9T$salt$hash",
            "$7$whatever",
        ):
            self.assertRaises(BadValue, reader, stored)

    def test_costly(self) -> None:
        """A hash made to keep the server busy is refused."""
        lasting = bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode().replace("$04$", "$31$")
        for stored in (
            "{BLF-CRYPT}" + lasting,
            "{SHA512-CRYPT}$6$rounds=999999999$salt$" + "x" * 86,
            "{ARGON2ID}$argon2id$v=19$m=4194304,t=2,p=1$" + "A" * 22 + "$" + "A" * 43,
            "{PBKDF2}$1$salt$999999999$" + "0" * 40,
        ):
            self.assertRaises(BadValue, reader, stored)

    def test_long_salt(self) -> None:
        """A salt that no crypt(3) ever made is no hash, and warns nobody."""
        for stored in ("$6$" + "x" * 17 + "$" + "a" * 86, "$5$" + "x" * 40, "$1$" + "x" * 9 + "$" + "a" * 22):
            self.assertRaises(BadValue, reader, stored)

    @given(
        st.text(max_size=80),
        st.sampled_from(["", "{CRYPT}", "{SSHA}", "{BLF-CRYPT}", "{ARGON2ID}", "{PBKDF2}", "$6$", "$"]),
    )
    def test_any_text(self, text: str, prefix: str) -> None:
        """Whatever an import holds is read or refused, nothing else."""
        try:
            reader(prefix + text)
        except BadValue:
            pass
