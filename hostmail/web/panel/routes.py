"""All pages of the panel, in the order of the navigation. The routes are made of this table, and so are the tests of who may see what.

A page that is not in here does not exist; one that is in here has been tried by everybody who must not see it (tests/web/panel).
"""

from __future__ import annotations

from hostmail.web.panel.page import Page
from hostmail.web.panel.pages import (
    account,
    accounts,
    addresses,
    autoreply,
    browsers,
    catchall,
    certificates,
    dns,
    grants,
    history,
    home,
    importing,
    lists,
    mailbox,
    mine,
    overview,
    people,
    programs,
    queue,
    removed,
    second_factor,
    server,
    settings,
    signins,
    tokens,
    welcome,
)

PAGES: tuple[Page, ...] = (
    *home.PAGES,
    *overview.PAGES,
    *accounts.PAGES,
    *importing.PAGES,
    *account.PAGES,
    *addresses.PAGES,
    *catchall.PAGES,
    *lists.PAGES,
    *autoreply.PAGES,
    *mailbox.PAGES,
    *history.PAGES,
    *grants.PAGES,
    *removed.PAGES,
    *programs.PAGES,
    *welcome.PAGES,
    *dns.PAGES,
    *settings.PAGES,
    *people.PAGES,
    *queue.PAGES,
    *server.PAGES,
    *certificates.PAGES,
    *mine.PAGES,
    *second_factor.PAGES,
    *browsers.PAGES,
    *signins.PAGES,
    *tokens.PAGES,
)
