"""A terminal that cannot show every letter."""

import codecs
import sys
from io import TextIOWrapper


class _Ascii(TextIOWrapper):
    """A terminal of ASCII; typer takes one that says so for a mistake, and sends it UTF-8."""

    def write(self, text: str, /) -> int:
        return super().write(text.encode("ascii", "backslashreplace").decode("ascii"))


def escape_what_cannot_be_shown() -> None:
    """Let a terminal without Greek letters show their escapes, rather than end the command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, TextIOWrapper):
            continue
        stream.reconfigure(errors="backslashreplace")
        if codecs.lookup(stream.encoding).name == "ascii":
            lines = stream.line_buffering
            setattr(sys, name, _Ascii(stream.detach(), "latin-1", line_buffering=lines))
