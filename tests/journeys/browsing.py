"""A panel to look at in a browser, and a name server that answers at once."""

from __future__ import annotations

from typing import ClassVar

from tests.journeys.base import Journey
from tests.support.zone import Zone


class Browsing(Journey):
    """`further` is said to the service; names in `broken` have no answer in the DNS at present, others do not exist."""

    more = ("panel",)
    further: ClassVar[str] = ""
    broken: ClassVar[tuple[str, ...]] = ()
    zone: ClassVar[Zone]

    @classmethod
    def setUpClass(cls) -> None:
        cls.zone = Zone(broken=set(cls.broken))
        cls.zone.open()
        cls.settings = f"""\
dns: {{servers: ["127.0.0.1:{cls.zone.port}"]}}
limits: {{failed_login_delay: 0s}}
{cls.further}"""
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.zone.close()
