"""What the pages of the mail settings share: where they are, and for whom."""

from typing import Annotated

from functions.http_api.deps import CurrentUser, require
from shared.domain.permissions import Right

PATH = "/manage/settings/mail"
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]
