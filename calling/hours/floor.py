"""The clock on the wall of a floor: by it "today" ends, and pages tell the time."""

from zoneinfo import ZoneInfo

import pytz
from phonenumbers import country_code_for_region

from calling.hours.main_zones import by_prefix
from calling.hours.number_zones import zones_of_place
from calling.hours.zones import zone


def zone_of(region: str) -> ZoneInfo:
    """The zone that a floor with a country's customers reads the clock in: where most of them live."""
    zones = pytz.country_timezones.get(region) or zones_of_place(region) or ["UTC"]
    main = (name for name in by_prefix(f"+{country_code_for_region(region)}") if name in zones)
    return zone(next(main, zones[0]))
