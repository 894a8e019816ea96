"""What a connection costs that does nothing: little, whatever it did before. Generous bounds; docs/performance/front.md has what was measured."""
import sys

import pytest

import harness
from test_tls import TlsDev

sys.path.insert(0, str(harness.ROOT / "bench"))
import front  # noqa: E402

PLAIN_MAX, TLS_MAX = 8 << 10, 48 << 10


@pytest.mark.skipif(harness.SANITIZED, reason="a sanitizer's memory is not ours")
def test_idle_connections(dev_factory, tmp_path):
    tls = TlsDev(dev_factory, tmp_path, "--threads", "1")
    tls.server.own_pids = lambda: [tls.server.process.pid]
    assert front.idle_bytes(tls.server, tls.server.port, 400, None) < PLAIN_MAX
    assert front.idle_bytes(tls.server, tls.port, 400, tls.context()) < TLS_MAX
