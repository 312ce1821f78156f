import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.csv_cell import guarded, unguarded


@pytest.mark.parametrize("text", ["=1+1", "+31 20 123", "-", "@home", "\tx", "'=1+1"])
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text: str) -> None:
    assert guarded(text) == f"'{text}"


@pytest.mark.parametrize("text", ["Acme BV", "", "'s-Hertogenbosch", "a=b"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == text


@given(st.text(alphabet="'=+-@\t\rab", max_size=6))
def test_reading_a_cell_gives_back_what_was_written(text: str) -> None:
    assert unguarded(guarded(text)) == text
