"""Which files are found, in which order, and what keeps one from being read."""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path

import pyarrow as pa
import pytest

from rating.sources.files import find_files, open_bytes, sha256_of
from schemas.errors import InputRefused


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


def names_of(folder: Path, *given: str) -> list[str]:
    return [os.path.relpath(file.path, folder) for file in find_files(given).files]


def read_in_pieces(path: str) -> bytes:
    with open_bytes(path) as stream:
        return b"".join(iter(lambda: stream.read(1000), b""))


def zstd(content: bytes) -> bytes:
    return pa.Codec("zstd").compress(content, asbytes=True)


def test_files__a_folder_is_searched_through(tmp_path: Path) -> None:
    touch(tmp_path, "b.csv", "a/z.parquet", "a/b/c.ndjson.gz", "d.jsonl", "e.JSON.ZST", "f.csv.gz")
    found = find_files([str(tmp_path)])
    assert [(Path(file.path).name, file.format) for file in found.files] == [
        ("c.ndjson.gz", "ndjson"),
        ("z.parquet", "parquet"),
        ("b.csv", "csv"),
        ("d.jsonl", "ndjson"),
        ("e.JSON.ZST", "ndjson"),
        ("f.csv.gz", "csv"),
    ]
    assert found.ignored == ()


def test_files__order_is_that_of_the_bytes_of_the_path(tmp_path: Path) -> None:
    touch(tmp_path, "é.csv", "a/b.csv", "a.csv", "a-.csv", "Z.csv", "zz.csv")
    assert names_of(tmp_path, str(tmp_path)) == ["Z.csv", "a-.csv", "a.csv", "a/b.csv", "zz.csv", "é.csv"]


def test_files__each_once_however_often_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.csv", "x/b.csv")
    monkeypatch.chdir(tmp_path)
    given = ["a.csv", "./x/../a.csv", str(tmp_path), "*.csv", "**/*.csv", "x"]
    assert names_of(tmp_path, *given) == ["a.csv", "x/b.csv"]


def test_files__what_a_folder_holds_besides_is_told(tmp_path: Path) -> None:
    touch(tmp_path, "a.csv", "readme.txt", ".hidden.csv", "b.csv.tmp", "c.csv.part", ".git/d.csv", "noname")
    found = find_files([str(tmp_path)])
    assert [Path(file.path).name for file in found.files] == ["a.csv"]
    assert [os.path.relpath(path, tmp_path) for path in found.ignored] == [
        ".git", ".hidden.csv", "b.csv.tmp", "c.csv.part", "noname", "readme.txt",
    ]  # fmt: skip


def test_files__an_empty_folder_is_no_error(tmp_path: Path) -> None:
    assert find_files([str(tmp_path)]).files == ()
    touch(tmp_path, "notes.txt")
    assert find_files([str(tmp_path / "*")]).files == ()


def test_files__links_are_followed_and_loops_end(tmp_path: Path) -> None:
    touch(tmp_path, "real/a.csv")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "real" / "loop").symlink_to(inside)
    assert names_of(inside, str(inside)) == ["linked/a.csv"]


def test_files__a_name_with_brackets_is_a_file_before_it_is_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "cdrs[1].csv", "cdrs1.csv")
    assert names_of(tmp_path, str(tmp_path / "cdrs[1].csv")) == ["cdrs[1].csv"]


@pytest.mark.parametrize(
    ("given", "because"),
    [
        ("absent.csv", "there is no such file or folder"),
        ("*.parquet", "nothing matches this pattern"),
        ("readme.txt", "the name does not say what the file holds"),
        ("a.csv.bz2", "the name does not say what the file holds"),
        ("broken.csv", "not a file that can be read"),
        ("pipe.csv", "not a file that can be read"),
    ],
)
def test_files__a_place_without_a_file_is_refused(tmp_path: Path, given: str, because: str) -> None:
    touch(tmp_path, "a.csv", "readme.txt", "a.csv.bz2")
    (tmp_path / "broken.csv").symlink_to(tmp_path / "gone.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputRefused, match=because) as refused:
        find_files([str(tmp_path / given)])
    assert given in str(refused.value)


def test_files__a_broken_link_in_a_folder_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(InputRefused, match=r"broken\.csv"):
        find_files([str(tmp_path)])


def test_files__a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.csv")).write_bytes(b"x")
    with pytest.raises(InputRefused, match=r"\\xff\.csv.*Rename it"):
        find_files([str(tmp_path)])


def test_files__sha256_is_of_the_bytes_on_disk(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b\n" * 1_000_000, mtime=0)
    (tmp_path / "a.csv.gz").write_bytes(content)
    assert sha256_of(str(tmp_path / "a.csv.gz")) == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"first\nsecond\n"),
        ("a.csv.gz", gzip.compress(b"first\nsecond\n", mtime=0)),
        ("a.csv.gz", gzip.compress(b"first\n", mtime=0) + gzip.compress(b"second\n", mtime=0)),
        ("a.csv.zst", zstd(b"first\nsecond\n")),
        ("A.CSV.ZST", zstd(b"first\n") + zstd(b"second\n")),
    ],
)
def test_files__bytes_are_decompressed_to_their_end(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_in_pieces(str(tmp_path / name)) == b"first\nsecond\n"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.csv.zst"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "not compressed", "rubbish behind"])
def test_files__a_damaged_archive_is_refused_by_name(tmp_path: Path, name: str, damage: str) -> None:
    content = bytes(range(256)) * 100
    packed = gzip.compress(content, mtime=0) if name.endswith(".gz") else zstd(content)
    damaged = {
        "cut": packed[:-3],
        "flipped": packed[:2] + bytes([packed[2] ^ 0xFF]) + packed[3:],
        "not compressed": content,
        "rubbish behind": packed + b"rubbish",
    }[damage]
    (tmp_path / name).write_bytes(damaged)
    with pytest.raises(InputRefused, match=f"{name}: the file cannot be read"):
        read_in_pieces(str(tmp_path / name))


def test_files__a_file_that_is_gone_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match=r"gone\.csv: the file cannot be read"):
        sha256_of(str(tmp_path / "gone.csv"))
