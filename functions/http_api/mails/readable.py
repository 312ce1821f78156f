"""Who may read which mail."""

from typing import Annotated

from functions.http_api.deps import CurrentUser, Db, require
from shared.domain.mailflow import Location
from shared.domain.permissions import Right
from shared.queries.mail_detail import MailDetail, mail_detail
from shared.services.errors import NotFound

Reader = Annotated[CurrentUser, require(Right.SEE_MAILS)]


def readable_mail(db: Db, user: CurrentUser, mail_id: int) -> MailDetail:
    """Return a mail that this user may read. Raise NotFound with what helps."""
    mail = mail_detail(db, mail_id)
    if mail is None:
        raise NotFound("This mail is gone.")
    if mail.location is Location.DELETED and not user.may(Right.SEE_DELETED_MAILS):
        raise NotFound("This mail was deleted. An administrator can bring it back.")
    return mail
