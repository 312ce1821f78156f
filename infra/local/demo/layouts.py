"""Which samples tell of the same kind of job: one for a quiet night, others for what goes wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Night(StrEnum):
    """How a night went, as the mail will say."""

    GOOD = "good"
    WARNING = "warning"
    FAILED = "failed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Samples of one layout, by what they report; names are those of files, `vendor` is their folder."""

    vendor: str
    good: str
    warning: str = ""
    failed: str = ""
    unreadable: str = ""

    def sample_for(self, night: Night) -> str:
        """Return the sample for such a night; without one the night was good."""
        return f"{self.vendor}/{getattr(self, night.value) or self.good}"

    def has(self, night: Night) -> bool:
        return bool(getattr(self, night.value))


ALTARO = Layout(
    vendor="altaro",
    good="all-successful",
    warning="offsite-warning",
    failed="offsite-failed",
    unreadable="successful-but-body-cut",
)
BACKUP_EXEC = Layout(
    vendor="backup_exec",
    good="job-success",
    warning="job-warning",
    failed="job-failed",
    unreadable="job-success-body-cut",
)
BACULA = Layout(
    vendor="bacula",
    good="backup-ok-incremental",
    warning="backup-ok-with-warnings",
    failed="backup-error-client-unreachable",
    unreadable="backup-unknown-termination",
)
BURP = Layout(
    vendor="burp",
    good="backup-succeeded",
    warning="backup-succeeded-with-warnings",
    failed="backup-failed",
    unreadable="backup-unknown-result",
)
DATTO = Layout(vendor="datto", good="backup-not-taken")  # mails only when something is wrong
DUPLICATI = Layout(
    vendor="duplicati",
    good="success-with-compact",
    warning="warning",
    failed="failed-broke-off",
    unreadable="unreadable-cut-after-parts",
)
DUPLICATI_JSON = Layout(vendor="duplicati", good="json-success", warning="json-warning", failed="json-failed")
KOPIA = Layout(
    vendor="kopia",
    good="snapshot-success-two-forwarded",
    warning="snapshot-warning-failed-entries",
    failed="snapshot-failed-incomplete-under-success",
    unreadable="snapshot-unreadable-cut-in-second",
)
KOPIA_HTML = Layout(
    vendor="kopia",
    good="snapshot-html-success",
    warning="snapshot-html-warning",
    failed="snapshot-html-failed-one-of-three",
)
MACRIUM = Layout(vendor="macrium", good="backup-success", failed="backup-failed")
MACRIUM_HOST = Layout(
    vendor="macrium",
    good="backup-success-host-only",
    warning="backup-warning",
    failed="backup-success-but-log-aborted",
    unreadable="backup-unknown-result",
)
PBS_CLIENT = Layout(
    vendor="proxmox",
    good="pbs-client-success-cron",
    warning="pbs-client-warning",
    unreadable="pbs-client-unreadable-cut",
)
PBS_COLLECTION = Layout(
    vendor="proxmox", good="pbs-gc-success", warning="pbs-gc-warning-bad-chunks", failed="pbs-gc-failed"
)
PBS_SYNC = Layout(vendor="proxmox", good="pbs-sync-remote-success", failed="pbs-sync-remote-failed")
PVE = Layout(
    vendor="proxmox",
    good="vzdump-8-success-guest-named-ok",
    warning="vzdump-8-warning-in-the-log",
    failed="vzdump-8-failed-but-subject-success",
    unreadable="vzdump-8-unreadable-log-cut",
)
PVE_7 = Layout(vendor="proxmox", good="vzdump-7-success-two-guests", failed="vzdump-7-failed-one-of-three")
PVE_9 = Layout(vendor="proxmox", good="vzdump-9-html-success", failed="vzdump-9-html-failed")
PVE_UPDATES = Layout(vendor="proxmox", good="pve-updates")
QNAP = Layout(vendor="qnap", good="job-finished", warning="job-with-errors-it", failed="job-info-but-error-in-body")
QNAP_FIRMWARE = Layout(vendor="qnap", good="firmware-update")
SYNOLOGY_BUSINESS = Layout(
    vendor="synology",
    good="business-en-completed",
    failed="business-en-failed",
    unreadable="business-en-not-completed",
)
SYNOLOGY_BUSINESS_DE = Layout(vendor="synology", good="business-de-erfolgreich", warning="business-nl-partial")
SYNOLOGY_BUSINESS_NL = Layout(vendor="synology", good="business-en-completed", warning="business-nl-partial")
SYNOLOGY_HYPER = Layout(
    vendor="synology", good="hyper-en-successful", unreadable="hyper-en-unknown-word", failed="hyper-de-fehlgeschlagen"
)
SYNOLOGY_HYPER_DE = Layout(vendor="synology", good="hyper-de-erfolgreich", failed="hyper-de-fehlgeschlagen")
SYNOLOGY_HYPER_NL = Layout(vendor="synology", good="hyper-nl-geslaagd", failed="hyper-de-fehlgeschlagen")
SYNOLOGY_M365 = Layout(
    vendor="synology", good="m365-en-completed", warning="m365-da-delvist", failed="m365-en-failed-subject-only"
)
SYNOLOGY_UPDATES = Layout(vendor="synology", good="updates-en-packages", warning="updates-nl-geannuleerd")
VEEAM = Layout(
    vendor="veeam",
    good="backup-success",
    warning="backup-success-with-nothing-processed",
    failed="backup-retry-failed-dutch-dates",
    unreadable="backup-success-body-cut-before-the-last-row",
)
VEEAM_TEXT = Layout(
    vendor="veeam", good="backup-success-text-form-italian-dates", failed="backup-failed-text-form-without-table"
)
VEEAM_FORWARDED = Layout(
    vendor="veeam", good="backup-success-forwarded-with-a-stub-text-part", failed="backup-failed-before-any-object"
)
VEEAM_FR = Layout(
    vendor="veeam",
    good="backup-full-success-french-dates",
    warning="backup-warning-german-dates",
    failed="backup-subject-and-header-success-but-a-row-failed",
)
VEEAM_CONFIGURATION = Layout(
    vendor="veeam", good="configuration-backup-success", failed="configuration-backup-failed-subject-only"
)
VEEAM_LINUX = Layout(
    vendor="veeam",
    good="agent-linux-success",
    warning="agent-linux-warning",
    failed="agent-linux-failed-subject-only",
    unreadable="agent-linux-success-cut-before-the-messages",
)
VEEAM_M365 = Layout(
    vendor="veeam",
    good="m365-success",
    warning="m365-warning",
    failed="m365-failed-subject-only",
    unreadable="m365-success-cut",
)
VEEAM_POLICY = Layout(vendor="veeam", good="agent-policy-success", warning="agent-policy-warning")
VEEAM_REPLICATION = Layout(vendor="veeam", good="replication-success-past-midnight")
VEEAM_SCALE_OUT = Layout(
    vendor="veeam",
    good="scale-out-repository-success",
    warning="scale-out-repository-warning",
    failed="scale-out-repository-extent-offline",
    unreadable="scale-out-repository-cut-before-the-last-extent",
)
VEEAM_WINDOWS = Layout(
    vendor="veeam",
    good="agent-windows-success",
    warning="agent-windows-warning",
    failed="agent-windows-failed",
    unreadable="agent-windows-success-cut",
)
