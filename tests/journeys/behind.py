"""A journey whose service sends everything on to one scripted server."""

from __future__ import annotations

from typing import ClassVar

from tests.journeys.base import Journey
from tests.support.remote import Remote


class SinkJourney(Journey):
    """`further` is said to the service beside its smarthost, the sink."""

    sink: ClassVar[Remote]
    further: ClassVar[str] = ""

    @classmethod
    def setUpClass(cls) -> None:
        cls.sink = Remote()
        cls.sink.open()
        cls.settings = f'smarthost: "localhost:{cls.sink.port}"\n{cls.further}'
        super().setUpClass()

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        cls.sink.close()

    def setUp(self) -> None:
        super().setUp()
        self.sink.taken.clear()
        self.sink.answers.clear()
        self.sink.slow = 0.0
