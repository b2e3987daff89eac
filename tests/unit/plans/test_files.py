"""Plans of several files, overlays and variables."""

from pathlib import Path

import pytest
from tests.unit.plans.test_read import WHOLE

from patchwindow.plans import PlanProblems, parse_plan, read_plan

HEAD, REST = WHOLE.split("patchGroups:")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A plan in two files, beside something that is none."""
    (tmp_path / "one.yaml").write_text(HEAD, encoding="utf-8")
    (tmp_path / "two.yml").write_text(f"patchGroups:{REST}", encoding="utf-8")
    (tmp_path / "README.md").write_text("no plan: {", encoding="utf-8")
    return tmp_path


def refused(path: Path, *overlays: Path) -> list[str]:
    with pytest.raises(PlanProblems) as caught:
        read_plan(path, overlays)
    return [str(problem) for problem in caught.value.problems]


def test_the_files_of_a_directory_are_one_plan(directory: Path) -> None:
    assert read_plan(directory) == parse_plan(WHOLE, "whole.yaml")


def test_tables_of_several_files_are_joined(directory: Path) -> None:
    more = "baselines:\n  More: {copyOf: AWS-UbuntuDefaultPatchBaseline}\n"
    (directory / "more.yaml").write_text(more, encoding="utf-8")
    assert list(read_plan(directory).baselines) == ["More", "Windows-Security"]


def test_a_name_in_two_files_is_named_at_both_places(directory: Path) -> None:
    (directory / "three.yaml").write_text("baselines:\n  Windows-Security: {copyOf: x}\n", encoding="utf-8")
    (problem,) = refused(directory)
    assert problem == (
        f"{directory}/three.yaml:2:3: the plan: baselines: 'Windows-Security' is here twice; "
        f"the first is in line 5 of {directory}/one.yaml"
    )


def test_problems_of_all_files_are_told_by_their_own_places(directory: Path) -> None:
    (directory / "one.yaml").write_text("name: [", encoding="utf-8")
    (directory / "two.yml").write_text("- a", encoding="utf-8")
    first, second = refused(directory)
    assert first.startswith(f"{directory}/one.yaml:1:8: is not YAML")
    assert second.startswith(f"{directory}/two.yml:1:1: is no mapping")


def test_a_directory_without_plans_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path) == [f"{tmp_path}:1:1: is a directory without a .yaml or .yml file"]


def test_an_overlay_says_what_is_different_and_nothing_else(directory: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.overlay"
    over.write_text("defaults: {task: {operation: Install}}\nwindows: {Web-Server: {duration: 3}}", encoding="utf-8")
    plan = read_plan(directory, [over])
    window = plan.windows["Web-Server"]
    assert (window.duration, window.schedule) == (3, "cron(0 23 ? * THU#1 *)")
    assert (window.tasks["patch"].operation, window.tasks["patch"].max_concurrency) == ("Install", "10%")


def test_what_cannot_be_read_is_told_of_the_plan_and_its_overlays_at_once(tmp_path: Path) -> None:
    plan, over = tmp_path / "plan.yaml", tmp_path / "over.yaml"
    plan.write_text("name: [", encoding="utf-8")
    over.write_text("windows: {", encoding="utf-8")
    told = refused(plan, over, tmp_path / "none.yaml")
    assert [problem.partition(": ")[0] for problem in told] == [
        f"{tmp_path / 'none.yaml'}:1:1",
        f"{over}:1:11",
        f"{plan}:1:8",
    ]


def test_a_problem_of_an_overlay_stands_in_the_overlay(directory: Path, tmp_path: Path) -> None:
    over = tmp_path / "over.overlay"
    over.write_text("windows:\n  Web-Server:\n    duration: long\n", encoding="utf-8")
    (problem,) = refused(directory, over)
    assert problem.startswith(f"{over}:3:15: window 'Web-Server': duration is text (long)")


def test_a_variable_alone_keeps_its_type_and_in_a_text_becomes_text() -> None:
    text = WHOLE.replace("name: whole", "name: whole\nvariables: {hours: 6, hour: 23}").replace(
        "duration: 6", "duration: ${{ hours }}"
    )
    plan = parse_plan(text.replace("cron(0 23 ", "cron(0 ${{hour}} "), "plan.yaml")
    assert (plan.windows["Web-Server"].duration, plan.windows["Web-Server"].schedule) == (6, "cron(0 23 ? * THU#1 *)")


def test_what_shells_and_documents_write_is_no_variable() -> None:
    command = "patch: {document: AWS-RunShellScript, parameters: {commands: ['echo ${HOME} {{WINDOW_ID}}']}, "
    plan = parse_plan(WHOLE.replace("patch: {", command), "plan.yaml")
    assert plan.windows["Web-Server"].tasks["patch"].parameters["commands"] == ("echo ${HOME} {{WINDOW_ID}}",)


def test_a_variable_that_is_not_there_is_named_at_its_use() -> None:
    with pytest.raises(PlanProblems, match=r"plan.yaml:15:15: there is no variable 'hours'; there are none"):
        parse_plan(WHOLE.replace("duration: 6", "duration: ${{ hours }}"), "plan.yaml")


def test_a_variable_in_an_alias_that_leads_back_ends() -> None:
    with pytest.raises(PlanProblems, match="name is a mapping"):
        parse_plan("name: &a {b: *a, c: '${{ x }}'}", "plan.yaml")


def test_a_plan_for_a_newer_version_is_said_so_and_nothing_else() -> None:
    with pytest.raises(PlanProblems) as caught:
        parse_plan("version: 7\nstrange: [things]", "plan.yaml")
    assert str(caught.value) == (
        "plan.yaml:1:10: the plan: version is 7, and this patchwindow reads plans up to version 1; "
        "use a newer patchwindow"
    )
