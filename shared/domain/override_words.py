"""Words of overrides."""

from enum import StrEnum


class OverrideLevel(StrEnum):
    """What an override is about."""

    GLOBAL = "global"  # all jobs of a product
    OBJECT = "object"  # one job, or one object inside it
    RUN = "run"  # one run that a person marked as success


class MatchMode(StrEnum):
    """How the text of an override is looked for; letters' case never matters."""

    CONTAINS = "contains"
    EXACT = "exact"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
