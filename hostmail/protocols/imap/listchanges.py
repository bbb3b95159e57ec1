"""What has happened to a list of folders, told from how it was and how it is (RFC 5465 sections 5.4 and 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hostmail.interfaces import FolderInfo
from hostmail.protocols.imap.names import DELIMITER


@dataclass(slots=True)
class ListChanges:
    """Names, in order. `renamed` are new names with their old ones; `subscribed` are those whose subscription came or went."""

    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    subscribed: list[str] = field(default_factory=list)

    def moved_alone(self) -> dict[str, str]:
        """The renamed ones but those that only went along with a folder above (section 5.4)."""
        return {new: old for new, old in self.renamed.items() if not self._went_along(new, old)}

    def _went_along(self, new: str, old: str) -> bool:
        new_parent, _, new_leaf = new.rpartition(DELIMITER)
        old_parent, _, old_leaf = old.rpartition(DELIMITER)
        return bool(new_parent) and new_leaf == old_leaf and self.renamed.get(new_parent) == old_parent


def list_changes(
    before: Mapping[str, FolderInfo],
    after: Mapping[str, FolderInfo],
    ids: Mapping[str, int],
    new_ids: Mapping[str, int],
) -> ListChanges:
    """`ids` and `new_ids` are what a folder keeps through renaming, by name; those that are not known match nothing."""
    created, deleted = appeared(before, after), appeared(after, before)
    by_id = {ids[name]: name for name in deleted if name in ids}
    renamed = {name: by_id[new_ids[name]] for name in created if new_ids.get(name) in by_id}
    gone = set(renamed.values())
    names = before.keys() | after.keys()
    return ListChanges(
        [name for name in created if name not in renamed],
        [name for name in deleted if name not in gone],
        renamed,
        sorted(name for name in names if is_subscribed(before, name) != is_subscribed(after, name)),
    )


def appeared(before: Mapping[str, FolderInfo], after: Mapping[str, FolderInfo]) -> list[str]:
    """The folders that were not there before."""
    return sorted(name for name in after if exists(after, name) and not exists(before, name))


def exists(folders: Mapping[str, FolderInfo], name: str) -> bool:
    """Whether it is a folder, and no mere level of names."""
    return name in folders and folders[name].selectable


def is_subscribed(folders: Mapping[str, FolderInfo], name: str) -> bool:
    """Whether the name is subscribed."""
    return name in folders and folders[name].subscribed
