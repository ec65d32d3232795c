"""Users and numbers from the databases of FusionPBX and Asterisk Realtime, read by a user who may only read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from rating.sources.database import Address, open_session
from schemas.errors import InputRefused
from tests.cli.program import Told, bytes_of, centime, write_tables
from tests.databases.server import OWNER, PASSWORDS, READER

if TYPE_CHECKING:
    from pathlib import Path

    from tests.databases.server import Server

DAY = "2026-11-20T11:00:00Z"
MAP = """\
[customers]
"one.example" = "c1"
one = "c1"
"three.example" = "c3"
three = "c3"

[users]
product_id = "seat"
class = "accountcode"
classes = { plus = "seat-plus" }

[numbers]
"32" = { country = "BE" }
"33" = { country = "FR", product_id = "did-fr" }
"334" = { country = "FR" }

[ignored]
customers = ["test.example"]
users = ["carrier"]
"""
PRODUCTS = {
    "products": "product_id,kind,label_fr\nseat,user,Seat\nseat-plus,user,Seat\nminutes,pack,M\ndid-fr,number,D\n",
    "users": "user_id,customer_id,product_id,active_from,active_to\n",
    "numbers": "number,customer_id,country,active_from\n",
}
# The digits that stand for a uuid.
EXTENSION = "00000000-0000-0000-0000-000000000{}"
FUSIONPBX = """
insert into v_domains (domain_uuid, domain_name, domain_enabled) values
  ('10000000-0000-0000-0000-000000000001', 'one.example', true),
  ('10000000-0000-0000-0000-000000000003', 'three.example', true),
  ('10000000-0000-0000-0000-000000000009', 'test.example', true),
  ('10000000-0000-0000-0000-000000000008', 'gone.example', false);
insert into v_extensions (extension_uuid, domain_uuid, extension, enabled, accountcode, password)
select ('00000000-0000-0000-0000-000000000' || extension)::uuid,
  ('10000000-0000-0000-0000-00000000000' || domain)::uuid, extension, enabled, accountcode, 'secret'
from (values ('101', '1', true, null), ('102', '1', true, 'plus'), ('103', '1', false, null),
  ('301', '3', true, 'other'), ('901', '9', true, null), ('801', '8', true, null))
  as found (extension, domain, enabled, accountcode);
insert into v_destinations (destination_uuid, domain_uuid, destination_type, destination_prefix,
  destination_area_code, destination_number, destination_actions, destination_enabled)
select gen_random_uuid(),
  ('10000000-0000-0000-0000-00000000000' || domain)::uuid, kind, prefix, area, number,
  json_build_array(json_build_object('destination_app', 'transfer', 'destination_data', transfer)), enabled
from (values
  ('1', 'inbound', '32', '2', '5550101', '101 XML one.example', true),
  ('1', 'inbound', null, null, '+3225550102', '600 XML one.example', true),
  ('1', 'inbound', null, null, '025550103', null, true),
  ('1', 'inbound', null, null, '33142685300', '102 XML one.example', true),
  ('3', 'inbound', '33', null, '412345678', null, true),
  ('1', 'outbound', null, null, '+3225550104', null, true),
  ('1', 'inbound', null, null, '+3225550105', null, false),
  ('9', 'inbound', null, null, '12', null, true))
  as found (domain, kind, prefix, area, number, transfer, enabled);
"""
ASTERISK = """
insert into ps_endpoints (id, context, accountcode) values ('one-101', 'one', null), ('one-102', 'one', 'plus'),
  ('three-301', 'three', 'other'), ('carrier', 'from-trunk', null);
insert into extensions (context, exten, priority, app, appdata) values
  ('from-trunk', '+3225550101', 1, 'Answer', ''), ('from-trunk', '+3225550101', 2, 'Dial', 'PJSIP/one-101,30'),
  ('from-trunk', '025550103', 1, 'Goto', 'one,600,1'),
  ('from-trunk', '0033142685300', 1, 'Dial', 'PJSIP/one-102&PJSIP/one-101,30'),
  ('from-trunk', '+33412345678', 1, 'Goto', 'three,s,1'),
  ('from-trunk', '_X.', 1, 'Hangup', ''), ('from-trunk', 's', 1, 'Hangup', ''),
  ('one', '101', 1, 'Dial', 'PJSIP/one-101'), ('one', '_0X.', 1, 'Dial', 'PJSIP/${EXTEN}@carrier');
