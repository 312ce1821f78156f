"""All functions of this package, for function_app.py."""

from functions.mail_import import queue_triggers, timers, webhook

blueprints = (timers.bp, queue_triggers.bp, webhook.bp)
