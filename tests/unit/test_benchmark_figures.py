"""Figures that people will believe: what is counted, what is compared, and what is said of it."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Self
from xml.etree import ElementTree as ET

import pytest

from benchmarks import cli
from benchmarks.conversation import CARRIED, NUMBER, Answer, Request, WrongAnswer, fault_of
from benchmarks.findings import Finding, at_least, at_most, exactly
from benchmarks.lab import Lab, Options
from benchmarks.plot import svg
from benchmarks.ratios import Spread, spread_of_ratios
from benchmarks.report import as_json, figure, findings_table, samples_table
from benchmarks.results import Results
from benchmarks.rounds import Subject, interleaved
from benchmarks.samples import Sample, percentile
from benchmarks.scenarios import SCENARIOS, Scenario

SAMPLE = Sample(requests=100, seconds=2.0, processor=0.05, database=0.01, median=3.0, p99=9.0, slowest=11.0)
OPTIONS = Options(rounds=3, seconds=1.0, rows=1000)
MISSED = Finding(scenario="s1", what="who am I, of < bare", found=Spread(0.5, 0.4, 0.6), target=at_least(0.65))
MET = Finding(scenario="s7", what="round trips", found=exactly(1), target=at_most(1))


def test_a_ratio_is_that_of_neighbours_and_not_of_medians() -> None:
    """While the machine is slow both are: each round says two, though the medians would say four."""
    ours, limits = [1.0, 8.0, 2.0], [2.0, 16.0, 4.0]
    assert spread_of_ratios(limits, ours) == Spread(2.0, 2.0, 2.0)
    assert spread_of_ratios([1.0, 8.0, 4.0], [2.0, 2.0, 2.0]) == Spread(2.0, 0.5, 4.0)


def test_rounds_that_lack_a_neighbour_are_not_compared() -> None:
    for ours, limits in (([1.0], []), ([], []), ([1.0, 2.0], [1.0])):
        with pytest.raises(ValueError, match="every round"):
            spread_of_ratios(ours, limits)


def test_a_sample_costs_what_the_server_took_for_each_request() -> None:
    assert SAMPLE.cost == pytest.approx(500)
    assert SAMPLE.whole_cost == pytest.approx(600)
    assert SAMPLE.rate == pytest.approx(50)


def test_a_percentile_is_a_value_that_was_there() -> None:
    values = [float(number) for number in range(100, 0, -1)]
    assert [percentile(values, share) for share in (0.01, 0.5, 0.99, 1.0)] == [1.0, 50.0, 99.0, 100.0]
    assert percentile([7.0], 0.99) == 7.0
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_rounds_take_turns_after_a_warm_up_that_does_not_count() -> None:
    order = list[tuple[str, float]]()

    def subject(name: str) -> Subject:
        def measure(seconds: float) -> Sample:
            order.append((name, seconds))
            return replace(SAMPLE, requests=len(order))

        return Subject(name, measure)

    measured = interleaved([subject("a"), subject("b")], rounds=2, seconds=3.0)
    assert order == [("a", 1.0), ("b", 1.0), ("a", 3.0), ("b", 3.0), ("a", 3.0), ("b", 3.0)]
    assert {name: [sample.requests for sample in samples] for name, samples in measured.items()} == {
        "a": [3, 5],
        "b": [4, 6],
    }


def test_a_target_is_met_from_its_own_side() -> None:
    assert (at_least(0.65).is_met_by(0.65), at_least(0.65).is_met_by(0.649)) == (True, False)
    assert (at_most(4).is_met_by(4), at_most(4).is_met_by(5)) == (True, False)
    assert (at_least(0.5).share_of(0.25), at_most(4).share_of(8)) == (0.5, 0.5)


RIGHT = (
    Answer(status=200, body='{"id":1}'),
    Answer(status=201, fields=("id", "name")),
    Answer(status=503, fields=("code",), may_have=("detail",), headers=("Retry-After",)),
)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, {}, '{"id":1}'),
        (201, {}, '{"name":"Ada","id":2}'),
        (503, {"retry-after": "1"}, '{"code":"busy"}'),
        (503, {"retry-after": "1"}, '{"code":"busy","detail":"soon"}'),
    ],
)
def test_an_answer_that_is_right_has_no_fault(status: int, headers: dict[str, str], body: str) -> None:
    assert fault_of(RIGHT, status, headers, body) is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (500, {}, "oops", "has status 500 and not 200 or 201 or 503: 'oops'"),
        (200, {}, '{"id":2}', "says '{\"id\":2}' and not"),
        (201, {}, '{"id":2}', "is not an object of id, name"),
        (201, {}, '{"id":2,"name":"Ada","more":1}', "is not an object of id, name"),
        (201, {}, "[]", "is not an object"),
        (201, {}, "<html>", "is not JSON"),
        (503, {}, '{"code":"busy"}', "lacks the header Retry-After"),
        (503, {"retry-after": "1"}, '{"detail":"soon"}', "is not an object of code"),
    ],
)
def test_an_answer_that_is_wrong_is_said_to_be(status: int, headers: dict[str, str], body: str, said: str) -> None:
    assert said in (fault_of(RIGHT, status, headers, body) or "")


def test_a_request_has_its_blanks_filled_in_and_its_length_told() -> None:
    request = Request(method="POST", path="/a", headers={"X-A": "1"}, body=f'{{"é":"{NUMBER}-{CARRIED}"}}')
    head, _, body = request.encoded("127.0.0.1", 7, "token").partition(b"\r\n\r\n")
    assert body.decode() == '{"é":"7-token"}'
    assert head.decode().split("\r\n") == [
        "POST /a HTTP/1.1",
        "Host: 127.0.0.1",
        "X-A: 1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]


def test_the_table_says_what_is_not_met() -> None:
    header, _, missed, met = findings_table([MISSED, MET]).splitlines()
    assert "target" in header
    assert [cell.strip() for cell in missed.split("|")[1:-1]] == [
        "s1",
        "who am I, of < bare",
        "0.50",
        "0.40 to 0.60",
        "≥ 0.65",
        "**not met**",
    ]
    assert [cell.strip() for cell in met.split("|")[1:-1]] == ["s7", "round trips", "1", "", "≤ 1", "met"]


def test_what_was_not_looked_at_is_left_out() -> None:
    results = {"s1": Results(findings=[MISSED], measured={"ours": [replace(SAMPLE, database=0.0, median=0.0)]})}
    cells = [cell.strip() for cell in samples_table(results).splitlines()[-1].split("|")[1:-1]]
    assert cells == ["s1", "ours", "50", "500", "", "", "9.0"]


def test_everything_is_told_to_programs_round_by_round() -> None:
    results = {"s1": Results(findings=[MISSED], measured={"ours": [SAMPLE, SAMPLE]})}
    told = json.loads(json.dumps(as_json(results, OPTIONS)))
    assert (
        told["findings"][0] | {"median": 0.5, "target": 0.65, "bound": "at_least", "is_met": False}
        == told["findings"][0]
    )
    assert [one["requests"] for one in told["measured"][0]["rounds"]] == [100, 100]
    assert told["options"] == {"rounds": 3, "seconds": 1.0, "rows": 1000}


@pytest.mark.parametrize(("value", "said"), [(7.0, "7"), (0.654, "0.65"), (0.0658, "0.066"), (56.67, "56.7")])
def test_figures_are_no_more_exact_than_they_are(value: float, said: str) -> None:
    assert figure(value) == said


def test_the_picture_has_a_bar_for_each_target_and_can_be_read_in_the_dark() -> None:
    without = Finding(scenario="s9", what="import", found=exactly(0.3))
    drawn = svg([MISSED, MET, without])
    root = ET.fromstring(drawn)  # noqa: S314  (drawn a line ago)
    rectangles = [element.attrib["class"] for element in root.iter() if element.tag.endswith("rect")]
    assert rectangles == ["ground", "unmet", "met"]
    assert "who am I, of < bare" in [element.text for element in root.iter()]
    assert "1 of 2 targets are met" in drawn
    assert "prefers-color-scheme: dark" in drawn


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "s1,s12"], "there is no s12; there are s1 (who am I)"),
        (["--only", ""], "there is no scenario without a name"),
        (["--rounds", "0"], "0 is no number of rounds: 1 to 100"),
        (["--seconds", "soon"], "soon is no time to measure for"),
        (["--seconds", "nan"], "nan is no time to measure for"),
        (["--rows", "5"], "5 is no number of rows: 1000 to"),
        (["--json", "/no/such/folder/a.json"], "cannot be written"),
        (["--plot", "/"], "cannot be written"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(arguments)
    assert said in capsys.readouterr().err


def test_a_wrong_answer_ends_the_run_and_nothing_is_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(_lab: Lab, _options: Options) -> Results:
        message = "bare Starlette: GET /v1/users/me: the answer has status 500"
        raise WrongAnswer(message)

    monkeypatch.setattr(cli, "open_lab", NoLab)
    monkeypatch.setitem(SCENARIOS, "s1", Scenario("who am I", run))
    file = tmp_path / "figures.json"
    with pytest.raises(SystemExit) as ended:
        cli.main(["--only", "s1", "--json", str(file)])
    assert "has status 500" in str(ended.value.code)
    assert not file.exists()
    assert capsys.readouterr().out == ""


def test_what_is_found_is_printed_drawn_and_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Results(findings=[replace(MISSED, absolute="3 ms")], measured={"ours": [SAMPLE]})
    monkeypatch.setattr(cli, "open_lab", NoLab)
    monkeypatch.setitem(SCENARIOS, "s1", Scenario("who am I", lambda _lab, _options: found))
    file, plot = tmp_path / "figures.json", tmp_path / "figures.svg"
    cli.main(["--only", "s1", "--json", str(file), "--plot", str(plot)])
    said = capsys.readouterr().out
    assert "**not met**" in said
    assert "who am I, of < bare: 3 ms" in said
    assert json.loads(file.read_text())["findings"][0]["what"] == "who am I, of < bare"
    assert plot.read_text().startswith("<svg")


class NoLab:
    """Nothing to measure with."""

    has_shared_hallporter = False

    def __init__(self, _folder: Path) -> None:
        pass

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass
