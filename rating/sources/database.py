"""Databases of platforms: read as Arrow, in one transaction that can change nothing.

PostgreSQL is read through ADBC, whose driver copies whole columns out of libpq's binary COPY. MariaDB and MySQL, for
which ADBC has no driver, are read through ConnectorX: it takes nothing but a `select`, holds a whole answer in memory,
and each is a transaction by itself. Its streams are not used: a connection that is lost ends the process there.

What a table has is asked first: platforms of different versions have different columns, and a user may have been
granted only some of them. All fields are asked for as text, times with a zone in UTC, so that what is read does not
depend on types or on sessions.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import polars as pl
import pyarrow as pa

from schemas.errors import InputRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path
    from typing import Any

POSTGRESQL, MARIADB = ("postgresql", "postgres"), ("mariadb", "mysql")
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
    if parts.scheme not in (*POSTGRESQL, *MARIADB):
        raise InputRefused(f"--database {url}: expected a URL that begins with postgresql:// or mariadb://")
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


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database writes what not all write in the same way.

    Attributes:
        quote: What stands around a name.
        text: The type of a text in a cast.
        moment: The type of a moment without zone in a cast.
        later: A moment some seconds later, as a format.
        written: A moment as text, cut to the second, as a format.
        schema: SQL of what the schema of our tables is.
        may_change: SQL that tells, as a format of a table, whether the user may change it: `true` where he may.
    """

    quote: str
    text: str
    moment: str
    later: str
    written: str
    schema: str
    may_change: str

    def quoted(self, name: str) -> str:
        """A name as it is written in SQL."""
        return f"{self.quote}{_plain(name)}{self.quote}"

    def as_text(self, expression: str, name: str) -> str:
        """A column of a `select`: an expression as text under a name."""
        return f"cast({expression} as {self.text}) as {self.quoted(name)}"


OF_POSTGRESQL = Dialect(
    quote='"',
    text="text",
    moment="timestamp",
    later="({0} + ({1}) * interval '1 second')",
    written="to_char({0}, 'YYYY-MM-DD HH24:MI:SS')",
    schema="any(current_schemas(false))",
    may_change="select cast(has_table_privilege('{0}', 'insert, update, delete, truncate') as text) as may",
)
_GRANTED = (
    "select privilege_type, '{0}' as of from information_schema.user_privileges union all select privilege_type, '{0}' "
    "from information_schema.schema_privileges where table_schema = database() union all select privilege_type, "
    "table_name from information_schema.table_privileges where table_schema = database()"
)
OF_MARIADB = Dialect(
    quote="`",
    text="char",
    moment="datetime",
    later="({0} + interval ({1}) second)",
    written="cast(date_format({0}, '%Y-%m-%d %H:%i:%s') as char)",
    schema="database()",
    may_change=f"select cast(if(count(*), 'true', 'false') as char) as may from ({_GRANTED}) as granted "  # noqa: S608
    "where of = '{0}' and privilege_type in ('INSERT', 'UPDATE', 'DELETE')",
)


