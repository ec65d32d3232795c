"""The supplier's logo, from its file to the data URI that the settings keep.

It is judged once, here: what is no image, or one that a document cannot hold as it is, would stop every document.
"""

from __future__ import annotations

import base64
import io
import re
import warnings
from typing import TYPE_CHECKING

from lxml import etree
from PIL import Image, ImageFile, UnidentifiedImageError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 500_000
MOST_PIXELS = 4_000_000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
SVG = "{http://www.w3.org/2000/svg}svg"
# What leads an SVG out of itself: any reference but to a part of it, or to an image within it.
_REFERENCE = re.compile(r"""url\((?!\s*["']?#)|@import""", re.IGNORECASE)
_HREFS = ("href", "{http://www.w3.org/1999/xlink}href", "src")


class LogoRefused(ValueError):  # noqa: N818 - it reads as the sentence it is
    """A file that cannot be the logo; its message says what was expected."""


def logo_data_uri(path: Path) -> str:
    """The image of a file as a data URI.

    Raises:
        LogoRefused: if it cannot be read, is too large, is no PNG, JPEG or SVG, or needs anything beside itself.
    """
    try:
        with path.open("rb") as file:
            image = file.read(MOST_BYTES + 1)
    except OSError as unreadable:
        raise LogoRefused(f"{path} cannot be read ({unreadable.strerror})") from unreadable
    if len(image) > MOST_BYTES:
        raise LogoRefused(f"{path} has more than {MOST_BYTES // 1000} kB: each document holds it; save it smaller")
    return f"data:{_media_type(image, path)};base64,{base64.b64encode(image).decode('ascii')}"


def _media_type(image: bytes, path: Path) -> str:
    if image.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        _judge_svg(image, path)
        return "image/svg+xml"
    kind, mode, (width, height) = _decoded(image, path)
    if width * height > MOST_PIXELS:
        raise LogoRefused(f"{path} is {width} x {height} pixels, more than a logo needs; save it smaller")
    if mode == "CMYK":
        raise LogoRefused(f"{path} has the colours of print (CMYK), which a PDF/A in RGB cannot hold; save it as RGB")
    return MEDIA_TYPES[kind]


def _decoded(image: bytes, path: Path) -> tuple[str, str, tuple[int, int]]:
    """The format, colours and size of an image, decoded to its end where it is not too large for that."""
    lenient, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(io.BytesIO(image), formats=[*MEDIA_TYPES]) as opened:
            if opened.width * opened.height <= MOST_PIXELS:
                opened.load()
            return str(opened.format), opened.mode, opened.size
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise LogoRefused(f"{path} is neither PNG, JPEG nor SVG") from None
    except (OSError, SyntaxError, ValueError) as broken:
        raise LogoRefused(f"{path} is a damaged image ({broken}); save it again") from broken
    finally:
        # WeasyPrint, where it is loaded too, takes half an image for a whole one.
        ImageFile.LOAD_TRUNCATED_IMAGES = lenient


def _judge_svg(image: bytes, path: Path) -> None:
    """An SVG that draws by itself: no entities, no scripts, nothing from elsewhere."""
    try:
        root = etree.fromstring(image, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))
    except etree.XMLSyntaxError as broken:
        raise LogoRefused(f"{path} is neither PNG, JPEG nor SVG ({broken})") from broken
    if root.tag != SVG:
        raise LogoRefused(f"{path} is neither PNG, JPEG nor SVG: an SVG begins with <svg xmlns=...>")
    if root.getroottree().docinfo.internalDTD is not None and b"<!ENTITY" in image:
        raise LogoRefused(f"{path} declares entities; save it without them")
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname
        leads = [element.get(href, "#") for href in _HREFS]
        styles = [*element.attrib.values(), element.text or "" if name == "style" else ""]
        outside = next((lead for lead in leads if not lead.startswith("#")), "")
        if outside or name in {"script", "foreignObject", "image"} or any(map(_REFERENCE.search, styles)):
            raise LogoRefused(
                f"{path} asks for {outside[:80] or f'<{name}>'}: save it without links, scripts and embedded images"
            )
