"""Whom a reading belongs to: the rules that keep one customer's success from hiding another's failure."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.job_key import CouldBe, KeyStanding, KnownKey, Match, NoMatch, job_key, match

ORIGINS = ("", "oak", "elm", "ash")


@st.composite
def known_keys(draw: st.DrawFn) -> list[KnownKey]:
    """Keys as the schema allows them: an origin stands once, a job has one customer and one archived flag."""
    customer_of = {number: draw(st.integers(1, 2)) for number in range(1, 5)}
    archived = {number: draw(st.booleans()) for number in range(1, 5)}
    owners = {origin: draw(st.none() | st.integers(1, 4)) for origin in ORIGINS}
    return [
        KnownKey(
            job_id=number,
            customer_id=customer_of[number],
            origin=origin,
            archived=archived[number],
            standing=draw(st.sampled_from(KeyStanding)) if not origin else KeyStanding.PLAIN,
        )
        for origin, number in owners.items()
        if number is not None
    ]


@given(origin=st.sampled_from(ORIGINS), known=known_keys(), shared=st.booleans())
def test_a_stated_origin_never_goes_to_a_job_that_is_known_from_elsewhere(
    origin: str, known: list[KnownKey], *, shared: bool
) -> None:
    found = match(origin, known, sender_is_shared=shared)

    if origin and isinstance(found, Match):
        stated = {key.origin for key in known if key.job_id == found.job_id and key.origin}
        assert origin in stated or not stated


@given(st.sampled_from(ORIGINS), known_keys())
def test_under_a_shared_sender_only_an_equal_origin_or_a_persons_word_is_proof(
    origin: str, known: list[KnownKey]
) -> None:
    found = match(origin, known, sender_is_shared=True)

    if isinstance(found, Match) and not found.proven:
        assert origin == ""
        assert [key.standing for key in known if key.job_id == found.job_id and not key.origin] == [KeyStanding.VOUCHED]


@given(origin=st.sampled_from(ORIGINS), known=known_keys(), shared=st.booleans())
def test_an_equal_stated_origin_is_always_proof(origin: str, known: list[KnownKey], *, shared: bool) -> None:
    found = match(origin, known, sender_is_shared=shared)

    owners = [key.job_id for key in known if origin and key.origin == origin]
    if owners:
        assert isinstance(found, Match)
        assert (found.job_id, found.proven) == (owners[0], True)


@given(origin=st.sampled_from(ORIGINS), known=known_keys(), shared=st.booleans())
def test_the_order_of_the_keys_decides_nothing(origin: str, known: list[KnownKey], *, shared: bool) -> None:
    shuffled = known[::-1]

    assert match(origin, known, sender_is_shared=shared) == match(origin, shuffled, sender_is_shared=shared)


def test_a_persons_word_for_silent_mails_holds_though_the_job_is_known_by_an_origin_too() -> None:
    silent = KnownKey(job_id=1, customer_id=1, origin="", archived=False, standing=KeyStanding.VOUCHED)
    stated = KnownKey(job_id=1, customer_id=1, origin="ash", archived=False, standing=KeyStanding.PLAIN)

    assert match("", [silent, stated], sender_is_shared=True) == Match(1)
    assert match("", [stated, silent], sender_is_shared=True) == Match(1)


@given(st.sampled_from(ORIGINS), known_keys())
def test_keys_of_two_customers_are_never_told_apart_without_proof(origin: str, known: list[KnownKey]) -> None:
    found = match(origin, known, sender_is_shared=False)

    active = [key for key in known if not key.archived] or known
    if len({key.customer_id for key in active}) > 1 and isinstance(found, Match) and not found.proven:
        assert len({key.job_id for key in active}) == 1


@given(origin=st.sampled_from(ORIGINS), shared=st.booleans())
def test_without_a_key_the_job_is_new(origin: str, *, shared: bool) -> None:
    assert match(origin, [], sender_is_shared=shared) == NoMatch()


def test_a_contested_key_waits_even_when_one_job_has_it() -> None:
    key = KnownKey(job_id=1, customer_id=1, origin="", archived=False, standing=KeyStanding.CONTESTED)

    assert isinstance(match("", [key], sender_is_shared=False), CouldBe)


def test_a_job_known_from_elsewhere_and_from_silent_mails_takes_no_third_origin() -> None:
    known = [KnownKey(job_id=1, customer_id=1, origin=origin, archived=False) for origin in ("", "oak")]

    assert isinstance(match("elm", known, sender_is_shared=False), CouldBe)
    assert match("", known, sender_is_shared=False) == Match(1)


def test_an_active_job_comes_before_an_archived_one_of_the_same_name() -> None:
    known = [
        KnownKey(job_id=1, customer_id=1, origin="oak", archived=True),
        KnownKey(job_id=2, customer_id=1, origin="", archived=False),
    ]

    assert match("elm", known, sender_is_shared=False) == Match(2)
    assert match("oak", known, sender_is_shared=False) == Match(1, archived=True, proven=True)


@given(
    st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30),
    st.sampled_from(["upper", "spaces", "full width"]),
)
def test_names_that_look_the_same_are_the_same_key(name: str, how: str) -> None:
    spelled = {
        "upper": name.casefold(),
        "spaces": f"  {name.replace(' ', '   ')}\t",
        "full width": "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in name),
    }[how]

    assert job_key("a@oak.example", "X", "Y", spelled, None) == job_key("A@OAK.example", "x", "y", name, "")