class Session:
    """A database that is read; what the tables hold is asked for as text."""

    def __init__(self, address: Address, dialect: Dialect, ask: Callable[[str], Iterator[pa.Table]]) -> None:
        """Take over what answers queries, block by block."""
        self._address, self._ask = address, ask
        self.dialect = dialect

    @property
    def shown(self) -> str:
        """Host and database, as they are told."""
        return self._address.shown

    def columns(self, table: str) -> list[str]:
        """The columns of a table that may be read; empty where there is no such table."""
        query = (
            "select column_name as name from information_schema.columns where "  # noqa: S608 - a plain name
            f"table_name = '{_plain(table)}' and table_schema = {self.dialect.schema} order by ordinal_position"
        )
        return self.frame(query)["name"].to_list()

    def frame(self, query: str) -> pl.DataFrame:
        """All that a query gives, whose columns are text."""
        return pl.concat(self.frames(query))

    def frames(self, query: str) -> Generator[pl.DataFrame, None, None]:
        """What a query gives, a block at a time; at least one."""
        with _telling(self._address):
            for table in self._ask(query):
                yield pl.DataFrame(pl.from_arrow(table))

    def texts(self, table: str, wanted: Sequence[str], optional: Sequence[str] = ()) -> pl.DataFrame:
        """Columns of a whole table as text; an optional one that it does not have is null.

        Raises:
            InputRefused: where the table or a wanted column is not there, or may not be read.
        """
        there = self.columns(table)
        missing = [name for name in wanted if name not in there]
        if missing:
            what = f"columns {', '.join(missing)} of the table {table}" if there else f"table {table}"
            raise InputRefused(
                f"{self.shown}: there is no {what} that this user may read; expected the database of the "
                "platform, and `grant select` on it"
            )
        columns = ", ".join(
            self.dialect.as_text(self.dialect.quoted(name) if name in there else "null", name)
            for name in (*wanted, *optional)
        )
        return self.frame(f"select {columns} from {self.dialect.quoted(table)}")  # noqa: S608 - names that are there

    def count(self, of: str) -> int:
        """How many rows there are of what stands after `from`."""
        query = f"select {self.dialect.as_text('count(*)', 'found')} from {of}"  # noqa: S608 - our own
        return int(self.frame(query)["found"].item())

    def may_change(self, table: str) -> bool:
        """Whether the user could change a table, were it not only read."""
        return bool(self.frame(self.dialect.may_change.format(_plain(table)))["may"].item() == "true")


@contextmanager
def open_session(address: Address) -> Iterator[Session]:
    """Open a database to read it.

    Raises:
        InputRefused: where the packages are missing, the database lets nobody in, or the connection is lost.
    """
    if urlsplit(address.url).scheme in MARIADB:
        yield Session(address, OF_MARIADB, _asking_mariadb(address))
        return
    try:
        from adbc_driver_postgresql import dbapi  # noqa: PLC0415 - only who reads databases needs it
    except ImportError:
        raise _missing("adbc-driver-postgresql", "databases") from None
    with _telling(address):
        connection = dbapi.connect(_postgresql_url(address))
    try:
        yield Session(address, OF_POSTGRESQL, partial(_ask_postgresql, connection))
    finally:
        connection.close()


def _missing(package: str, extra: str) -> InputRefused:
    return InputRefused(f"to read this database, centime needs the package {package}: `pip install 'centime[{extra}]'`")


def _ask_postgresql(connection: Any, query: str) -> Iterator[pa.Table]:  # noqa: ANN401 - ADBC's, which need not be there
    """The answer to a query, by the batches that arrive."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        reader = cursor.fetch_record_batch()
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _postgresql_url(address: Address) -> str:
    """What libpq connects with; it stays in the process."""
    parts = urlsplit(address.url)
    options = {"options": SESSION, "application_name": "centime", "connect_timeout": str(CONNECT_WITHIN_S)}
    if address.password is not None:
        options["password"] = address.password
    query = "&".join(filter(None, [parts.query, urlencode(options, quote_via=quote)]))
    return urlunsplit(("postgresql", parts.netloc, parts.path, query, ""))


def _asking_mariadb(address: Address) -> Callable[[str], Iterator[pa.Table]]:
    """What answers queries of a MariaDB."""
    try:
        import connectorx  # noqa: PLC0415 - only who reads such databases needs it
    except ImportError:
        raise _missing("connectorx", "mariadb") from None
    parts = urlsplit(address.url)
    user, at, host = parts.netloc.rpartition("@")
    password = "" if address.password is None or not at else f":{quote(address.password, safe='')}"
    url = urlunsplit(("mysql", f"{user}{password}{at}{host}", parts.path, parts.query, ""))

    def ask(query: str) -> Iterator[pa.Table]:
        yield connectorx.read_sql(url, query, return_type="arrow")

    return ask


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
        # ConnectorX tells all that goes wrong in one way.
        of_a_driver = type(refused).__module__.startswith("adbc_driver_manager") or type(refused) is RuntimeError
        if not of_a_driver:
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
