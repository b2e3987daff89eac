"""Documents: parameters, preconditions, and what cannot be run."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patchwindow_agent.documents import (
    Refuse,
    Run,
    Skip,
    Step,
    judge,
    parse_payload,
    script_of,
    substitute,
    timeout_s_of,
)
from patchwindow_agent.errors import Unusable

PARAMETERS = {"A": "x y", "L": ["p", "q"], "M": {"k": 1}, "N": 5, "Empty": ""}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def payload(**document: Any) -> str:
    return json.dumps({"DocumentContent": {"schemaVersion": "2.2", **document}})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{{ L }}", ["p", "q"]),
        ("{{L}}", ["p", "q"]),
        ("echo {{ L }}", 'echo ["p","q"]'),
        ("echo '{{ A }}' {{ N }}", "echo 'x y' 5"),
        ("{{ M }}!", '{"k":1}!'),
        ("{{ Empty }}", ""),
        # Left as they are: nobody declared the one, and the other is no name.
        ("{{ B }}", "{{ B }}"),
        ("{{ a_b-c }}", "{{ a_b-c }}"),
        ({"runCommand": ["{{ A }}", 3]}, {"runCommand": ["x y", 3]}),
    ],
)
def test_parameters_are_filled_in(value: Any, expected: Any) -> None:
    assert substitute(value, PARAMETERS) == expected


def test_a_parameters_own_braces_are_not_filled_in() -> None:
    assert substitute("{{ X }}-", {"X": "{{ A }}", "A": "1"}) == "{{ A }}-"


@given(json_values)
def test_without_parameters_nothing_changes(value: Any) -> None:
    assert substitute(value, {}) == value


@given(json_values)
def test_a_parameter_alone_keeps_its_type(value: Any) -> None:
    assert substitute("{{ it }}", {"it": value}) == value


@pytest.mark.parametrize(
    ("precondition", "expected"),
    [
        (None, Run),
        ({}, Run),
        ({"StringEquals": ["platformType", "Linux"]}, Run),
        ({"StringEquals": ["linux", "platformType"]}, Run),
        ({"StringEquals": ["platformType", "Windows"]}, Skip),
        ({"StringEquals": ["Scan", "Scan"]}, Run),
        ({"StringEquals": ["Scan", "Install"]}, Skip),
        ({"StringEquals": ["platformType"]}, Refuse),
        ({"StringNotEquals": ["platformType", "Linux"]}, Refuse),
        ("platformType", Refuse),
    ],
)
def test_a_precondition_lets_a_step_run_skips_or_fails_it(precondition: Any, expected: type) -> None:
    assert isinstance(judge(Step("s", "aws:runShellScript", {}, precondition), "Linux"), expected)


def test_parameters_are_the_callers_or_the_documents_defaults() -> None:
    text = json.dumps(
        {
            "Parameters": {"A": "given"},
            "DocumentContent": {
                "schemaVersion": "2.2",
                "parameters": {"A": {"type": "String", "default": "d"}, "B": {"type": "String", "default": "e"}},
                "mainSteps": [
                    {
                        "action": "aws:runShellScript",
                        "name": "s",
                        "inputs": {"runCommand": "{{ A }} {{ B }}"},
                        "precondition": {"StringEquals": ["{{ A }}", "given"]},
                    }
                ],
            },
        }
    )
    (step,) = parse_payload(text)
    assert script_of(step) == "given e\n"
    assert step.precondition == {"StringEquals": ["given", "given"]}


def test_a_document_of_schema_1_2_has_a_step_for_each_plugin() -> None:
    text = payload(
        schemaVersion="1.2", runtimeConfig={"aws:runShellScript": {"properties": [{"runCommand": ["a", "b"]}]}}
    )
    (step,) = parse_payload(text)
    assert (step.name, step.action, script_of(step)) == ("aws:runShellScript", "aws:runShellScript", "a\nb\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "not JSON"),
        ("[]", "no command document"),
        ("{}", "no command document"),
        (payload(schemaVersion="3.0", mainSteps=[]), "schemaVersion 3.0 is not served"),
        (payload(mainSteps=[]), "no steps"),
        (payload(mainSteps=[{"name": "x"}]), "no command document"),
        (payload(mainSteps=[{"name": "x", "action": "a"}] * 2), "same name"),
        (payload(parameters=[], mainSteps=[1]), "no command document"),
        (payload(schemaVersion="1.2", runtimeConfig={"p": {"properties": [{}, {}]}}), "is not one object"),
    ],
)
def test_what_cannot_be_run_is_refused_with_its_reason(text: str, message: str) -> None:
    with pytest.raises(Unusable, match=message):
        parse_payload(text)


@pytest.mark.parametrize(
    ("told", "expected_s"),
    [("60", 60), (60, 60), ("5", 5), ("4", 3600), ("172801", 3600), ("soon", 3600), ("", 3600), (None, 3600)],
)
def test_a_time_out_outside_its_bounds_is_an_hour(told: Any, expected_s: int) -> None:
    assert timeout_s_of(Step("s", "a", {"timeoutSeconds": told})) == expected_s


def test_a_list_parameter_may_stand_as_one_line_of_a_script() -> None:
    assert script_of(Step("s", "a", {"runCommand": ["first", ["second", "third"]]})) == "first\nsecond\nthird\n"
