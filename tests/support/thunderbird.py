"""A real Thunderbird on a screen of its own, who knows the way to the hosts of a test and to no others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.support.marionette import Marionette
from tests.support.missing import program
from tests.support.socks import Socks

SECONDS = 60.0

NO_NAMES = """
const {DNS} = ChromeUtils.importESModule("resource:///modules/DNS.sys.mjs");
DNS.lookup = async (name) => { throw new Error(`nobody is asked about ${name}`); };
"""
"""MX and SRV records are the one thing that Thunderbird asks for past its proxy."""

TRUST = """
Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB).addCertFromBase64(given[0], "C,,");
"""

SERVER = """
const {plain, alwaysSTARTTLS, SSL} = Ci.nsMsgSocketType;
const security = {[plain]: "none", [alwaysSTARTTLS]: "STARTTLS", [SSL]: "TLS"};
const server = (one) => [one.type, one.hostname, one.port, security[one.socketType]];
"""

LOOK_UP = """
const {FindConfig} = ChromeUtils.importESModule("resource:///modules/accountcreation/FindConfig.sys.mjs");
const {AccountConfig} = ChromeUtils.importESModule("resource:///modules/accountcreation/AccountConfig.sys.mjs");
const [address] = given, domain = address.split("@")[1];
Services.obs.notifyObservers(null, "net:cancel-all-connections");
const {value: found} = await FindConfig.parallelAutoDiscovery(domain, address, new AbortController().signal).next();
if (!found || found.isRedirect) return found;
AccountConfig.replaceVariables(found, "Somebody", address);
return {
  from: found.subSource,
  incoming: [found.incoming, ...found.incomingAlternatives].map(server),
  outgoing: [found.outgoing, ...found.outgoingAlternatives].map(server),
  logins: [found.incoming, found.outgoing].map((one) => one.auth == Ci.nsMsgAuthMethod.passwordCleartext && one.username),
};
"""

GUESS = """
const {GuessConfig} = ChromeUtils.importESModule("resource:///modules/accountcreation/GuessConfig.sys.mjs");
const {incoming, outgoing} = await GuessConfig.guessConfig(given[0], () => {}, null, "both", new AbortController().signal);
return [incoming, outgoing].map(server);
"""

IN_DIALOG = """
const dialog = await until(() => document.querySelector("account-hub-container")?.shadowRoot);
const shown = (id) => [...dialog.querySelectorAll(`#${id}`)].find((one) => one.checkVisibility());
"""

READY = """
const ready = await until(() => { const one = shown(given[0]); return one && !one.disabled && one; });
"""

FOLDER = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.defaultAccount.incomingServer;
const folder = await until(() => server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags[given[0]]));
"""

READ = """
const pane = document.getElementById("tabmail").currentAbout3Pane;
const text = () => {
  const page = pane.messageBrowser?.contentWindow?.getMessagePaneBrowser?.()?.contentDocument;
  return page?.querySelector(".moz-text-plain, .moz-text-flowed")?.innerText.trim();
};
pane.displayFolder(folder.URI);
pane.threadTree.selectedIndex = -1;
await until(() => !text());
const row = await until(() => {
  const view = pane.gFolder?.URI === folder.URI && pane.gDBView;
  return view && [...Array(view.rowCount).keys()].map(String).find((one) => view.getMsgHdrAt(one).mime2DecodedSubject === given[1]);
});
pane.threadTree.selectedIndex = Number(row);
return await until(text);
"""

