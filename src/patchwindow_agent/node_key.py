"""The secret that signs for this node: kept with the registration, and changed when the server asks for another.

The next secret is on disk before the server hears of it, and the former one stays there: an answer that is lost leaves
open which of two the server has, and a server that is put back to an earlier state has the former one. Which it is, the
server says by what it accepts.
"""

from pathlib import Path
from typing import Optional, Sequence

from patchwindow_agent import files, identity
from patchwindow_agent.errors import StateProblem
from patchwindow_agent.identity import Identity

# Apart from the registration, which programs before this one read as well: after a way back they must find it whole.
FILE = "other-secrets.json"


def forget_others(state: Path) -> None:
    """Forget what earlier registrations of *state* may have signed with.

    Raises:
        StateProblem: it cannot be forgotten.
    """
    try:
        (state / FILE).unlink(missing_ok=True)
    except OSError as problem:
        raise StateProblem(f"cannot remove {state / FILE}: {problem.strerror}") from problem


class NodeKey:
    """The secrets of one node; without a folder they are read and never changed."""

    def __init__(self, registered: Identity, state: Optional[Path] = None) -> None:
        """Take the secret of *registered*, and the others that *state* holds; where they cannot be read, none."""
        self._registered = registered
        self._state = state
        self._next = self._former = ""
        if state is not None:
            try:
                told = files.read_json(state / FILE)
            except (FileNotFoundError, StateProblem):
                told = {}
            self._next, self._former = str(told.get("next") or ""), str(told.get("former") or "")

    @property
    def secret(self) -> str:
        """Return the secret that is signed with."""
        return self._registered.secret

    @property
    def others(self) -> Sequence[str]:
        """Return what the server may have instead, the likelier first."""
        return [secret for secret in (self._next, self._former) if secret]

    @property
    def may_change(self) -> bool:
        """Return whether this process is the one that keeps the secrets."""
        return self._state is not None

    def prepare(self) -> str:
        """Return the next secret, the same until it is adopted.

        Raises:
            StateProblem: it cannot be kept.
        """
        if not self._next:
            self._save(next_secret=identity.new_secret(), former=self._former)
        return self._next

    def adopt(self, secret: str) -> None:
        """Sign with *secret*, one of the others, from now on: it is the one that the server has.

        Raises:
            StateProblem: it cannot be kept; on disk it is still among the others.
        """
        assert self._state is not None, "without a folder there are no others"
        if identity.load(self._state).node_id != self._registered.node_id:
            raise StateProblem(f"{self._state} holds the registration of another node meanwhile: start the agent again")
        former = self.secret
        self._registered = self._registered._replace(secret=secret)
        # In this order: at each instant one of the files has the secret that the server has.
        identity.save(self._registered, self._state)
        self._save(next_secret="", former=former)

    def _save(self, *, next_secret: str, former: str) -> None:
        assert self._state is not None, "asked of the process that keeps the secrets alone"
        files.write_json(self._state / FILE, {"next": next_secret, "former": former})
        self._next, self._former = next_secret, former
