"""The sample's price book: products, prices, packs, zones and rate decks, as they stood in each month.

The numbering is real: Belgian prefixes as the numbering plan has them, country codes and mobile prefixes of
40 countries. The prices are invented. Amounts are Decimal; a month is 0, 1 or 2 for September to November.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

Rows = list[dict[str, str]]

LONG_AGO = ("2020-01-01", "2019-11-15")
FIRST_DECK = ("2026-01-01", "2025-11-17")
# Notified on 15 September for 15 October: thirty days to the day, the shortest notice there is.
SECOND_DECK = ("2026-10-15", "2026-09-15")
KOSOVO_KNOWN_FROM = 1
RAISED = Decimal("1.05")
BUSINESS = Decimal("0.75")
TENTH_OF_A_CENT = Decimal("0.001")


def _table(columns: str, rows: list[tuple[str, ...]]) -> Rows:
    names = columns.split(",")
    return [dict(zip(names, row, strict=True)) for row in rows]


PRODUCTS = _table(
    "product_id,kind,label_fr,label_nl,label_de,label_en",
    [
        ("user-basic", "user", "Utilisateur Base", "Gebruiker Basis", "Benutzer Basis", "Basic user"),
        (
            "user-standard",
            "user",
            "Utilisateur Standard",
            "Gebruiker Standaard",
            "Benutzer Standard",
            "Standard user",
        ),
        (
            "user-premium",
            "user",
            "Utilisateur Premium, minutes belges incluses",
            "Gebruiker Premium, Belgische minuten inbegrepen",
            "Benutzer Premium, belgische Minuten inbegriffen",
            "Premium user, Belgian minutes included",
        ),
        ("user-team", "user", "Utilisateur Équipe, minutes en commun", "", "", ""),
        ("number-be", "number", "Numéro belge", "Belgisch nummer", "Belgische Rufnummer", "Belgian number"),
        (
            "number-fr",
            "number",
            "Numéro français",
            "Frans nummer",
            "Französische Rufnummer",
            "French number",
        ),
        (
            "number-gb",
            "number",
            "Numéro britannique",
            "Brits nummer",
            "Britische Rufnummer",
            "British number",
        ),
        ("number-lu", "number", "Numéro luxembourgeois", "", "Luxemburgische Rufnummer", ""),
        ("number-0800", "number", "Numéro gratuit 0800", "Gratis nummer 0800", "", "Freephone number 0800"),
        (
            "pack-neighbours-100",
            "pack",
            "Pack Pays voisins 100 minutes",
            "Pack Buurlanden 100 minuten",
            "Paket Nachbarländer 100 Minuten",
            "Neighbouring countries pack, 100 minutes",
        ),
        ("pack-pool-300", "pack", "Pack Commun 300 minutes", "", "", "Shared pack, 300 minutes"),
        ("pack-solo-60", "pack", "Pack Solo 60 minutes vers les fixes belges", "", "", ""),
        ("flat-be", "pack", "Forfait Belgique illimité", "Onbeperkt België", "", "Unlimited Belgium"),
        ("flat-mobile", "pack", "Forfait GSM illimité", "Onbeperkt gsm", "", "Unlimited mobile"),
        ("option-recording", "option", "Enregistrement des appels", "Gespreksopname", "", "Call recording"),
        ("phone-desk", "one_off", "Téléphone IP de bureau", "IP-bureautelefoon", "", "IP desk phone"),
        ("activation", "one_off", "Frais d'activation", "Activeringskosten", "", "Activation"),
        ("intervention", "one_off", "Intervention sur site", "Interventie ter plaatse", "", "On-site work"),
    ],
)

# product, unit price, first day, notified on, and the month whose tables have the row first
_PRICES = [
    ("user-basic", "", "6.00", *LONG_AGO, 0),
    ("user-standard", "", "9.50", *LONG_AGO, 0),
    ("user-standard", "", "9.90", "2026-10-15", "2026-09-10", 0),
    ("user-standard", "C004", "8.50", "2023-05-01", "2023-03-20", 0),
    ("user-standard", "C004", "8.75", "2026-11-15", "2026-10-16", 1),
    ("user-premium", "", "15.00", *LONG_AGO, 0),
    ("user-team", "", "7.00", *LONG_AGO, 0),
    ("number-be", "", "0", *LONG_AGO, 0),
    ("number-fr", "", "2.00", *LONG_AGO, 0),
    ("number-gb", "", "3.00", *LONG_AGO, 0),
    ("number-gb", "", "3.50", "2027-01-01", "2026-11-20", 2),
    ("number-lu", "", "4.00", *LONG_AGO, 0),
    ("number-0800", "", "12.00", *LONG_AGO, 0),
    ("pack-neighbours-100", "", "31.00", *LONG_AGO, 0),
    ("pack-pool-300", "", "25.00", *LONG_AGO, 0),
    ("pack-solo-60", "", "5.00", *LONG_AGO, 0),
    ("flat-be", "", "12.00", *LONG_AGO, 0),
    ("flat-mobile", "", "10.00", *LONG_AGO, 0),
    ("option-recording", "", "5.00", *LONG_AGO, 0),
    ("phone-desk", "", "89.00", *LONG_AGO, 0),
    ("activation", "", "25.00", *LONG_AGO, 0),
    ("intervention", "", "75.00", *LONG_AGO, 0),
]
_NEIGHBOURS = ";".join(f"{country}-{kind}" for country in ("FR", "NL", "DE", "LU") for kind in ("FIX", "MOB"))
PACKS = _table(
    "product_id,scope,zones,included_minutes,priority,effective_from,notified_on",
    [
        ("user-premium", "user", "BE-FIX;BE-MOB", "120", "10", *LONG_AGO),
        ("user-premium", "user", "BE-FIX;BE-MOB", "150", "10", "2026-10-15", "2026-09-12"),
        ("user-team", "customer", "BE-FIX", "10", "10", *LONG_AGO),
        ("pack-neighbours-100", "customer", _NEIGHBOURS, "100", "10", *LONG_AGO),
        ("pack-pool-300", "customer", "*", "300", "20", *LONG_AGO),
        ("pack-solo-60", "user", "BE-FIX", "60", "10", *LONG_AGO),
        ("flat-be", "customer", "BE-FIX;BE-MOB", "", "30", *LONG_AGO),
        ("flat-mobile", "user", "BE-MOB", "", "5", *LONG_AGO),
    ],
)


def prices(month: int) -> Rows:
    """The rows of `prices` as that month's tables have them."""
    columns = "product_id,customer_id,unit_price,effective_from,notified_on"
    return _table(columns, [row[:5] for row in _PRICES if row[5] <= month])


