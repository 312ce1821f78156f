"""Who lives in the demo world: customers, their jobs, and how last night went."""

from dataclasses import dataclass

from infra.local.demo import layouts as kind
from infra.local.demo.layouts import Layout, Night

WARNING, FAILED, UNREADABLE = Night.WARNING, Night.FAILED, Night.UNREADABLE

EVERY_DAY = frozenset(range(7))
WORKDAYS = frozenset(range(5))


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoJob:
    """One job. An empty `name` or `host` leaves what the sample says.

    It mails on the weekdays `on` (Monday is 0), of these nights each `every`th, but not for the last `silent` days;
    `last` is how its last night went. `sender` is another domain than the customer's.
    """

    layout: Layout
    name: str = ""
    host: str = ""
    last: Night = Night.GOOD
    on: frozenset[int] = EVERY_DAY
    every: int = 1
    silent: int = 0
    sender: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoCustomer:
    """One customer; `short` begins the names of his machines."""

    name: str
    short: str
    domain: str
    jobs: tuple[DemoJob, ...]

    @property
    def company(self) -> str:
        return self.domain.partition(".")[0]


HOSTING = "cloudhosting.example"  # a provider that reports for several customers from one address

CUSTOMERS = (
    DemoCustomer(
        name="Drukkerij Van Dalen B.V.",
        short="VDAL",
        domain="vandalen.example",
        jobs=(
            DemoJob(layout=kind.VEEAM, name="Servers nacht", host="VDAL-VBR"),
            DemoJob(layout=kind.VEEAM_CONFIGURATION, host="VDAL-VBR"),
            DemoJob(layout=kind.VEEAM_WINDOWS, name="Prepress naar NAS", host="VDAL-PREPRESS", last=FAILED),
            DemoJob(layout=kind.SYNOLOGY_HYPER_NL, name="Archief naar kluis", host="VDAL-NAS"),
            DemoJob(layout=kind.SYNOLOGY_UPDATES, every=7, host="VDAL-NAS"),
        ),
    ),
    DemoCustomer(
        name="Notariskantoor De Linde",
        short="LIND",
        domain="notaris-delinde.example",
        jobs=(
            DemoJob(layout=kind.ALTARO, name="Virtuele machines", last=WARNING),
            DemoJob(layout=kind.SYNOLOGY_BUSINESS_NL, name="Werkplekken", host="LIND-NAS", last=WARNING, on=WORKDAYS),
            DemoJob(layout=kind.VEEAM_M365, name="Mailboxes", host="notaris-delinde.example", sender=HOSTING),
        ),
    ),
    DemoCustomer(
        name="Tandartsenpraktijk Waterkant",
        short="WATK",
        domain="waterkant.example",
        jobs=(
            DemoJob(layout=kind.DUPLICATI, name="Patiëntdossiers", last=FAILED),
            DemoJob(layout=kind.DUPLICATI_JSON, name="Planning", host="watk-balie"),
            DemoJob(layout=kind.VEEAM_M365, name="Mailboxes", host="waterkant.example", sender=HOSTING, last=FAILED),
        ),
    ),
    DemoCustomer(
        name="Transportbedrijf Hoekstra",
        short="HOEK",
        domain="hoekstra-transport.example",
        jobs=(
            DemoJob(layout=kind.PVE, host="pve1.hoekstra-transport.example", last=WARNING),
            DemoJob(layout=kind.PVE_7, host="pve2.hoekstra-transport.example"),
            DemoJob(layout=kind.PBS_COLLECTION, name="opslag", host="pbs.hoekstra-transport.example"),
            DemoJob(layout=kind.PBS_SYNC, name="s-buitenlocatie", host="pbs.hoekstra-transport.example", last=FAILED),
            DemoJob(layout=kind.PBS_CLIENT, host="planning-pc", last=UNREADABLE),
            DemoJob(layout=kind.PVE_UPDATES, every=7, host="pve1.hoekstra-transport.example"),
        ),
    ),
    DemoCustomer(
        name="Kwekerij Het Groene Veld",
        short="GROE",
        domain="groeneveld.example",
        jobs=(
            DemoJob(layout=kind.QNAP, name="Kassen naar cloud", host="GROE-QNAP", last=WARNING),
            DemoJob(layout=kind.QNAP_FIRMWARE, every=7, host="GROE-QNAP"),
            DemoJob(layout=kind.MACRIUM, name="Klimaatcomputer", host="GROE-KLIMAAT", silent=4),
            DemoJob(layout=kind.MACRIUM_HOST, host="GROE-KANTOOR", last=FAILED),
        ),
    ),
    DemoCustomer(
        name="Installatietechniek Brouwer",
        short="BROU",
        domain="brouwer-techniek.example",
        jobs=(
            DemoJob(layout=kind.VEEAM_TEXT, name="Virtuele servers", host="BROU-VBR"),
            DemoJob(layout=kind.VEEAM_REPLICATION, name="Replica naar Almere", host="BROU-VBR"),
            DemoJob(layout=kind.VEEAM_POLICY, name="Laptops monteurs", last=WARNING, on=WORKDAYS),
            DemoJob(layout=kind.SYNOLOGY_M365, name="Brouwer tenant", host="BROU-NAS"),
        ),
    ),
    DemoCustomer(
        name="Ashcombe Joinery Ltd",
        short="ASH",
        domain="ashcombe.example",
        jobs=(
            DemoJob(layout=kind.BACKUP_EXEC, name="Fileserver-Daily Incremental", host="ASH-BEX01", last=WARNING),
            DemoJob(layout=kind.BACKUP_EXEC, name="Sage accounts-Full", host="ASH-BEX01", last=FAILED),
            DemoJob(layout=kind.SYNOLOGY_HYPER, name="Drawings to rotation disk", host="ASH-NAS", last=UNREADABLE),
            DemoJob(layout=kind.SYNOLOGY_UPDATES, every=7, host="ASH-NAS", last=WARNING),
        ),
    ),
    DemoCustomer(
        name="Fenwick and Hale Solicitors",
        short="FENH",
        domain="fenwickhale.example",
        jobs=(
            DemoJob(layout=kind.VEEAM, name="Case files", host="FENH-VBR", last=FAILED),
            DemoJob(layout=kind.VEEAM_FORWARDED, name="Early morning", host="FENH-VBR"),
            DemoJob(layout=kind.VEEAM_SCALE_OUT, name="Offsite", last=WARNING),
            DemoJob(layout=kind.DATTO, every=9, name="FENH-LT-07", host="Fenwick and Hale"),
            DemoJob(layout=kind.VEEAM_CONFIGURATION, host="FENH-VBR"),
        ),
    ),
    DemoCustomer(
        name="Merriton Primary Care",
        short="MERR",
        domain="merriton.example",
        jobs=(
            DemoJob(layout=kind.SYNOLOGY_BUSINESS, name="Servers nightly", host="MERR-NAS"),
            DemoJob(layout=kind.SYNOLOGY_BUSINESS, name="Reception desks", host="MERR-NAS", last=FAILED, on=WORKDAYS),
            DemoJob(layout=kind.VEEAM_LINUX, name="Appointments", host="merr-web", last=UNREADABLE),
            DemoJob(layout=kind.VEEAM_LINUX, name="Full system", host="merr-db"),
        ),
    ),
    DemoCustomer(
        name="Maschinenbau Reiter GmbH",
        short="REIT",
        domain="reiter-maschinenbau.example",
        jobs=(
            DemoJob(layout=kind.VEEAM_FR, name="Täglich – Produktion", last=WARNING),
            DemoJob(layout=kind.SYNOLOGY_BUSINESS_DE, name="Hyper-V Cluster", host="REIT-NAS"),
            DemoJob(layout=kind.SYNOLOGY_HYPER_DE, name="Konstruktion extern", host="REIT-NAS", last=FAILED),
            DemoJob(layout=kind.BACULA, name="konstruktion", host="reit-fd"),
        ),
    ),
    DemoCustomer(
        name="Weingut Sonnleitner",
        short="SONN",
        domain="sonnleitner.example",
        jobs=(
            DemoJob(layout=kind.KOPIA, host="kellerei"),
            DemoJob(layout=kind.KOPIA_HTML, host="hofladen", last=FAILED),
            DemoJob(layout=kind.QNAP, name="Fotos auf USB", host="SONN-Q1"),
        ),
    ),
    DemoCustomer(
        name="Steuerkanzlei Hagedorn",
        short="HAGE",
        domain="hagedorn.example",
        jobs=(
            DemoJob(layout=kind.BURP, host="hage-datev", last=FAILED),
            DemoJob(layout=kind.PVE_9, host="pve.hagedorn.example"),
            DemoJob(layout=kind.MACRIUM, name="Empfang", host="HAGE-EMPFANG"),
            DemoJob(layout=kind.BACULA, name="mandanten", host="hage-fd", last=WARNING),
            DemoJob(layout=kind.ALTARO, name="Virtuelle Maschinen"),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Waiting:
    """A mail that nobody has dealt with yet: it stays in the inbox."""

    layout: Layout
    night: Night = Night.GOOD
    domain: str
    short: str
    name: str = ""
    host: str = ""
    days_ago: int = 0


WAITING = (
    Waiting(
        layout=kind.VEEAM_WINDOWS, domain="ashcombe.example", short="ASH", name="Laptop of the showroom", host="ASH-LT9"
    ),
    Waiting(
        layout=kind.SYNOLOGY_HYPER_DE,
        domain="baeckerei-vogelsang.example",
        short="VOGL",
        name="Rezepte extern",
        host="VOGL-NAS",
        days_ago=1,
    ),
    Waiting(layout=kind.VEEAM_M365, domain=HOSTING, short="KLAV", name="Mailboxes", host="klaverblad.example"),
    Waiting(layout=kind.ALTARO, night=UNREADABLE, domain="fietsenmakerij.example", short="FIETS", days_ago=1),
)

NO_REPORT = """\
From: Ashcombe UPS <ups@ashcombe.example>
To: reports@msp.example
Subject: UPS in rack 2 ran on battery for 3 minutes
Date: {date}
Message-ID: <ups-rack-2@ashcombe.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

The power came back, the battery is at 91 %.
"""
