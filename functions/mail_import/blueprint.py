"""The timer that imports mails. It ticks often; the settings say how often something happens."""

import logging

import azure.functions as func

log = logging.getLogger(__name__)

bp = func.Blueprint()


@bp.function_name("mail_import")
@bp.timer_trigger(arg_name="timer", schedule="%CRON_MAIL_IMPORT%")
def mail_import(timer: func.TimerRequest) -> None:
    from shared import clock
    from shared.clients.mailbox import FolderMailbox
    from shared.services.tick_mail_import import tick_mail_import
    from shared.settings import settings

    if timer.past_due:
        log.warning("the mail import timer is late")
    counts = tick_mail_import(FolderMailbox(settings().mail_folder), clock=clock.now)
    log.info("mail import ticked", extra={"counts": counts})
