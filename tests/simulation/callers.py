"""What callers of the API do in a world: they plan, send, cancel, change, disable and delete."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.compliance import CONTENTS, GROUP_TAG, PATCH_GROUPS, SYSTEM
from tests.simulation.plans import GROUPS, RINGS, Plans
from tests.simulation.rules import Rule

from patchwindow.domain.opening import parse_instant

if TYPE_CHECKING:
    from tests.simulation.world import World

_AGAIN_S: Final = 60


class Callers:
    """All who call the API, but for nodes."""

    def __init__(self, world: "World", plans: Plans) -> None:
        self._world = world
        self._random = world.random
        self._plans = plans
        self._law = world.law
        self._baselines: list[str] = []

    def begin(self, hours: int, *, is_large: bool) -> None:
        """Plan some windows at once, and draw what is done within so many hours."""
        draw, world = self._random, self._world
        for name in GROUPS:
            world.ask("CreateGroup", Name=name, ResourceQuery=self._plans.group(name))
        for _ in range(1 if is_large else draw.choice([0, 1, 1, 2, 3])):
            self._make_window(hours)
        for _ in range(draw.choice([0, 1, 2])):
            world.come(world.any_time_s(hours), self._send)
        changes: list[Callable[[], None]] = [
            self._send,
            partial(self._make_window, hours),
            self._cancel_command,
            self._cancel_command,
            self._cancel_execution,
            self._deregister_nodes,
            self._change_times,
            self._change_length,
            self._switch,
            self._switch,
            self._delete,
            self._change_target,
            self._change_task,
            self._deregister_part,
            self._add_part,
            self._tag,
            self._change_group,
            partial(world.add_nodes, 1),
            self._ask_when,
            self._ask_when,
        ]
        for _ in range(draw.choice([0, 2, 4, 8])):
            world.come(world.any_time_s(hours), draw.choice(changes))
        if world.is_full:
            self._begin_associations(hours)
            self._begin_baselines(hours)

    # Windows

    def _make_window(self, hours: int) -> None:
        world = self._world
        members = {**self._plans.window(), **self._world.freezes.tags}
        token = f"token-{world.ids.hex(8)}"
        made = world.ask("CreateMaintenanceWindow", **members, ClientToken=token)
        if made is None:
            # Whether it was made, a caller finds out by the same request.
            world.come(_AGAIN_S, partial(self._make_again, members, token, hours))
        else:
            self._fill(made["WindowId"], members, hours)
            if self._random.random() < 0.3:
                self._send_again(members, token)

    def _make_again(self, members: dict[str, Any], token: str, hours: int) -> None:
        window_id = self._send_again(members, token)
        if window_id is None:
            self._world.come(_AGAIN_S, partial(self._make_again, members, token, hours))
        elif self._is_there(window_id):
            self._fill(window_id, members, hours)

    def _send_again(self, members: dict[str, Any], token: str) -> str | None:
        made = self._world.ask("CreateMaintenanceWindow", **members, ClientToken=token)
        if made is None:
            return None
        named = [id for id, one in self._law.windows.items() if one.name == members["Name"]]
        self._law.checks.hold(Rule.DONE_ONCE, named == [made["WindowId"]], f"{named} were made for {made}")
        return str(made["WindowId"])

    def _fill(self, window_id: str, members: dict[str, Any], hours: int) -> None:
        draw, world = self._random, self._world
        if "EndDate" not in members:
            world.come(hours * 3600, partial(self._delete_for_good, window_id))
        self._look_up(window_id)
        target_ids = [id for _ in range(draw.randint(1, 3)) if (id := self._register_target(window_id))]
        for _ in range(draw.choice([0, 1, 2, 3])):
            self._register_task(window_id, target_ids)
        for _ in range(draw.choice([0, 1, 2])):
            world.come(world.any_time_s(hours), partial(self._look_up, window_id))

    def _look_up(self, window_id: str) -> None:
        """Ask for a window: what it is, is kept; when it opens next, must come true."""
        if not self._is_there(window_id):
            return
        found = self._world.ask("GetMaintenanceWindow", WindowId=window_id)
        if found is not None:
            self._world.ledger.window(found)
            told = found.get("NextExecutionTime")
            at = None if told is None else parse_instant("NextExecutionTime", told)
            self._law.windows[window_id].told(at, self._world.asked_at)

    def _ask_when(self) -> None:
        for window_id in self._there():
            self._look_up(window_id)

    def _change(self, window_id: str, **members: Any) -> None:
        world = self._world
        answer = world.ask("UpdateMaintenanceWindow", WindowId=window_id, **members)
        world.note(f"{window_id} is changed: {members}")
        if answer is None:
            world.ledger.forget(window_id)
        else:
            world.ledger.window(answer)

    def _change_times(self) -> None:
        if window_id := self._any_window():
            self._change(window_id, **self._without_offset(window_id, self._plans.times()))

    def _without_offset(self, window_id: str, times: dict[str, Any]) -> dict[str, Any]:
        """Return *times* so that they can be merged: an offset that is there cannot be taken away so."""
        window = self._law.windows[window_id].window
        if window is not None and window.schedule_offset and not times["Schedule"].startswith("cron("):
            return {"ScheduleTimezone": "UTC"}
        return times

    def _change_length(self) -> None:
        if window_id := self._any_window():
            self._change(window_id, **self._plans.length())

    def _switch(self) -> None:
        if window_id := self._any_window():
            window = self._law.windows[window_id].window
            self._change(window_id, Enabled=not window.enabled if window else True)

    def _delete(self) -> None:
        if window_id := self._any_window():
            self._delete_one(window_id)

    def _delete_one(self, window_id: str) -> bool:
        world = self._world
        answer = world.ask("DeleteMaintenanceWindow", WindowId=window_id)
        if answer is None:
            world.ledger.forget(window_id)
            return False
        world.ledger.no_window(window_id)
        return True

    def _delete_for_good(self, window_id: str) -> None:
        """Delete a window that would open for ever; what was not answered is asked again."""
        if not self._delete_one(window_id):
            self._world.come(_AGAIN_S, partial(self._delete_for_good, window_id))

    # Targets and tasks

    def _register_target(self, window_id: str) -> str | None:
        targets = self._plans.target()
        request = {"WindowId": window_id, "ResourceType": _kind_of(targets), "Targets": targets}
        return self._registered(window_id, "Target", request)

    def _register_task(self, window_id: str, target_ids: list[str]) -> None:
        if target_ids:
            self._registered(window_id, "Task", {"WindowId": window_id, **self._plans.task(target_ids)})

    def _registered(self, window_id: str, kind: str, request: dict[str, Any]) -> str | None:
        answer = self._world.ask(f"Register{kind}WithMaintenanceWindow", **request)
        if answer is None:
            return None
        id: str = answer[f"Window{kind}Id"]
        self._world.ledger.part(window_id, kind, id, is_there=True)
        return id

    def _any_part(self, kind: str) -> dict[str, Any] | None:
        window_id = self._any_window()
        answer = window_id and self._world.ask(f"DescribeMaintenanceWindow{kind}s", WindowId=window_id)
        return self._random.choice(answer[f"{kind}s"]) if answer and answer[f"{kind}s"] else None

    def _add_part(self) -> None:
        if window_id := self._any_window():
            target_id = self._register_target(window_id)
            self._register_task(window_id, [target_id] if target_id else [])

    def _change_target(self) -> None:
        part, targets = self._any_part("Target"), self._plans.target()
        if part and _kind_of(part["Targets"]) == _kind_of(targets):
            request = {"WindowId": part["WindowId"], "WindowTargetId": part["WindowTargetId"], "Targets": targets}
            self._world.ask("UpdateMaintenanceWindowTarget", **request)

    def _change_task(self) -> None:
        if part := self._any_part("Task"):
            request = {"WindowId": part["WindowId"], "WindowTaskId": part["WindowTaskId"]}
            self._world.ask("UpdateMaintenanceWindowTask", **request, Priority=self._random.randint(0, 5))

    def _deregister_part(self) -> None:
        kind = self._random.choice(["Target", "Task"])
        if part := self._any_part(kind):
            window_id, id = part["WindowId"], part[f"Window{kind}Id"]
            request = {"WindowId": window_id, f"Window{kind}Id": id}
            if self._world.ask(f"Deregister{kind}FromMaintenanceWindow", **request) is None:
                self._world.ledger.forget(window_id)
            else:
                self._world.ledger.part(window_id, kind, id, is_there=False)

    # Associations

    def _begin_associations(self, hours: int) -> None:
        draw, world = self._random, self._world
        for _ in range(draw.randint(1, 2)):
            self._associate()
        for what in draw.choices([self._associate, self._run_now, self._dissociate], k=draw.randrange(4)):
            world.come(world.any_time_s(hours), what)
        world.come(hours * 3600, self._dissociate_all)

    def _associate(self) -> None:
        self._world.ask("CreateAssociation", **self._plans.association())

    def _run_now(self) -> None:
        if ids := self._law.associations.ids:
            self._world.ask("StartAssociationsOnce", AssociationIds=[self._random.choice(ids)])

    def _dissociate(self) -> None:
        if ids := self._law.associations.ids:
            self._world.ask("DeleteAssociation", AssociationId=self._random.choice(ids))

    def _dissociate_all(self) -> None:
        """Delete what would run for ever; what was not answered is asked again."""
        for id in self._law.associations.ids:
            self._world.ask("DeleteAssociation", AssociationId=id)
        if self._law.associations.ids:
            self._world.come(_AGAIN_S, self._dissociate_all)

    # Baselines

    def _begin_baselines(self, hours: int) -> None:
        draw, world = self._random, self._world
        for number in range(2):
            made = world.ask("CreatePatchBaseline", Name=f"own-{number}", OperatingSystem=SYSTEM)
            self._baselines += [] if made is None else [made["BaselineId"]]
        changes = [
            self._change_baseline,
            self._change_baseline,
            self._make_default,
            self._register_group,
            self._regroup,
        ]
        for what in draw.choices(changes, k=draw.choice([3, 6, 12])):
            world.come(draw.uniform(0, hours * 3600), what)

    def _change_baseline(self) -> None:
        for id in self._baselines[: self._random.randint(1, 2)]:
            self._world.ask("UpdatePatchBaseline", BaselineId=id, **self._random.choice(CONTENTS))

    def _make_default(self) -> None:
        if self._baselines:
            self._world.ask("RegisterDefaultPatchBaseline", BaselineId=self._random.choice(self._baselines))

    def _register_group(self) -> None:
        group = self._random.choice(PATCH_GROUPS)
        for id in self._baselines:
            self._world.ask("DeregisterPatchBaselineForPatchGroup", BaselineId=id, PatchGroup=group)
        if self._baselines and self._random.random() < 0.8:
            id = self._random.choice(self._baselines)
            self._world.ask("RegisterPatchBaselineForPatchGroup", BaselineId=id, PatchGroup=group)

    def _regroup(self) -> None:
        for id in self._random.sample(self._world.node_ids, min(len(self._world.node_ids), 3)):
            resource = {"ResourceType": "ManagedInstance", "ResourceId": id}
            if self._random.random() < 0.3:
                self._world.ask("RemoveTagsFromResource", **resource, TagKeys=[GROUP_TAG])
            else:
                tags = [{"Key": GROUP_TAG, "Value": self._random.choice(PATCH_GROUPS)}]
                self._world.ask("AddTagsToResource", **resource, Tags=tags)

    # Commands, executions and nodes

    def _send(self) -> None:
        answer = self._world.ask("SendCommand", **self._plans.command())
        if answer is not None:
            self._world.ledger.command(answer["Command"]["CommandId"])

    def _cancel_command(self) -> None:
        draw, commands = self._random, self._law.commands
        if ids := [id for id, one in commands.items() if not one.has_ended] or sorted(commands):
            id = draw.choice(ids)
            nodes = sorted(commands[id].nodes)
            some = draw.sample(nodes, min(len(nodes), draw.choice([0, 0, 1, 3])))
            self._world.ask("CancelCommand", CommandId=id, InstanceIds=some)

    def _cancel_execution(self) -> None:
        executions = self._law.executions
        if ids := [id for id, one in executions.items() if not one.has_ended] or sorted(executions):
            self._world.ask("CancelMaintenanceWindowExecution", WindowExecutionId=self._random.choice(ids))

    def _deregister_nodes(self) -> None:
        ids = self._world.node_ids
        for id in self._random.sample(ids, min(len(ids), self._random.choice([1, 1, 3]))):
            self._world.ask("DeregisterManagedInstance", InstanceId=id)

    def _tag(self) -> None:
        for id in self._random.sample(self._world.node_ids, min(len(self._world.node_ids), 2)):
            resource = {"ResourceType": "ManagedInstance", "ResourceId": id}
            if self._random.random() < 0.3:
                self._world.ask("RemoveTagsFromResource", **resource, TagKeys=["tier"])
            else:
                tags = [{"Key": "ring", "Value": self._random.choice(RINGS)}]
                self._world.ask("AddTagsToResource", **resource, Tags=tags)

    def _change_group(self) -> None:
        name = self._random.choice([*GROUPS])
        if self._random.random() < 0.3:
            self._world.ask("DeleteGroup", Group=name)
        else:
            self._world.ask("UpdateGroupQuery", Group=name, ResourceQuery=self._plans.group(name))

    # What there is

    def _is_there(self, window_id: str) -> bool:
        return self._law.windows[window_id].window is not None

    def _there(self) -> list[str]:
        return [id for id in self._law.windows if self._is_there(id)]

    def _any_window(self) -> str | None:
        ids = self._there()
        return self._random.choice(ids) if ids else None


def _kind_of(targets: list[dict[str, Any]]) -> str:
    return "RESOURCE_GROUP" if targets[0]["Key"].startswith("resource-groups:") else "INSTANCE"
