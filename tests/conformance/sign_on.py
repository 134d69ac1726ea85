"""Endpoints that exist for these tests only: an STS and an IAM Identity Center, each a few lines, on loopback.

The STS answers with keys that are a digest of what it was asked and by whom, so that two clients who hold the same key
at the end of a chain went the same way. Nothing is checked but the words: who signed is read from the signature's own
credential scope.
"""

import hashlib
import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

EXPIRES = "2099-01-01T00:00:00Z"


def digest(*words):
    """Sixteen letters and digits, the same for the same words."""
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:16].upper()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="application/json"):
        data = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def body(self):
        return self.rfile.read(int(self.headers.get("content-length", 0))).decode()

    def signer(self):
        found = re.search(r"Credential=([^/]+)/", self.headers.get("authorization", ""))
        return found.group(1) if found else "nobody"

    def do_GET(self):
        asked = urlparse(self.path)
        if asked.path == "/federation/credentials":
            return self.role_credentials(parse_qs(asked.query))
        if asked.path == "/container":
            keys = {"AccessKeyId": "ASIACONTAINERC0NT", "SecretAccessKey": "s", "Token": "t", "Expiration": EXPIRES}
            return self.answer(200, json.dumps(keys))
        return self.answer(404, "{}")

    def role_credentials(self, query):
        token = self.headers.get("x-amz-sso_bearer_token", "")
        if token not in self.server.tokens:
            return self.answer(401, json.dumps({"__type": "UnauthorizedException", "message": "Session token not found"}))
        words = ("sso", query["account_id"][0], query["role_name"][0])
        keys = {
            "accessKeyId": "ASIA" + digest(*words),
            "secretAccessKey": "secret",
            "sessionToken": "token",
            "expiration": 4070908800000,
        }
        return self.answer(200, json.dumps({"roleCredentials": keys}))

    def do_POST(self):
        asked = urlparse(self.path).path
        body = self.body()
        self.server.asked.append((asked, body))
        match asked:
            case "/client/register":
                answer = {"clientId": "client", "clientSecret": "client-secret", "clientSecretExpiresAt": 4070908800}
                return self.answer(200, json.dumps(answer))
            case "/device_authorization":
                page = f"http://127.0.0.1:{self.server.server_port}/device?user_code=ABCD-EFGH"
                answer = {"deviceCode": "device", "userCode": "ABCD-EFGH", "verificationUriComplete": page,
                          "verificationUri": page, "expiresIn": 600, "interval": 1}
                return self.answer(200, json.dumps(answer))
            case "/token":
                return self.token()
            case _:
                return self.sts(body)

    def token(self):
        if not self.server.let_in.is_set():
            error = {"error": "authorization_pending", "error_description": "not yet", "__type": "AuthorizationPendingException"}
            return self.answer(400, json.dumps(error))
        self.server.tokens.add("access-token-of-the-app")
        answer = {"accessToken": "access-token-of-the-app", "expiresIn": 28800, "refreshToken": "refresh", "tokenType": "Bearer"}
        return self.answer(200, json.dumps(answer))

    def sts(self, body):
        form = {name: values[0] for name, values in parse_qs(body).items()}
        action = form.get("Action", "")
        if action == "GetCallerIdentity":
            inner = f"<Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/{self.signer()}</Arn><UserId>x</UserId>"
            return self.answer(200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>", "text/xml")
        if form.get("RoleArn", "").endswith("/denied"):
            error = "<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error>"
            return self.answer(403, f"<ErrorResponse>{error}</ErrorResponse>", "text/xml")
        if action == "AssumeRoleWithWebIdentity":
            words = ("web", form["RoleArn"], form["WebIdentityToken"])
        else:
            names = ("RoleArn", "ExternalId", "DurationSeconds", "SerialNumber", "TokenCode")
            session = form.get("RoleSessionName", "")
            # Each client makes up a name of its own where the profile names none.
            named = "" if re.match(r"(botocore-session|whetstone|web-identity)-?", session) else session
            words = ("role", self.signer(), named, *(form.get(name, "") for name in names))
        inner = (
            f"<Credentials><AccessKeyId>ASIA{digest(*words)}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
            f"<SessionToken>token</SessionToken><Expiration>{EXPIRES}</Expiration></Credentials>"
            f"<AssumedRoleUser><AssumedRoleId>x:y</AssumedRoleId><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn></AssumedRoleUser>"
        )
        return self.answer(200, f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>", "text/xml")


class Elsewhere(ThreadingHTTPServer):
    """Runs on a port of its own until it is closed."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.tokens = {"a-good-token"}
        self.asked = []
        self.let_in = threading.Event()
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


def cached_token(home, name, token, ends=None):
    """A sign-in as the AWS CLI leaves it behind."""
    folder = home / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    ends = ends or time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    file = folder / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
    file.write_text(json.dumps({"accessToken": token, "expiresAt": ends, "region": "us-east-1", "startUrl": "https://x"}))