@dataclass(frozen=True)
class Country:
    """A country's zones, prefixes and prices, and how long a number of its plan is.

    `fixed_area` is an area within the fixed zone, `fixed_digits` and `mobile_digits` the length of a national
    number without trunk digit, `mobile` the prefixes of the mobile zone without the country code. Prices are
    euro per minute in the standard deck.
    """

    zone: str
    labels: tuple[str, str, str, str]
    code: str
    fixed_area: str
    fixed_digits: int
    mobile: tuple[str, ...]
    mobile_digits: int
    fixed_price: Decimal
    mobile_price: Decimal


def _country(line: str) -> Country:
    zone, labels, code, area, fixed_digits, mobile, mobile_digits, fixed, mobile_price = line.split("|")
    french, dutch, german, english = labels.split("/")
    return Country(
        zone,
        (french, dutch, german, english),
        code,
        area,
        int(fixed_digits),
        tuple(mobile.split()),
        int(mobile_digits),
        Decimal(fixed),
        Decimal(mobile_price),
    )


COUNTRIES = [
    _country(line)
    for line in """\
FR|France/Frankrijk/Frankreich/France|33|1|9|6 7|9|0.060|0.170
NL|Pays-Bas/Nederland/Niederlande/Netherlands|31|20|9|6|9|0.060|0.170
DE|Allemagne/Duitsland/Deutschland/Germany|49|30|10|15 16 17|10|0.060|0.170
LU|Luxembourg/Luxemburg/Luxemburg/Luxembourg|352|27|8|621 628 651 661 668 671 678 691 698|9|0.060|0.170
GB|Royaume-Uni/Verenigd Koninkrijk/Vereinigtes Königreich/United Kingdom|44|1632|10|71 73 74 75 77 78 79|10|0.065|0.220
IE|Irlande/Ierland/Irland/Ireland|353|20|9|82 83 85 86 87 89|9|0.065|0.170
ES|Espagne/Spanje/Spanien/Spain|34|91|9|6 71 72 73 74|9|0.065|0.170
PT|Portugal/Portugal/Portugal/Portugal|351|21|9|91 92 93 96|9|0.065|0.170
IT|Italie/Italië/Italien/Italy|39|06|10|3|10|0.065|0.170
CH|Suisse/Zwitserland/Schweiz/Switzerland|41|22|9|74 75 76 77 78 79|9|0.090|0.350
AT|Autriche/Oostenrijk/Österreich/Austria|43|1|8|650 660 664 676 677 680 681 688 699|10|0.065|0.170
DK|Danemark/Denemarken/Dänemark/Denmark|45|33|8|2 30 31 40 41 42 50 51 52 53 60 61 71 81 91 92 93|8|0.065|0.170
SE|Suède/Zweden/Schweden/Sweden|46|8|8|70 72 73 76 79|9|0.065|0.170
NO|Norvège/Noorwegen/Norwegen/Norway|47|22|8|4 9|8|0.080|0.190
FI|Finlande/Finland/Finnland/Finland|358|9|8|4 50|9|0.070|0.170
IS|Islande/IJsland/Island/Iceland|354|5|7|6 7 8|7|0.090|0.190
PL|Pologne/Polen/Polen/Poland|48|22|9|45 50 51 53 57 60 66 69 72 73 78 79 88|9|0.065|0.170
CZ|Tchéquie/Tsjechië/Tschechien/Czechia|420|2|9|60 70 72 73 77 79|9|0.065|0.170
SK|Slovaquie/Slowakije/Slowakei/Slovakia|421|2|9|90 91 94 95|9|0.065|0.170
HU|Hongrie/Hongarije/Ungarn/Hungary|36|1|8|20 30 31 50 70|9|0.065|0.170
RO|Roumanie/Roemenië/Rumänien/Romania|40|21|9|7|9|0.065|0.170
BG|Bulgarie/Bulgarije/Bulgarien/Bulgaria|359|2|8|87 88 89 98|9|0.070|0.170
GR|Grèce/Griekenland/Griechenland/Greece|30|21|10|69|10|0.065|0.170
HR|Croatie/Kroatië/Kroatien/Croatia|385|1|8|91 92 95 97 98 99|9|0.070|0.170
SI|Slovénie/Slovenië/Slowenien/Slovenia|386|1|8|30 31 40 41 51 64 68 69 70 71|8|0.070|0.170
EE|Estonie/Estland/Estland/Estonia|372|6|7|5 81 82 83 84|8|0.070|0.170
LV|Lettonie/Letland/Lettland/Latvia|371|67|8|2|8|0.070|0.170
LT|Lituanie/Litouwen/Litauen/Lithuania|370|5|8|6|8|0.070|0.170
CY|Chypre/Cyprus/Zypern/Cyprus|357|22|8|94 95 96 97 99|8|0.070|0.170
MT|Malte/Malta/Malta/Malta|356|21|8|77 79 92 98 99|8|0.070|0.170
MA|Maroc/Marokko/Marokko/Morocco|212|52|9|6 7|9|0.390|0.520
TN|Tunisie/Tunesië/Tunesien/Tunisia|216|71|8|2 4 5 9|8|0.720|0.780
DZ|Algérie/Algerije/Algerien/Algeria|213|21|8|5 6 7|9|0.240|0.690
TR|Turquie/Turkije/Türkei/Türkiye|90|212|10|5|10|0.120|0.290
AU|Australie/Australië/Australien/Australia|61|2|9|4|9|0.090|0.190
CN|Chine/China/China/China|86|10|10|13 14 15 16 17 18 19|11|0.090|0.090
IN|Inde/India/Indien/India|91|11|10|70 72 73 74 75 76 77 78 81 82 83 84 85 86 87 88 89 90 91 93 94 95 96 97 98 99|10|0.110|0.110
JP|Japon/Japan/Japan/Japan|81|3|9|70 80 90|10|0.110|0.240
ZA|Afrique du Sud/Zuid-Afrika/Südafrika/South Africa|27|11|9|60 61 62 63 64 65 66 67 68 71 72 73 74 76 78 79 81 82 83 84|9|0.190|0.310
CD|RD Congo/DR Congo/DR Kongo/DR Congo|243|1|7|8 9|9|0.650|0.690
""".splitlines()  # noqa: E501 - a table of a row per country
]
# Opened in the deck only after a first call to it could not be rated.
KOSOVO = _country("XK|Kosovo/Kosovo/Kosovo/Kosovo|383|38|8|43 44 45 49|8|0.350|0.450")

