"""private_key_jwt with keys that the app publishes: read when they are needed, kept as HTTP allows, from nowhere that is not the internet's."""
import http.server
import json
import secrets
import threading

import pytest
from authlib.jose import JsonWebKey

import assertion
import harness


def new_key(kid):
    return JsonWebKey.generate_key("EC", "P-256", {"kid": kid}, is_private=True)


class Publisher:
    """The app's own web server."""

    def __init__(self):
        self.asked, self.conditional, self.behave = 0, 0, None
        self.publish(new_key("first"))
        publisher = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                publisher.asked += 1
                publisher.conditional += self.headers.get("if-none-match") == '"1"'
                if publisher.behave:
                    publisher.behave(self)
                else:
                    publisher.answer(self, publisher.document)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/keys"

    def publish(self, *keys):
        self.key = keys[-1]
        self.document = json.dumps({"keys": [k.as_dict(is_private=False) for k in keys]}).encode()

    @staticmethod
    def answer(request, body, status=200, **headers):
        request.send_response(status)
        for name, value in {"cache-control": "max-age=600", "etag": '"1"', **headers}.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


@pytest.fixture
def publisher():
    made = Publisher()
    yield made
    made.server.shutdown()
    made.server.server_close()


def app_at(dev, url):
    app = dev.new_app("--client-credentials", "--jwks-uri", url, name=secrets.token_hex(4))
    assert app.client_secret is None
    return app


def send(dev, app, key):
    return assertion.send(app, assertion.sign(dev, app, key, kid=key.kid))


def test_read_once(dev, publisher):
    """By sixteen at once as well. norm: P01"""
    app = app_at(dev, publisher.url)
    answers = harness.in_parallel(16, lambda i: send(dev, app, publisher.key))
    assert [a.status for a in answers] == [200] * 16
    assert send(dev, app, publisher.key).status == 200
    assert publisher.asked == 1


def test_a_new_key_is_looked_for_once(dev, publisher):
    """The app changes its key; then strangers make up key ids, and nobody reads again for them."""
    app = app_at(dev, publisher.url)
    old = publisher.key
    assert send(dev, app, old).status == 200
    publisher.publish(new_key("second"))
    assert send(dev, app, publisher.key).status == 200
    assert publisher.asked == 2
    assert send(dev, app, old).json["error"] == "invalid_client"
    for i in range(5):
        refused = send(dev, app, new_key(f"made up {i}"))
        assert refused.status == 400 and refused.json["error"] == "invalid_client"
    assert publisher.asked == 2
    assert send(dev, app, publisher.key).status == 200


def unanswered(dev, app, key):
    """CLIENT_KEYS: nothing definite is said."""
    answer = send(dev, app, key)
    assert answer.status == 503 and answer.json["error"] == "temporarily_unavailable", answer
    assert "jwks_uri" in answer.json["error_description"] and int(answer.headers["retry-after"]) > 0


def test_what_is_not_taken(dev, publisher):
    """norm: E56"""
    document = publisher.document
    private = json.dumps({"keys": [publisher.key.as_dict(is_private=True)]}).encode()
    for behave in (
            lambda r: publisher.answer(r, b"", 500),
            lambda r: publisher.answer(r, document, 302, location=f"{publisher.url}?elsewhere"),
            lambda r: publisher.answer(r, b"no JSON"),
            lambda r: publisher.answer(r, b'{"keys":[]}'),
            lambda r: publisher.answer(r, private),
            lambda r: publisher.answer(r, document + b" " * 40000),
            lambda r: publisher.answer(r, b"", 304)):
        publisher.behave, publisher.asked = behave, 0
        app = app_at(dev, f"{publisher.url}?{secrets.token_hex(4)}")
        unanswered(dev, app, publisher.key)
        unanswered(dev, app, publisher.key)
        assert publisher.asked == 1  # and not again at once


def test_too_slow(dev, publisher):
    """It waits in its own thread: others are answered meanwhile."""
    over = threading.Event()
    publisher.behave = lambda r: over.wait(20)
    app = app_at(dev, publisher.url)
    waiting = threading.Thread(target=unanswered, args=(dev, app, publisher.key))
    waiting.start()
    try:
        for _ in range(20):
            assert dev.confidential.client_credentials().status == 200
        waiting.join(20)
        assert not waiting.is_alive()
    finally:
        over.set()


@pytest.mark.parametrize("host", ["10.0.0.1", "192.168.7.7", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]", "[::ffff:127.0.0.1]", "[64:ff9b::a00:1]"])
def test_not_of_the_internet(dev, host):
    """norm: E56"""
    app = app_at(dev, f"https://{host}/keys")
    unanswered(dev, app, new_key("any"))


def test_not_of_loopback_in_earnest(dev_factory, publisher):
    """Neither registered, nor reached by a name."""
    dev = dev_factory("--no-jwks-uri-loopback")
    for url in (publisher.url, publisher.url.replace("http:", "https:"), "https://localhost/keys", "http://app.example/keys"):
        refused = dev.admin("app", "create", "--name", "x", "--client-credentials", "--jwks-uri", url, ok=False)
        assert refused.returncode == 1 and "https" in refused.stderr
    port = publisher.server.server_port
    app = app_at(dev, f"https://ip6-localhost:{port}/keys")
    unanswered(dev, app, publisher.key)
    assert publisher.asked == 0


def test_one_or_the_other(dev, publisher, tmp_path):
    path = tmp_path / "jwks.json"
    path.write_text(publisher.document.decode())
    app = app_at(dev, publisher.url)
    assert dev.admin("app", "show", app.client_id)["authentication"] == "private_key_jwt"
    both = dev.admin("app", "update", app.client_id, "--jwks", path, "--jwks-uri", publisher.url, ok=False)
    assert both.returncode == 1 and "not both" in both.stderr
    assert dev.admin("app", "update", app.client_id, "--jwks", path)["jwks_uri"] == ""
    assert send(dev, app, publisher.key).status == 200 and publisher.asked == 0
