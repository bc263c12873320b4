"""What servers say, before anything is measured: those that are compared must say the same."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection

from benchmarks.conversation import WrongAnswer
from benchmarks.processes import Server


def answer_to(server: Server, path: str, headers: Mapping[str, str]) -> str:
    """The text of a right answer.

    Raises: WrongAnswer.
    """
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.request("GET", path, headers=dict(headers))
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:  # noqa: PLR2004  (OK)
        message = f"{server.name}: {path.partition('?')[0]} is answered by {answer.status} {text[:300]}"
        raise WrongAnswer(message)
    return text


def expect_same(answers: Sequence[str], *, but: str = "") -> None:
    """Make sure that all say the same, apart from the field `but`.

    Raises: WrongAnswer: what is not the same is not to be compared.
    """
    told = [{name: value for name, value in json.loads(answer).items() if name != but} for answer in answers]
    if any(one != told[0] for one in told):
        message = f"the servers do not answer alike: {' | '.join(answer[:500] for answer in answers)}"
        raise WrongAnswer(message)