_AREAS = [*range(10, 17), 19, 2, 3, 42, 43, *range(50, 62), 63, 64, 65, 67, 68, 69, 71, *range(80, 90), 9]
_MOBILE = [*range(455, 460), 46, 47, 48, 49]
# prefix or code without country code, zone, price per minute, setup fee
_NATIONAL = [
    *((str(area), "BE-FIX", "0.05", "0") for area in _AREAS),
    *((str(mobile), "BE-MOB", "0.15", "0") for mobile in _MOBILE),
    ("70", "BE-070", "0.25", "0"),
    ("78", "BE-078", "0.08", "0"),
    ("800", "BE-0800", "0", "0"),
    ("900", "BE-0900", "0.41", "0"),
    ("901", "BE-0901", "0.41", "0"),
    ("902", "BE-0902", "0.83", "0"),
    ("903", "BE-0903", "1.24", "0"),
    ("904", "BE-0904", "1.65", "0"),
    ("905", "BE-0905", "0", "1.65"),
    ("906", "BE-0906", "0.83", "0"),
    ("907", "BE-0907", "1.65", "0"),
    ("909", "BE-0909", "0", "25.00"),
]
_CODES = [
    *((str(code), "EMERG", "0", "0") for code in [*range(100, 107), 108, 110, 112]),
    # Priced by mistake, to show that the kind of the zone decides.
    ("107", "EMERG", "0.05", "0"),
    *((code, "EMERG", "0", "0") for code in ("116000", "116111", "116123")),
    ("116117", "BE-FREE", "0", "0"),
    ("1700", "BE-FREE", "0", "0"),
    ("1718", "BE-FREE", "0", "0"),
    ("1722", "BE-SHORT", "0.05", "0"),
    ("1733", "BE-SHORT", "0.05", "0"),
    *((code, "BE-INFO", "1.00", "0.75") for code in ("1207", "1307", "1405", "1407")),
]
_INCREMENTS = "first_increment_s,increment_s"
_RATE_COLUMNS = f"deck_id,prefix,zone_id,price_per_minute,setup_fee,{_INCREMENTS},effective_from,notified_on"
_FREEPHONE = [
    ("32", "0800-FIX", "0.06"),
    *((f"32{mobile}", "0800-MOB", "0.14") for mobile in _MOBILE),
    *((str(digit), "0800-INT", "0.25") for digit in range(1, 10)),
    *((code, "0800-INT", "0.12") for code in ("31", "33", "352", "44", "49")),
    ("=anonymous", "0800-ANON", "0.14"),
]

