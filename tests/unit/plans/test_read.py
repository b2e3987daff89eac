"""What is wrong with a plan, and exactly where.

Each case changes one thing in a whole plan; ``⟦`` is no part of it, but marks the place that the problem must name.
"""

from pathlib import Path

import pytest

from patchwindow.plans import Mark, PlanProblems, parse_plan, read_plan

WHOLE = """\
name: whole
defaults:
  task: {operation: Scan, maxConcurrency: 10%, maxErrors: 1}
baselines:
  Windows-Security:
    operatingSystem: WINDOWS
    rules:
      - filters: {CLASSIFICATION: [SecurityUpdates]}
        approveAfterDays: 7
patchGroups:
  Web Server: {baselines: [Windows-Security]}
windows:
  Web-Server:
    schedule: cron(0 23 ? * THU#1 *)
    duration: 6
    cutoff: 1
    targets:
      web: {patchGroup: Web Server}
    tasks:
      patch: {targets: [web]}
"""

EVERYTHING = f"""{WHOLE}\
freezes:
  Year-End: {{timezone: Europe/Berlin, dates: [{{from: 2026-12-20, to: 2027-01-02, reason: Holidays}}]}}
associations:
  Scan:
    schedule: cron(0 6 ? * * *)
    targets: {{all: true}}
    operation: Scan
    maxConcurrency: 10%
    maxErrors: 10%
"""

