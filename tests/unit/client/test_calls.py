"""Lists that are read page by page."""

from types import SimpleNamespace
from typing import Any

import pytest
from tests.fakes.ssm import FakeSsm

from patchwindow.client import ClientProblem, call, pages


def test_every_page_is_read_and_an_empty_token_is_the_end() -> None:
    ssm = FakeSsm()
    for number in range(5):
        ssm.create_patch_baseline(Name=f"baseline-{number}", ClientToken=str(number))
    own = [{"Key": "OWNER", "Values": ["Self"]}]
    names = [entry["BaselineName"] for entry in pages(ssm, "DescribePatchBaselines", "BaselineIdentities", Filters=own)]
    assert names == [f"baseline-{number}" for number in range(5)]


def test_an_absent_token_is_the_end() -> None:
    def list_commands(**_: Any) -> dict[str, Any]:
        return {"Commands": [{"CommandId": "1"}]}

    assert list(pages(SimpleNamespace(list_commands=list_commands), "ListCommands", "Commands")) == [{"CommandId": "1"}]


def test_a_refusal_is_a_problem_that_keeps_its_code() -> None:
    with pytest.raises(ClientProblem) as caught:
        call(FakeSsm(), "GetPatchBaseline", BaselineId="pb-0123456789abcdef0")
    assert caught.value.code == "DoesNotExistException"
