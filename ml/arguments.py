"""Kinds of command line arguments."""

from argparse import ArgumentTypeError


def whole_number(text: str) -> int:
    """0 or above, below 2^32: what the random generators take as a seed. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise ArgumentTypeError(f"{text!r} is not a whole number from 0 to {2**32 - 1}")
    return int(text)
