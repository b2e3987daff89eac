"""Tags of nodes, patch baselines, maintenance windows, associations and documents of one's own."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from patchwindow.domain.errors import Denied, InvalidResourceType, InvalidTag, UnknownResource
from patchwindow.domain.freeze import TAG as FREEZES_TAG
from patchwindow.domain.freeze import names
from patchwindow.domain.patch_group import TAG_KEYS, group_of
from patchwindow.operations import first_sight, freezes
from patchwindow.operations.call import Answer, Call, Request, bare_id
from patchwindow.store.baselines import OWNER_AWS
from patchwindow.store.tags import NODE_TAGS, WINDOW_TAGS

NODE: Final = NODE_TAGS
BASELINE: Final = "PatchBaseline"
WINDOW: Final = WINDOW_TAGS
ASSOCIATION: Final = "Association"
DOCUMENT: Final = "Document"

_RESERVED: Final = "aws:"
_EXISTS: Final[Mapping[str, Callable[[Call, str], bool]]] = {
    NODE: lambda call, it: call.work.nodes.get(it) is not None,
    BASELINE: lambda call, it: call.work.baselines.get(it) is not None,
    WINDOW: lambda call, it: call.work.windows.get(it) is not None,
    ASSOCIATION: lambda call, it: call.work.associations.get(it) is not None,
    DOCUMENT: lambda call, it: call.work.documents.get(it) is not None,
}


def add(call: Call, request: Request) -> Answer:
    """AddTagsToResource: equal keys get the new value."""
    resource_type, resource_id = _own_resource(call, request)
    _add(call, resource_type, resource_id, request["Tags"])
    return {}


def remove(call: Call, request: Request) -> Answer:
    """RemoveTagsFromResource: keys that the resource does not have are fine."""
    resource_type, resource_id = _own_resource(call, request)
    keys = request["TagKeys"]
    call.work.tags.remove(resource_type, resource_id, keys)
    _note_group(call, resource_type, resource_id, keys)
    first_sight.note_tags(call, resource_type, resource_id, keys)
    return {}


def list_tags(call: Call, request: Request) -> Answer:
    """ListTagsForResource."""
    resource_type, resource_id = _resource(call, request)
    return {"TagList": tag_list(call.work.tags.of(resource_type, resource_id))}


def add_new_tags(call: Call, resource_type: str, resource_id: str, request: Request) -> None:
    """Set the Tags of a request that has just made the resource, if it has any.

    Raises:
        InvalidTag: a key is reserved, or given twice.
        TooManyTags: they are more than a resource may carry.
        UnknownDocument, InvalidDocumentType: a window is to heed what is no calendar.
    """
    _add(call, resource_type, resource_id, request.get("Tags") or ())


def checked_tags(call: Call, tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the values of `[{Key, Value}]` tags by key.

    Raises:
        InvalidTag: a key is reserved, or given twice.
        TooManyTags: they are more than a resource may carry.
    """
    for key, count in Counter(tag["Key"] for tag in tags).items():
        if key.lower().startswith(_RESERVED):
            raise InvalidTag(f"tag key {key!r} begins with {_RESERVED}, which is reserved; use another")
        if count > 1:
            raise InvalidTag(f"tag key {key!r} is given {count} times; give it once")
    call.site.quotas.check_tags(len(tags))
    return {tag["Key"]: tag["Value"] for tag in tags}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return *tags* in the API's form."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _add(call: Call, resource_type: str, resource_id: str, given: Sequence[Mapping[str, str]]) -> None:
    tags = checked_tags(call, given)
    is_freezing = resource_type == WINDOW and FREEZES_TAG in tags
    if is_freezing:
        freezes.check_calendars(call.work, names(tags[FREEZES_TAG]))
    if tags:
        call.site.quotas.check_tags(len(call.work.tags.of(resource_type, resource_id) | tags))
        call.work.tags.add(resource_type, resource_id, tags)
        _note_group(call, resource_type, resource_id, tags)
        first_sight.note_tags(call, resource_type, resource_id, tags)
    if is_freezing:
        freezes.tighten(call, resource_id)


def _note_group(call: Call, resource_type: str, resource_id: str, keys: Sequence[str] | Mapping[str, str]) -> None:
    if resource_type == NODE and any(key in keys for key in TAG_KEYS):
        group = group_of(call.work.tags.of(NODE, resource_id)) or ""
        call.work.nodes.regroup(resource_id, group)
        call.work.cohorts.regroup(resource_id, group)


def _resource(call: Call, request: Request) -> tuple[str, str]:
    resource_type, resource_id = request["ResourceType"], bare_id(request["ResourceId"])
    exists = _EXISTS.get(resource_type)
    if exists is None:
        raise InvalidResourceType(f"{resource_type} resources cannot be tagged here; use one of {', '.join(_EXISTS)}")
    if not exists(call, resource_id):
        raise UnknownResource(f"there is no {resource_type} {request['ResourceId']!r}; check its id")
    return resource_type, resource_id


def _own_resource(call: Call, request: Request) -> tuple[str, str]:
    resource_type, resource_id = _resource(call, request)
    if resource_type == NODE:
        # A report looks at the tags too, to put the node where they say.
        call.work.nodes.lock(resource_id)
    if resource_type == BASELINE:
        stored = call.work.baselines.get(resource_id)
        if stored is not None and stored.owner == OWNER_AWS:
            raise Denied(
                f"patch baseline {stored.baseline.name} is predefined and cannot be tagged; make one of your own"
            )
    return resource_type, resource_id
