"""What has to hold, what tests say they hold, and the page about both agree."""

import pytest

from tests.security_page import (
    PAGE,
    RULES,
    Rule,
    Section,
    citations,
    cited_in_name,
    cited_in_text,
    load,
    problems,
    render,
    sources,
)

SECTIONS = load(RULES.read_text("utf-8"))
CITED = citations(sources())


def test_every_rule_is_held_or_says_why_not_and_every_citation_is_of_a_rule() -> None:
    assert problems(SECTIONS, CITED) == []


def test_the_committed_page_is_the_one_that_the_tests_make() -> None:
    again = "run: uv run python -m tests.security_page > docs/security.md"
    assert PAGE.read_text("utf-8") == render(SECTIONS, CITED), again


def test_no_rule_is_there_twice_or_breaks_its_row() -> None:
    rules = [rule for section in SECTIONS for rule in section.rules]
    assert len({rule.id for rule in rules}) == len({rule.rule for rule in rules}) == len(rules)
    for rule in rules:
        for text in (rule.rule, rule.partly, rule.open, rule.not_applicable):
            assert text is None or (text.endswith(".") and not {"|", "\n"} & set(text)), rule.id


@pytest.mark.parametrize(
    ("name", "ids"),
    [
        ("test_lg_04_of_300_at_once", ["LG-04"]),
        ("test_st_08_st_09_hostile_headers", ["ST-08", "ST-09"]),
        ("test_lg_09_incident_39_a_stranger", ["LG-09", "incident 39"]),
        ("test_fault_43_without_counters", ["fault 43"]),
        ("test_faults_19_and_20_a_process", ["fault 19", "fault 20"]),
        ("test_faults_19_to_21_a_process", ["fault 19", "fault 20", "fault 21"]),
        ("test_in_05", ["IN-05"]),
        ("test_what_came_with_st_08_and_fault_2", []),
        ("test_one_of_fifty", []),
        ("test_st_081", []),
    ],
)
def test_a_name_cites_what_it_begins_with(name: str, ids: list[str]) -> None:
    assert cited_in_name(name) == ids


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Nothing.", []),
        (None, []),
        ("Once (ST-05, LG-08).", ["ST-05", "LG-08"]),
        ("Guesses (LG-04 to LG-06): so\n    and so.", ["LG-04", "LG-05", "LG-06"]),
        ("LG-09 to\n    LG-11", ["LG-09", "LG-10", "LG-11"]),
        ("ST-01 to LG-02", ["ST-01", "LG-02"]),
        ("Incident 19 in slow motion", ["incident 19"]),
        ("faults 1, 3 and 5 to 7, incident 8", ["fault 1", "fault 3", "fault 5", "fault 6", "fault 7", "incident 8"]),
        ("UTF-16, SHA-25, ES256, RFC 9457, a default 3, the fault of 4", []),
    ],
)
def test_a_docstring_cites_ids_ranges_and_lists(text: str | None, ids: list[str]) -> None:
    assert cited_in_text(text) == ids


def test_a_range_that_ends_before_it_begins_is_no_range() -> None:
    with pytest.raises(ValueError, match="07 to 04"):
        cited_in_text("LG-07 to LG-04")


MODULE = '''"""About all of it (LG-04, LG-05)."""

class Helper:
    """LG-07"""

class TestRoot:
    """PW-01, PW-02"""
    def test_pw_01_alone(self): ...

async def test_lg_04_alone():
    """LG-06, and LG-06 again."""

def helper():
    """LG-08"""
    # LG-09
    def test_lg_10_within(): ...
'''


def test_citations_are_found_where_they_count_and_nowhere_else() -> None:
    assert citations({"b.py": MODULE, "a.py": '"""LG-05."""'}) == {
        "LG-05": ["a.py", "b.py"],
        "LG-04": ["b.py::test_lg_04_alone"],
        "LG-06": ["b.py::test_lg_04_alone"],
        "PW-01": ["b.py::TestRoot::test_pw_01_alone"],
        "PW-02": ["b.py::TestRoot"],
    }


@pytest.mark.parametrize(
    ("rule", "cited", "said"),
    [
        (Rule(id="LG-01", rule="A."), True, None),
        (Rule(id="LG-01", rule="A.", partly="B."), True, None),
        (Rule(id="LG-01", rule="A.", open="B."), False, None),
        (Rule(id="LG-01", rule="A.", not_applicable="B."), False, None),
        (Rule(id="LG-01", rule="A."), False, "LG-01 is cited by no test, and must say one of"),
        (Rule(id="LG-01", rule="A.", partly="B."), False, "LG-01 is cited by no test, and must say one of"),
        (Rule(id="LG-01", rule="A.", partly="B.", open="C."), False, "LG-01 is cited by no test, not even in part"),
        (Rule(id="LG-01", rule="A.", open="B.", not_applicable="C."), False, "must say one of"),
        (Rule(id="LG-01", rule="A.", open="B."), True, "LG-01 is cited by x.py, and is marked as if no test held it"),
        (Rule(id="LG-01", rule="A.", not_applicable="B."), True, "LG-01 is cited by x.py, and is marked"),
        (Rule(id="LG-02", rule="A.", open="B."), True, "LG-01 is cited by x.py and is no rule"),
    ],
)
def test_what_does_not_agree_is_told(rule: Rule, cited: bool, said: str | None) -> None:  # noqa: FBT001
    found = problems([Section("Signing in", [rule])], {"LG-01": ["x.py"]} if cited else {})
    assert len(found) == (said is not None)
    assert all((said or "") in line for line in found)


def test_a_row_shows_three_tests_and_counts_the_others() -> None:
    rules = [Rule(id="LG-01", rule="A.", partly="B."), Rule(id="fault 1", rule="C.", open="D.")]
    lines = render([Section("Signing in", rules)], {"LG-01": ["1", "2", "3", "4", "5"]}).splitlines()
    assert "Of 2 rules 0 are held, 1 in part, 1 are open, 0 do not apply." in lines
    assert lines[-2:] == [
        "| LG-01 | A. | `1`<br>`2`<br>`3`<br>and 2 more<br>**in part:** B. |",
        "| fault&nbsp;1 | C. | **open:** D. |",
    ]


def test_the_rules_are_read_in_their_order() -> None:
    text = '[b]\ntitle = "B"\n[b.LG-02]\nrule = "Two."\n[b."fault 1"]\nrule = "One."\nopen = "Later."\n[a]\ntitle = "A"'
    rules = [Rule(id="LG-02", rule="Two."), Rule(id="fault 1", rule="One.", open="Later.")]
    assert load(text) == [Section("B", rules), Section("A", [])]
