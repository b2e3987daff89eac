"""The operations of the public APIs that this server does not have, each with its reason."""

from typing import Final

_PARAMETER_STORE: Final = "Parameter Store is outside its scope"
_OPS_CENTER: Final = "operational items and metadata are outside its scope"
_AUTOMATION: Final = "automation runbooks are outside its scope"
_CHANGE_MANAGER: Final = "change requests and just-in-time access are outside its scope"
_SESSIONS: Final = "interactive sessions are outside its scope"
_CLOUD: Final = "accounts, resource policies and connectors of a cloud provider are outside its scope"
_DOCUMENTS: Final = "a server is one account, so its documents are neither shared nor reviewed"
_DATA_SYNC: Final = "resource data sync writes to cloud storage, which is outside its scope"

_BY_REASON: Final[dict[str, tuple[str, ...]]] = {
    _PARAMETER_STORE: (
        "DeleteParameter",
        "DeleteParameters",
        "DescribeParameters",
        "GetParameter",
        "GetParameterHistory",
        "GetParameters",
        "GetParametersByPath",
        "LabelParameterVersion",
        "PutParameter",
        "UnlabelParameterVersion",
    ),
    _OPS_CENTER: (
        "AssociateOpsItemRelatedItem",
        "CreateOpsItem",
        "CreateOpsMetadata",
        "DeleteOpsItem",
        "DeleteOpsMetadata",
        "DescribeOpsItems",
        "DisassociateOpsItemRelatedItem",
        "GetOpsItem",
        "GetOpsMetadata",
        "GetOpsSummary",
        "ListOpsItemEvents",
        "ListOpsItemRelatedItems",
        "ListOpsMetadata",
        "UpdateOpsItem",
        "UpdateOpsMetadata",
    ),
    _AUTOMATION: (
        "DescribeAutomationExecutions",
        "DescribeAutomationStepExecutions",
        "GetAutomationExecution",
        "GetExecutionPreview",
        "SendAutomationSignal",
        "StartAutomationExecution",
        "StartExecutionPreview",
        "StopAutomationExecution",
    ),
    _CHANGE_MANAGER: (
        "GetAccessToken",
        "StartAccessRequest",
        "StartChangeRequestExecution",
    ),
    _SESSIONS: (
        "DescribeSessions",
        "ResumeSession",
        "StartSession",
        "TerminateSession",
    ),
    _CLOUD: (
        "CreateCloudConnector",
        "DeleteCloudConnector",
        "DeleteResourcePolicy",
        "DeregisterDefaultHostManagementConfiguration",
        "GetCloudConnector",
        "GetResourcePolicies",
        "ListCloudConnectors",
        "PutResourcePolicy",
        "RegisterDefaultHostManagementConfiguration",
        "UpdateCloudConnector",
        "ValidateCloudConnector",
    ),
    _DOCUMENTS: ("ListDocumentMetadataHistory", "ModifyDocumentPermission", "UpdateDocumentMetadata"),
    _DATA_SYNC: (
        "CreateResourceDataSync",
        "DeleteResourceDataSync",
        "ListResourceDataSync",
        "UpdateResourceDataSync",
    ),
}

NOT_SERVED: Final[dict[str, str]] = {
    operation: reason for reason, operations in _BY_REASON.items() for operation in operations
}
"""Why this server does not serve an operation, by its name."""

_GROUP_CONFIGURATIONS: Final = "its groups are defined by tag queries alone; give a ResourceQuery"
_GROUP_MEMBERS: Final = "its groups are defined by tag queries alone; tag the node to have it in a group"
_TAG_SYNC: Final = "its groups follow the tags by themselves and need no tag-sync task"
_GROUP_SETTINGS: Final = "it sends no events about groups and has no settings for them"

_GROUPS_BY_REASON: Final[dict[str, tuple[str, ...]]] = {
    _GROUP_CONFIGURATIONS: ("PutGroupConfiguration",),
    _GROUP_MEMBERS: ("GroupResources", "ListGroupingStatuses", "UngroupResources"),
    _TAG_SYNC: ("CancelTagSyncTask", "GetTagSyncTask", "ListTagSyncTasks", "StartTagSyncTask"),
    _GROUP_SETTINGS: ("GetAccountSettings", "UpdateAccountSettings"),
}

GROUPS_NOT_SERVED: Final[dict[str, str]] = {
    operation: reason for reason, operations in _GROUPS_BY_REASON.items() for operation in operations
}
"""The same for the operations of Resource Groups."""
