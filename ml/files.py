"""Files that are read by their name's ending and written whole or not at all."""

import gzip
import io
import os
import secrets
import zlib
from hashlib import sha256
from pathlib import Path
from typing import TextIO

BROKEN = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a file may raise when it is broken off, or no gzip though its name says so."""
UNREADABLE = (OSError, *BROKEN)
"""The same, and when it is not there or its disk fails."""

_BUFFER = 1 << 20
_JSON_ENDINGS = {".jsonl", ".ndjson", ".json"}


def is_gzip(path: Path) -> bool:
    return path.suffix.lower() == ".gz"


def is_json_lines(path: Path) -> bool:
    """JSON Lines by its name, gzipped or not; everything else is CSV."""
    return (path.with_suffix("") if is_gzip(path) else path).suffix.lower() in _JSON_ENDINGS


def bare_stem(path: Path) -> str:
    """The file's name without the ending of its kind: `part-0` of `part-0.csv.gz`."""
    name = path.with_suffix("") if is_gzip(path) else path
    return name.stem if name.suffix.lower() in {".csv", *_JSON_ENDINGS} else name.name


def is_data_file(path: Path) -> bool:
    """Whether a file of a folder holds players: markers such as `_SUCCESS`, hidden files and empty ones do not."""
    return not path.name.startswith(("_", ".")) and path.stat().st_size > 0


class _HashedFile(io.RawIOBase):
    """The bytes of a file, hashed as they are read."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "rb", buffering=0)
        self.hash = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        count = self._file.readinto(buffer)
        self.hash.update(memoryview(buffer)[:count])
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class TextFile:
    """A text file, opened for reading: UTF-8 with or without a BOM, unpacked if its name ends in `.gz`.

    Bytes that are no UTF-8 come as lone surrogates, so that one of them costs its row and not the file. Line ends come as they are.
    """

    def __init__(self, path: Path) -> None:
        self._raw = _HashedFile(path)
        self._buffer = io.BufferedReader(self._raw, _BUFFER)
        binary = gzip.GzipFile(fileobj=self._buffer, mode="rb") if is_gzip(path) else self._buffer
        self.text: TextIO = io.TextIOWrapper(binary, encoding="utf-8-sig", errors="surrogateescape", newline="")

    def content_hash(self) -> str:
        """SHA-256 of the file's bytes, as stored; to be asked for once the text was read to its end."""
        while self._buffer.read(_BUFFER):
            pass
        return self._raw.hash.hexdigest()

    def __enter__(self) -> "TextFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.text.close()
        self._buffer.close()


class Draft:
    """A text file that is written under a hidden name beside its place and takes its place when it is complete.

    The bytes depend on the text alone, gzipped ones too: a gzip header would else hold the time and the name.
    """

    def __init__(self, folder: Path, name: str, compress: bool = False) -> None:
        # Random, since processes of several machines may write to one folder.
        self._path = folder / f".{name[:50]}.{secrets.token_hex(4)}.draft"
        self._file = open(self._path, "wb")
        binary = gzip.GzipFile(filename="", mode="wb", fileobj=self._file, mtime=0) if compress else self._file
        self.text: TextIO = io.TextIOWrapper(binary, encoding="utf-8", newline="")

    def publish(self, path: Path) -> None:
        """Completes the file and moves it to `path`, in the same folder, replacing what is there."""
        self._close()
        os.replace(self._path, path)

    def _close(self) -> None:
        self.text.close()
        self._file.close()

    def __enter__(self) -> "Draft":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._path.unlink(missing_ok=True)
