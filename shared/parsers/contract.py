"""What a parser is. Read this, then copy the nearest vendor folder.

A vendor is a folder `shared/parsers/<vendor>/` with modules, a README.md (what it sends, in an operator's
words) and `samples/`, where each `<name>.eml` has its expected reading beside it in `<name>.json`. Every
module that ends with a module-level `PARSER = Parser(…)` is found by looking; there is no list and no
order. Exactly one parser may recognise a mail.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.domain.mail import Mail
from shared.domain.reading import Reading


class UnreadableMail(Exception):
    """The mail is of this product but proves no verdict; say what is missing.

    Pass on what the mail does say (`job_name`, `origin`, `backup_type`): with it the mail can become
    an *unreadable* run of its job instead of a riddle in the inbox.
    """

    def __init__(
        self,
        reason: str,
        *,
        backup_type: str | None = None,
        job_name: str | None = None,
        origin: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.backup_type = backup_type
        self.job_name = job_name
        self.origin = origin


@dataclass(frozen=True, kw_only=True, slots=True)
class Parser:
    """A product's mail layout.

    `recognises` is cheap (subject, sender, a few `in` tests), total (never raises) and exclusive.
    `parse` returns one reading or several, or raises UnreadableMail. `looks_for` tells people what
    it looks for; `name` is "<vendor>.<module>". `sleeps` claims that the product is made for PCs alone, which are off
    when nobody uses them: nobody expects their backups at a time. Of a product that also backs up servers it would
    silence those, so there people say it of a job.
    """

    name: str
    software: str
    backup_types: tuple[str, ...]
    languages: tuple[str, ...]
    looks_for: str
    recognises: Callable[[Mail], bool]
    parse: Callable[[Mail], Reading | Sequence[Reading]]
    sleeps: bool = False