# What is replaced, by what (with a "⟦" where the problem stands), and what the problem says.
CASES = {
    "a list that is not closed": ("[web]", "[web\nX⟦: ", "is not YAML"),
    "a tab": ("    duration: 6", "⟦\tduration: 6", "is not YAML: found character '\\t'"),
    "a key that is there twice": (
        "cutoff: 1",
        "cutoff: 1\n    ⟦cutoff: 2",
        "'cutoff' is here twice; the first is in line 16",
    ),
    "an unknown key at the top": (
        "patchGroups:",
        "⟦patchGroup:",
        "the plan has no 'patchGroup'; did you mean patchGroups?",
    ),
    "an unknown key of a rule": ("approveAfterDays", "⟦approveAfterDay", "did you mean approveAfterDays?"),
    "an unknown key of a task": ("{targets:", "{⟦rebotOption: NoReboot, targets:", "did you mean rebootOption?"),
    "a key from elsewhere": (
        "duration: 6",
        "duration: 6\n    ⟦zzz: 1",
        "has no 'zzz'; known are description, schedule",
    ),
    "text for a number": ("duration: 6", "duration: ⟦six", "duration is text (six), expected a whole number, 1 to 24"),
    "base 60 for a number": ("duration: 6", "duration: ⟦1:30", "duration is a number (1:30), expected a whole number"),
    "a number for text": (
        "[SecurityUpdates]}",
        "[SecurityUpdates]}\n        complianceLevel: ⟦7",
        "is '7'; known are CRITICAL",
    ),
    "a list for a mapping": ("  Web Server: {baselines: [Windows-Security]}", "  ⟦- Web Server", "expected a mapping"),
    "nothing for a mapping": (
        "patch: {targets: [web]}",
        "patch:⟦",
        "window 'Web-Server': task 'patch' is nothing, expected a mapping",
    ),
    "a word for a list": ("rules:\n", "rules: ⟦all\n    x-rules:\n", "rules is text (all), expected a list"),
    "a word for a flag": (
        "cutoff: 1",
        "cutoff: 1\n    enabled: ⟦maybe",
        "enabled is text (maybe), expected true or false",
    ),
    "a list for text": ("name: whole", "name: ⟦[whole]", "name is a list, expected a name of 3 to 128 letters"),
    "a number for a name": (
        "name: whole",
        "name: ⟦2012",
        "expected a name of 3 to 128 letters, digits, '_', '-' and '.'; put it",
    ),
    "a missing name": ("name: whole\n", "⟦", "the plan needs name"),
    "a missing schedule": ("    schedule: cron(0 23 ? * THU#1 *)\n    dur", "    ⟦dur", "'Web-Server' needs schedule"),
    "a duration out of range": ("duration: 6", "duration: ⟦25", "duration is 25, expected 1 to 24"),
    "a delay out of range": (
        "approveAfterDays: 7",
        "approveAfterDays: ⟦361",
        "approveAfterDays is 361, expected at most 360",
    ),
    "a name with a space": (
        "  Web-Server:\n",
        "  ⟦Web Server:\n",
        "the key is 'Web Server', expected a name of 3 to 128",
    ),
    "a share above all": (
        "{targets:",
        "{maxErrors: ⟦101%, targets:",
        "maxErrors is '101%', expected a number of errors as 5",
    ),
    "no node at a time": (
        "{targets:",
        "{maxConcurrency: ⟦0, targets:",
        "maxConcurrency is '0', expected a number of nodes",
    ),
    "an operating system that is not": ("WINDOWS", "⟦WINDOWZ", "operatingSystem is 'WINDOWZ'; did you mean WINDOWS?"),
    "a filter key that is not": (
        "CLASSIFICATION",
        "⟦CLASIFICATION",
        "is 'CLASIFICATION'; did you mean CLASSIFICATION?",
    ),
    "a filter key of other systems": ("{CLASS", "{⟦PRIORITY: Extra, CLASS", "WINDOWS has no PRIORITY"),
    "a filter value that is not": ("[Sec", "[Updates, ⟦SecurityUpdate, Sec", "did you mean SecurityUpdates?"),
    "a filter value of no use": ("[SecurityUpdates]", "⟦Banana", "'Banana' is no CLASSIFICATION of WINDOWS; known are"),
    "two dates": (
        "Days: 7",
        "Days: 7\n        approveUntilDate: ⟦2026-01-31",
        "has approveAfterDays 7 and approveUntilDate",
    ),
    "a day that is not": (
        "approveAfterDays: 7",
        "approveUntilDate: ⟦2026-02-30",
        "'2026-02-30', which no calendar has",
    ),
    "Linux only": ("approveAfterDays: 7", "approveAfterDays: 7\n        enableNonSecurity: ⟦true", "Linux only"),
    "a patch name that is not": (
        "rules:\n",
        "rejectedPatches: [KB1234567, ⟦KB12*]\n    rules:\n",
        "'KB12*' has a wildcard",
    ),
    "a baseline for nothing": ("operatingSystem: WINDOWS", "⟦default: true", "needs operatingSystem, or copyOf"),
    "a model that is not": (
        "operatingSystem: WINDOWS",
        "copyOf: ⟦AWS-DefaultBaseline",
        "did you mean AWS-DefaultPatchBaseline?",
    ),
    "a model for another system": (
        "WINDOWS\n",
        "⟦UBUNTU\n    copyOf: AWS-DefaultPatchBaseline\n",
        "is for WINDOWS; leave",
    ),
    "a predefined name": (
        "  Windows-Security:",
        "  ⟦AWS-DefaultPatchBaseline:",
        "is a predefined one; choose another name",
    ),
    "two defaults of a system": (
        "    operatingSystem: WINDOWS\n",
        "    operatingSystem: WINDOWS\n    default: true\n  Second:\n    operatingSystem: WINDOWS\n    default: ⟦true\n",
        "'Second' cannot be the default of WINDOWS; 'Windows-Security' is already",
    ),
    "a baseline that is not": (
        "[Windows-Security]",
        "[⟦Windows-Securty]",
        "no baseline 'Windows-Securty'; did you mean Windows-",
    ),
    "two baselines of a system": (
        "[Windows-Security]",
        "[Windows-Security, ⟦AWS-DefaultPatchBaseline]",
        "has two baselines for WINDOWS, 'Windows-Security' and 'AWS-DefaultPatchBaseline'",
    ),
    "a group that is not": (
        "patchGroup: Web Server",
        "patchGroup: ⟦Web Servers",
        "no patch group 'Web Servers' in this plan; did",
    ),
    "a group among others": ("patchGroup: Web Server", "patchGroups: [Web Server, ⟦Moon]", "no patch group 'Moon'"),
    "a target that says nothing": (
        "{patchGroup: Web Server}",
        "⟦{description: none}",
        "names no nodes; say patchGroup",
    ),
    "nodes beside a group": (
        "Web Server}\n",
        "Web Server, nodeIds: ⟦[mi-0123456789abcdef0]}\n",
        "nodeIds cannot stand beside",
    ),
    "a node id that is not": (
        "patchGroup: Web Server",
        "nodeIds: [⟦mi-1]",
        "'mi-1', expected a node's id as mi-0123456789abcdef0",
    ),
    "too many tags": ("{patchGroup: Web Server}", "{tags: ⟦{a: 1, b: 2, c: 3, d: 4, e: 5, f: 6}}", "more than 5 tags"),
    "a schedule that is not": ("cron(0 23 ? * THU#1 *)", "⟦cron(0 23 ? * THU#9 *)", "window 'Web-Server'"),
    "an offset without a cron": (
        "cron(0 23 ? * THU#1 *)",
        "rate(7 days)\n    offset: ⟦2",
        "only a cron schedule can have one",
    ),
    "a zone that is not": ("duration: 6", "timezone: ⟦Europe/Atlantis\n    duration: 6", "Europe/Atlantis"),
    "a cutoff beyond the duration": ("cutoff: 1", "cutoff: ⟦6", "cutoff is 6, and 6 hours allow at most 5"),
    "an instant that is not": ("duration: 6", "startDate: ⟦tomorrow\n    duration: 6", "tomorrow"),
    "an end before the start": (
        "duration: 6",
        "startDate: 2027-01-01T00:00:00Z\n    endDate: ⟦2026-01-01T00:00:00Z\n    duration: 6",
        "endDate is 2026-01-01T00:00:00Z, before startDate 2027-01-01T00:00:00Z",
    ),
    "an operation that is not": ("operation: Scan", "operation: ⟦Scna", "operation is 'Scna'; did you mean Scan?"),
    "an operation of another document": (
        "{targets:",
        "{document: AWS-RunShellScript, operation: ⟦Install, targets:",
        "AWS-RunShellScript has no operation; put its parameters under parameters",
    ),
    "an operation said twice": (
        "{targets:",
        "{operation: Scan, parameters: {⟦Operation: Install}, targets:",
        "says Operation twice",
    ),
    "a freeze that is not": (
        "cutoff: 1",
        "cutoff: 1\n    freezes: [Year-End, ⟦Yearend]",
        "there is no freeze 'Yearend' in this plan; did you mean Year-End?",
    ),
    "a freeze that ends before it begins": (
        "to: 2027-01-02",
        "to: ⟦2026-12-19",
        "freeze 'Year-End': entry 1: to is 2026-12-19, not after from 2026-12-20",
    ),
    "a day that no calendar has": ("from: 2026-12-20", "from: ⟦2026-12-32", "is '2026-12-32', which no calendar has"),
    "a zone of dates that is not": ("timezone: Europe/Berlin", "timezone: ⟦Berlin", "freeze 'Year-End'"),
    "a freeze in two ways": ("{timezone:", "⟦{ics: x.ics, timezone:", "has dates and ics; say one of dates, ics and"),
    "a calendar that is not there": (
        "Year-End: {timezone: Europe/Berlin, dates: [{from: 2026-12-20, to: 2027-01-02, reason: Holidays}]}",
        "Year-End: {ics: ⟦absent.ics}",
        "freeze 'Year-End': absent.ics cannot be read: No such file or directory",
    ),
    "a calendar that is none": (
        "Year-End: {timezone: Europe/Berlin, dates: [{from: 2026-12-20, to: 2027-01-02, reason: Holidays}]}",
        "Year-End: {calendar: ⟦holidays}",
        "freeze 'Year-End': calendar: Content is no iCalendar",
    ),
    "an association that runs too often": (
        "cron(0 6 ? * * *)",
        "⟦rate(5 minutes)",
        "association 'Scan': ScheduleExpression is rate(5 minutes)",
    ),
    "all nodes and some": ("{all: true}", "{all: ⟦true, patchGroup: Web Server}", "all cannot stand beside other ways"),
    "an association for nobody": ("{all: true}", "⟦{all: false}", "association 'Scan': targets names no nodes"),
    "a default that cannot be one": (
        "defaults:\n",
        "defaults:\n  window: {schedule: ⟦rate(7 days)}\n",
        "schedule cannot be a default; these can: timezone, offset",
    ),
    "a bad default": ("maxErrors: 1", "maxErrors: ⟦-1", "defaults: task: maxErrors is '-1'"),
}