_BELGIAN_ZONES = [
    (
        "BE-FIX",
        "national_fixed",
        "Belgique, fixe",
        "België, vast",
        "Belgien, Festnetz",
        "Belgium, fixed",
    ),
    ("BE-MOB", "national_mobile", "Belgique, GSM", "België, gsm", "Belgien, Mobilfunk", "Belgium, mobile"),
    ("BE-070", "special", "Numéros 070", "070-nummers", "070-Nummern", "070 numbers"),
    ("BE-078", "special", "Numéros 078", "078-nummers", "078-Nummern", "078 numbers"),
    ("BE-0800", "free", "Numéros gratuits 0800", "Gratis nummers 0800", "0800-Nummern", "0800 numbers"),
    ("BE-FREE", "free", "Numéros courts gratuits", "Gratis korte nummers", "", "Free short codes"),
    ("BE-SHORT", "special", "Numéros courts de service", "Korte dienstnummers", "", "Service short codes"),
    ("BE-INFO", "special", "Renseignements", "Inlichtingen", "Auskunft", "Directory enquiries"),
    (
        "EMERG",
        "emergency",
        "Services d'urgence et lignes d'aide",
        "Noodnummers en hulplijnen",
        "Notrufnummern",
        "Emergency services and helplines",
    ),
    *(
        (
            f"BE-{code}",
            "premium",
            f"Numéros surtaxés {code}",
            f"Betaalnummers {code}",
            f"Mehrwertnummern {code}",
            f"Premium numbers {code}",
        )
        for code in ("0900", "0901", "0902", "0903", "0904", "0905", "0906", "0907", "0909")
    ),
    ("0800-FIX", "national_fixed", "Appels au 0800 depuis un fixe", "", "", "0800 called from a fixed line"),
    ("0800-MOB", "national_mobile", "Appels au 0800 depuis un GSM", "", "", "0800 called from a mobile"),
    ("0800-INT", "international", "Appels au 0800 depuis l'étranger", "", "", "0800 called from abroad"),
    ("0800-ANON", "special", "Appels au 0800 d'un numéro masqué", "", "", "0800 called anonymously"),
    ("US-CA", "international", "USA et Canada", "VS en Canada", "USA und Kanada", "USA and Canada"),
]
_FIXED = ("fixe", "vast", "Festnetz", "fixed")
_MOBILE_LABELS = ("GSM", "gsm", "Mobilfunk", "mobile")


