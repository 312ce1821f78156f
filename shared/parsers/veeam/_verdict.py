"""From a block and a subject to a verdict: everything that was said counts, and the worst of it wins.

Success asks for more: the header's own word, and a mail that is whole. A mail is whole when it ends
with the product's line or when it lists as many objects as it counts.
"""

from collections.abc import Iterator, Sequence

from shared.domain.reading import ObjectResult
from shared.domain.status import Status, worst
from shared.parsers.text import fold
from shared.parsers.veeam._frame import Block
from shared.parsers.veeam._subject import Subject
from shared.parsers.veeam._tables import Row, Table
from shared.parsers.veeam._words import Known, status_of

_GOOD = (Status.SUCCESS, Status.INFORMATIONAL)
# A row may say "Success" and tell of an error in its details; then somebody must look.
_TROUBLE = ("Error: ", "Failed to ", "Warning: ")
_VALUE_MARKS = frozenset("0123456789.,: \u00a0\u202f")
_MAX_EVIDENCE = 20

Proof = tuple[Status, str]


def verdict(
    block: Block, subject: Subject, objects: Sequence[ObjectResult], known: Known
) -> tuple[Status, tuple[str, ...]]:
    """Return the status and the words that decided it. Raise UnreadableMail when nothing proves one."""
    proofs = [*_from_header(block, subject, known), *_from_subject(subject), *_from_counts(block)]
    proofs += _from_objects(block, objects)
    status = worst((proof for proof, _ in proofs), default=Status.INFORMATIONAL)
    if status in _GOOD and not is_whole(block):
        raise known.unreadable("the mail ends before its last object, so it can't prove success")
    if status in _GOOD and not _lists_results(block) and known.backup_type != "Configuration Backup":
        raise known.unreadable("the mail neither counts nor lists what was processed")
    return status, tuple(dict.fromkeys(words for proof, words in proofs if proof is status))[:_MAX_EVIDENCE]


def from_subject_alone(subject: Subject, known: Known) -> tuple[Status, tuple[str, ...]]:
    """Return failed or warning, which a subject may prove. Raise UnreadableMail for all else."""
    proofs = list(_from_subject(subject))
    status = worst((proof for proof, _ in proofs), default=Status.INFORMATIONAL)
    if subject.status is None and status is not Status.FAILED:
        raise known.unreadable(f"“{subject.word}” is no status word, and the report is missing")
    if status in _GOOD:
        raise known.unreadable("the subject says success, but the report that proves it is missing")
    return status, tuple(words for proof, words in proofs if proof is status)


def is_whole(block: Block) -> bool:
    listed = sum(len(table.rows) for table in block.tables)
    return block.has_footer or (listed > 0 and listed == block.counted)


def _lists_results(block: Block) -> bool:
    return block.counted is not None or any(table.rows for table in block.tables)


def lists_everything(block: Block) -> bool:
    """Say whether each object that the job counts has its row."""
    listed = sum(len(table.rows) for table in block.tables)
    return listed > 0 and listed == block.counted and block.done == block.total


def _from_header(block: Block, subject: Subject, known: Known) -> Iterator[Proof]:
    for word in block.verdicts:
        status = status_of(word)
        if status is not None:
            yield status, f"header: {word}"
        elif subject.status is not Status.FAILED:
            raise known.unreadable(f"the header's “{word}” is no status word")
    if not block.verdicts and subject.status not in (Status.FAILED, Status.WARNING):
        raise known.unreadable("the mail ends before the status word")


def _from_subject(subject: Subject) -> Iterator[Proof]:
    if subject.status is not None:
        yield subject.status, f"subject: [{subject.word}]"
    if subject.issues_status is not None:
        yield subject.issues_status, f"subject:{subject.issues}"


