"""What a class of tests makes once, kept also by `trial -j`, which runs every test by itself and calls no setUpClass."""

from __future__ import annotations

import atexit

from twisted.trial.unittest import SynchronousTestCase

_made: set[type[Shared]] = set()
_by_us: list[type[Shared]] = []


class Shared(SynchronousTestCase):
    """A test case with setUpClass and tearDownClass, both of which call these; so does setUp.

    Where the runner did not call setUpClass, the class's first test does, and its tearDownClass comes before the next such class, or
    at the end of the process: never two at a time.
    """

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        _made.add(cls)

    @classmethod
    def tearDownClass(cls) -> None:
        _made.discard(cls)
        super().tearDownClass()

    def setUp(self) -> None:
        super().setUp()
        kind = type(self)
        if kind in _made:
            return
        end()
        try:
            kind.setUpClass()
        except BaseException:
            _made.discard(kind)
            raise
        _by_us.append(kind)


@atexit.register
def end() -> None:
    """Tear down what no runner will."""
    while _by_us:
        _by_us.pop().tearDownClass()
