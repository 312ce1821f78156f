"""Finds the parsers and lets exactly one of them read a mail."""

import logging
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from shared.domain.mail import Mail
from shared.domain.reading import Ambiguous, Outcome, Parsed, Reading, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.bounds import bounded, bounded_name, bounded_text
from shared.parsers.contract import Parser, UnreadableMail

log = logging.getLogger(__name__)

_HERE = Path(__file__).parent


class DuplicateParser(Exception):
    """Two modules declare a parser of the same name."""


@cache
def all_parsers() -> tuple[Parser, ...]:
    """Return every parser below this package, by name. Raise DuplicateParser when two share one."""
    found: dict[str, Parser] = {}
    for module_name in _module_names():
        parser = getattr(import_module(module_name), "PARSER", None)
        if parser is None:
            continue
        if not isinstance(parser, Parser):
            raise TypeError(f"{module_name}.PARSER is no Parser")
        if parser.name in found:
            raise DuplicateParser(f"{module_name} declares {parser.name} again")
        found[parser.name] = parser
    return tuple(found[name] for name in sorted(found))


def parser_named(name: str) -> Parser | None:
    """Return the parser of that name, None when there is none (any more)."""
    return next((parser for parser in all_parsers() if parser.name == name), None)


def _module_names() -> Iterator[str]:
    for vendor in iter_modules([str(_HERE)]):
        if vendor.ispkg:
            for module in iter_modules([str(_HERE / vendor.name)]):
                yield f"{__package__}.{vendor.name}.{module.name}"


def claims(mail: Mail) -> list[Parser]:
    """Return the parsers that recognise `mail`; more than one is a bug of ours."""
    return [parser for parser in all_parsers() if _recognises(parser, mail)]


def _recognises(parser: Parser, mail: Mail) -> bool:
    try:
        return parser.recognises(mail)
    except Exception:  # one vendor's bug must not blind the others
        log.exception("recognition crashed", extra={"parser": parser.name})
        return False


def read(mail: Mail) -> Outcome:
    """Return what the mail reports, or why we can't tell. Never raises, never guesses."""
    candidates = claims(mail)
    if not candidates:
        return Unrecognised()
    if len(candidates) > 1:
        return Ambiguous(parsers=tuple(parser.name for parser in candidates))
    parser = candidates[0]
    try:
        return _parsed(parser, mail)
    except UnreadableMail as problem:
        return Unreadable(
            parser=parser.name,
            reason=bounded_text(problem.reason),
            software=parser.software,
            backup_type=problem.backup_type or _only(parser.backup_types),
            job_name=bounded_name(problem.job_name),
            origin=bounded_name(problem.origin),
        )
    except Exception:  # a bug of ours must not lose the customer's mail
        log.exception("parser crashed", extra={"parser": parser.name})
        return Unreadable(parser=parser.name, reason="the parser crashed", software=parser.software)


def _parsed(parser: Parser, mail: Mail) -> Parsed:
    result = parser.parse(mail)
    readings = (result,) if isinstance(result, Reading) else tuple(result)
    if not readings:
        raise UnreadableMail("the mail reports no job")
    readings = tuple(bounded(reading).held_to_its_objects() for reading in readings)
    if mail.truncated and any(r.status in (Status.SUCCESS, Status.INFORMATIONAL) for r in readings):
        raise UnreadableMail("the mail isn't whole or is too large to be read whole, so it can't prove success")
    return Parsed(parser=parser.name, readings=readings)


def _only(names: tuple[str, ...]) -> str | None:
    return names[0] if len(names) == 1 else None
