"""The sentence that decides an Active Backup notice: "backup task NAME on NAS has been completed".

The words differ by language and by version, their order doesn't: a lead, the task, a joiner, the NAS, the
result. Task and NAS may stand in square brackets. A NAS's name has no blank; where something else stands
between the joiner and a known result ("has not been"), or behind it, the sentence is not understood.
"""

import re
from dataclasses import dataclass

from shared.domain.status import Status
from shared.parsers.text import fold

S, W, F = Status.SUCCESS, Status.WARNING, Status.FAILED

_LEADS = (
    # lead, joiner
    ("backup task ", " on "),
    ("back-uptaak ", " op "),
    ("sicherungsaufgabe ", " auf "),
    ("tâche de sauvegarde ", " sur "),
    ("attività di backup ", " su "),
    ("backupopgaven ", " på "),
    ("backupopgave ", " på "),
)
RESULTS = {
    "has been completed": S,
    "was completed": S,
    "has completed": S,
    "has been partially completed": W,
    "was partially completed": W,
    "has partially completed": W,
    "partially completed": W,
    "has failed": F,
    "failed": F,
    "has been canceled": F,
    "was canceled": F,
    "has been cancelled": F,
    "was cancelled": F,
    "is voltooid": S,
    "is gedeeltelijk voltooid": W,
    "is mislukt": F,
    "is geannuleerd": F,
    "wurde abgeschlossen": S,
    "wurde teilweise abgeschlossen": W,
    "ist fehlgeschlagen": F,
    "wurde abgebrochen": F,
    "est terminée": S,
    "a été terminée": S,
    "est partiellement terminée": W,
    "a été partiellement terminée": W,
    "a échoué": F,
    "a été annulée": F,
    "completata": S,
    "è stata completata": S,
    "parzialmente completata": W,
    "è stata parzialmente completata": W,
    "non riuscita": F,
    "non è stata completata": F,
    "è stata annullata": F,
    "er fuldført": S,
    "er gennemført": S,
    "er delvist fuldført": W,
    "er delvist gennemført": W,
    "mislykkedes": F,
    "er mislykket": F,
    "er annulleret": F,
}
_LONGEST_FIRST = sorted(RESULTS, key=len, reverse=True)
_NAME = re.compile(r"\[(?P<bracketed>[^\]]+)\]|(?P<plain>\S+)")
_LONGEST = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskSentence:
    """A sentence about a task; `status` is None where it states no result, or one that isn't `understood`."""

    task: str
    nas: str | None
    status: Status | None
    words: str
    understood: bool = True


def task_sentence(text: str) -> TaskSentence | None:
    """Return what `text` says of a task, or None when it is no such sentence."""
    lowered = text.lower()
    # A lower-case letter may be two signs ("İ"): then positions in one text don't fit the other.
    if len(lowered) != len(text) or len(text) > _LONGEST:
        return None
    found = [(start, lead, joiner) for lead, joiner in _LEADS if (start := lowered.find(lead)) >= 0]
    if not found:
        return None
    start, lead, joiner = min(found)  # the task itself may be called like another language's lead
    return _read(text[start + len(lead) :].rstrip(" ."), joiner)


def _read(rest: str, joiner: str) -> TaskSentence:
    words = next((words for words in _LONGEST_FIRST if rest.lower().endswith(" " + words)), None)
    named = rest[: -len(words)].rstrip() if words else rest
    task, found, nas = named.rpartition(joiner)
    name = _NAME.fullmatch(nas) if found else None
    if name is None:
        unsure = task or named
        return TaskSentence(task=_bare(unsure), nas=None, status=None, words="", understood=not (found or words))
    return TaskSentence(
        task=_bare(task),
        nas=name["bracketed"] or name["plain"],
        status=RESULTS[words] if words else None,
        words=fold(words or ""),
    )


def _bare(name: str) -> str:
    return name[1:-1] if name.startswith("[") and name.endswith("]") else name
