"""Lists of folders, before and after."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from hostmail.interfaces.mailstore import FolderInfo
from hostmail.protocols.imap.listchanges import (
    Infos,
    ListChanges,
    list_changes,
    with_created,
    with_deleted,
    with_renamed,
    with_subscribed,
)


def folders(subscribed: str = "", **ids: int) -> Infos:
    """Folders by name, `__` for the delimiter, with their UIDVALIDITY; 0 for a mere level of names."""
    names = {name.replace("__", "/"): number for name, number in ids.items()}
    return {
        name: FolderInfo(name, name in subscribed.split(), selectable=bool(number), uidvalidity=number)
        for name, number in names.items()
    }


class ChangesTests(SynchronousTestCase):
    def changes(self, before: Infos, after: Infos, **expected: object) -> None:
        self.assertEqual(list_changes(before, after), ListChanges(**expected))  # type: ignore[arg-type]

    def test_created_and_deleted(self) -> None:
        """A level of names is no folder."""
        self.changes(folders(A=1), folders(A=1, B=2, C=0, C__D=3), created=["B", "C/D"])
        self.changes(folders(A=1, B=2), folders(A=0, A__B=4), created=["A/B"], deleted=["A", "B"])

    def test_renamed(self) -> None:
        """Known again by UIDVALIDITY; what only went along is known, too."""
        before, after = folders(A=1, A__B=2, A__C=3), folders(D=1, D__B=2, E=3)
        self.changes(before, after, renamed={"D": "A", "D/B": "A/B", "E": "A/C"})
        self.assertEqual(list_changes(before, after).moved_alone(), {"D": "A", "E": "A/C"})

    def test_replaced(self) -> None:
        """The same name, another folder."""
        self.changes(folders(A=1, B=2), folders(A=2, B=1), replaced=["A", "B"])
        self.changes(folders(A=1, B=2), folders(B=1), deleted=["A"], replaced=["B"])

    def test_subscribed(self) -> None:
        """Names, whether folders or not."""
        self.changes(folders("A B", A=1, B=0), folders("A C", A=1, C=3), created=["C"], subscribed=["B", "C"])


class OwnTests(SynchronousTestCase):
    """What the client itself does leads where the store will say that it leads."""

    def leads(self, believed: Infos, after: Infos, **left: object) -> None:
        self.assertEqual(list_changes(believed, after), ListChanges(**left))  # type: ignore[arg-type]

    def test_create(self) -> None:
        """With the levels above; whose they are has to be looked up."""
        self.leads(with_created(folders(A=1), "B/C"), folders(A=1, B=2, B__C=3), replaced=["B", "B/C"])

    def test_delete(self) -> None:
        """The subscription stays."""
        self.leads(with_deleted(folders("A", A=1, A__B=2), "A"), folders("A", A=0, A__B=2))

    def test_rename(self) -> None:
        """All that is below goes along, and subscriptions do not."""
        before, after = folders("A", A=1, A__B=2, AA=3), folders("A", A=0, D=4, D__E=1, D__E__B=2, AA=3)
        self.leads(with_renamed(before, "A", "D/E"), after, replaced=["D"])

    def test_rename_inbox(self) -> None:
        """It stays where it is, with what is below."""
        before, after = folders(INBOX=1, INBOX__A=2), folders(INBOX=1, INBOX__A=2, Old=3)
        self.leads(with_renamed(before, "INBOX", "Old"), after, replaced=["Old"])

    def test_subscribe(self) -> None:
        """Any name."""
        self.leads(with_subscribed(folders(A=1), "A", True), folders("A", A=1))
        self.leads(with_subscribed(folders(A=1), "B", True), folders("B", A=1, B=0))
        self.leads(with_subscribed(folders("A", A=1), "A", False), folders(A=1))

    def test_others_were_first(self) -> None:
        """What others have done at the same time is still seen."""
        self.leads(with_subscribed(folders(), "A", True), folders("A", A=1), created=["A"])
        self.leads(with_renamed(folders(A=1), "A", "B"), folders(B=1, B__C=2), created=["B/C"])
        self.leads(with_created(folders(A=1), "A"), folders(A=2, B=1), created=["B"], replaced=["A"])
