"""Databases of platforms: read as Arrow, in one transaction that can change nothing.

PostgreSQL is read through ADBC, whose driver copies whole columns out of libpq's binary COPY. What a table has is asked
first: platforms of different versions have different columns, and a user may have been granted only some of them. All
fields are asked for as text, times with a zone in UTC, so that what is read does not depend on types or on sessions.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import polars as pl
import pyarrow as pa

from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path
    from typing import Any

SCHEMES = ("postgresql", "postgres")
CONNECT_WITHIN_S = 30
SESSION = "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read -c timezone=UTC"
NAME = re.compile("[A-Za-z_][A-Za-z0-9_]*")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    Attributes:
        url: Its URL, without a password.
        password: The password of its user, if it has one; never shown.
    """

    url: str
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """Host and database, as they are told."""
        parts = urlsplit(self.url)
        host = parts.hostname or "localhost"
        return f"{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def address_of(url: str, password: str | None, password_file: Path | None) -> Address:
    """Where a database is, with the password of a file, else with the one given.

    Raises:
        InputRefused: for another URL than one of PostgreSQL, a password in it, and a file that others may read.
    """
    try:
        parts = urlsplit(url)
        has_password, _ = parts.password is not None, parts.port
    except ValueError as wrong:
        raise InputRefused(f"--database: expected a URL such as postgresql://centime@db/asterisk ({wrong})") from None
    if has_password or "password" in parts.query:
        raise InputRefused(
            "--database: there is a password in the URL, where others can read it; put it into a file that only you "
            "may read (--password-file), or into CENTIME_DATABASE_PASSWORD"
        )
    if parts.scheme not in SCHEMES:
        raise InputRefused(f"--database {url}: expected a URL that begins with postgresql://")
    return Address(url, _password_in(password_file) if password_file else password)


def _password_in(path: Path) -> str:
    """The password that a file holds, without the line end behind it."""
    try:
        with path.open(encoding="utf-8") as stream:
            status = os.fstat(stream.fileno())
            if status.st_mode & OTHERS or status.st_uid not in (os.geteuid(), 0):
                raise InputRefused(
                    f"--password-file {path}: others may read it; expected a file of your own with `chmod 600`"
                )
            return stream.read().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as unreadable:
        raise InputRefused(f"--password-file {path}: cannot be read ({unreadable})") from None


class Session:
    """One transaction that reads; what it sees does not change meanwhile."""

    def __init__(self, connection: Any, address: Address) -> None:  # noqa: ANN401 - ADBC's, which need not be there
        """Take over an open connection."""
        self._connection, self._address = connection, address

    @property
    def shown(self) -> str:
        """Host and database, as they are told."""
        return self._address.shown

    def columns(self, table: str) -> list[str]:
        """The columns of a table that may be read; empty where there is no such table."""
        query = (
            "select column_name from information_schema.columns where table_name = "  # noqa: S608 - a plain name
            f"'{_plain(table)}' and table_schema = any(current_schemas(false)) order by ordinal_position"
        )
        return self.frame(query)["column_name"].to_list()

    def frame(self, query: str) -> pl.DataFrame:
        """All that a query gives, whose columns are text."""
        with _telling(self._address), self._connection.cursor() as cursor:
            cursor.execute(query)
            return pl.DataFrame(pl.from_arrow(cursor.fetch_arrow_table()))

    def frames(self, query: str) -> Generator[pl.DataFrame, None, None]:
        """What a query gives, a block at a time."""
        with _telling(self._address), self._connection.cursor() as cursor:
            cursor.execute(query)
            for batch in cursor.fetch_record_batch():
                yield pl.DataFrame(pl.from_arrow(batch))

    def texts(self, table: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
        """Columns of a whole table as text; an optional one that it does not have is null.

        Raises:
            InputRefused: where the table or a wanted column is not there, or may not be read.
        """
        return self.frame(f"select {self.selection(table, wanted, optional)} from {_quoted(table)}")  # noqa: S608

    def selection(self, table: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> str:
        """The list of a `select` of columns of a table as text, as `texts` has them."""
        there = self.columns(table)
        missing = [name for name in wanted if name not in there]
        if missing:
            what = f"columns {', '.join(missing)} of the table {table}" if there else f"table {table}"
            raise InputRefused(
                f"{self._address.shown}: there is no {what} that this user may read; expected the database of the "
                "platform, and `grant select` on it"
            )
        return ", ".join(
            f"cast({_quoted(name) if name in there else 'null'} as text) as {_quoted(name)}"
            for name in (*wanted, *optional)
        )

    def count(self, of: str) -> int:
        """How many rows there are of what stands after `from`."""
        return int(self.frame(f"select cast(count(*) as text) as rows from {of}")["rows"].item())  # noqa: S608 - ours

    def may_change(self, table: str) -> bool:
        """Whether the user could change a table, were the transaction not one that only reads."""
        words = "'insert, update, delete, truncate'"
        query = f"select cast(has_table_privilege('{_plain(table)}', {words}) as text) as may"
        return bool(self.frame(query)["may"].item() == "true")


@contextmanager
def open_session(address: Address) -> Iterator[Session]:
    """Open a database to read it.

    Raises:
        InputRefused: where the packages are missing, the database lets nobody in, or the connection is lost.
    """
    try:
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - only who reads databases needs it
    except ImportError:
        raise InputRefused(
            "to read a database, centime needs the package adbc-driver-postgresql: `pip install 'centime[databases]'`"
        ) from None
    with _telling(address):
        connection = dbapi.connect(_url_with_password(address))
    try:
        yield Session(connection, address)
    finally:
        connection.close()


def _url_with_password(address: Address) -> str:
    """What libpq connects with; it stays in the process."""
    parts = urlsplit(address.url)
    netloc = parts.netloc
    options = {"options": SESSION, "application_name": "centime", "connect_timeout": str(CONNECT_WITHIN_S)}
    if address.password is not None:
        options["password"] = address.password
    query = "&".join(filter(None, [parts.query, urlencode(options, quote_via=quote)]))
    return urlunsplit(("postgresql", netloc, parts.path, query, ""))


@contextmanager
def _telling(address: Address) -> Iterator[None]:
    """Tell in words what a database refuses, never with the password."""
    try:
        yield
    except InputRefused:
        raise
    except (pa.ArrowException, OSError) as lost:
        raise _refused(address, lost) from None
    except Exception as refused:
        if not type(refused).__module__.startswith("adbc_driver_manager"):
            raise
        raise _refused(address, refused) from None


def _refused(address: Address, error: Exception) -> InputRefused:
    words = " ".join(re.sub(r"^\w+: \[libpq\] |\. SQLSTATE.*$|^\[libpq\] ", "", str(error), flags=re.DOTALL).split())
    if address.password:
        words = words.replace(address.password, "***")
    return InputRefused(f"{address.shown}: the database cannot be read: {words}; nothing was changed")


def _plain(name: str) -> str:
    """A name that needs no quoting."""
    if not NAME.fullmatch(name):
        raise InputRefused(f"{name!r}: expected the name of a column or table: letters, digits and _")
    return name


def _quoted(name: str) -> str:
    return f'"{_plain(name)}"'
