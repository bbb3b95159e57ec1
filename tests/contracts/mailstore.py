"""What every mail store promises. Mix `MailStoreContract` into a trial TestCase and say how a store is made:

class MaildirContract(MailStoreContract, TestCase):
    def make_store(self, usage, events, message_size_limit): ...   # an IMailStore on a new, empty place
    def make_spool(self): ...                                       # the ISpool whose files it takes
    async def restart(self, store): ...                             # close it; another one on the same place
"""

from __future__ import annotations

from tests.contracts.mailstore_accounts import AccountPromises
from tests.contracts.mailstore_annotations import AnnotationPromises
from tests.contracts.mailstore_append import AppendPromises
from tests.contracts.mailstore_delivery import DeliveryPromises, QuotaPromises
from tests.contracts.mailstore_folders import FolderPromises
from tests.contracts.mailstore_messages import FlagPromises, MessagePromises
from tests.contracts.mailstore_search import SearchPromises


class MailStoreContract(
    DeliveryPromises,
    QuotaPromises,
    MessagePromises,
    FlagPromises,
    AppendPromises,
    FolderPromises,
    SearchPromises,
    AccountPromises,
    AnnotationPromises,
):
    """All of it."""