def problems_of(text: str) -> list[tuple[Mark, str]]:
    with pytest.raises(PlanProblems) as caught:
        parse_plan(text, "plan.yaml")
    return [(problem.mark, problem.message) for problem in caught.value.problems]


def test_a_plan_without_problems_is_read() -> None:
    plan = parse_plan(WHOLE, "plan.yaml")
    task = plan.windows["Web-Server"].tasks["patch"]
    assert (task.operation, task.max_concurrency, task.max_errors, task.priority) == ("Scan", "10%", "1", 1)
    assert plan.patch_groups["Web Server"].baselines == ("Windows-Security",)


@pytest.mark.parametrize("case", CASES)
def test_a_problem_is_told_once_with_its_place(case: str) -> None:
    old, new, message = CASES[case]
    assert old in EVERYTHING
    marked = EVERYTHING.replace(old, new, 1)
    assert marked.count("⟦") == 1
    before = marked.partition("⟦")[0]
    place = Mark(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    problems = problems_of(marked.replace("⟦", ""))
    assert [mark for mark, told in problems if message in told] == [place], problems


# Problems of something that is not there stand where it would be.
@pytest.mark.parametrize(
    ("old", "place", "message"),
    [
        (
            "maxConcurrency: 10%, ",
            Mark(20, 14),
            "window 'Web-Server': task 'patch' needs maxConcurrency here or in defaults",
        ),
        (
            "operation: Scan, ",
            Mark(20, 14),
            "window 'Web-Server': task 'patch' needs operation, Scan or Install, here or in",
        ),
        ("\n        approveAfterDays: 7", Mark(8, 9), "rule 1 needs approveAfterDays or approveUntilDate"),
        ("      web: {patchGroup: Web Server}\n", Mark(17, 13), "window 'Web-Server': targets is nothing"),
        ("    schedule: cron(0 23 ? * THU#1 *)\n", Mark(14, 5), "window 'Web-Server' needs schedule"),
        ("name: whole\n", Mark(1, 1), "the plan needs name"),
    ],
)
def test_what_is_missing_is_told_where_it_should_be(old: str, place: Mark, message: str) -> None:
    assert old in WHOLE
    problems = problems_of(WHOLE.replace(old, ""))
    assert [mark for mark, told in problems if message in told] == [place], problems


def test_a_task_of_more_targets_than_the_api_takes_is_told() -> None:
    targets = "".join(f"      more-{number}: {{patchGroup: Web Server}}\n" for number in range(10))
    text = WHOLE.replace("    tasks:\n      patch: {targets: [web]}", f"{targets}    tasks:\n      patch: {{}}")
    assert [told for _, told in problems_of(text)] == [
        "window 'Web-Server': task 'patch' runs on all 11 targets of its window, 10 are possible; name some"
    ]


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = (
        WHOLE.replace("WINDOWS", "WINDOWZ")
        .replace("[Windows-Security]", "[Windows]")
        .replace("duration: 6", "duration: six")
        .replace("targets: [web]", "targets: [wbe]")
        .replace("cutoff: 1", "cutoff: 1\n    color: red")
    )
    problems = problems_of(text)
    assert [mark.line for mark, _ in problems] == [6, 11, 15, 17, 21]
    assert "the window has no target 'wbe'; did you mean web?" in problems[-1][1]


def test_one_bad_value_does_not_make_good_ones_look_bad() -> None:
    text = WHOLE.replace("operatingSystem: WINDOWS", "operatingSystem: [WINDOWS]").replace(
        "  Web-Server:", "  Web Server :"
    )
    assert [mark for mark, _ in problems_of(text)] == [Mark(6, 22), Mark(13, 3)]


def test_a_bad_default_is_told_once_however_many_tasks_it_is_for() -> None:
    text = WHOLE.replace("maxErrors: 1", "maxErrors: some").replace("patch: {", "again: {}\n      patch: {")
    assert [mark for mark, _ in problems_of(text)] == [Mark(3, 59)]


def test_a_default_of_patch_documents_is_not_for_other_documents() -> None:
    plan = parse_plan(WHOLE.replace("{targets: [web]}", "{document: AWS-RunShellScript}"), "plan.yaml")
    assert plan.windows["Web-Server"].tasks["patch"].document == "AWS-RunShellScript"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plan.yaml:1:1: is empty; a plan needs at least a name"),
        ("- name", "plan.yaml:1:1: the plan is a list, expected a mapping"),
        ("name: a\x01", "plan.yaml:1:8: is not YAML: special characters are not allowed"),
        ("name: one\n---\nname: two", "plan.yaml:2:1: is not YAML"),
        ("name: &a {b: *a}", "plan.yaml:1:7: the plan: name is a mapping, expected a name of 3 to 128"),
        ("[a]: b\nname: abc", "plan.yaml:1:1: the plan: a key must be a word, not a list"),
    ],
)
def test_a_file_that_is_no_plan_is_refused(text: str, message: str) -> None:
    with pytest.raises(PlanProblems) as caught:
        parse_plan(text, "plan.yaml")
    assert str(caught.value).startswith(message)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanProblems, match=r"absent.yaml:1:1: cannot be read: No such file or directory"):
        read_plan(tmp_path / "absent.yaml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"name: \xff")
    with pytest.raises(PlanProblems, match=r"binary.yaml:1:1: is not UTF-8 text"):
        read_plan(path)
