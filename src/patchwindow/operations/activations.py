"""Activations: what turns machines into managed nodes."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final

from patchwindow.domain.errors import InvalidFilter, InvalidParameters, UnknownActivation
from patchwindow.domain.node import Activation
from patchwindow.operations.call import Answer, Call, Request, after_text
from patchwindow.operations.tags import checked_tags, tag_list
from patchwindow.protocol.records import from_members, to_members

_PAGE: Final = 50
_LIFE: Final = timedelta(hours=24)
_LIFE_MAX: Final = timedelta(days=30)
_CODE_LENGTH: Final = 32
"""The API has codes of 20 to 250 characters; 32 letters and digits cannot be guessed."""

_COLUMNS: Final = {
    "ActivationIds": "activation_id",
    "DefaultInstanceName": "default_instance_name",
    "IamRole": "iam_role",
}


def create(call: Call, request: Request) -> Answer:
    """CreateActivation: the code is in this answer and nowhere else."""
    expires_at = request.get("ExpirationDate", call.now + _LIFE)
    if expires_at <= call.now:
        raise InvalidParameters(f"ExpirationDate {expires_at.isoformat()} is past; give an instant in the next 30 days")
    if expires_at > call.now + _LIFE_MAX:
        raise InvalidParameters(
            f"ExpirationDate {expires_at.isoformat()} is more than 30 days away; give an earlier one"
        )
    call.site.quotas.check("activations", call.work.activations.count() + 1)
    activation = from_members(
        Activation,
        request,
        activation_id=call.ids.uuid(),
        expiration_date=expires_at,
        created_date=call.now,
        tags=tuple(tag_list(checked_tags(call, request.get("Tags") or ()))),
    )
    code = call.ids.secret(_CODE_LENGTH)
    call.work.activations.put(activation, code_digest=digest_of(code))
    return {"ActivationId": activation.activation_id, "ActivationCode": code}


def describe(call: Call, request: Request) -> Answer:
    """DescribeActivations: expired ones too, until they are deleted."""
    filters = _filters(request)
    return call.pages(
        request,
        "ActivationList",
        default=_PAGE,
        fetch=lambda after, limit: call.work.activations.page(after=after_text(after), limit=limit, filters=filters),
        key=lambda activation: (activation.activation_id,),
        shape=lambda activation: _shape(call, activation),
    )


def delete(call: Call, request: Request) -> Answer:
    """DeleteActivation: the nodes that registered with it stay."""
    activation_id = request["ActivationId"]
    if call.work.activations.get(activation_id) is None:
        raise UnknownActivation(f"activation {activation_id} does not exist")
    call.work.activations.delete(activation_id)
    return {}


def digest_of(code: str) -> str:
    """Return what is kept of an activation code. It is random and long, so one round of a fast hash is enough."""
    return hashlib.sha256(code.encode()).hexdigest()


def _filters(request: Request) -> Mapping[str, Collection[str]]:
    filters: dict[str, set[str]] = {}
    for each in request.get("Filters") or ():
        key, values = each.get("FilterKey"), set(each.get("FilterValues") or ())
        if key not in _COLUMNS:
            raise InvalidFilter(f"FilterKey {key!r} is not known; use one of {', '.join(_COLUMNS)}")
        if not values:
            raise InvalidFilter(f"filter {key} has no FilterValues; give at least one")
        column = _COLUMNS[key]
        filters[column] = filters.get(column, values) & values
    return filters


def _shape(call: Call, activation: Activation) -> dict[str, Any]:
    return {**to_members(activation), "Expired": activation.is_expired(call.now)}
