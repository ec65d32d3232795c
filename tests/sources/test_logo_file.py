"""The logo's file: an image that a document can hold, or a refusal that says what to do."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from rating.sources.logo_file import MOST_BYTES, LogoRefused, logo_data_uri
from rating.sources.settings_file import load_settings
from schemas.errors import InputRefused

if TYPE_CHECKING:
    from pathlib import Path

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"><rect width="4" height="2"/></svg>'


def image(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 4)) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size).save(written, kind)
    return written.getvalue()


def said_to_be(width: int, height: int) -> bytes:
    """A PNG that says so of itself: what is too large is refused by its head."""
    written = image("PNG", "1")
    head = b"IHDR" + struct.pack(">II", width, height) + written[24:29]
    return written[:12] + head + struct.pack(">I", zlib.crc32(head)) + written[33:]


def inside(text: bytes) -> bytes:
    return SVG.replace(b"<rect", text + b"<rect")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (image("PNG"), "image/png"),
        (image("PNG", "RGBA"), "image/png"),
        (image("PNG", "P"), "image/png"),
        (image("JPEG"), "image/jpeg"),
        (image("JPEG", "L"), "image/jpeg"),
        (SVG, "image/svg+xml"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- by hand -->' + SVG, "image/svg+xml"),
        (inside(b'<linearGradient id="g"/><path fill="url(#g)"/><use href="#g"/>'), "image/svg+xml"),
        (inside(b"<style>.a { fill: url( '#g' ) }</style>"), "image/svg+xml"),
    ],
)
def test_logo_file__an_image_is_kept_as_it_is(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = tmp_path / "logo"
    path.write_bytes(content)
    assert logo_data_uri(path) == f"data:{media_type};base64,{base64.b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "neither PNG, JPEG nor SVG"),
        (image("GIF"), "neither PNG, JPEG nor SVG"),
        (b"%PDF-1.7", "neither PNG, JPEG nor SVG"),
        (b"<html></html>", "neither PNG, JPEG nor SVG"),
        (b"<svg></svg>", "an SVG begins with"),
        (SVG[:-9], "neither PNG, JPEG nor SVG"),
        (image("PNG", size=(400, 400))[:100], "damaged image"),
        (image("JPEG", size=(400, 400))[:700], "damaged image"),
        (image("JPEG", "CMYK"), "save it as RGB"),
        (said_to_be(3000, 2000), "3000 x 2000 pixels"),
        (said_to_be(30_000, 20_000), "pixels|neither"),  # too many to look at
        (b"\x89PNG" + b"0" * MOST_BYTES, "more than 500 kB"),
        (inside(b'<image href="data:image/png;base64,AA"/>'), "save it without links"),
        (inside(b'<image xmlns:x="http://www.w3.org/1999/xlink" x:href="a.png"/>'), "asks for a.png"),
        (inside(b'<use href="http://127.0.0.1/a.svg#b"/>'), "asks for http://127.0.0.1/a.svg"),
        (inside(b'<path fill="url(http://127.0.0.1/a#b)"/>'), "save it without links"),
        (inside(b"<style>@import 'a.css';</style>"), "save it without links"),
        (inside(b"<script>1</script>"), "asks for <script>"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG, "declares entities"),
    ],
)
def test_logo_file__anything_else_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "logo"
    path.write_bytes(content)
    with pytest.raises(LogoRefused, match=why) as refused:
        logo_data_uri(path)
    assert str(refused.value).startswith(str(path))


def test_settings_file__holds_the_image_of_the_path_beside_it(tmp_path: Path) -> None:
    settings = tmp_path / "centime.toml"
    settings.write_text('[supplier]\nlogo = "house/logo.svg"\n', encoding="utf-8")
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "logo.svg").write_bytes(SVG)
    assert load_settings(settings).supplier.logo == f"data:image/svg+xml;base64,{base64.b64encode(SVG).decode()}"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('logo = "none.png"', "none.png cannot be read (No such file or directory)"),
        ('logo = "."', "cannot be read (Is a directory)"),
        ("logo = 3", "expected text in quotes"),
        ('logo = "data:text/html,x"', "expected the path of a PNG, JPEG or SVG file"),
    ],
)
def test_settings_file__a_logo_that_is_none_is_refused_in_its_place(
    tmp_path: Path, written: str, expected: str
) -> None:
    settings = tmp_path / "centime.toml"
    settings.write_text(f"[supplier]\n{written}\n", encoding="utf-8")
    with pytest.raises(InputRefused) as refused:
        load_settings(settings)
    (problem,) = refused.value.problems
    assert (problem.column, problem.file) == ("supplier.logo", str(settings))
    assert expected in problem.expected
