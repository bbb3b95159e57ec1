"""The HTTP API: what the panel does, as JSON for programs that show a token."""
