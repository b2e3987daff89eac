"""An interpreter of the part of PowerShell that the patch operation is written in, and of no more.

It knows the rules that scripts fall over: output that leaks, arrays of one that become their element, errors that wrap
errors, variables that are seen by what is called. What it does not know ends the test.
"""

from typing import Any

from tests.powershell.commands import COMMANDS
from tests.powershell.expressions import EXPRESSIONS
from tests.powershell.running import Run, System, compiled
from tests.powershell.statements import STATEMENTS


def outputs(script: str, system: System) -> list[Any]:
    """Run a script and return what it leaves in the pipeline.

    Raises:
        Exit: it ended with `exit`.
        Thrown: an error that it does not catch.
        NotKnown: it uses what the interpreter does not know.
    """
    return Run(system, STATEMENTS, {**EXPRESSIONS, **COMMANDS}).outputs(compiled(script).root)
