"""One transaction, and the rows it can reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import sqlalchemy as sa

from patchwindow.store.association_runs import AssociationRuns
from patchwindow.store.associations import Associations
from patchwindow.store.baselines import Baselines, PatchGroups
from patchwindow.store.calendar_feeds import CalendarFeeds
from patchwindow.store.catalog import Catalog
from patchwindow.store.catalog_age import CatalogAge
from patchwindow.store.changes import Changes
from patchwindow.store.cohorts import Cohorts
from patchwindow.store.commands import Commands
from patchwindow.store.compliance_items import ComplianceItems
from patchwindow.store.concerns import Concerns
from patchwindow.store.documents import Documents
from patchwindow.store.evaluations import Evaluations, Facts
from patchwindow.store.executions import Executions
from patchwindow.store.fleet import Fleet
from patchwindow.store.fleet_patches import FleetPatches
from patchwindow.store.forecasts import Forecasts
from patchwindow.store.history import Chores, Scans, Trend
from patchwindow.store.inventory import Inventory
from patchwindow.store.invocations import Invocations
from patchwindow.store.messages import Messages
from patchwindow.store.nodes import Activations, Nodes
from patchwindow.store.notices import Notices
from patchwindow.store.output import Output
from patchwindow.store.patch_operations import PatchOperations
from patchwindow.store.patch_states import PatchStates
from patchwindow.store.people import People
from patchwindow.store.prepared import direct
from patchwindow.store.resource_groups import ResourceGroups
from patchwindow.store.rows import Insert, Rows
from patchwindow.store.service_settings import ServiceSettings
from patchwindow.store.settings import AccessKeys, ClientTokens, Settings
from patchwindow.store.snapshots import Snapshots
from patchwindow.store.tags import Tags
from patchwindow.store.webhooks import WebhookCalls, Webhooks
from patchwindow.store.windows import Windows, WindowTargets, WindowTasks

R = TypeVar("R", bound=Rows)


class _Repository(Generic[R]):
    """A repository of a transaction, made when it is first asked for: most transactions need few of them."""

    def __init__(self, kind: type[R]) -> None:
        self._kind = kind

    def __set_name__(self, owner: type["Work"], name: str) -> None:
        self._name = name

    def __get__(self, work: "Work", owner: type["Work"]) -> R:
        # What stands in the instance's own dictionary is found there from now on, without coming here.
        made = work.__dict__[self._name] = self._kind(*work.basis)
        return made


class Work:
    """What an operation or an engine step reads and writes; the caller owns the transaction."""

    settings = _Repository(Settings)
    access_keys = _Repository(AccessKeys)
    people = _Repository(People)
    calendar_feeds = _Repository(CalendarFeeds)
    changes = _Repository(Changes)
    service_settings = _Repository(ServiceSettings)
    client_tokens = _Repository(ClientTokens)
    tags = _Repository(Tags)
    baselines = _Repository(Baselines)
    patch_groups = _Repository(PatchGroups)
    snapshots = _Repository(Snapshots)
    resource_groups = _Repository(ResourceGroups)
    windows = _Repository(Windows)
    window_targets = _Repository(WindowTargets)
    window_tasks = _Repository(WindowTasks)
    executions = _Repository(Executions)
    webhooks = _Repository(Webhooks)
    webhook_calls = _Repository(WebhookCalls)
    associations = _Repository(Associations)
    association_runs = _Repository(AssociationRuns)
    documents = _Repository(Documents)
    commands = _Repository(Commands)
    invocations = _Repository(Invocations)
    output = _Repository(Output)
    messages = _Repository(Messages)
    activations = _Repository(Activations)
    nodes = _Repository(Nodes)
    facts = _Repository(Facts)
    evaluations = _Repository(Evaluations)
    cohorts = _Repository(Cohorts)
    patch_operations = _Repository(PatchOperations)
    patch_states = _Repository(PatchStates)
    compliance_items = _Repository(ComplianceItems)
    concerns = _Repository(Concerns)
    inventory = _Repository(Inventory)
    scans = _Repository(Scans)
    fleet = _Repository(Fleet)
    fleet_patches = _Repository(FleetPatches)
    forecasts = _Repository(Forecasts)
    trend = _Repository(Trend)
    chores = _Repository(Chores)
    catalog = _Repository(Catalog)
    catalog_age = _Repository(CatalogAge)
    notices = _Repository(Notices)

    def __init__(self, connection: sa.Connection, insert: Insert) -> None:
        self._woken: list[str] = []
        self.basis = (connection, insert, direct(connection))
        """What every repository is built from."""

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Take back what was written since, and nothing else, when an exception leaves this."""
        connection, *_ = self.basis
        with connection.begin_nested():
            yield

    def wake(self, name: str) -> None:
        """Wake who waits for *name* (the engine, or a node by id) once this transaction is committed."""
        self._woken.append(name)

    def forget_woken(self) -> None:
        """Wake nobody for what was done so far; it was taken back, or somebody has noted who is to be woken."""
        self._woken.clear()

    @property
    def woken(self) -> tuple[str, ...]:
        """Who is to be woken after the commit."""
        return tuple(dict.fromkeys(self._woken))
