import pytest

from shared.services.secret_box import Purpose, SecretLost, open_sealed, seal

KEY = "a key of this installation"


def test_what_is_sealed_opens_with_the_same_key() -> None:
    sealed = seal("https://hooks.oak.example/ü", Purpose.ALARM_TARGET, key=KEY)

    assert b"hooks" not in sealed
    assert open_sealed(sealed, Purpose.ALARM_TARGET, key=KEY) == "https://hooks.oak.example/ü"


def test_the_same_secret_looks_different_each_time() -> None:
    assert seal("x", Purpose.ALARM_TARGET, key=KEY) != seal("x", Purpose.ALARM_TARGET, key=KEY)


def test_what_was_sealed_with_another_key_says_that_the_key_has_changed() -> None:
    sealed = seal("x", Purpose.ALARM_TARGET, key="another key")

    with pytest.raises(SecretLost, match="APP_SECRET_KEY has changed"):
        open_sealed(sealed, Purpose.ALARM_TARGET, key=KEY)


@pytest.mark.parametrize("sealed", [b"", b"\xff", b"plain text"])
def test_what_was_never_sealed_says_so_too(sealed: bytes) -> None:
    with pytest.raises(SecretLost):
        open_sealed(sealed, Purpose.ALARM_TARGET, key=KEY)


def test_nothing_is_sealed_without_a_key() -> None:
    with pytest.raises(SecretLost, match="APP_SECRET_KEY is not set"):
        seal("x", Purpose.ALARM_TARGET, key="")


def test_what_was_sealed_once_opens_for_ever() -> None:
    """A change of how keys are derived would lose every secret of every installation."""
    sealed = b"gAAAAABrBmSbHDQCGmnufyvkODvNVtvziBsRxRgLxCNFXLTqnDAZu4UvHPb0iX0ujcjyRiOjQBuVzMKFODZ0ZBG8eZkKBtacAw=="

    assert open_sealed(sealed, Purpose.ALARM_TARGET, key=KEY) == "hush"
