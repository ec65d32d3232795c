"""The CDR files of a reading: which were not read before, in which format they are, and from where on they are read.

A plain text that was read before and has grown is read on from the last line end that it had then. The ledger knows
how many bytes of it were read, and their SHA-256; where the file does not begin with them it is another file. What
is compressed, Parquet, and a format whose records of one call stand apart are read whole.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rating.sources.files import NO_PREFIX, is_compressed, prefixes_of
from rating.sources.formats import AUTO
from rating.sources.source import NATIVE_FORMAT
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from invoicing.ledger import Ledger
    from rating.sources.files import FoundFile, FoundFiles
    from rating.sources.formats import Formats
    from rating.sources.source import Source

WAIT = "wait"


class CdrFile(NamedTuple):
    """A file to read.

    Attributes:
        place: Its place in the order of paths.
        file_no: Its number in the ledger.
        found: Its path and format, and the part of it that is to be read.
        state: What tells that it was changed, from before its bytes were first looked at.
        sha256: The SHA-256 of its bytes.
        source: What turns its records into the native form.
        is_cut: Whether its last line has no line end.
        name: What it is called where files are told; its path if empty.
    """

    place: int
    file_no: int
    found: FoundFile
    state: tuple[int, int]
    sha256: str
    source: Source
    is_cut: bool
    name: str = ""

    @property
    def shown(self) -> str:
        """What it is called."""
        return self.name or self.found.path

    def told(self, formats: Formats, unterminated: str) -> list[str]:
        """What was decided about it."""
        path, source, sentences = self.found.path, self.source, []
        if formats.name == AUTO and source.name != NATIVE_FORMAT:
            zone = f", its times those of {source.zone}" if source.zone else ""
            sentences.append(f"{path}: read as {source.name} by its first lines{zone}")
        if self.found.begin:
            sentences.append(f"{path}: it has grown, read on from line {self.found.lines_before + 1}")
        if self.is_cut and unterminated == WAIT and not source.documents:
            sentences.append(f"{path}: its last line has no line end yet, and is left to the next reading")
        return sentences


def state_of(path: str) -> tuple[int, int]:
    """What tells that a file was changed: its size, and the moment of its last change."""
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns


class FilesFound(NamedTuple):
    """What is to be read of the files found.

    Attributes:
        new: Those whose bytes were not read before.
        known: The paths of the others.
        cut: Of those the ones whose last line has no line end.
    """

    new: list[CdrFile]
    known: list[str]
    cut: list[str]


def divide_files(ledger: Ledger, found: FoundFiles, formats: Formats) -> FilesFound:
    """The files whose bytes were not read before, and the others.

    Raises:
        InputRefused: where a file cannot be read, or is of no format, or of another than the one named.
    """
    rows = ledger.rows("select sha256, source_format from files left join file_sources using (file_no)")
    known = {str(sha256): str(source_format) for sha256, source_format in rows}
    read_before = _lengths_read(ledger)
    first = ledger.number("select max(file_no) from files") + 1
    files: list[CdrFile] = []
    known_paths: list[str] = []
    cut_paths: list[str] = []
    for file in found.files:
        state = state_of(file.path)
        sizes = [size for size, _ in read_before[file.path] if size < state[0]]
        *before, whole = prefixes_of(file.path, [*sizes, state[0]]) or [NO_PREFIX]
        if whole.size != state[0]:
            raise InputRefused(f"{file.path}: it became shorter while it was being read; start again")
        is_cut = _is_plain_text(file) and whole.whole_lines < whole.size
        if whole.sha256 in known:
            known_paths.append(file.path)
            # A document of a platform's own ends without a line end.
            if is_cut and (file.format == "csv" or known[whole.sha256] == NATIVE_FORMAT):
                cut_paths.append(file.path)
            continue
        source = formats.source_for(file)
        known[whole.sha256] = source.name
        part = replace(file, end=state[0]) if _is_plain_text(file) else file
        grown_from = [at for at in before if read_before[file.path].get((at.size, source.name)) == at.sha256]
        if grown_from and _is_plain_text(file) and not source.whole:
            part = replace(part, begin=grown_from[-1].whole_lines, lines_before=grown_from[-1].lines)
        files.append(CdrFile(len(files), first + len(files), part, state, whole.sha256, source, is_cut))
    return FilesFound(files, known_paths, cut_paths)


def _lengths_read(ledger: Ledger) -> dict[str, dict[tuple[int, str], str]]:
    """What was read of each path: the SHA-256 of its first bytes, by how many they were and the format they were in."""
    found: dict[str, dict[tuple[int, str], str]] = defaultdict(dict)
    rows = ledger.rows("select source_file, bytes, source_format, sha256 from files join file_sources using (file_no)")
    for path, size, source_format, sha256 in rows:
        found[str(path)][int(str(size)), str(source_format)] = str(sha256)
    return found


def _is_plain_text(file: FoundFile) -> bool:
    """Whether lines may be added to a file."""
    return file.format != "parquet" and not is_compressed(file.path)


def only_grew(file: CdrFile) -> bool:
    """Whether a file still begins with the bytes that were read."""
    found = prefixes_of(file.found.path, [file.state[0]])
    return bool(found) and found[0].sha256 == file.sha256
