"""Which files were given, and their bytes: found, ordered, hashed and decompressed."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, NoReturn, cast

import pyarrow as pa

from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Format = Literal["csv", "parquet", "ndjson"]

FORMATS: dict[str, Format] = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
}
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
HASH_CHUNK_BYTES = 1 << 20
# Calls are packed to a tenth or so of their text. What grows to so many times its size, and is not small, was made to
# fill the memory: its records, set aside one by one, would.
MOST_GROWTH = 200
GROWS_FREELY_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One file to read, or the part of a text that is to be read.

    Attributes:
        path: Its absolute path.
        format: What its name says it holds, whatever the compression.
        begin: The bytes before the part: whole lines.
        end: The bytes up to its end; None: all there are.
        lines_before: How many lines the text has before the part.
    """

    path: str
    format: Format
    begin: int = 0
    end: int | None = None
    lines_before: int = 0


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """What was found at the places given.

    Attributes:
        files: The files to read, each once, in the order of the bytes of their paths.
        ignored: Paths in searched folders that are not read (hidden, or another suffix, such as `.tmp`).
    """

    files: tuple[FoundFile, ...]
    ignored: tuple[str, ...]


def format_of(path: str) -> Format | None:
    """The format that a file's name stands for, before `.gz` or `.zst`; None if none is known."""
    suffixes = Path(path.lower()).suffixes
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return FORMATS.get(suffixes[-1]) if suffixes else None


def is_compressed(path: str) -> bool:
    """Whether a file's name says that its bytes are compressed."""
    return path.lower().endswith(tuple(COMPRESSIONS))


@dataclass(frozen=True, slots=True)
class Naming:
    """Which files are read, by their names.

    Attributes:
        texts: A pattern of further names that stand for CSV, as switches name their files; empty: none.
        any_named: Whether a file that is named itself, not found in a folder, is read whatever its name, as CSV
            where that says nothing.
    """

    texts: str = ""
    any_named: bool = False

    def format_of(self, path: str) -> Format | None:
        """What a file's name says that it holds; None if nothing."""
        name = Path(path).name
        if name.lower().endswith(tuple(COMPRESSIONS)):
            name = Path(name).stem
        said = format_of(path)
        return "csv" if said is None and self.texts and re.search(self.texts, name) else said


USUAL = Naming()


def find_files(given: Sequence[str], naming: Naming = USUAL) -> FoundFiles:
    """Find the files to read: each place is a file, a folder (searched through) or a glob.

    A folder without any file to read is no error.

    Args:
        given: The places.
        naming: Which names stand for a file to read.

    Raises:
        InputRefused: if a place does not exist, a glob matches nothing, a file has an unknown suffix or is
            no regular file, a folder cannot be listed, or a name is not UTF-8.
    """
    named: dict[str, Format] = {}
    ignored: set[str] = set()
    for place in given:
        if not place:
            raise InputRefused("an empty path: expected a file, a folder or a pattern; is a variable not set?")
        if Path(place).is_dir():
            _search(_absolute(place), named, ignored, naming)
        elif os.path.lexists(place):
            file_format = naming.format_of(place) or ("csv" if naming.any_named else None)
            if file_format is None:
                raise InputRefused(
                    f"{place}: the name does not say what the file holds. Expected one of "
                    f"{', '.join(FORMATS)}, with or without {' or '.join(COMPRESSIONS)} after it; rename it."
                )
            named[_absolute(place)] = file_format
        else:
            _expand(place, named, ignored, naming)
    paths = sorted(named, key=os.fsencode)
    return FoundFiles(
        files=tuple(_checked_file(path, named[path]) for path in paths),
        ignored=tuple(sorted(ignored - named.keys(), key=os.fsencode)),
    )


def _absolute(path: str) -> str:
    """The full path, without `..`, with links as they are named."""
    return os.path.abspath(path)  # noqa: PTH100 - resolving would rename what a person linked


