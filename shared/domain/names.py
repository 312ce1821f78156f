"""How names are compared."""

import unicodedata


def fold(text: str) -> str:
    """Return `text` as names are compared: NFKC, white space folded, case folded."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()
