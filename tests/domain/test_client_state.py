"""The secret of the notifications: the same for whoever holds the key, another for everybody else."""

from shared.domain.client_state import client_state

KEY = "a secret key of more than thirty-two characters"


def test_it_fits_what_graph_takes_and_is_the_same_every_time() -> None:
    state = client_state(KEY, "reports@oak.example")

    assert len(state) == 64
    assert state == client_state(KEY, "reports@oak.example")


def test_the_spelling_of_the_address_does_not_matter() -> None:
    assert client_state(KEY, " Reports@Oak.Example ") == client_state(KEY, "reports@oak.example")


def test_another_mailbox_or_another_key_has_another_one() -> None:
    states = {
        client_state(KEY, "reports@oak.example"),
        client_state(KEY, "reports@elm.example"),
        client_state(KEY + "!", "reports@oak.example"),
    }

    assert len(states) == 3
