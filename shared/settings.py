"""The environment as one frozen object, checked where it enters. A leaf: imports nothing of ours."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlsplit

GRAPH = "https://graph.microsoft.com/v1.0"
AUTOTASK = "https://webservices.autotask.net"
AUTOTASK_HOST = re.compile(r"[a-z0-9-]+\.autotask\.net")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
MAILBOX = re.compile(r"[^@\s/?#]+@[^@\s/?#]+")


class BadSetting(Exception):
    """A setting is missing or makes no sense; the message says which and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What the environment says. `docs/settings.md` describes each variable."""

    app_env: str = "development"
    app_port: int = 8000
    secret_key: str = field(default="", repr=False)
    db_host: str = ""
    db_port: int = 5432
    db_name: str = "backupchecks"
    db_user: str = "backupchecks"
    db_password: str = field(default="", repr=False)
    local_dir: Path = Path(".local")
    mail_folder: Path = Path(".local/mailbox")
    public_url: str = ""
    trusted_proxies: int = 0
    graph_base_url: str = GRAPH
    graph_tenant_id: str = ""
    graph_client_id: str = ""
    graph_identity_client_id: str = ""
    graph_client_secret: str = field(default="", repr=False)
    graph_certificate_path: str = ""
    graph_mailbox: str = ""
    autotask_base_url: str = AUTOTASK
    autotask_username: str = ""
    autotask_secret: str = field(default="", repr=False)
    autotask_integration_code: str = field(default="", repr=False)
    queue_connection: str = field(default="", repr=False)
    queue_service_uri: str = ""
    queue_identity_client_id: str = ""
    timer_schedules: Mapping[str, str] = field(default_factory=dict)  # by the name of the timer

    @property
    def graph_is_loopback(self) -> bool:
        """A stand-in for Graph on this machine, which needs no credential."""
        return self.graph_base_url.startswith("http://")

    @property
    def autotask_is_loopback(self) -> bool:
        """A stand-in for Autotask on this machine, which needs no credential."""
        return self.autotask_base_url.startswith("http://")

    @property
    def has_autotask(self) -> bool:
        return self.autotask_is_loopback or bool(self.autotask_username)

    @property
    def has_queues(self) -> bool:
        return bool(self.queue_connection or self.queue_service_uri)

    @property
    def is_production(self) -> bool:
        return self.app_env == "production"

    @property
    def database_url(self) -> str:
        """The SQLAlchemy URL; always with the driver's name, because the bare scheme means another one."""
        if not self.db_host:
            raise BadSetting("DB_HOST is not set: no database to talk to")
        user, password, host = (quote(part, safe="") for part in (self.db_user, self.db_password, self.db_host))
        login = f"{user}:{password}" if password else user
        if self.db_host.startswith("/"):  # a directory with a Unix socket
            return f"postgresql+psycopg2://{login}@/{self.db_name}?host={self.db_host}&port={self.db_port}"
        return f"postgresql+psycopg2://{login}@{host}:{self.db_port}/{self.db_name}"


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`. Raise BadSetting when one can't be used."""
    local_dir = Path(environment.get("LOCAL_DIR") or ".local")
    found = Settings(
        app_env=environment.get("APP_ENV") or "development",
        app_port=_number(environment, "APP_PORT", 8000),
        secret_key=environment.get("APP_SECRET_KEY") or "",
        db_host=environment.get("DB_HOST") or "",
        db_port=_number(environment, "DB_PORT", 5432),
        db_name=environment.get("POSTGRES_DB") or "backupchecks",
        db_user=environment.get("POSTGRES_USER") or "backupchecks",
        db_password=environment.get("POSTGRES_PASSWORD") or "",
        local_dir=local_dir,
        mail_folder=Path(environment.get("MAIL_FOLDER") or local_dir / "mailbox"),
        public_url=(environment.get("PUBLIC_URL") or "").rstrip("/"),
        trusted_proxies=_number(environment, "TRUSTED_PROXIES", 0),
        **_graph(environment),
        **_autotask(environment),
        **_queues(environment),
        timer_schedules=_schedules(environment),
    )
    if found.is_production and len(found.secret_key) < 32:
        raise BadSetting("APP_SECRET_KEY must have at least 32 characters in production")
    if found.graph_is_loopback and (found.is_production or urlsplit(found.graph_base_url).hostname not in LOOPBACK):
        raise BadSetting("GRAPH_BASE_URL must begin with https://; http:// is for a loopback address in development")
    if found.autotask_is_loopback and found.is_production:
        raise BadSetting("AUTOTASK_BASE_URL must begin with https://; http:// is for a loopback address in development")
    return found


def _graph(environment: Mapping[str, str]) -> dict[str, str]:
    base = (environment.get("GRAPH_BASE_URL") or GRAPH).rstrip("/")
    if urlsplit(base).scheme not in ("http", "https"):
        raise BadSetting(f"GRAPH_BASE_URL must be an address that begins with https://, not {base!r}")
    mailbox = (environment.get("GRAPH_MAILBOX") or "").strip().lower()
    if mailbox and not MAILBOX.fullmatch(mailbox):
        raise BadSetting("GRAPH_MAILBOX must be the address of one mailbox")
    return {
        "graph_base_url": base,
        "graph_tenant_id": environment.get("GRAPH_TENANT_ID") or "",
        "graph_client_id": environment.get("GRAPH_CLIENT_ID") or "",
        "graph_identity_client_id": environment.get("GRAPH_IDENTITY_CLIENT_ID") or "",
        "graph_client_secret": environment.get("GRAPH_CLIENT_SECRET") or "",
        "graph_certificate_path": environment.get("GRAPH_CLIENT_CERTIFICATE_PATH") or "",
        "graph_mailbox": mailbox,
    }


def _autotask(environment: Mapping[str, str]) -> dict[str, str]:
    """Read who we are to Autotask. Its host gets our secret, so that it must be one of Autotask's own."""
    base = (environment.get("AUTOTASK_BASE_URL") or AUTOTASK).rstrip("/")
    try:
        parts = urlsplit(base)
        place = (parts.scheme, parts.hostname or "", parts.port)
    except ValueError:
        place = ("", "", None)
    is_theirs = place[0] == "https" and AUTOTASK_HOST.fullmatch(place[1]) and place[2] is None
    if not (is_theirs or (place[0] == "http" and place[1] in LOOPBACK)) or "@" in base:
        raise BadSetting("AUTOTASK_BASE_URL must be https:// and a host of autotask.net")
    return {
        "autotask_base_url": base,
        "autotask_username": (environment.get("AUTOTASK_USERNAME") or "").strip(),
        "autotask_secret": environment.get("AUTOTASK_SECRET") or "",
        "autotask_integration_code": (environment.get("AUTOTASK_INTEGRATION_CODE") or "").strip(),
    }


def _queues(environment: Mapping[str, str]) -> dict[str, str]:
    """Read what the platform calls the connection `AzureWebJobsStorage`: a string, or an account and an identity."""
    account = environment.get("AzureWebJobsStorage__accountName") or ""
    uri = environment.get("AzureWebJobsStorage__queueServiceUri") or ""
    return {
        "queue_connection": environment.get("AzureWebJobsStorage") or "",
        "queue_service_uri": uri or (f"https://{account}.queue.core.windows.net" if account else ""),
        "queue_identity_client_id": environment.get("AzureWebJobsStorage__clientId") or "",
    }


def _schedules(environment: Mapping[str, str]) -> dict[str, str]:
    """Read the settings that the platform puts in place of `%CRON_…%`."""
    return {name[5:].lower(): value for name, value in environment.items() if name.startswith("CRON_")}


@cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return read_settings(os.environ)


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise BadSetting(f"{name} must be a whole number from 0 to 65535, not {text!r}")
    return int(text)
