"""The interpreter against what Microsoft documents of PowerShell 5.1, so that scripts fall over here what they fall over there."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.edge import Edge
from tests.powershell.interpreter import outputs
from tests.powershell.machine import Machine
from tests.powershell.running import Exit
from tests.powershell.values import NotKnown, Thrown

# Expressions by the page that says what they are worth.
_DOCUMENTED: dict[str, dict[str, Any]] = {
    "about_Comparison_Operators": {
        "'ABC' -eq 'abc'": True,
        "1 -eq '1'": True,
        "'1' -eq 1": True,
        "1 -eq 'one'": False,
        "$null -eq $null": True,
        "0 -eq $null": False,
        "'' -eq $null": False,
        "$false -eq $null": False,
        "$true -eq 'False'": True,
        "1,2,3 -eq 2": [2],
        "@(1,2,3 -eq 4).Count": 0,
        "@($null, 1, $null -eq $null).Count": 2,
        "1,2,3 -ne 2": [1, 3],
        "1,2,3 -gt 1": [2, 3],
        "10 -gt '9'": True,
        "2 -le 2": True,
        "1,2 -contains 2": True,
        "1,2 -contains '2'": True,
        "'a','b' -notcontains 'A'": False,
        "'2' -contains 2": True,
        "'patchwindow' -like 'Patch*'": True,
        "'patchwindow' -notlike '*other*'": True,
        "'a1b22' -replace '\\D', ''": "122",
        "'KB5' -replace 'kb', ''": "5",
    },
    "about_Booleans": {
        "-not ''": True,
        "-not '0'": False,
        "-not 0": True,
        "-not @()": True,
        "-not @(0)": True,
        "-not @('')": True,
        "-not @(0, 0)": False,
        "-not @{}": False,
        "-not $null": True,
        "$true -and 'x'": True,
        "$false -and (Remove-Item -LiteralPath 'never')": False,
        "0 -or @()": False,
    },
    "about_Arithmetic_Operators": {
        "1 + '2'": 3,
        "'1' + 2": "12",
        "'a' + $null": "a",
        "$null + 1": 1,
        "7 - '2'": 5,
        "2 * 3 + 1": 7,
        "2 + 3 * 2": 8,
        "1,2 + 3": [1, 2, 3],
        "@() + 'a'": ["a"],
        "@(1) + @(2, 3)": [1, 2, 3],
        "(@(1) + $null).Count": 2,
        "1 - -1": 2,
        "1 -bor 6": 7,
    },
    "about_Arrays": {
        "@(1).Count": 1,
        "@().Count": 0,
        "@($null).Count": 1,
        "@(@(1, 2)).Count": 2,
        "$null.Count": 0,
        "(1,2,3)[-1]": 3,
        "(1,2,3)[7]": None,
        "(1,2,3)[0..1]": [1, 2],
        "(3)..1": [3, 2, 1],
        "(,1).Count": 1,
        "(, @(1, 2)).Count": 1,
        "@(foreach ($each in $null) { 1 }).Count": 0,
        "@(foreach ($each in @($null)) { 1 }).Count": 1,
    },
    "about_Hash_Tables": {
        "@{ a = 1 }.A": 1,
        "@{ a = 1 }['A']": 1,
        "@{ a = 1 }.other": None,
        "@{ a = 1; b = 2 }.Count": 2,
        "@{ Count = 7 }.Count": 7,
        "@{ a = @() }.a.Count": 0,
        "@{ 'x' = $true }.ContainsKey('X')": True,
    },
    "about_Quoting_Rules": {
        '"$(1 + 1) and ${true}"': "2 and True",
        "'$none'": "$none",
        "'it''s'": "it's",
        '"$(@(1, 2))"': "1 2",
        '"[$($null)]"': "[]",
        "\"$(@{ a = 'b' }.a)!\"": "b!",
    },
    "about_Split, about_Join, about_Operators": {
        "1,2 -join ', '": "1, 2",
        "@() -join ', '": "",
        "'0x{0:X8}' -f -2145124330": "0x80240016",
        "[int]'5'": 5,
        "[int64]3": 3,
    },
    "about_Pipelines": {
        "@(1,2 | ForEach-Object { $_ + 1 })": [2, 3],
        "@(3,1 | Where-Object { $_ -gt 2 }).Count": 1,
        "@($null | ForEach-Object { 1 }).Count": 1,
        "@(@() | ForEach-Object { 1 }).Count": 0,
        "@('b','A' | Sort-Object)": ["A", "b"],
        "& { 1 }": 1,
    },
}
DOCUMENTED = [(page, source, value) for page, sources in _DOCUMENTED.items() for source, value in sources.items()]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    edge = Edge(tmp_path_factory.mktemp("machine"))
    yield Machine(edge)
    edge.close()


@pytest.mark.parametrize(("page", "source", "value"), DOCUMENTED)
def test_an_expression_is_worth_what_is_documented(machine: Machine, page: str, source: str, value: Any) -> None:
    assert outputs(f", ({source})", machine) == [value], page


SCRIPTS: dict[str, tuple[str, list[Any]]] = {
    "what a function leaves leaks into what it returns": (
        "function Get-It { 'leaked'; return 'meant' }\n$it = Get-It\n$it",
        ["leaked", "meant"],
    ),
    "an array of one becomes its element on its way out": (
        "function Get-It { return @(1) }\n$it = Get-It\n$it + 1",
        [2],
    ),
    "an array of one stays one behind a comma": ("function Get-It { return , @(1) }\n$it = Get-It\n$it.Count", [1]),
    "an empty array is no output at all": (
        "function Get-It { return @() }\n$it = Get-It\n$null -eq $it\n@(Get-It).Count",
        [True, 0],
    ),
    "no output is $null as an argument": (
        "function Get-None { $log = 1 }\nfunction Test-It { param($It)\n$null -eq $It }\n$none = Get-None\nTest-It $none\n@($none).Count",
        [True, 0],
    ),
    "a function sees the variables of its caller, and changes its own": (
        "function Set-It { $it += 1\n$it }\n$it = 1\nSet-It\n$it",
        [2, 1],
    ),
    "a table is handed over and not copied": (
        "function Set-It { $it.a += 1 }\n$it = @{ a = 1 }\nSet-It\n$it.a",
        [2],
    ),
    "names of functions, variables and members look past case": (
        "function Get-It { param($Value)\n$value.A }\nget-it @{ a = 'x' }",
        ["x"],
    ),
    "arguments that are left out are $null": ("function Get-It { param($A, $B)\n$null -eq $B }\nGet-It 1", [True]),
    "finally runs on every way out": (
        (
            "function Get-It { try { return 1 } finally { $log.a += 1 } }\n$log = @{ a = 0 }\nGet-It\n"
            "foreach ($i in @(1, 2)) { try { continue } finally { $log.a += 1 } }\n$log.a"
        ),
        [1, 3],
    ),
    "an error passes finally and is caught outside": (
        "try { try { throw 'no' } finally { 'cleaned' } } catch { $_.Exception.Message }",
        ["cleaned", "no"],
    ),
    "a bare throw throws what was caught": (
        "try { try { throw 'first' } catch { throw } } catch { $_.Exception.Message }",
        ["first"],
    ),
    "the error of a method is wrapped, and the base of it is not": (
        (
            "try { 'abc'.Substring(2, 5) } catch { $_.Exception.Message -like 'Exception calling*'\n"
            "$_.Exception.GetBaseException().Message -like 'Index*' }"
        ),
        [True, True],
    ),
    "a method of $null is an error, a member of it is $null": (
        "$none = $null\n$null -eq $none.a.b\ntry { $none.Trim() } catch { 'caught' }",
        [True, "caught"],
    ),
    "a cmdlet that fails silently has no output": (
        "@(Get-ItemProperty -LiteralPath 'HKLM:\\none' -ErrorAction SilentlyContinue).Count",
        [0],
    ),
    "a loop is left by break, and a turn by continue": (
        "for ($i = 0; $i -lt 9; $i++) { if ($i -eq 1) { continue }\nif ($i -eq 3) { break }\n$i }",
        [0, 2],
    ),
    "while and elseif": (
        "$i = 0\nwhile ($true) { $i += 1\nif ($i -eq 1) { 'a' } elseif ($i -eq 2) { 'b' } else { break } }",
        ["a", "b"],
    ),
    "a list grows by +=, in a table too": ("$t = @{ a = @() }\n$t.a += 'x'\n$t.a += 'y'\n$t.a.Count", [2]),
    "JSON comes back as it went": (
        (
            "$told = ConvertFrom-Json (ConvertTo-Json @{ a = @(1); b = @(); c = $null; d = @{ e = 'f' } } -Depth 8 -Compress)\n"
            "$told.a.Count\n$told.b.Count\n$null -eq $told.c\n$told.D.E"
        ),
        [1, 0, True, "f"],
    ),
    "a void method leaves nothing": ("[Console]::Out.WriteLine('x')", []),
    "a cast to void leaves nothing": ("[void]'x'", []),
    "a script block that is called has variables of its own": ("$a = 1\n& { $a = 2 }\n$a", [1]),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_script_does_what_is_documented(machine: Machine, what: str) -> None:
    script, expected = SCRIPTS[what]
    assert outputs(script, machine) == expected


def test_exit_ends_a_script_from_within_a_function_and_a_try_and_runs_finally(machine: Machine) -> None:
    with pytest.raises(Exit) as ended:
        outputs(
            "function Stop-It { try { exit 3 } catch { 'no' } finally { $log.a = 1 } }\n$log = @{}\nStop-It", machine
        )
    assert ended.value.code == 3


@pytest.mark.parametrize(
    "script",
    [
        "1 / 2",
        "$unset",
        "Get-Process",
        "'a'.PadLeft(3)",
        "[IO.File]::Delete('x')",
        "New-Object Net.Sockets.TcpClient",
        "switch (1) { 1 { 2 } }",
        "$a = $b = 1",
        '"`t"',
        "try { 1 } catch [IO.IOException] { throw 'x' }; try { throw 'x' } catch [IO.IOException] { 1 }",
        "1 | ForEach-Object { return 1 }",
        "'b' -lt 'a'",
        "'{0:N}' -f 1",
        "ConvertTo-Json @{ a = @{ b = @{ c = 1 } } } -Depth 1 -Compress",
        "Start-Sleep -Milliseconds 1",
        "function Get-It { param($A) }\nGet-It 1 2",
        "function Get-It { param($A) }\nGet-It -A 1",
    ],
)
def test_what_the_interpreter_does_not_know_ends_the_run_loudly(machine: Machine, script: str) -> None:
    with pytest.raises(NotKnown):
        outputs(script, machine)


def test_a_catch_does_not_catch_what_is_not_known(machine: Machine) -> None:
    with pytest.raises(NotKnown):
        outputs("try { Get-Process } catch { 'caught' }", machine)


def test_what_is_no_powershell_does_not_run(machine: Machine) -> None:
    with pytest.raises(Thrown, match="ParseException"):
        outputs("'before'\nif (", machine)
