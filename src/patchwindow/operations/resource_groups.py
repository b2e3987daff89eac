"""Resource groups: named sets of nodes, made, changed, listed and looked into.

They are what the Resource Groups service calls a group with a tag query. The nodes of one are looked for when somebody asks.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from patchwindow.domain.errors import AlreadyExists, Conflict, Invalid, NotFound
from patchwindow.domain.node import Node
from patchwindow.domain.resource_group import (
    NODE_TYPE,
    ResourceGroup,
    ResourceQuery,
    TagQuery,
    is_of_nodes,
    parse_query,
    without_nodes,
)
from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.operations.tags import checked_tags
from patchwindow.protocol.pages import Key
from patchwindow.protocol.records import attributes, from_members, to_members
from patchwindow.store.resource_groups import GROUP_TAGS

_PAGE: Final = 50
_ARN: Final = re.compile(r"arn:aws[a-z-]*:resource-groups:[a-z0-9-]*:(\d*):group/(.+)")
_RESERVED: Final = "aws"

# What ListGroups can look for, and of a group what that filter compares.
_FILTERS: Final[Mapping[str, Callable[[ResourceGroup], Sequence[str]]]] = {
    "resource-type": lambda group: parse_query(group.resource_query).types,
    "configuration-type": lambda _: (),
    "owner": lambda group: (group.owner or "",),
    "display-name": lambda group: (group.display_name or "",),
    "criticality": lambda group: (str(group.criticality),),
}


def create(call: Call, request: Request) -> Answer:
    """CreateGroup: of a tag query."""
    if "Configuration" in request:
        raise Invalid("groups with a Configuration are not served here; give a ResourceQuery of type TAG_FILTERS_1_0")
    if "ResourceQuery" not in request:
        raise Invalid("ResourceQuery must be given; a group is what its tag query selects")
    name = request["Name"]
    if name.lower().startswith(_RESERVED):
        raise Invalid(f"group name {name!r} begins with {_RESERVED}, which is reserved; use another")
    group = from_members(ResourceGroup, request)
    parse_query(group.resource_query)
    call.site.quotas.check("resource-groups", len(call.work.resource_groups.all()) + 1)
    if not call.work.resource_groups.add(group):
        raise AlreadyExists(f"resource group {name!r} exists already; update it, or use another name")
    tags = _checked(call, request.get("Tags") or {})
    call.work.tags.add(GROUP_TAGS, name, tags)
    return {"Group": _members(call, group), "ResourceQuery": to_members(group.resource_query), "Tags": tags}


def get(call: Call, request: Request) -> Answer:
    """GetGroup."""
    return {"Group": _members(call, _existing(call, request))}


def get_query(call: Call, request: Request) -> Answer:
    """GetGroupQuery."""
    return {"GroupQuery": _query_members(_existing(call, request))}


def get_configuration(call: Call, request: Request) -> Answer:
    """GetGroupConfiguration: no group here has one, and of such a group AWS refuses this too."""
    group = _existing(call, request)
    raise Conflict(f"resource group {group.name!r} is defined by a query and has no configuration; use GetGroupQuery")


def update(call: Call, request: Request) -> Answer:
    """UpdateGroup: changes what is given."""
    group = dataclasses.replace(_locked(call, request), **attributes(ResourceGroup, request))
    call.work.resource_groups.put(group)
    return {"Group": _members(call, group)}


def update_query(call: Call, request: Request) -> Answer:
    """UpdateGroupQuery: the group selects other nodes from now on."""
    group = dataclasses.replace(_locked(call, request), **attributes(ResourceGroup, request))
    parse_query(group.resource_query)
    call.work.resource_groups.put(group)
    return {"GroupQuery": _query_members(group)}


def delete(call: Call, request: Request) -> Answer:
    """DeleteGroup: its nodes stay; a window's target that names it selects nothing, and says so when its task runs."""
    group = _locked(call, request)
    call.work.resource_groups.delete(group.name)
    call.work.tags.remove_all(GROUP_TAGS, group.name)
    return {"Group": _members(call, group)}


def list_groups(call: Call, request: Request) -> Answer:
    """ListGroups: of several filters all must fit, of the values of one any."""
    filters = [(_FILTERS[each["Name"]], each["Values"]) for each in request.get("Filters", ())]
    groups = [
        group
        for group in call.work.resource_groups.all()
        if all(set(read(group)) & set(values) for read, values in filters)
    ]
    answer = call.pages(
        request,
        "Groups",
        default=_PAGE,
        fetch=lambda after, limit: [one for one in groups if one.name > after_text(after)][:limit],
        key=lambda group: (group.name,),
        shape=lambda group: _members(call, group),
    )
    # The same list in the form that came later, in which clients look first.
    answer["GroupIdentifiers"] = [
        {**{name: value for name, value in group.items() if name != "Name"}, "GroupName": group["Name"]}
        for group in answer["Groups"]
    ]
    return answer