def _countries(month: int) -> list[Country]:
    return [*COUNTRIES, KOSOVO] if month >= KOSOVO_KNOWN_FROM else COUNTRIES


def zones(month: int) -> Rows:
    """The rows of `zones` as that month's tables have them."""
    rows: list[tuple[str, ...]] = list(_BELGIAN_ZONES)
    for country in _countries(month):
        for suffix, kinds in (("FIX", _FIXED), ("MOB", _MOBILE_LABELS)):
            labels = [f"{name}, {kind}" for name, kind in zip(country.labels, kinds, strict=True)]
            rows.append((f"{country.zone}-{suffix}", "international", *labels))
    return _table("zone_id,kind,label_fr,label_nl,label_de,label_en", rows)


def _international(month: int) -> list[tuple[str, str, Decimal]]:
    """Prefix, zone and standard price of every foreign destination."""
    rates = [("1", "US-CA", Decimal("0.060"))]
    for country in _countries(month):
        rates.append((country.code, f"{country.zone}-FIX", country.fixed_price))
        rates += [(country.code + mobile, f"{country.zone}-MOB", country.mobile_price) for mobile in country.mobile]
    return rates


def _thousandths(price: Decimal) -> str:
    return str(price.quantize(TENTH_OF_A_CENT, ROUND_HALF_UP))


def _version(deck: str, month: int, dates: tuple[str, str], factor: Decimal, national: dict[str, str]) -> Rows:
    """One complete version of an outgoing deck; `national` replaces the price of Belgian zones."""
    # The standard deck writes its increments of one second down, the business deck leaves the default.
    increments = ("1", "1") if deck == "standard" else ("", "")
    rows: list[tuple[str, ...]] = []
    for codes, sign in ((_NATIONAL, "32"), (_CODES, "=")):
        rows += [
            (deck, sign + code, zone, national.get(zone, price), setup, *increments, *dates)
            for code, zone, price, setup in codes
        ]
    rows += [
        (deck, prefix, zone, _thousandths(price * factor), "", *increments, *dates)
        for prefix, zone, price in _international(month)
    ]
    return _table(_RATE_COLUMNS, rows)


def rates(month: int) -> Rows:
    """The rows of `rates`: two versions of the standard and the business deck, one of the freephone deck."""
    rows = _version("standard", month, FIRST_DECK, Decimal(1), {})
    rows += _version("standard", month, SECOND_DECK, RAISED, {"BE-FIX": "0.045", "BE-MOB": "0.16"})
    rows += _version("business", month, FIRST_DECK, BUSINESS, {"BE-FIX": "0.04", "BE-MOB": "0.12"})
    rows += _version("business", month, SECOND_DECK, BUSINESS * RAISED, {"BE-FIX": "0.036", "BE-MOB": "0.125"})
    for prefix, zone, price in _FREEPHONE:
        rows += _table(_RATE_COLUMNS, [("inbound-0800", prefix, zone, price, "", "", "", *FIRST_DECK)])
    return rows
