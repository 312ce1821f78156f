"""Whether a mail says more than its bad objects do. Pure.

Where it does, an override of an object leaves that: a full repository, machines that were never reached. A word is
known when it says nothing by itself ("job finished with errors"), names a bad object, or stands beside the same word
in that object's text. Numbers must be right: "3 failed" where one failed object is listed tells of two others. In
doubt it is something else: that costs a person a look, the other mistake hides a failure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.domain.names import fold
from shared.domain.overrides import Problem
from shared.domain.status import Status
from shared.domain.varying import OF_HOW_MANY

_TOKEN = re.compile(r"\w+")
_MOMENT = re.compile(r"\b\d{1,4}([-./])\d{1,2}\1\d{1,4}\b|\b\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?(?: ?[ap]\.?m\b\.?)?")
_CLAUSE_END = re.compile(r"[.;,\n]\s|[.;,]$| / |[()]")

# English, then Dutch, German, French.
_FILLING = frozenset(
    "a an the this that it its your of on in at to for by from with was is are were has have been and but or some see"
    " more details detail below log report status result results total state"
    " de het een van op met is zijn werd heeft en maar of voor zie der die das ein eine von mit wurde hat und oder auf"
    " le la les un une du des sur avec est a été et ou pour voir".split()
)
_WORK = frozenset(
    "job jobs task tasks session process processing run backup backups replication replications copy copies offsite"
    " snapshot snapshots verification synchronization sync taak taken proces kopie auftrag aufträge sicherung"
    " datensicherung tâche sauvegarde travail copie".split()
)
_THINGS = frozenset(
    "vm vms machine machines host hosts computer computers object objects guest guests client clients agent agents"
    " device devices item items group groups server servers objecten apparaten objekte geräte objets appareils".split()
)
_FAILED = frozenset(
    "failed failure failures fail fails overdue mislukt fehlgeschlagen échoué échouée échec échouées".split()
)
_TROUBLE = frozenset(
    "warning warnings error errors problem problems issue issues waarschuwing waarschuwingen fout fouten problemen"
    " warnung warnungen fehler problème problèmes avertissement avertissements erreur erreurs".split()
)
_GOOD = frozenset(
    "success successes successful successfully succeeded ok geslaagd gelukt succes erfolgreich réussi réussie".split()
)
_ENDED = frozenset(
    "finished finish completed complete ended end done partially partly unsuccessful unsuccessfully voltooid beëindigd"
    " gedeeltelijk abgeschlossen beendet teilweise terminé terminée partiellement".split()
)
_EMPTY = _FILLING | _WORK | _THINGS | _FAILED | _TROUBLE | _GOOD | _ENDED
_IS = frozenset("is are was were has have had need needs did".split())
_SHORT = 7  # words of a sentence that merely counts


def says_more(message: str, objects: Sequence[Problem], names: Iterable[str] = ()) -> bool:
    """Tell whether the message says something that these bad objects don't; `names` may stand in it."""
    said = OF_HOW_MANY.sub("", fold(message))
    if not said or any(said == fold(each.text) for each in objects):
        return False
    told = _Told.of(objects, names)
    clauses = [_TOKEN.findall(clause) for clause in _CLAUSE_END.split(_MOMENT.sub(" ", said)) if clause]
    counted: list[tuple[int, bool]] = []
    for words in clauses:
        if not told.counts_all(words) and not told.knows(words, counted):
            return True
    failed = sum(number for number, is_failed in counted if is_failed)
    return failed > told.failed or sum(number for number, _ in counted) > told.bad


@dataclass(frozen=True, kw_only=True, slots=True)
class _Told:
    """What the bad objects say: their texts as pairs of words, texts of one word, and the words of names."""

    pairs: frozenset[tuple[str, str]]
    words: frozenset[str]
    bad: int
    failed: int

    @classmethod
    def of(cls, objects: Sequence[Problem], names: Iterable[str]) -> "_Told":
        texts = [_TOKEN.findall(_MOMENT.sub(" ", fold(each.text))) for each in objects]
        named = [_TOKEN.findall(fold(name)) for name in (*names, *(each.object_name or "" for each in objects))]
        return cls(
            pairs=frozenset(pair for text in texts for pair in pairwise(text)),
            words=frozenset(word for text in (*named, *(text for text in texts if len(text) == 1)) for word in text),
            bad=len(objects),
            failed=sum(each.status is Status.FAILED for each in objects),
        )

    def counts_all(self, words: Sequence[str]) -> bool:
        """Tell whether it is a short sentence about as many things as are bad: "2 hosts are unreachable"."""
        if not 2 < len(words) <= _SHORT or words[0] != str(self.bad):
            return False
        return words[1] in _THINGS | _WORK and any(word in _IS for word in words[2:5])

    def knows(self, words: Sequence[str], counted: list[tuple[int, bool]]) -> bool:
        """Tell whether each word is known, and put into `counted` what is counted as wrong, and as failed."""
        numbers: list[tuple[int, int]] = []
        for at, word in enumerate(words):
            if word in self.words or self._is_told(words, at):
                continue
            if word.isdecimal() and len(word) < 8:
                numbers.append((at, int(word)))
            elif word not in _EMPTY:
                return False
        is_wrong = [word for word in words if word in _FAILED or word in _TROUBLE]
        if numbers and "of" in words:  # "1 of 5 failed"
            if not is_wrong:
                return False
            numbers = numbers[:1]
        elif not is_wrong and any(word in _GOOD for word in words):
            return True
        counted += [(number, any(word in _FAILED for word in is_wrong)) for _, number in numbers]
        return True

    def _is_told(self, words: Sequence[str], at: int) -> bool:
        return tuple(words[at : at + 2]) in self.pairs or (at > 0 and (words[at - 1], words[at]) in self.pairs)
