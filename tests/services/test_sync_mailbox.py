"""A read of a mailbox: every mail once, whoever reads it how often."""

from tests.ledger import broken_promises
from tests.mails import report_mail
from tests.services.mailbox_world import World


def test_what_arrived_comes_in_once(world: World) -> None:
    for _ in range(3):
        world.graph.deliver(report_mail())

    first, second = world.read(), world.read()

    assert (first["new"], second["new"]) == (3, 0)
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert broken_promises(world.db) == {}
