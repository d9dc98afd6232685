"""A Ray cluster of two nodes on this machine, for the slow tests; without Ray they are skipped."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

from company.compute.ray_cluster import QUIET, leave


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two nodes with one CPU each; homes and temporary files are not those of the person who tests."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("the optional part 'ray' is not installed")
    folder = tempfile.mkdtemp(prefix="lw-", dir="/tmp")  # sockets lie below: their paths must be short
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("TMPDIR", folder)
        for name, value in QUIET.items():
            patch.setenv(name, value)
        from ray.cluster_utils import Cluster  # reads them when it is imported

        node = {"num_cpus": 1, "object_store_memory": 100 << 20}
        found = Cluster(True, head_node_args={**node, "include_dashboard": False, "temp_dir": f"{folder}/ray"})
        found.add_node(**node)
        yield found
        leave()
        found.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def extra_node(cluster: Any) -> Iterator[Any]:
    """A third node that a test may kill."""
    node = cluster.add_node(num_cpus=1, object_store_memory=100 << 20)
    yield node
    if node in cluster.worker_nodes:
        cluster.remove_node(node)
