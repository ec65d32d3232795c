"""A small platform that is right in every table, to be written down in any format with one thing changed."""

from __future__ import annotations

from collections.abc import Callable

from rating.sources.platform_tables import LoadedPlatform

Load = Callable[..., LoadedPlatform]
Refuse = Callable[..., list[tuple[str, int, str, str, str]]]

TABLES = {
    "customers": """\
customer_id,name,street,postal_code,city,country,language,vat_number,email,peppol_id,vat_category,iban
c1,Boulangerie Lève-Tôt,"Rue Haute, 1",1000,Bruxelles,BE,fr,BE0123456749,,,,
c2,Bakkerij De Vroege,Hoogstraat 2,2000,Antwerpen,BE,nl,,,,AE,
""",
    "contracts": """\
contract_id,customer_id,starts_on,term_months,ends_on,payment_days
k1,c1,2026-01-01,36,,
k2,c2,2026-02-01,,2026-12-01,15
""",
    "contract_items": """\
contract_id,product_id,quantity
k1,seat,2
k1,minutes,1.5
""",
    "customer_decks": """\
customer_id,deck_id,effective_from,notified_on
c1,standard,2026-01-01,2026-01-01
c2,standard,2026-02-01,2026-02-01
""",
    "users": """\
user_id,customer_id,product_id,active_from,active_to
u1,c1,seat,2026-01-01,2026-03-01
u1,c1,seat,2026-03-01,
u2,c2,seat,2026-02-01,
""",
    "numbers": """\
number,customer_id,country,active_from,active_to,user_id,product_id,inbound_deck
+3221234567,c1,BE,2026-01-01,2026-05-01,u1,did,
+3221234567,c2,BE,2026-05-01,,u2,,standard
""",
    "subscriptions": """\
subscription_id,customer_id,product_id,quantity,active_from,active_to,user_id
s1,c1,minutes,1.5,2026-01-01,,
s2,c1,mobile,1,2026-01-01,,u1
""",
    "products": """\
product_id,kind,label_fr,label_nl,label_de,label_en
seat,user,Utilisateur,Gebruiker,,User
did,number,Numéro,,,
minutes,pack,Forfait,,,
mobile,option,Mobile,,,
visit,one_off,Intervention,,,
""",
    "prices": """\
product_id,customer_id,unit_price,effective_from,notified_on
seat,,15.5,2026-01-01,2025-11-01
seat,c1,14.999999,2026-01-01,2025-11-01
seat,,16,2026-07-01,2026-05-15
did,,0,2026-01-01,2025-11-01
""",
    "packs": """\
product_id,scope,zones,included_minutes,priority,effective_from,notified_on
minutes,customer,*,100,2,2026-01-01,2025-11-01
mobile,user,BE; MOB,,1,2026-01-01,2025-11-01
""",
    "zones": """\
zone_id,kind,label_fr,label_nl,label_de,label_en
BE,national_fixed,Belgique,,,
MOB,national_mobile,Mobile,,,
FREE,free,Gratuit,,,
SOS,emergency,Secours,,,
""",
    "rates": """\
deck_id,prefix,zone_id,price_per_minute,setup_fee,first_increment_s,increment_s,effective_from,notified_on
standard,32,BE,0.05,,,,2026-01-01,2025-11-01
standard,324,MOB,0.123456,0.1,1,1,2026-01-01,2025-11-01
standard,32800,FREE,0,0,1,1,2026-01-01,2025-11-01
standard,=112,SOS,0,,,,2026-01-01,2025-11-01
standard,=anonymous,BE,0.000001,,,,2026-01-01,2025-11-01
""",
    "charges": """\
charge_id,customer_id,date,description,quantity,unit_price,product_id
h1,c1,2026-03-05,Téléphone,2,99.9,visit
""",
    "credits": """\
credit_id,customer_id,date,description,amount
r1,c1,2026-04-01,Panne,12.5
""",
    "suspensions": """\
customer_id,suspended_from,suspended_to
c2,2026-06-01,2026-06-15
c2,2026-06-15,
""",
}
