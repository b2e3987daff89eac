"""Which nodes an association is for."""

from collections.abc import Mapping

from patchwindow.domain.association import Association
from patchwindow.domain.node import Node
from patchwindow.domain.resource_group import TagQuery
from patchwindow.operations.targeting import includes, select, selection
from patchwindow.store.work import Work

_LACKING_MAX = 1000
"""So many nodes at most are made up for by one run; the others have one of their own."""


def nodes_of(work: Work, association: Association) -> list[Node]:
    """Return the nodes that the association's targets select now, in order of id.

    Raises:
        NotFound: a resource group does not exist, or not any more.
    """
    targets = association.selecting
    return [] if targets is None else select(work, targets)


def lacking(work: Work, association: Association) -> tuple[str, ...]:
    """Return nodes that the association is for and has not run for, or that missed its last run and are back.

    Raises:
        NotFound: a resource group does not exist, or not any more.
    """
    targets = association.selecting
    wanted = None if targets is None else selection(work, targets)
    if wanted is None:
        return ()
    id = association.association_id
    return tuple(work.association_runs.lacking(id, ids=wanted.ids, tags=wanted.tags, limit=_LACKING_MAX))


def is_for(association: Association, node_id: str, tags: Mapping[str, str], queries: Mapping[str, TagQuery]) -> bool:
    """Return whether the association is for the node that has these *tags*; *queries* are those of resource groups."""
    targets = association.selecting
    return targets is not None and includes(targets, node_id, tags, queries)