WRITE = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const params = Cc["@mozilla.org/messengercompose/composeparams;1"].createInstance(Ci.nsIMsgComposeParams);
const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
[fields.to, fields.subject, fields.body] = given;
params.composeFields = fields;
params.format = Ci.nsIMsgCompFormat.PlainText;
params.identity = MailServices.accounts.defaultAccount.defaultIdentity;
MailServices.compose.OpenComposeWindowWithParams(null, params);
const letter = await until(() => Services.wm.getMostRecentWindow("msgcompose"));
await until(() => letter.composeEditorReady);
letter.goDoCommand("cmd_sendNow");
await until(() => letter.closed);
"""


class Thunderbird:
    """Fresh from the box, in the dialog that sets up the first account. `socks` is its only way into the net."""

    def __init__(self, socks: Socks) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="hostmail-thunderbird-"))
        self._profile = self._home / "profile"
        self._log = self._home / "log"
        self._open = ExitStack()
        self._open.callback(shutil.rmtree, self._home, ignore_errors=True)
        try:
            self._start(socks)
        except BaseException:
            self.end()
            raise

    def _start(self, socks: Socks) -> None:
        preferences = {
            "marionette.port": 0,
            "network.proxy.type": 1,
            "network.proxy.socks": "127.0.0.1",
            "network.proxy.socks_port": socks.port,
            "network.proxy.socks_version": 5,
            "network.proxy.socks_remote_dns": True,
            "network.proxy.failover_direct": False,
            "network.dns.disabled": True,
            "mailnews.auto_config_url": "",
            "mailnews.start_page.enabled": False,
            "datareporting.policy.dataSubmissionEnabled": False,
        }
        self._profile.mkdir()
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in preferences.items())
        (self._profile / "user.js").write_text("".join(lines))
        thunderbird = program("thunderbird")
        environment = {
            "HOME": str(self._home),
            "PATH": os.environ["PATH"],
            "LC_ALL": "C.UTF-8",
            "DISPLAY": self._screen(),
        }
        words = ("--profile", str(self._profile), "--no-remote", "--marionette", "--remote-allow-system-access")
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [thunderbird, *words], env=environment, cwd=self._home, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._open.callback(stop, process)
        self._remote = Marionette(self._port(process))
        self._open.callback(self._remote.close)
        self._remote.run(NO_NAMES)

    def _screen(self) -> str:
        """Where windows are shown."""
        ours, theirs = os.pipe()
        words = ("-displayfd", str(theirs), "-screen", "0", "1280x900x24", "-nolisten", "tcp")
        with os.fdopen(ours) as numbers:
            try:
                screen = subprocess.Popen(
                    [program("Xvfb"), *words], pass_fds=[theirs], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            finally:
                os.close(theirs)
            self._open.callback(stop, screen)
            return f":{numbers.readline().strip()}"

    def _port(self, process: subprocess.Popen[bytes]) -> int:
        """Where it listens to us, as soon as it has written that down."""
        written, deadline = self._profile / "MarionetteActivePort", time.monotonic() + SECONDS
        while not (written.exists() and (text := written.read_text())):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"Thunderbird does not start:\n{self.said()}")
            time.sleep(0.02)
        return int(text)

    def end(self) -> None:
        """Close it, and forget everything."""
        self._open.close()

    def said(self) -> str:
        """What it wrote to its terminal."""
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else ""

    def trusts(self, certificate: bytes) -> None:
        """From now on it takes what this authority has signed (PEM)."""
        self._run(TRUST, "".join(certificate.decode().splitlines()[1:-1]))

    def looks_up(self, address: str) -> Any:
        """What it finds out about an address before it asks for a password; None if that is nothing."""
        return self._run(SERVER + LOOK_UP, address)

    def guesses(self, domain: str) -> Any:
        """Which servers it finds by trying usual names and ports, as it does after it has looked up nothing."""
        return self._run(SERVER + GUESS, domain)

    def fills_in(self, field: str, text: str) -> None:
        """A field of the dialog, as soon as it can be filled in."""
        self._remote.fill(self._run(IN_DIALOG + READY + "return ready;", field), text)

    def goes_on(self) -> None:
        """Press the dialog's main button."""
        self._remote.click(self._run(IN_DIALOG + READY + "return ready;", "forward"))

    def shows(self, *fields: str) -> list[str]:
        """Texts in the dialog, as soon as the first of them is there."""
        look = "await until(() => shown(given[0])?.textContent.trim());"
        return list(self._run(IN_DIALOG + look + "return given.map((id) => shown(id).textContent.trim());", *fields))

    def reads(self, subject: str, folder: str = "Inbox") -> str:
        """Open a message in the main window, as soon as it is there; its text."""
        return str(self._run(FOLDER + READ, folder, subject))

    def sends(self, to: str, subject: str, text: str) -> None:
        """Write a message, press "send", and wait until that has worked."""
        self._run(WRITE, to, subject, text)

    def _run(self, script: str, *given: Any) -> Any:
        try:
            return self._remote.run(script, *given)
        except AssertionError as trouble:
            raise AssertionError(f"{trouble}\n--- Thunderbird\n{self.said()}") from None


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it, if need be by force."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
