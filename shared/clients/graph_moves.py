"""Moves of mails, twenty a request."""

from collections.abc import Sequence

from shared.clients import graph_asks as asks
from shared.clients.errors import NotFound, Throttled, Unavailable, Upstream
from shared.clients.graph_answers import BatchAnswer, PartAnswer, as_json_bytes, checked, error_of
from shared.clients.graph_line import GraphLine
from shared.clients.patience import Waits


def move_all(line: GraphLine, address: str, graph_ids: Sequence[str], folder_id: str) -> dict[str, str]:
    """Return a reason for each mail that didn't move. Raise Upstream when not one batch got through."""
    reasons: dict[str, str] = {}
    for start in range(0, len(graph_ids), asks.BATCH_SIZE):
        batch = graph_ids[start : start + asks.BATCH_SIZE]
        try:
            reasons.update(_move(line, address, batch, folder_id))
        except Upstream as problem:
            if start == 0:
                raise
            return reasons | dict.fromkeys(graph_ids[start:], str(problem))
    return reasons


def _move(line: GraphLine, address: str, graph_ids: Sequence[str], folder_id: str) -> dict[str, str]:
    """Move one batch; parts that Graph put off are sent again as long as patience lasts."""
    waits, waiting, reasons = Waits(line.patience), list(graph_ids), dict[str, str]()
    while True:
        problems = _send(line, address, waiting, folder_id)
        if any(isinstance(problem, NotFound) for problem in problems.values()):
            _check_destination(line, address, folder_id)
        problems = {key: problem for key, problem in problems.items() if not isinstance(problem, NotFound)}
        reasons.update({key: str(problem) for key, problem in problems.items() if not problem.retryable})
        put_off = {key: problem for key, problem in problems.items() if problem.retryable}
        if not put_off:
            return reasons
        try:
            line.pause(waits.after(max(put_off.values(), key=_patience_asked)).total_seconds())
        except Upstream:
            return reasons | {key: str(problem) for key, problem in put_off.items()}
        waiting = list(put_off)


def _send(line: GraphLine, address: str, graph_ids: Sequence[str], folder_id: str) -> dict[str, Upstream]:
    """Return what went wrong with each mail that did not move."""
    keyed = {str(number): graph_id for number, graph_id in enumerate(graph_ids)}
    body = line.call(asks.moves(address, keyed, folder_id))
    answers = {each.id: each for each in checked(BatchAnswer, body).responses}
    results = {graph_id: _problem(line, answers.get(key)) for key, graph_id in keyed.items()}
    return {graph_id: problem for graph_id, problem in results.items() if problem is not None}


def _problem(line: GraphLine, answer: PartAnswer | None) -> Upstream | None:
    if answer is None:
        return Unavailable("Microsoft Graph left a part of the batch unanswered")
    headers = {name.lower(): value for name, value in (answer.headers or {}).items()}
    return error_of(answer.status, headers, as_json_bytes(answer.body), now=line.now())


def _check_destination(line: GraphLine, address: str, folder_id: str) -> None:
    """A mail that isn't found has moved or was deleted; but a missing destination is not found either."""
    try:
        line.call(asks.folder(address, folder_id))
    except NotFound as problem:
        raise NotFound("the folder to move mails to is not there") from problem


def _patience_asked(problem: Upstream) -> float:
    wait = problem.retry_after if isinstance(problem, Throttled) else None
    return wait.total_seconds() if wait else 0.0
