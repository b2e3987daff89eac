"""One transaction, and the rows it can reach."""

import sqlalchemy as sa

from patchwindow.store.baselines import Baselines, PatchGroups
from patchwindow.store.commands import Commands, Invocations
from patchwindow.store.executions import Executions
from patchwindow.store.messages import Messages
from patchwindow.store.nodes import Activations, Nodes
from patchwindow.store.patch_states import Facts, PatchStates
from patchwindow.store.rows import Insert
from patchwindow.store.settings import AccessKeys, ClientTokens, Settings
from patchwindow.store.tags import Tags
from patchwindow.store.windows import Windows, WindowTargets, WindowTasks


class Work:
    """What an operation or an engine step reads and writes; the caller owns the transaction."""

    def __init__(self, connection: sa.Connection, insert: Insert) -> None:
        self._woken: list[str] = []
        rows = (connection, insert)
        self.settings = Settings(*rows)
        self.access_keys = AccessKeys(*rows)
        self.client_tokens = ClientTokens(*rows)
        self.tags = Tags(*rows)
        self.baselines = Baselines(*rows)
        self.patch_groups = PatchGroups(*rows)
        self.windows = Windows(*rows)
        self.window_targets = WindowTargets(*rows)
        self.window_tasks = WindowTasks(*rows)
        self.executions = Executions(*rows)
        self.commands = Commands(*rows)
        self.invocations = Invocations(*rows)
        self.messages = Messages(*rows)
        self.activations = Activations(*rows)
        self.nodes = Nodes(*rows)
        self.facts = Facts(*rows)
        self.patch_states = PatchStates(*rows)

    def wake(self, name: str) -> None:
        """Wake who waits for *name* (the engine, or a node by id) once this transaction is committed."""
        self._woken.append(name)

    @property
    def woken(self) -> tuple[str, ...]:
        """Who is to be woken after the commit."""
        return tuple(dict.fromkeys(self._woken))