def _from_counts(block: Block) -> Iterator[Proof]:
    if block.count("error", "errors"):
        yield Status.FAILED, f"errors: {block.count('error', 'errors')}"
    if block.count("warning", "warnings"):
        yield Status.WARNING, f"warnings: {block.count('warning', 'warnings')}"
    if block.done is not None and block.total is not None and block.done < block.total:
        yield Status.WARNING, f"{block.done} of {block.total} {block.unit} processed"
    if block.total == 0 or (block.total is None and block.counted == 0):
        yield Status.WARNING, "nothing was processed"
    for note in block.notes:
        if note.startswith(_TROUBLE) or " Error: " in note:
            yield Status.WARNING, note


def _from_objects(block: Block, objects: Sequence[ObjectResult]) -> Iterator[Proof]:
    for thing in objects:
        if thing.status is not Status.SUCCESS:
            yield thing.status, f"{thing.name}: {thing.status}"
    yield from ((Status.WARNING, words) for _, words in _troubled_rows(block))


def beside_objects(block: Block, objects: Sequence[ObjectResult]) -> Iterator[str]:
    """Yield what the counts and the details of good rows say is wrong, where no object's own status shows it."""
    bad = [thing.status for thing in objects if thing.status not in _GOOD]
    stands_for_all = len(objects) == 1 and objects[0].type == "Organization"
    if not (stands_for_all and Status.FAILED in bad):
        yield from _missing(block, listed=len(objects), bad=len(bad))
    if not stands_for_all and len(objects) < (block.counted or 0):
        for what, status in (("error", Status.FAILED), ("warning", Status.WARNING)):
            counted = block.count(what, f"{what}s") or 0
            if counted > bad.count(status):
                yield f"{counted} {what}s"
    good = {thing.name for thing in objects if thing.status in _GOOD}
    yield from (words for name, words in _troubled_rows(block) if name in good)


def _missing(block: Block, *, listed: int, bad: int) -> Iterator[str]:
    """Yield how many were processed, unless each has its row and those that weren't are bad there."""
    done, total = block.done or 0, block.total or 0  # a mail states both or none
    if done < total and (listed < total or bad < total - done):
        yield f"{block.done} of {block.total} {block.unit} processed"
    if not block.notes and (block.total == 0 or (block.total is None and block.counted == 0)):
        yield "nothing was processed"


def _troubled_rows(block: Block) -> Iterator[tuple[str, str]]:
    """Yield the name and the words of each row that tells of trouble in its details, whatever its status."""
    for table in block.tables:
        for row in table.rows:
            message = details(table, row)
            if message and any(line.startswith(_TROUBLE) for line in message.split("\n")):
                yield " ".join(row[0].split()), f"{row[0]}: {message.replace(chr(10), ' ')}"


def objects_of(block: Block, kind: str, known: Known, *, is_failed: bool) -> tuple[ObjectResult, ...]:
    """Return a result for each row. Raise UnreadableMail when a row's status word is unknown.

    In a job that failed anyway (`is_failed`) an unknown word is failed too: it hides nothing.
    """
    found = []
    for table in block.tables:
        for row in table.rows:
            word = table.value(row, "status")
            status = status_of(word) or (Status.FAILED if is_failed else None)
            if status is None:
                raise known.unreadable(f"“{word}” beside {row[0]} is no status word")
            name = " ".join(row[0].split())
            message = " ".join(details(table, row).split())
            found.append(ObjectResult(name=name, type=_type(name, kind), status=status, message=message))
    return tuple(found)


def details(table: Table, row: Row) -> str:
    """Return a row's own message, its lines kept."""
    if "details" not in table.columns:
        return ""
    if len(row) >= len(table.columns):
        return row[table.columns.index("details")]
    # Text forms drop empty cells, so the message may stand further left; times and sizes are no messages.
    last = row[-1] if len(row) > 2 else ""
    return "" if _is_value(last) else last


def _is_value(text: str) -> bool:
    rest = "".join(letter for letter in text if letter not in _VALUE_MARKS)
    return fold(rest) in {"", "b", "kb", "mb", "gb", "tb", "pb", "am", "pm", "kb/s", "mb/s", "gb/s", "n/a"}


def _type(name: str, kind: str) -> str:
    return "vApp" if name.startswith("(vApp) ") else kind
