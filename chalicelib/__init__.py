"""Deskbell: a multichannel help desk for online shops."""

__version__ = "0.1.0"
