"""The filters of ListAssociations."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self

from patchwindow.domain.association import Association
from patchwindow.domain.opening import parse_instant
from patchwindow.operations.association_nodes import is_for
from patchwindow.operations.association_overview import status_of
from patchwindow.operations.call import Call, bare_id
from patchwindow.operations.tags import NODE
from patchwindow.operations.targeting import GROUP_NAME, group_queries

Condition = Callable[[Call, Association, str], bool]


def _is_of_group(_: Call, association: Association, value: str) -> bool:
    return any(target.key == GROUP_NAME and value in target.values for target in association.targets or ())


def _ran_before(call: Call, association: Association, value: str) -> bool:
    latest = call.work.association_runs.latest(association.association_id)
    return latest is not None and latest.created_at < parse_instant("LastExecutedBefore", value)


def _ran_after(call: Call, association: Association, value: str) -> bool:
    latest = call.work.association_runs.latest(association.association_id)
    return latest is not None and latest.created_at > parse_instant("LastExecutedAfter", value)


def _is_for_node(call: Call, association: Association, value: str) -> bool:
    if association.instance_id == value:
        return True
    return is_for(association, value, call.work.tags.of(NODE, value), group_queries(call.work))


_CONDITIONS: Final[Mapping[str, Condition]] = {
    "AssociationId": lambda _, one, value: one.association_id == value,
    "AssociationName": lambda _, one, value: one.association_name == value,
    "Name": lambda _, one, value: one.name is not None and bare_id(one.name) == bare_id(value),
    "ResourceGroupName": _is_of_group,
    "InstanceId": _is_for_node,
    "AssociationStatusName": lambda call, one, value: status_of(call, one) == value,
    "LastExecutedBefore": _ran_before,
    "LastExecutedAfter": _ran_after,
    # Nothing here comes by way of a connector to another cloud.
    "CloudConnectorId": lambda _, __, ___: False,
}
_INSTANTS: Final = ("LastExecutedBefore", "LastExecutedAfter")


class Wanted:
    """The conditions of all filters together: of several with one key, any; of several keys, each."""

    def __init__(self, call: Call, values: Mapping[str, Sequence[str]]) -> None:
        self._call = call
        # In the order of the table, which has first what costs no look at the database.
        self._values = [(condition, values[key]) for key, condition in _CONDITIONS.items() if key in values]

    @classmethod
    def of(cls, call: Call, filters: Sequence[Mapping[str, Any]]) -> Self:
        """Return what the API's filters ask for.

        Raises:
            Invalid: a value is to be an instant, and is none.
        """
        values: dict[str, list[str]] = defaultdict(list)
        for one in filters:
            if one["key"] in _INSTANTS:
                parse_instant(one["key"], one["value"])
            values[one["key"]].append(one["value"])
        return cls(call, values)

    def includes(self, association: Association) -> bool:
        """Return whether the association passes."""
        return all(
            any(condition(self._call, association, value) for value in values) for condition, values in self._values
        )
