"""The real ways to put a copy of what a step wrote where its command says: a directory, or an S3 service."""

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from patchwindow.domain.step_output import is_bucket, is_safe_key
from patchwindow.ports import Objects

_TIMEOUT_S: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """An S3 service, and the keys with which the server writes to it; nodes never have them."""

    endpoint: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"


def object_store(directory: Path, s3: S3Settings | None) -> Objects:
    """Return the S3 service where there is one, else the buckets below *directory*."""
    return DirectoryStore(directory) if s3 is None else S3Store(s3)


class DirectoryStore:
    """Buckets are folders of one directory, which are made as they are needed; keys are paths below them."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Write an object, whole or not at all; return what is wrong where that cannot be."""
        if not is_bucket(bucket) or not is_safe_key(key):
            return f"bucket {bucket!r} and key {key!r} make no path below the directory of outputs"
        path = self._directory / bucket / key
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                Path(temporary).replace(path)
            except OSError:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError as problem:
            return f"the directory of outputs cannot be written: {problem.strerror}"
        return None

    def url(self, bucket: str, key: str) -> str:
        """Return where the object is."""
        return (self._directory / bucket / key).absolute().as_uri()


class S3Store:
    """Any service that speaks S3, with buckets in the path, where no wildcard of names is needed."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._endpoint = settings.endpoint.rstrip("/")
        self._client: Any = None

    def put(self, bucket: str, key: str, content: bytes) -> str | None:
        """Write an object; return what is wrong where that cannot be."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (slow, and mostly not needed)

        try:
            self._s3().put_object(
                Bucket=bucket,
                Key=key,
                Body=content,
                ContentType="text/plain; charset=utf-8",
                ACL="bucket-owner-full-control",
            )
        except (ClientError, BotoCoreError) as problem:
            return f"{self._endpoint} did not take it: {problem}"
        return None

    def url(self, bucket: str, key: str) -> str:
        """Return where the object is."""
        return f"{self._endpoint}/{bucket}/{key}"

    def _s3(self) -> Any:
        if self._client is None:
            import boto3  # noqa: PLC0415  (slow, and mostly not needed)
            from botocore.config import Config  # noqa: PLC0415

            # A session of its own, so that no profile or role of the machine takes part.
            self._client = boto3.Session(
                aws_access_key_id=self._settings.access_key_id,
                aws_secret_access_key=self._settings.secret_access_key,
                region_name=self._settings.region,
            ).client(
                "s3",
                endpoint_url=self._endpoint,
                config=Config(
                    s3={"addressing_style": "path"},
                    connect_timeout=_TIMEOUT_S,
                    read_timeout=_TIMEOUT_S,
                    retries={"total_max_attempts": 1},
                ),
            )
        return self._client