def _expand(pattern: str, named: dict[str, Format], ignored: set[str], naming: Naming) -> None:
    """Take what a glob matches as a folder's content is taken."""
    matches = glob.glob(pattern, recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not matches:
        what = "nothing matches this pattern" if glob.has_magic(pattern) else "there is no such file or folder"
        raise InputRefused(f"{pattern}: {what}. Expected a file, a folder or a pattern; check the path.")
    for match in matches:
        path = _absolute(match)
        if Path(path).is_dir():
            _search(path, named, ignored, naming)
        else:
            _sort_out(path, named, ignored, naming)


def _search(root: str, named: dict[str, Format], ignored: set[str], naming: Naming) -> None:
    """Go through a folder; links to folders are followed, each folder is visited once."""
    visited: set[str] = set()
    for folder, subfolders, names in os.walk(root, followlinks=True, onerror=_refuse_folder):
        real = os.path.realpath(folder)
        if real in visited:
            subfolders.clear()
            continue
        visited.add(real)
        ignored.update(str(Path(folder, name)) for name in subfolders if name.startswith("."))
        subfolders[:] = sorted((name for name in subfolders if not name.startswith(".")), key=os.fsencode)
        for name in names:
            _sort_out(str(Path(folder, name)), named, ignored, naming)


def _sort_out(path: str, named: dict[str, Format], ignored: set[str], naming: Naming) -> None:
    """Put a path that was found, not given, where it belongs."""
    file_format = naming.format_of(path)
    if file_format is None or Path(path).name.startswith("."):
        ignored.add(path)
    else:
        named[path] = file_format


def _refuse_folder(error: OSError) -> NoReturn:
    raise InputRefused(f"{error.filename}: the folder cannot be listed ({error.strerror}). Check its rights.")


def _checked_file(path: str, file_format: Format) -> FoundFile:
    """A file that a run can name and open."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise InputRefused(f"{shown}: the file's name is not UTF-8. Rename it.") from error
    if not Path(path).is_file():
        raise InputRefused(f"{path}: this is not a file that can be read (a broken link, a pipe, a device).")
    return FoundFile(path, file_format)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Name the file in whatever keeps it from being read.

    Raises:
        InputRefused: if the file cannot be opened or read, or its compression is cut short or corrupt.
    """
    try:
        yield
    except PermissionError as error:
        raise InputRefused(f"{path}: the file may not be read ({error.strerror}). Check its rights.") from error
    except (OSError, pa.ArrowException) as error:
        raise InputRefused(
            f"{path}: the file cannot be read: {error}. It may be cut short or damaged: "
            "fetch it again, or take it out of the input."
        ) from error


def sha256_of(path: str) -> str:
    """The SHA-256 of the bytes on disk (compressed or not), as 64 hexadecimal digits.

    Raises:
        InputRefused: if the file cannot be read.
    """
    return prefixes_of(path)[0].sha256


@dataclass(frozen=True, slots=True)
class Prefix:
    """The first bytes of a file.

    Attributes:
        size: How many.
        sha256: Their SHA-256.
        lines: How many line ends they have.
        whole_lines: How many bytes there are up to the last line end among them.
    """

    size: int
    sha256: str
    lines: int
    whole_lines: int


NO_PREFIX = Prefix(-1, "", 0, 0)


def prefixes_of(path: str, sizes: Sequence[int] = ()) -> list[Prefix]:
    """What a file begins with, for each of the sizes, in rising order, that it has; for none of them, all of it.

    Raises:
        InputRefused: if the file cannot be read.
    """
    digest, read, lines, whole = hashlib.sha256(), 0, 0, 0
    found = []
    with reading(path), Path(path).open("rb") as stream:
        for size in sorted(set(sizes)) or [sys.maxsize]:
            while chunk := stream.read(min(HASH_CHUNK_BYTES, size - read)):
                digest.update(chunk)
                if line_ends := chunk.count(b"\n"):
                    lines, whole = lines + line_ends, read + chunk.rfind(b"\n") + 1
                read += len(chunk)
            if read == size or not sizes:
                found.append(Prefix(read, digest.hexdigest(), lines, whole))
    return found


class _Unpacked:
    """The bytes of a compressed file, as long as they are not out of all proportion to it."""

    def __init__(self, path: str, stream: pa.CompressedInputStream) -> None:
        self._path, self._stream, self._unpacked = path, stream, 0
        self._most_bytes = max(GROWS_FREELY_BYTES, MOST_GROWTH * Path(path).stat().st_size)

    def seekable(self) -> bool:
        """It cannot go back."""
        return False

    def read(self, size: int = -1) -> bytes:
        """So many bytes, or fewer where the file ends; all that are left, if the size is below 0."""
        if size < 0:
            return b"".join(iter(lambda: self.read(HASH_CHUNK_BYTES), b""))
        found: bytes = self._stream.read(size)
        self._unpacked += len(found)
        if self._unpacked > self._most_bytes:
            raise InputRefused(
                f"{self._path}: unpacked it is more than {MOST_GROWTH} times its size, which no file of records is. "
                "Look at what it holds; if it is right, give it unpacked."
            )
        return found


@contextmanager
def open_bytes(path: str, begin: int = 0) -> Iterator[BinaryIO]:
    """A file's bytes, decompressed as they are read; archives of several members are read to their end.

    Args:
        path: The file.
        begin: The bytes of a file that is not compressed that are passed over.

    Raises:
        InputRefused: here, or as the stream is read within the block, as `reading` does.
    """
    with reading(path):
        codec = COMPRESSIONS.get(Path(path.lower()).suffix)
        if codec:
            with pa.OSFile(path, "rb") as packed, pa.CompressedInputStream(packed, codec) as stream:
                yield cast("BinaryIO", _Unpacked(path, stream))
        else:
            with Path(path).open("rb") as stream:
                stream.seek(begin)
                yield stream
