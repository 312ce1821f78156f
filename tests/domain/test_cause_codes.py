"""Codes say which error it is, in whatever words they come: they stay where other numbers fall away."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.cause import cause_of, in_common
from shared.domain.error_codes import with_marks, without_marks

NUMBERED = (  # with the code's place
    "Win32 error: {}",
    "Failed (os error {})",
    "[WinError {}] Write failed",
    "Write failed, errno={}",
    "[Errno {}] Write failed",
    "OSError(errno={},path=/srv/a/b)",
    "curl: code={}, giving up",
    "Upload stopped (rc={})",
    "RC {} from the agent",
    "err={}",
    "ret=-{}",
    "GetLastError() = {}",
    "System error {} has occurred",
    "error at io.c(228): some files vanished (code {})",
    "sbrun: code '{}'",
    '{{"code": {}, "retry": false}}',
    '{{"code":{},"retry":false}}',
    "Error code: {} Message: no answer",
    "Error code #{}",
    "ERROR {} (28000): no login",
    "Error: {}, Severity: 14",
    "Error: {} while writing the block",
    "Error number {}",
    "Error no. {}",
    "Msg {}, Level 16",
    "exit status {}",
    "rsync: exited with status {}",
    "hook script exited with {}",
    "exit code {}",
    "Exitcode: {}",
    "non-zero status={}. Runscript stopped",
    "Process killed by signal {}",
    "HTTP status {}",
    "HTTP {} from the bucket",
    "HTTP/1.1 {} from the bucket",
    "The server returned an error: ({}) Try later",
    "The command returned {}",
    "Status code: {}",
    "Event ID: {}",
    "VSS wrote event {}",
    "EventID={}",
    "SQLSTATE: 42{}",
    "SQLSTATE[HY{}]",
    "ORA-01{}: stopped",
    "RMAN-06{}: stopped",
    "V-79-57344-{} - stopped",
    "E-{}: stopped",
    "E0{}: stopped",
    "Error E-{}",
    "ANR1{}E stopped",
    "SQL30{}N stopped",
    "HRESULT: -2147024{}",
    "Failed (-2147024{})",
    "Fehler {}",
    "Fehler: {}",
    "Fehler Nr. {}",
    "Fehlernummer {}",
    "Fehlercode: {}",
    "Fehlercode {} beim Lesen",
    "Fehler {} beim Lesen",
    "Rückgabewert {}",
    "Beendigungsstatus {}",
    "Ereignis-ID {}",
    "Ereigniskennung: {}",
    "fout {}",
    "Fout: {}",
    "foutcode {}",
    "Fout nr. {} bij het lezen",
    "afsluitcode {}",
    "gebeurtenis-id {}",
    "erreur {}",
    "Erreur : {}",
    "erreur -{} (échec de la communication)",
    "erreur n° {}",
    "code d'erreur {}",
    "code d’erreur : {}",
    "code retour {}",
    "code de sortie {}",
    "ID d'événement : {}",
    "Errore {}",
    "Codice errore: {}",
)
IN_HEX = ("VSS failed: {}", "Failed ({}).", "hr={}", "HRESULT: {}", "Failed, '{}'", "Fehler {}", "error:{}", "code={},")
COUNTING = (  # what varies is a count
    "Error: {} files could not be copied",
    "ERROR: {} of 99 disks are locked",
    "Fehler: {} Dateien fehlen",
    "Fout: {} bestanden zijn overgeslagen",
    "Erreur : {} fichiers ignorés",
    "Errors: {}",
    "Finished with {} errors",
    "FilesWithError: {}",
    "Erreurs : {}",
    "Fouten: {}",
    "Warnungen: 4, Fehler: {}",
    "Success 12 Warning 3 Error {}",
    "Anzahl Fehler: {}",
    "Status: {} machines failed",
    "Status: {}% done",
    "Status: {} of 90 disks done",
    "The query returned {} rows",
    "Finished with status warning: {} skipped",
    "Error {} minutes after the start",
    "Error: {} GB are missing",
    "No error for {} days",
    "An error. {} files are left",
    "Tape with barcode {} is full",
    "Agent shortcode: {}",
    "Job {} failed",
    "Backup of VM {} failed",
    "Session ID: {}",
    "Process {} ended",
    "Event log of PC-{} is full",
    "Tape Mo-0{} is full",
    "Server SQL{} is gone",
    "See https://acme.example/?code={}",
    "See https://acme.example/a?error={}&x=1",
    "Read C:\\logs\\error={}",
    "connect to 10.0.0.7:{} failed",
    "Drive bay ({}) is empty",
    "Failed: {}",
    "Failed {}, succeeded 20",
    "Job failed with {} warnings",
    "exited with {} errors left",
    "status {} of 990 disks",
    "fout {} van 990 schijven",
    "Error: 10.0.0.{} refused the connection",
    "Error: 2001:db8::{} refused the connection",
    "Error: 3fa85{}-5717-4562-b3fc-2c963f66afa6 is locked",
    "code 12345{}-5717-4562-b3fc-2c963f66afa6 is locked",
    "exit 22:{}",
    "Virtual machine EXP-2{} is locked",
    "Request on https://acme.example/a?my_code=0x80070{}",
)
AROUND = (  # with what varies in its place
    "Job {}: ",
    "{}.5 GB were written; ",
    "on 2{}-01-02 03:04: ",
    "after {} minutes, ",
    "{} %, ",
    "10.0.0.7:{} refused it; ",
    "session 3fa85{}-5717-4562-b3fc-2c963f66afa6: ",
)
PARTS = (
    *(" ", " ", " ", ":", "=", "-", ".", "#", "'", "(", ")", "/", "5", "28", "0x5", "2026", "22:10", "12 GB", "E-1234"),
    *("error", "code", "status", "exited with", "event id", "nr.", "of", "files", "maart", "warning 3", "http/1.1"),
)
TWO = some.lists(some.integers(100, 999), min_size=2, max_size=2, unique=True)


@pytest.mark.parametrize("template", NUMBERED)
def test_errors_with_different_codes_are_two_causes(template: str) -> None:
    assert cause_of(template.format(112)) != cause_of(template.format(255))


@pytest.mark.parametrize("template", IN_HEX)
def test_errors_with_different_hex_codes_are_two_causes(template: str) -> None:
    assert cause_of(template.format("0x80070005")) != cause_of(template.format("0x8007000E"))


@pytest.mark.parametrize("template", COUNTING)
def test_other_counts_make_no_other_cause(template: str) -> None:
    assert cause_of(template.format(112)) == cause_of(template.format(255))


@given(some.sampled_from(NUMBERED), TWO, some.sampled_from(AROUND), TWO)
def test_only_the_code_makes_another_cause(template: str, codes: list[int], around: str, others: list[int]) -> None:
    one, same = (around.format(number) + template.format(codes[0]) for number in others)
    another = around.format(others[0]) + template.format(codes[1])

    assert cause_of(one) == cause_of(same) != cause_of(another)


@given(some.lists(some.sampled_from(PARTS), max_size=14))
def test_a_cause_with_codes_is_its_own_cause(parts: list[str]) -> None:
    cause = cause_of("".join(parts))

    assert cause_of(cause) == cause


@pytest.mark.parametrize(
    "one, other",
    [
        ("V-79-57344-65233 - the disk is full", "V-79-57344-3844 - the disk is full"),
        ("ORA-01555: stopped", "ORA-00257: stopped"),
        ("HTTP status 401", "HTTP status 507"),
        ("Error Code: [19:1131]", "Error Code: [19:1132]"),
        ("Error code E1001", "Error code E1002"),
        ("(errno=28, code=5)", "(errno=28, code=6)"),
        ("exit status 1", "exit status 255"),
        ("Fehler 0x5", "Fehler 0x20"),
        ("error 5 since 22:10", "error 6 since 22:10"),
        ("VSS failed: 'error 5'", "VSS failed: 'error 6'"),
    ],
)
def test_these_codes_stay_apart(one: str, other: str) -> None:
    assert cause_of(one) != cause_of(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("error 5 on 22 maart 2026 01:15", "error 5 on 3 april 2026 23:59"),
        ("(errno=28,path=/srv/a)", "(errno=28,path=/mnt/b/c)"),
        ("error: 22 maart 2026 01:15 no tape", "error: 3 april 2026 23:59 no tape"),
        ("status 2026-03-22 01:15 no tape", "status 2026-04-03 23:59 no tape"),
        ("error 5 since 22:10", "error 5 since 23:40"),
        ("Job 7 of SQL01 (6.1 GB): error 5", "Job 81 of SQL02 (912 MB): error 5"),
    ],
)
def test_the_same_code_beside_what_varies_is_one_cause(one: str, other: str) -> None:
    assert cause_of(one) == cause_of(other)


@pytest.mark.parametrize(
    "part", ["error ", "code 1.", "v-1-1-", "exit with ", "a-", "'", "_code", "http/1.", "0x", "#="]
)
def test_codes_are_looked_for_in_linear_time(part: str) -> None:
    text = part * 100_000

    assert without_marks(with_marks(text)) == text


def test_people_read_the_code() -> None:
    assert in_common("Job 12: Fehler 5, errno=28 on SQL01") == "Job …: Fehler 5, errno=28 on …"
