"""Codes of errors: numbers that say which error it is, where other numbers say how many, how long, or of what. Pure.

They are known by the word that announces them ("exit status 2", "Fehler 5", `errno=28`) or by how they look
(0x80070005, ORA-01555). Where that word may announce a count as well, what follows tells: "Error: 5 files are locked"
has no code. In doubt a number is one.
"""

import re

LETTER = "a-zß-ɏͰ-ԯ"  # of the scripts that put spaces between words
UNIT = (
    r"(?:[kmgtp]?i?b(?:/s|ps)?|[kmgt]o|bytes?|octets?|%|[ap]m|utc|gmt|cest?|ms|[smhd]|secs?|mins?|hrs?"
    r"|se[ck]ond[a-z]*|sekund[a-z]*|minut[a-z]*|hours?|stunden?|uur|uren|heures?|days?)"
)
MARKED = r"\n[^\n]+\n"  # a code; texts come with their white space folded, so nothing else is between line ends
_END, _SPACE = "\n", "\t"

_CODE_WORD = rf"""
    (?!bar|post|short|streepjes|strich|zip) [{LETTER}_]* (?:[ck]ode|c[oó]digo|codice)
        (?:[ ](?:d['’]|d[ei][ ])?(?:erreur|errore?|retour|retorno|sortie|salida|uscita))?
    | errno | errorlevel | hresult | rc | ret | r(?:ück|ue?ck)gabewert
"""
_ERROR_WORD = r"(?:win|os|sql|(?:get)?last)?error | err | errore | fehler | fout | erreur"
_STATUS_WORD = rf"[{LETTER}_]*stat(?:us|ut) | https?(?:/[\d.#]+)?(?:[ ]response)? | smtp | ftp | signal | msg"
_EVENT_WORD = r"event | ereignis | gebeurtenis | (?:id[ ]d['’])?[ée]v[éeè]nement"
_RETURN_WORD = r"(?:exit(?:ed)?|return(?:ed|s|[ ]value)?|result)(?:[ ]with)?|failed[ ]with"
_ID = r"[ _-]?(?:number|num(?:mer)?|nr|no|id|kennung|n[°º])(?!\w)[.]?"
_BEHIND_WORD = r"""(?!\w)(?:\(\))?["']?(?:[ ](?:is|was|ist|war|est)\b)?[ ]?"""
_NUMBER = r"-?(?:0x[\da-f]{1,16}|\d{1,10}|[8c][01][\da-f]{6}|e-?\d{3,6})"
_NAMED_NUMBER = r"-?(?:[a-z]{1,5}[-_]?)?\d\w{0,15}(?:[.:-]\d{1,9}){0,3}"
_GUID = r"[\da-f]{8}-[\da-f]{4}-"
_NO_CODE = rf"""(?!
    [\w%@] | [.:/-]\d | :[\da-f]{{0,4}}: | [ ]?{UNIT}(?![\w'’])
    | [ ](?:of|van|von|de|sur|/)[ ]\d | [ ][{LETTER}]{{3,10}}[.,]?[ ](?:19|20)\d\d
)"""  # of a clock, a size, a part of many, a date
_BESIDE = (
    "at|on|in|while|when|for|from|during|after|by|and|has|was|is|occurred|received"
    "|bei|beim|im|an|auf|aus|und|nach|ist|bij|op|tijdens|na|lors|pendant|à|dans|et|pour"
)  # what a code is followed by, and a count is not
_NO_COUNT = rf"(?:(?=[\"')\]])|(?![ ](?!(?:{_BESIDE})\b)[{LETTER}]))"

# After some words a number always is a code; after others it isn't if something is counted: after "returned" in any
# case, after "error" where a colon is between. A word with "number" or "id" behind it leaves no doubt.
_ANNOUNCED = rf"""
    (?<![\w?&/\\#]) (?=\D{{2,40}}\d) ["']?
    (?:
        (?:
            (?P<surely>{_CODE_WORD}) | (?P<errors>{_ERROR_WORD}) | {_STATUS_WORD}
            | (?P<rarely>{_EVENT_WORD}|{_RETURN_WORD})
        )
        (?P<id>{_ID})? {_BEHIND_WORD} (?:(?P<colon>:)|[=\#])?[ ]? ["'(\[]?
        (?!{_GUID}) (?(surely){_NAMED_NUMBER}|{_NUMBER}) {_NO_CODE}
        (?(surely)|(?(id)|(?(rarely){_NO_COUNT}|(?(colon){_NO_COUNT})))) ["')\]]?
        | sql_?state \W{{0,3}} [a-z\d]{{5}} (?!\w)
    )
"""
# Of Windows, also as a signed number, of Oracle, Backup Exec, any product, Spectrum Protect and Db2.
_KNOWN = rf"""
    (?=["'a-z_-]{{0,6}}\d)
    (?:
        (?<![{LETTER}\d/\\]) (?P<quote>["']?) 0x[\da-f]{{1,8}} (?![\da-f]) (?P=quote)
        | (?<![\w.:\\/-])
          (?:
            -2147\d{{6}}
            | (?:ora|rman|tns|pls|kup|imp|exp|ude)-\d{{5}} | (?:crs|dgm)-\d{{4,5}}
            | v-\d{{1,6}}(?:-\d{{1,6}}){{1,4}}
            | e-?\d{{3,6}} | err(?:or)?_?\d{{2,6}}
            | an[rs]\d{{4}}[deisw]
            | sql\d{{4,5}}n | sql\d{{5}}[cw]
          )
          (?![\w\\/@-]|[.]\w)
    )
"""
_CODE = re.compile(rf"{_ANNOUNCED} | {_KNOWN}", re.IGNORECASE | re.VERBOSE)
_TALLY = re.compile(
    rf"(?:warn(?:ing|ung|ings|ungen)?|waarschuwing(?:en)?|avertissements?)\W{{0,3}}[\d#]"
    rf"|(?<![{LETTER}])(?:anzahl|aantal|nombre|count|total|gesamt)(?![{LETTER}])",
    re.IGNORECASE,
)  # of what went well and what didn't


def with_marks(text: str) -> str:
    """Return the text with each code and the word that announces it as one `MARKED` word."""
    return _CODE.sub(_marked, text)


def without_marks(text: str) -> str:
    """Return what `with_marks` was given."""
    return text.replace(_END, "").replace(_SPACE, " ")


def _marked(found: re.Match[str]) -> str:
    is_count = found["errors"] and not found["id"] and _TALLY.search(found.string)
    return found[0] if is_count else _END + found[0].replace(" ", _SPACE) + _END
