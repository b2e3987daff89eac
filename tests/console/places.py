"""Something that there is, for each name that the URL of a page has in it."""

from tests.fakes.fleet import Fleet


def places(fleet: Fleet) -> dict[str, str]:
    """Return a value for every name."""
    window = fleet.windows["Web Server"]
    execution = fleet.world.execution(window)
    (task,) = fleet.world.tasks(window)
    (invocation,) = fleet.world.invocations(task)
    return {
        "window_id": window,
        "execution_id": execution["WindowExecutionId"],
        "command_id": invocation["ExecutionId"],
        "title": "bash.amd64:1",
        "node_id": next(one.node_id for one in fleet.members if one.group == "Web Server"),
    }
