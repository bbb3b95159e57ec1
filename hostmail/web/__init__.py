"""The web room: the control panel over HTTP, for operators, owners of domains and mailbox users."""
