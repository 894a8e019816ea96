"""Several nodes on one PostgreSQL. The servers are those of the wire tests' harness."""
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
os.environ.pop("TEST_POSTGRES", None)  # these tests say themselves which database a node has
import nodes  # noqa: E402


@pytest.fixture
def place():
    """A short path that PostgreSQL's user can reach too, for sockets and clusters."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="grantd-nodes-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def clusters(place):
    made = []

    def make(name, *settings):
        made.append(nodes.Cluster(place / name))
        return made[-1].create(*settings)

    make.adopt = made.append
    yield make
    for cluster in made:
        cluster.stop("immediate")


@pytest.fixture
def farm(place):
    """Starts nodes with one master key and one issuer; ends them."""
    one = nodes.Farm(place)
    yield one
    one.stop()
