"""The control panel: one table of pages (`routes`), a handler each (`pages/`), and what all of them share."""