"""


def begin(folder: Path) -> Path:
    """A platform folder without users and numbers, and what says whose the domains are."""
    write_tables(folder / "platform", **PRODUCTS)
    (folder / "platform/sync.toml").write_text(MAP, encoding="utf-8")
    return folder


def sync(folder: Path, source: str, url: str, *options: str) -> Told:
    return centime(
        "sync", "--platform", "platform", "--from", source, "--database", url, "--now", DAY, *options, folder=folder
    )


def written(folder: Path, table: str) -> list[str]:
    return (folder / f"platform/{table}.csv").read_text(encoding="utf-8").splitlines()[1:]


@pytest.fixture(scope="module")
def fusionpbx(postgresql: Server) -> str:
    """A FusionPBX with some domains."""
    postgresql.make("fusionpbx", "fusionpbx")
    postgresql.execute("fusionpbx", FUSIONPBX)
    # The reader sees no password of a telephone.
    columns = "extension_uuid, domain_uuid, extension, enabled, accountcode"
    postgresql.execute(
        "fusionpbx", f"revoke all on v_extensions from {READER}; grant select ({columns}) on v_extensions to {READER}"
    )
    return postgresql.url("fusionpbx")


@pytest.fixture(scope="module")
def asterisk(postgresql: Server) -> str:
    """An Asterisk whose configuration is in a database."""
    postgresql.make("asterisk", "asterisk")
    postgresql.execute("asterisk", ASTERISK)
    return postgresql.url("asterisk")


def test_fusionpbx__extensions_are_users_and_destinations_numbers(
    postgresql: Server, fusionpbx: str, tmp_path: Path
) -> None:
    told = sync(begin(tmp_path), "fusionpbx", fusionpbx)
    assert told.status == 0, told.stderr
    one, two, three = (EXTENSION.format(number) for number in (101, 102, 301))
    assert written(tmp_path, "users") == [
        f"{one},c1,seat,2026-11-20,",
        f"{two},c1,seat-plus,2026-11-20,",
        f"{three},c3,seat,2026-11-20,",
    ]
    assert written(tmp_path, "numbers") == [
        f"+3225550101,c1,BE,2026-11-20,,{one},,",
        "+3225550102,c1,BE,2026-11-20,,,,",
        "+3225550103,c1,BE,2026-11-20,,,,",
        f"+33142685300,c1,FR,2026-11-20,,{two},did-fr,",
        "+33412345678,c3,FR,2026-11-20,,,,",
    ]
    # The next day an extension was switched off, and its number leads elsewhere.
    postgresql.execute("fusionpbx", "update v_extensions set enabled = false where extension = '102'")
    told = centime(
        "sync", "--platform", "platform", "--from", "fusionpbx", "--database", fusionpbx, "--now",
        "2026-11-21T11:00:00Z", "--accept", folder=tmp_path,
    )  # fmt: skip
    postgresql.execute("fusionpbx", "update v_extensions set enabled = true where extension = '102'")
    assert told.status == 0, told.stderr
    assert written(tmp_path, "users")[1] == f"{two},c1,seat-plus,2026-11-20,2026-11-21"
    assert written(tmp_path, "numbers")[3] == f"+33142685300,c1,FR,2026-11-20,2026-11-21,{two},did-fr,"
    assert written(tmp_path, "numbers")[5] == "+33142685300,c1,FR,2026-11-21,,,did-fr,"


def test_asterisk__endpoints_are_users_and_extensions_numbers(asterisk: str, tmp_path: Path) -> None:
    told = sync(begin(tmp_path), "asterisk-realtime", asterisk)
    assert told.status == 0, told.stderr
    assert written(tmp_path, "users") == [
        "one-101,c1,seat,2026-11-20,",
        "one-102,c1,seat-plus,2026-11-20,",
        "three-301,c3,seat,2026-11-20,",
    ]
    assert written(tmp_path, "numbers") == [
        "+3225550101,c1,BE,2026-11-20,,one-101,,",
        "+3225550103,c1,BE,2026-11-20,,,,",
        "+33142685300,c1,FR,2026-11-20,,one-102,did-fr,",
        "+33412345678,c3,FR,2026-11-20,,,,",
    ]


def refused(folder: Path, source: str, url: str, *options: str) -> str:
    """What is said of a sync that is refused and changes nothing; the password is never in it."""
    begin(folder)
    before = bytes_of(folder / "platform")
    told = sync(folder, source, url, *options)
    assert told.status == 2, told.stdout
    assert {path: sha for path, sha in bytes_of(folder / "platform").items() if path != "syncs/lock"} == before
    assert not [word for word in PASSWORDS.values() if word in told.stdout + told.stderr]
    return " ".join(told.stderr.split())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('one = "c1"', "", ["domain 'one': expected a customer_id for it in [customers]"]),
        (
            'product_id = "seat"',
            "",
            ["class 'other': expected a product_id for it in [users.classes]", "class: expected"],
        ),
        ('"33" = {', '"39" = {', ["number '+33142685300': expected a country for it in [numbers]"]),
        ('"32" = { country = "BE" }', "", ["number '+3225550101': expected a country", "number '+3225550103'"]),
        ('one = "c1"', 'one = "c7"', ["customer_id 'c7': expected a customer_id that customers has"]),
        ('"seat-plus"', '"minutes"', ["expected a product of kind user; products says pack"]),
        ('users = ["carrier"]', "", ["domain 'from-trunk': expected a customer_id"]),
        ("[users]", "[user]", ["user: expected one of the tables customers, users, numbers, ignored, asterisk"]),
        ('class = "', 'clas = "', ["users.clas 'accountcode': expected one of product_id, class, classes"]),
        ('product_id = "seat"', "product_id = 7", ["users.product_id '7': expected a text"]),
        ('class = "accountcode"', 'class = "tariff"', ["no columns tariff of the table ps_endpoints"]),
        ('class = "accountcode"', 'class = "a; drop"', ["no columns a; drop of the table ps_endpoints"]),
        ('"32" = { country = "BE" }', '"32" = { product_id = "x" }', ["numbers.32", "expected digits, and { country"]),
        ("[customers]", "[customers", ["is no TOML"]),
    ],
)
def test_refused__what_the_map_does_not_say(asterisk: str, tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    changed = tmp_path / "other.toml"
    assert old in MAP
    changed.write_text(MAP.replace(old, new), encoding="utf-8")
    said = refused(tmp_path, "asterisk-realtime", asterisk, "--map", str(changed))
    assert [words for words in told if words not in said] == [], said


def test_refused__databases(postgresql: Server, asterisk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "there is no table v_domains that this user may read" in refused(tmp_path, "fusionpbx", asterisk)
    with_password = asterisk.replace("reader@", f"reader:{PASSWORDS[READER]}@")
    assert "there is a password in the URL" in refused(tmp_path, "asterisk-realtime", with_password)
    in_query = f"{asterisk}?password={PASSWORDS[READER]}"
    assert "there is a password in the URL" in refused(tmp_path, "asterisk-realtime", in_query)
    assert "begins with postgresql:// or mariadb://" in refused(tmp_path, "asterisk-realtime", "sqlite:///x")
    nobody_there = asterisk.replace(str(postgresql.port), "1")
    assert "the database cannot be read: Failed to connect" in refused(tmp_path, "asterisk-realtime", nobody_there)
    assert "--database is for fusionpbx and asterisk-realtime" in refused(tmp_path, "today", asterisk)
    monkeypatch.setenv("CENTIME_DATABASE_PASSWORD", PASSWORDS[OWNER])
    said = refused(tmp_path, "asterisk-realtime", asterisk)
    assert 'password authentication failed for user "reader"' in said


def test_password_file__is_read_where_only_its_owner_may(
    asterisk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CENTIME_DATABASE_PASSWORD")
    secret = tmp_path / "secret"
    secret.write_text(f"{PASSWORDS[READER]}\n", encoding="utf-8")
    for mode in (0o640, 0o604):
        secret.chmod(mode)
        assert "others may read it" in refused(tmp_path, "asterisk-realtime", asterisk, "--password-file", str(secret))
    secret.chmod(0o600)
    told = sync(tmp_path, "asterisk-realtime", asterisk, "--password-file", str(secret))
    assert told.status == 0, told.stderr
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != secret]
    assert not [content for content in kept if PASSWORDS[READER].encode() in content]


def test_refused__without_the_packages(asterisk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    said = refused(tmp_path, "asterisk-realtime", asterisk)
    assert "centime needs the package adbc-driver-postgresql: `pip install 'centime[databases]'`" in said


def test_session__can_change_nothing_whoever_the_user_is(postgresql: Server, asterisk: str) -> None:
    assert asterisk
    address = Address(postgresql.url("asterisk", OWNER), PASSWORDS[OWNER])
    with open_session(address) as session:
        assert session.may_change("cdr")
        with pytest.raises(InputRefused, match="cannot execute INSERT in a read-only transaction"):
            session.frame("insert into cdr (src) values ('1') returning src")
    with open_session(Address(asterisk, PASSWORDS[READER])) as session:
        assert not session.may_change("cdr")
    assert postgresql.execute("asterisk", "select count(*) from cdr") == "0"
    assert PASSWORDS[OWNER] not in repr(address)
