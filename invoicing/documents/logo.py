"""The supplier's logo: the bytes of a PNG, JPEG or SVG in a data URI, as the settings of a run keep it."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

ADDRESS = "logo:house"
_DATA_URI = re.compile(r"data:(image/(?:png|jpeg|svg\+xml));base64,([A-Za-z0-9+/=]+)")


@dataclass(frozen=True, slots=True)
class Logo:
    """An image and its media type."""

    media_type: str
    image: bytes


def logo_of(data_uri: str) -> Logo | None:
    """The logo of the settings; None where there is none.

    Raises:
        ValueError: if it is no data URI of an image.
    """
    if not data_uri:
        return None
    found = _DATA_URI.fullmatch(data_uri)
    if found is None:
        raise ValueError("the logo of these settings is no data URI of a PNG, JPEG or SVG")
    return Logo(found[1], base64.b64decode(found[2]))


class SealedFetcher(URLFetcher):  # type: ignore[misc]  # WeasyPrint carries no types
    """Gives the logo of the document for `ADDRESS`, refuses every other address, and stops the rendering.

    Attributes:
        refused: The last address that was refused: WeasyPrint goes on after one in an SVG.
    """

    def __init__(self, logo: Logo | None) -> None:
        """Keep the logo, if there is one."""
        super().__init__()
        self.refused = ""
        self._logo = logo

    def fetch(self, url: str, headers: dict[str, str] | None = None) -> URLFetcherResponse:  # noqa: ARG002
        """The logo for its own address.

        Raises:
            FatalURLFetchingError: for any other address, before anything is opened.
        """
        if self._logo is None or url != ADDRESS:
            self.refused = url[:200]
            raise FatalURLFetchingError(self.refused)
        return URLFetcherResponse(url, self._logo.image, {"Content-Type": self._logo.media_type})
