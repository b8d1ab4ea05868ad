"""Zones under today's names. Their rules are in models/zones.py."""

from functools import cache

from models.zones import zone as zone
from models.zones import zone_names as zone_names

# Names that phonenumbers still answers with, and what they are called today (tzdata, file `backward`).
ALIASES = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Godthab": "America/Nuuk",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Choibalsan": "Asia/Ulaanbaatar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


@cache
def canonical(names: tuple[str, ...]) -> tuple[str, ...]:
    """The same zones under today's names, sorted, each once."""
    return tuple(sorted({ALIASES.get(name, name) for name in names}))