def list_resources(call: Call, request: Request) -> Answer:
    """ListGroupResources: the nodes that the group has now."""
    query = parse_query(_existing(call, request).resource_query)
    types = [each["Values"] for each in request.get("Filters", ())]
    answer = _nodes(call, request, query, wanted=all(map(is_of_nodes, types)))
    answer["Resources"] = [{"Identifier": identifier} for identifier in answer["ResourceIdentifiers"]]
    return answer


def search(call: Call, request: Request) -> Answer:
    """SearchResources: the nodes that a group of this query would have."""
    return _nodes(call, request, parse_query(from_members(ResourceQuery, request["ResourceQuery"])))


def tag(call: Call, request: Request) -> Answer:
    """Tag: equal keys get the new value."""
    group = _locked(call, request)
    tags = _checked(call, request["Tags"])
    call.site.quotas.check_tags(len(call.work.tags.of(GROUP_TAGS, group.name) | tags))
    call.work.tags.add(GROUP_TAGS, group.name, tags)
    return {"Arn": request["Arn"], "Tags": tags}


def untag(call: Call, request: Request) -> Answer:
    """Untag: keys that the group does not have are fine."""
    group = _locked(call, request)
    call.work.tags.remove(GROUP_TAGS, group.name, request["Keys"])
    return {"Arn": request["Arn"], "Keys": request["Keys"]}


def get_tags(call: Call, request: Request) -> Answer:
    """GetTags."""
    group = _existing(call, request)
    return {"Arn": request["Arn"], "Tags": call.work.tags.of(GROUP_TAGS, group.name)}


def _existing(call: Call, request: Request) -> ResourceGroup:
    return _found(request, call.work.resource_groups.get(_named(call, request)))


def _locked(call: Call, request: Request) -> ResourceGroup:
    return _found(request, call.work.resource_groups.lock(_named(call, request)))


def _found(request: Request, group: ResourceGroup | None) -> ResourceGroup:
    if group is None:
        raise NotFound(f"resource group {_given(request)!r} does not exist; `ListGroups` names those that do")
    return group


def _named(call: Call, request: Request) -> str:
    """Return the name of the group that a request is about, which it gives by name or by ARN."""
    given = _given(request)
    found = _ARN.fullmatch(given)
    if found is None:
        return given
    # No group of another account is here, also where it has the name of one that is.
    return found[2] if found[1] == call.site.account_id else given


def _given(request: Request) -> str:
    """Return what names the group: `GroupName` is the member's former name, and `Arn` that of operations on tags."""
    given = [request[name] for name in ("Group", "GroupName", "Arn") if name in request]
    if len(given) != 1:
        raise Invalid("name the group by Group, or by GroupName, which is deprecated: one of the two, and not both")
    return str(given[0])


def _members(call: Call, group: ResourceGroup) -> dict[str, Any]:
    arn = f"arn:aws:resource-groups:{call.site.region}:{call.site.account_id}:group/{group.name}"
    return {**{name: value for name, value in to_members(group).items() if name != "ResourceQuery"}, "GroupArn": arn}


def _query_members(group: ResourceGroup) -> dict[str, Any]:
    return {"GroupName": group.name, "ResourceQuery": to_members(group.resource_query)}


def _nodes(call: Call, request: Request, query: TagQuery, *, wanted: bool = True) -> Answer:
    """Return one page of the nodes that *query* includes, unless no nodes are *wanted*, and what it cannot find here."""

    def fetch(after: Key | None, limit: int) -> Sequence[Node]:
        if not (wanted and is_of_nodes(query.types)):
            return ()
        return call.work.nodes.page(after=after_text(after), limit=limit, columns={}, tags=query.tags)

    answer = call.pages(
        request,
        "ResourceIdentifiers",
        default=_PAGE,
        fetch=fetch,
        key=lambda node: (node.instance_id,),
        shape=lambda node: {
            "ResourceArn": call.site.arn(f"managed-instance/{node.instance_id}"),
            "ResourceType": NODE_TYPE,
        },
    )
    answer["QueryErrors"] = [
        {"ErrorCode": "RESOURCE_TYPE_NOT_SUPPORTED", "Message": f"there are no resources of type {type} here"}
        for type in without_nodes(query.types)
    ]
    return answer


def _checked(call: Call, tags: Mapping[str, str]) -> dict[str, str]:
    return checked_tags(call, [{"Key": key, "Value": value} for key, value in tags.items()])
