"""What a test needs and a machine may lack: a reason to skip on a desk, a failure where everything must run."""

from __future__ import annotations

import os
import shutil

from twisted.trial.unittest import FailTest, SkipTest


def lacking(words: str) -> Exception:
    """The exception to raise: with $CI set nothing may be left out unseen."""
    return FailTest(words) if os.environ.get("CI") else SkipTest(words)


def program(name: str) -> str:
    """The path of a program; raises if it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise lacking(f"{name} is not installed")
    return found
