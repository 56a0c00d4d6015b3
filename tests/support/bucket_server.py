"""A real S3 server on loopback ports, from the SeaweedFS wheel, with a bucket to write to."""

import socket
import sys
import threading
import urllib.error
import urllib.request
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from uuid import uuid4

from obstore.store import S3Store

import guarded
from process import wait_for

__all__ = ["BUCKET", "BucketServer", "running"]

BUCKET = "specs"
_SERVERS = ("master", "volume", "filer", "s3")


def _free_ports(count: int) -> list[int]:
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class BucketServer:
    """A server with one empty bucket; its data go with it."""

    def __init__(self, folder: Path) -> None:
        iceberg, lance, *ports = _free_ports(2 * len(_SERVERS) + 2)
        named = dict(zip(_SERVERS, zip(ports[::2], ports[1::2], strict=True), strict=True))
        self.endpoint = f"http://127.0.0.1:{named['s3'][0]}"
        program = Path(sys.executable).parent / "weed"
        flags = [f"-{name}.port={port}" for name, (port, _) in named.items()]
        flags += [f"-{name}.port.grpc={port}" for name, (_, port) in named.items()]
        flags += [f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
        flags += ["-master.telemetry=false", "-admin.ui=false", "-webdav=false"]
        flags += [f"-s3.port.iceberg={iceberg}", f"-s3.port.lance={lance}"]
        self._process = guarded.Guarded(folder, [program, "mini", *flags])

    @property
    def variables(self) -> dict[str, str]:
        """What a client of the server is told by its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "any",
            "AWS_SECRET_ACCESS_KEY": "any",
            "AWS_REGION": "us-east-1",
        }

    def url(self) -> str:
        """A prefix of its own, with nothing below it."""
        return f"s3://{BUCKET}/{uuid4().hex}"

    def wait_until_ready(self) -> None:
        def has_bucket() -> bool:
            asked = urllib.request.Request(f"{self.endpoint}/{BUCKET}", method="PUT")
            try:
                urllib.request.urlopen(asked, timeout=5).close()
            except urllib.error.HTTPError as exc:
                return exc.code == 409
            return self._takes_objects()

        wait_for(has_bucket)

    def _takes_objects(self) -> bool:
        try:
            self.client("ready").put("probe", b"x")
        except Exception as exc:
            threading.Event().wait(0.1)
            raise OSError from exc
        return True

    def client(self, prefix: str) -> S3Store:
        """A client of its own, to do by hand what other programs do."""
        return S3Store(
            BUCKET,
            prefix=prefix,
            endpoint=self.endpoint,
            access_key_id="any",
            secret_access_key="any",
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def stop(self) -> None:
        self._process.stop()


def running() -> AbstractContextManager[BucketServer]:
    """A server for as long as the block lasts."""
    return guarded.running("bucket", BucketServer)
