"""Downloads of snapshots by their URLs."""

from datetime import timedelta

from tests.fakes.edge import Edge, Received, Sent
from tests.fakes.site import SITE

ID = "6f1d1a7e-0000-4000-8000-00000000000a"


def get(edge: Edge, path: str) -> Received:
    return edge.ask(Sent(method="GET", path=path, headers={"Host": "patch.example.net"}))


def test_a_node_asks_with_its_session_and_reads_without_signature(edge: Edge) -> None:
    node_id, _, session = edge.node()
    sent = edge.signed("GetDeployablePatchSnapshotForInstance", {"InstanceId": node_id, "SnapshotId": ID}, session)
    answer = edge.ask(sent)
    assert answer.status == 200, answer
    path = answer.json["SnapshotDownloadUrl"].removeprefix(SITE.public_url)
    received = get(edge, path)
    assert (received.status, received.headers["content-type"]) == (200, "application/json")
    assert received.json["snapshotId"] == ID
    assert received.json["patchBaseline"]["name"] == "AWS-DebianDefaultPatchBaseline"
    edge.here.clock.advance(timedelta(days=1))
    assert get(edge, path).status == 403


def test_a_url_that_was_made_up_opens_nothing(edge: Edge) -> None:
    for token in ("x", "1.e30.x", "%00"):
        received = get(edge, f"/snapshot/{token}")
        assert received.status == 403
        assert received.json == {
            "error": "this snapshot was not given out by this server, or not for this use; ask for a new one"
        }


def test_a_snapshot_that_is_gone_is_not_found(edge: Edge) -> None:
    node_id = edge.here.node()
    answer = edge.here.perform("GetDeployablePatchSnapshotForInstance", InstanceId=node_id, SnapshotId=ID)
    with edge.here.database.write() as work:
        work.snapshots.prune(edge.here.clock.now() + timedelta(seconds=1))
    received = get(edge, answer["SnapshotDownloadUrl"].removeprefix(SITE.public_url))
    assert (received.status, received.json) == (404, {"error": f"snapshot {ID} is not kept any more; ask for it again"})
