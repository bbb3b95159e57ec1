"""Messages as octets: where their parts are, what their headers say, and the IMAP texts made from both.

Pure functions over `bytes`; no I/O. Nothing here raises because of what a message contains: nonsense has a valid answer.
`scan` finds the parts, `sections` addresses them, `envelope` and `bodystructure` describe them, `decode` makes them readable,
`headers`, `dates` and `trace` serve delivery, `summary` gathers what is cached for each message.
"""
