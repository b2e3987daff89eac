"""The command line in this process, against a running server: a process of its own costs more than most commands."""

from dataclasses import dataclass, field
from typing import Any

from click.testing import CliRunner
from tests.fakes.commandline import Done
from tests.fakes.server import Plane

from patchwindow.cli.root import root
from patchwindow.store.settings import AccessKey


@dataclass(frozen=True, slots=True)
class Here:
    """Whoever has *key*, at the server."""

    plane: Plane
    key: AccessKey
    _clients: dict[str, Any] = field(default_factory=dict)

    def patchwindow(self, *words: str, exit_code: int = 0) -> Done:
        """Run the command to its end, which must have *exit_code*."""
        result = CliRunner().invoke(root, words, prog_name="patchwindow", obj=self._connect)
        assert result.exit_code == exit_code, f"{words}: {result.output}\n{result.exc_info}"
        return Done(result.exit_code, result.stdout, result.stderr)

    def _connect(self, *, service: str = "ssm", **_: str | None) -> Any:
        if service not in self._clients:
            self._clients[service] = self.plane.connect(self.key, service=service)
        return self._clients[service]
