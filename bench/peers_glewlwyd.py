"""Glewlwyd 2.7 of Debian, set up through its own API: docs/performance/peers.md says why it is set up like this."""
import base64
import gzip
import json
import pathlib
import shutil
import sqlite3
import subprocess
import tempfile
import urllib.parse

import kit
from kit import form
from ops import Operation

SCRIPTS = pathlib.Path("/usr/share/doc/glewlwyd/database")
CLIENT, SECRET, REDIRECT = "bench", "a-secret-of-43-characters-as-grantd-makes-1", "http://localhost:3000/oauth-callback"
CONFIG = """
port={port}
bind_address="127.0.0.1"
external_url="http://127.0.0.1:{port}/"
login_url="login.html"
api_prefix="api"
log_mode="file"
log_level="ERROR"
log_file="{directory}/log"
cookie_secure=0
session_expiration=2419200
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
max_post_size=16778240
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
use_secure_connection=false
secure_connection_key_file="/etc/glewlwyd/cert.key"
secure_connection_pem_file="/etc/glewlwyd/cert.pem"
secure_connection_ca_file="/etc/glewlwyd/ca.crt"
hash_algorithm="SHA256"
database = {{ {database} }};
"""
# The lighter of its two plugins, signing by HMAC, which is the cheapest of its algorithms. Refresh tokens do not rotate, as by default.
PLUGIN = {
    "jwt-type": "sha", "jwt-key-size": "256", "key": "0123456789abcdef0123456789abcdef", "access-token-duration": 1800, "refresh-token-duration": 1209600,
    "code-duration": 600, "refresh-token-rolling": False, "auth-type-code-enabled": True, "auth-type-code-revoke-replayed": False,
    "auth-type-implicit-enabled": False, "auth-type-password-enabled": False, "auth-type-client-enabled": True, "auth-type-refresh-enabled": True,
    "auth-type-device-enabled": False, "scope": [], "additional-parameters": [], "pkce-allowed": False, "introspection-revocation-allowed": True,
    "introspection-revocation-allow-target-client": True, "introspection-revocation-auth-scope": [],
}


class Glewlwyd(kit.Server):
    TOKEN, INTROSPECT, AUTHORIZE = "/api/glwd/token", "/api/glwd/introspect", "/api/glwd/auth"

    def __init__(self, store=None):
        self.name = "Glewlwyd, PostgreSQL" if store else "Glewlwyd, SQLite"
        self.store, self.directory = store, pathlib.Path(tempfile.mkdtemp(prefix="bench-glewlwyd-"))
        port = kit.free_port()
        self.netloc = f"127.0.0.1:{port}"
        config = self.directory / "glewlwyd.conf"
        config.write_text(CONFIG.format(port=port, directory=self.directory, database=self.database()))
        self.process = subprocess.Popen(kit.pinned(kit.SERVER_CPU, ["/usr/bin/glewlwyd", "--config-file", config]), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        try:
            kit.wait_for_port(port, self.process)
            self.set_up()
        except (Exception, SystemExit):
            self.stop()
            raise
        basic = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        self.headers = [f"Authorization: Basic {basic}"]

    def database(self):
        script = gzip.decompress((SCRIPTS / f"init.{'postgre' if self.store else 'sqlite3'}.sql.gz").read_bytes()).decode()
        if not self.store:
            with sqlite3.connect(self.directory / "db") as db:
                db.execute("PRAGMA journal_mode=WAL")  # stays with the file; its default of synchronous=FULL makes commits durable
                db.executescript(script)
            return f'type = "sqlite3" path = "{self.directory}/db"'
        self.store.sql("CREATE DATABASE glewlwyd")
        url = urllib.parse.urlsplit(self.store.url)
        socket = urllib.parse.parse_qs(url.query)["host"][0]
        path = self.directory / "init.sql"
        path.write_text("CREATE EXTENSION pgcrypto;\n" + script)
        subprocess.run(["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", socket, "-U", "grantd", "-d", "glewlwyd", "-f", path], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return f'type = "postgre" conninfo = "host={socket} dbname=glewlwyd user=grantd"'

    def api(self, method, path, value):
        headers = {"Content-Type": "application/json", **({"Cookie": self.cookie} if self.cookie else {})}
        r, body = self.call(method, "/api" + path, json.dumps(value), headers)
        if r.status != 200:
            raise SystemExit(f"bench: {self.name}: {method} {path} answers {r.status} {body[:300]!r}")
        return r

    def set_up(self):
        self.cookie = None
        self.cookie = self.api("POST", "/auth/", {"username": "admin", "password": "password"}).getheader("Set-Cookie").split(";")[0]
        self.api("POST", "/scope/", {"name": "scope1", "display_name": "scope1", "description": "of the bench", "password_required": False, "scheme": {}})
        self.api("PUT", "/user/admin", {"name": "The Administrator", "email": "", "enabled": True, "scope": ["g_admin", "g_profile", "scope1"]})
        self.api("POST", "/mod/plugin/", {"module": "oauth2-glewlwyd", "name": "glwd", "display_name": "glwd", "enabled": True, "parameters": PLUGIN})
        # a client secret is compared as it stands; a client password would be hashed each time
        self.api("POST", "/client/", {"client_id": CLIENT, "name": "bench", "description": "of the bench", "enabled": True, "confidential": True,
                                      "client_secret": SECRET, "redirect_uri": [REDIRECT], "scope": ["scope1"],
                                      "authorization_type": ["code", "client_credentials", "refresh_token", "token"]})
        self.api("PUT", f"/auth/grant/{CLIENT}", {"scope": "scope1"})

    def codes(self, count):
        path = self.AUTHORIZE + "?" + form(response_type="code", client_id=CLIENT, redirect_uri=REDIRECT, scope="scope1", g_continue="")
        found = kit.capture(self, self.AUTHORIZE, [path] * (count + 40), "[?&]code=([^&]+)", method="GET", headers=[f"Cookie: {self.cookie}"], lost=40)
        return [urllib.parse.unquote(code) for code in found][:count]

    def redeem(self, code):
        return form(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, client_id=CLIENT)

    def tokens(self, count):
        found = kit.capture(self, self.TOKEN, [self.redeem(code) for code in self.codes(count + 40)], '"refresh_token": *"([^"]+)"',
                            '"access_token": *"([^"]+)"', headers=self.headers, lost=40)
        return [tuple(line.split()) for line in found][:count]

    def operations(self, tokens, codes):
        tokens, codes = self.tokens(tokens), self.codes(codes)
        return [
            Operation("client_credentials", self.TOKEN, [form(grant_type="client_credentials", scope="scope1")], False, b'"access_token"'),
            Operation("refresh", self.TOKEN, [form(grant_type="refresh_token", refresh_token=t[0]) for t in tokens], False, b'"access_token"'),
            Operation("introspect", self.INTROSPECT, [form(token=t[1]) for t in tokens], False, b'"active":true'),
            Operation("redeem code", self.TOKEN, [self.redeem(code) for code in codes], True, b'"access_token"'),
        ]

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)
