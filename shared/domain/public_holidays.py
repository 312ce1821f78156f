"""The public holidays of countries, as proposals for closed days. Nobody's calendar holds any by itself."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache

ENGLISH = ("en_US", "en_GB")


@cache
def countries() -> Mapping[str, str]:
    """Return the names of the countries whose holidays are known, by their ISO codes, in the order of their names."""
    from holidays.registry import COUNTRIES  # takes a third of a second: only these pages need it

    names = {entry[1]: _spaced(entry[0]) for entry in COUNTRIES.values()}
    return dict(sorted(names.items(), key=lambda country: country[1]))


def subdivisions(country: str) -> Sequence[tuple[str, str]]:
    """Return the codes and names of the parts of a country that have holidays of their own."""
    from holidays import country_holidays

    known = country_holidays(country)
    aliases = known.get_subdivision_aliases()
    return [(code, next(iter(aliases.get(code, ())), code)) for code in known.subdivisions]


def public_holidays(country: str, subdivision: str, year: int) -> dict[date, str]:
    """Return the days of one year with their names, in English where that is known."""
    from holidays import country_holidays

    spoken = country_holidays(country).supported_languages
    language = next((each for each in ENGLISH if each in spoken), None)
    found = country_holidays(country, subdiv=subdivision or None, years=year, language=language)
    return {day: name for day, name in sorted(found.items()) if day.year == year}


def _spaced(name: str) -> str:
    """Return "Bosnia and Herzegovina" for "BosniaAndHerzegovina"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.sub(r" (And|Of|The)\b", lambda match: match[0].lower(), words)
