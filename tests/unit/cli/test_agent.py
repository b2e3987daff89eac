"""`patchwindow agent` hands itself over to the agent."""

import json
import os
import subprocess
import sys
from pathlib import Path

RUN = "from patchwindow.cli import main; main()"
STAND_IN = "import json, sys; print(json.dumps({'arguments': sys.argv[1:], 'safe': sys.flags.safe_path})); sys.exit(7)"


def test_the_agent_gets_every_argument_and_its_exit_code_is_ours(tmp_path: Path) -> None:
    package = tmp_path / "patchwindow_agent"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(STAND_IN)
    arguments = ["run", "--help", "--state", "/var/lib/x", "--", "-h"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, "agent", *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == 7
    assert json.loads(done.stdout) == {"arguments": arguments, "safe": True}
