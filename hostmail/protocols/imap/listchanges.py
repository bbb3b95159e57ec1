"""A list of folders as a client knows it, and what has happened to it since (RFC 5465 sections 5.4 and 5.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hostmail.interfaces.mailstore import FolderInfo
from hostmail.protocols.imap.names import DELIMITER, parents_of

Infos = dict[str, FolderInfo]


@dataclass(slots=True)
class ListChanges:
    """Names, in order.

    `renamed` are new names with their old ones; `replaced` are names that mean another folder now; `subscribed` are those whose
    subscription came or went.
    """

    created: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    replaced: list[str] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)

    def moved_alone(self) -> dict[str, str]:
        """The renamed ones but those that only went along with a folder above (section 5.4)."""
        return {new: old for new, old in self.renamed.items() if not self._went_along(new, old)}

    def _went_along(self, new: str, old: str) -> bool:
        new_parent, _, new_leaf = new.rpartition(DELIMITER)
        old_parent, _, old_leaf = old.rpartition(DELIMITER)
        return bool(new_parent) and new_leaf == old_leaf and self.renamed.get(new_parent) == old_parent


def list_changes(before: Mapping[str, FolderInfo], after: Mapping[str, FolderInfo]) -> ListChanges:
    """What must have happened in between. A folder is known again by its UIDVALIDITY."""
    created, deleted = _appeared(before, after), _appeared(after, before)
    by_id = {before[name].uidvalidity: name for name in deleted if before[name].uidvalidity}
    renamed = {name: by_id[after[name].uidvalidity] for name in created if after[name].uidvalidity in by_id}
    gone = set(renamed.values())
    return ListChanges(
        [name for name in created if name not in renamed],
        [name for name in deleted if name not in gone],
        renamed,
        sorted(name for name in before.keys() & after.keys() if _is_another(before[name], after[name])),
        sorted(
            name for name in before.keys() | after.keys() if is_subscribed(before, name) != is_subscribed(after, name)
        ),
    )


def _appeared(before: Mapping[str, FolderInfo], after: Mapping[str, FolderInfo]) -> list[str]:
    return sorted(name for name in after if exists(after, name) and not exists(before, name))


def _is_another(before: FolderInfo, after: FolderInfo) -> bool:
    """Or may be: the client has made one of that name, but perhaps somebody else was first."""
    return before.selectable and after.selectable and before.uidvalidity != after.uidvalidity


def exists(folders: Mapping[str, FolderInfo], name: str) -> bool:
    """Whether it is a folder, and no mere level of names."""
    return name in folders and folders[name].selectable


def is_subscribed(folders: Mapping[str, FolderInfo], name: str) -> bool:
    """Whether the name is subscribed."""
    return name in folders and folders[name].subscribed


# ------------------------------------------------------------------------------- what the client itself has done to it


def with_created(folders: Infos, name: str) -> Infos:
    """After CREATE, which makes the levels above as well. If the client knew one of that name, then somebody has taken it away."""
    made = {each: _info(folders, each, True) for each in parents_of(name) if not exists(folders, each)}
    return {**folders, **made, name: _info(folders, name, True)}


def with_deleted(folders: Infos, name: str) -> Infos:
    """After DELETE; the subscription stays."""
    return {**folders, name: _info(folders, name, False)}


def with_renamed(folders: Infos, old: str, new: str) -> Infos:
    """After RENAME, of all that is below as well; subscriptions stay. INBOX stays too, and gives its messages to a new folder."""
    if old == "INBOX":
        return with_created(folders, new)
    found = with_created(folders, new)
    del found[new]
    for name in [name for name in folders if exists(folders, name) and f"{name}/".startswith(f"{old}/")]:
        target = new + name[len(old) :]
        found[name] = _info(folders, name, False)
        found[target] = _info(folders, target, True, folders[name].uidvalidity)
    return found


def with_subscribed(folders: Infos, name: str, subscribed: bool) -> Infos:
    """After SUBSCRIBE or UNSUBSCRIBE."""
    info = folders.get(name) or _info(folders, name, False)
    return {**folders, name: replace(info, subscribed=subscribed)}


def _info(folders: Infos, name: str, selectable: bool, uidvalidity: int = 0) -> FolderInfo:
    return FolderInfo(name, is_subscribed(folders, name), selectable=selectable, uidvalidity=uidvalidity)
