"""A second factor for whoever manages something: codes of an app, and recovery codes (F1)."""

from __future__ import annotations

import segno

from hostmail.web.panel.page import MANAGERS, Done, Page, Section, View, Visit

APP_ADDRESS = "otpauth://totp/"
MOST_OCTETS = 500


async def show(visit: Visit) -> View:
    """Whether there is one; or the code to scan again, if what was typed did not fit."""
    told = await visit.call("own.show")
    address = visit.form.text("uri")
    if visit.trouble is not None and visit.trouble.action == "confirm" and address.startswith(APP_ADDRESS):
        return to_scan(address[:MOST_OCTETS], visit.form.text("secret")[:64])
    return View("second_factor.html", {"factor": told["second_factor"]})


async def begin(visit: Visit) -> View:
    """What the app has to know. Nothing changes before it has shown a code."""
    made = await visit.call("own.factor.begin", current=visit.form.raw("current")[:1024])
    return to_scan(made["uri"], made["secret"])


async def confirm(visit: Visit) -> View:
    """From now on a code is needed; the recovery codes are shown this once."""
    made = await visit.call("own.factor.confirm", code=visit.form.needed("code"))
    await visit.stay_signed_in()
    return View("second_factor_codes.html", {"codes": made["recovery_codes"]}, title="Recovery codes")


async def new_codes(visit: Visit) -> View:
    """Other recovery codes; those before are worth nothing any more."""
    made = await visit.call("own.factor.codes", code=visit.form.needed("code"))
    return View("second_factor_codes.html", {"codes": made["recovery_codes"]}, title="Recovery codes")


async def remove(visit: Visit) -> Done:
    """The password alone is enough again."""
    await visit.call("own.factor.remove", code=visit.form.needed("code"))
    await visit.stay_signed_in()
    return Done("The second factor has been removed. The password alone is enough now.", visit.url("second_factor"))


def to_scan(address: str, secret: str) -> View:
    """The app's address as a picture and in letters."""
    picture = segno.make(address, error="m", micro=False).svg_data_uri(scale=5, border=3, light="#fff")
    facts = {"picture": picture, "address": address, "secret": secret}
    return View("second_factor_scan.html", facts, title="Set up the second factor")


PAGES = (
    Page(
        name="second_factor",
        path="/second-factor",
        title="Second factor",
        help="With it, your password alone does not open this panel: an app on your telephone makes a code each time.",
        show=show,
        who=MANAGERS,
        actions={"begin": begin, "confirm": confirm, "codes": new_codes, "remove": remove},
        section=Section.OWN,
        menu="Second factor",
    ),
)
