"""The part of the service in memory that is no baseline and no window: documents and associations, and what deletes."""

from typing import Any

from botocore.exceptions import ClientError

Members = dict[str, Any]


class Others:
    """Documents and associations over dictionaries; whatever includes it has the other rows and the pages."""

    def __init__(self) -> None:
        self.documents: dict[str, list[str]] = {}
        self.default_versions: dict[str, int] = {}
        self.associations: dict[str, Members] = {}
        self.tags: dict[str, Members] = {}

    def page(self, key: str, rows: list[Members], members: Members) -> Members:
        """Return a page of a list."""
        raise NotImplementedError

    def refusal(self, code: str, operation: str) -> ClientError:
        """Return the error for an answer of this code."""
        raise NotImplementedError

    # Tags

    def _add_tags_to_resource(self, members: Members) -> Members:
        self.tags.setdefault(members["ResourceId"], {}).update({tag["Key"]: tag["Value"] for tag in members["Tags"]})
        return {}

    def _remove_tags_from_resource(self, members: Members) -> Members:
        for key in members["TagKeys"]:
            self.tags.get(members["ResourceId"], {}).pop(key, None)
        return {}

    # Documents: versions are counted from one, and one of them is the default

    def _create_document(self, members: Members) -> Members:
        name = members["Name"]
        if name in self.documents:
            raise self.refusal("DocumentAlreadyExists", "CreateDocument")
        self.documents[name], self.default_versions[name] = [members["Content"]], 1
        self.tags[name] = {tag["Key"]: tag["Value"] for tag in members.get("Tags", [])}
        return {"DocumentDescription": {"Name": name, "DocumentVersion": "1"}}

    def _update_document(self, members: Members) -> Members:
        versions = self.documents[members["Name"]]
        if members["Content"] in versions:
            raise self.refusal("DuplicateDocumentContent", "UpdateDocument")
        versions.append(members["Content"])
        return {"DocumentDescription": {"Name": members["Name"], "DocumentVersion": str(len(versions))}}

    def _update_document_default_version(self, members: Members) -> Members:
        self.default_versions[members["Name"]] = int(members["DocumentVersion"])
        return {}

    def _describe_document(self, members: Members) -> Members:
        return {"Document": {"Name": members["Name"], "LatestVersion": str(len(self.documents[members["Name"]]))}}

    def _get_document(self, members: Members) -> Members:
        name = members["Name"]
        return {"Name": name, "Content": self.documents[name][self.default_versions[name] - 1]}

    def _list_documents(self, members: Members) -> Members:
        return self.page("DocumentIdentifiers", [{"Name": name} for name in self.documents], members)

    def _delete_document(self, members: Members) -> Members:
        del self.documents[members["Name"]]
        return {}

    # Associations: an update replaces the whole

    def _create_association(self, members: Members) -> Members:
        id = f"00000000-0000-4000-9000-{len(self.associations) + 1:012x}"
        self.tags[id] = {tag["Key"]: tag["Value"] for tag in members.pop("Tags", [])}
        self.associations[id] = members | {"AssociationId": id}
        return {"AssociationDescription": self.associations[id]}

    def _update_association(self, members: Members) -> Members:
        self.associations[members["AssociationId"]] = members
        return {"AssociationDescription": members}

    def _describe_association(self, members: Members) -> Members:
        return {"AssociationDescription": {"DocumentVersion": "$DEFAULT"} | self.associations[members["AssociationId"]]}

    def _list_associations(self, members: Members) -> Members:
        rows: list[Members] = [
            {name: row[name] for name in ("AssociationId", "AssociationName", "Name") if name in row}
            for row in self.associations.values()
        ]
        return self.page("Associations", rows, members)

    def _delete_association(self, members: Members) -> Members:
        del self.associations[members["AssociationId"]]
        return {}
