"""A mail appliance for hosting: many customer domains on one service."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("hostmail")
except PackageNotFoundError:  # a bare checkout that was never installed
    __version__ = "0.0.0"
