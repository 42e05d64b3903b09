"""What looks like a secret and is none stays as it is, byte for byte."""

from __future__ import annotations

import base64
import json
import random

import pytest

from replay_agent.recording.redaction.redactor import Redactor
from replay_agent.traffic import Chunk, Interaction, Request, Response

RANDOM = random.Random(7)


def in_base64(size):
    return base64.b64encode(RANDOM.randbytes(size)).decode()


def chat(text):
    return json.dumps({"messages": [{"role": "user", "content": text}]})


INNOCENT = {
    "types of a program": chat("interface C { apiKey: string; accessToken?: string; secretKey: Uint8Array }"),
    "fields of a program": chat(
        "api_key: str = Field(default_factory=read_api_key)\ntoken: Optional[str] = None\n"
        'password: str = request.form["password"]\nos.environ["API_KEY"] = settings.api_key_value\n'
    ),
    "words of a machine": json.dumps([{"mnemonic": word, "opcode": 80} for word in ("push", "xor", "vfmadd213ps")]),
    "schema of a field": json.dumps(
        {"api_key": {"type": "string", "title": "Api Key", "default": "none"}, "mnemonic": {"type": "string"}}
    ),
    "options of programs": chat(
        "zip -r a.zip src -x '*.pyc'; unzip -o a.zip -d out; openssl req -key server.key -passin file:pass.txt; "
        "docker run -p 8080:80 -e MODE=fast acme/app; mysql -p -u root; ldapsearch -x -W -b dc=example"
    ),
    "marks in words": chat(
        "re_compile_all_the_patterns_of_the_module ops_team_on_call_rotation rnd_seed_of_the_experiment_run sk_learn_grid "
        "secret_santa_gift_ideas_2026 key_value_stores_compared as-you-like-it-2026-edition ak-47-history fc-northwind"
    ),
    "statements": chat(
        "SELECT password, token FROM users WHERE password IS NOT NULL; -- password 'changes' are logged; machine learning"
    ),
    "beginning of a picture": json.dumps({"data": "EAAA" + in_base64(300)}),
    "public key": chat(f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{in_base64(32)[:43]} me@host"),
    "certificate": chat(f"-----BEGIN CERTIFICATE-----\n{in_base64(600)}\n-----END CERTIFICATE-----\n"),
    "expressions": chat("^(?:sk|pk)-[A-Za-z0-9]{20,}$ or gh[pousr]_[A-Za-z0-9]{36} or AKIA[0-9A-Z]{16}"),
    "names of secrets": json.dumps(
        {"name": "get_secret", "arguments": json.dumps({"secret_name": "prod/db/main", "key_id": "customer-17"})}
    ),
    "integrity of packages": json.dumps(
        {"integrity": "sha512-" + in_base64(64), "resolved": "https://a.example/x-1.2.3.tgz"}
    ),
    "ids of answers": json.dumps(
        {
            "id": f"resp_{'0f1e2d3c' * 6}",
            "items": [f"rs_{'0f1e2d3c' * 6}", f"fc_{'0f1e2d3c' * 6}", "req_011CQa7b8c9d0e1f2g3h4i5j"],
        }
    ),
    "padding of base64 in a file": f"a:\n  data: |\n    {in_base64(40)}\n    {in_base64(10)}\n  b: c\n",
    "keys of a keyboard": chat(
        "Press **Ctrl+K**. **Key:** value pairs. **Token:** the smallest unit. | API key | required |"
    ),
    "variables of tables": chat(
        "PRIMARY_KEY=customerOrderId2024x FOREIGN_KEY: tenant9Region77Code CACHE_KEY=user17profile9v2abc"
    ),
    "csv plain": chat("name,age,city\nbob,3,rome\nann,4,paris\n"),
    "csv key col": chat("key,value\nalpha,1\nbeta,2\n"),
    "csv id col": chat("id,key,size\n1,uploads/2024/a.png,3\n2,uploads/2024/b.png,4\n"),
    "csv token count": chat("model,prompt_tokens,completion_tokens,total_tokens\ngpt-4o,512,20,532\n"),
    "csv secret santa": chat("giver,secret santa\nbob,ann\nann,carol\n"),
    "csv password prose": chat(
        "Enter name, password, and age.\nThe model, however, failed and asked.\nThen, later, it went on.\n"
    ),
    "csv pin city": chat("city,pin\nMumbai,true\nDelhi,false\n"),
    "md table settings": chat(
        "| name | type | description |\n|---|---|---|\n| api_key | string | The key to use |\n| password | string | Your password |\n"
    ),
    "md table of password field": chat(
        "| field | password |\n|---|---|\n| required | yes |\n| type | string |\n| min length | 8 |\n"
    ),
    "md table tokens": chat("| model | tokens | cost |\n|---|---|---|\n| gpt-4o | 128000 | 0.01 |\n"),
    "json tables": json.dumps({"columns": ["id", "token_count"], "rows": [[1, 512], [2, 1024]]}),
    "json names list": json.dumps(
        {"required": ["name", "password", "api_key", "client_secret"], "enum": ["token", "secret", "password"]}
    ),
    "json scopes": json.dumps({"scopes": ["read:tokens", "write:secrets", "authorization_code"]}),
    "tokens number": json.dumps({"tokens": 512, "max_tokens": 4096, "total_tokens": 99999999, "keys": 5}),
    "tokens list": json.dumps({"tokens": ["Hello", " world", "!"], "token_ids": [12345, 6789]}),
    "keys list": json.dumps(
        {"keys": ["user:1", "user:2", "Primary-Key", "createdAt", "9f86d081884c7d659a2feaa0c55ad015"]}
    ),
    "keys objects": json.dumps(
        {"keys": {"primary": "id", "sort": "createdAt2024", "hash": "9f86d081884c7d659a2feaa0c55ad015"}}
    ),
    "s3 keys": json.dumps({"Keys": ["2024/09/aB3dE6gH9jK2/report.pdf", "logs/a.gz"], "Key": "x/y.png"}),
    "uuid keys": json.dumps(
        {"keys": ["550e8400-e29b-41d4-a716-446655440000"], "tokens": {"next": "Qz7Lk9Wm3PvXt5Rb2Ny8Hc4J"}}
    ),
    "jwks public": json.dumps(
        {
            "keys": [
                {
                    "kty": "RSA",
                    "kid": "2024-01",
                    "use": "sig",
                    "n": "sXchDaQebHnPiGvyDOAT4saGEUetSyo9MKLOoWFsueri23bOdgWp4Dy1WlUzewbgBHod5pcM9H95GQRV3JDXboIRROSBigeC5yjU1hGzHHyXss8UDprecbAYxknTcQkhslANGRUZmdTOQ5qTRsLAt6BTYuyvVRdhS8exSZEy",
                    "e": "AQAB",
                }
            ]
        }
    ),
    "pin gpio": json.dumps({"pin": 13, "pins": [1, 2, 144], "pin_mode": "INPUT", "mode": "otp"}),
    "pinned": json.dumps({"pinned": True, "spin": "12345678", "opinion": "12345678", "pin_code": "560001"}),
    "codes": json.dumps(
        {
            "code": "E1234567",
            "error_code": "12345678",
            "country_code": "0049",
            "codes": ["12345678"],
            "status_code": 200,
        }
    ),
    "verification said": chat("The verification code step comes after login; recovery codes are printed once."),
    "comment urls": '{"a": "x", // see https://example.org/api/key: it says more about tokens\n "b": 1}',
    "comment api": '{"api_key": null, /* never put your api_key: here */ "b":1}',
    "emoji": chat("👩‍👩‍👧‍👦 family 🏳️‍🌈 and ‌persian نمی‌خواهم text; soft\u00adhyphen"),
    "chinese": chat("你好，世界！请输入密码：然后点击（登录）。令牌：见下。API密钥：请联系管理员。"),
    "fullwidth": chat("ＡＢＣ　１２３　ｋｅｙ"),
    "ansi": chat("\x1b[32mPASSED\x1b[0m tests/test_key.py::test_token[api_key] \x1b[31mFAILED\x1b[0m"),
    "octal": chat("file mode \\644 and \\155 in C:\\123\\456 \\\\server\\share"),
    "css": chat(".icon:before { content: '\\f101'; } .a { content: \"\\201C\"; }"),
    "latex": chat("\\begin{table} \\textbf{key} \\frac{1}{2} \\u{2B}"),
    "qp": chat(
        "Subject: x\nContent-Transfer-Encoding: quoted-printable\n\nHello =C3=A9 caf=C3=A9, 1=3D1 and a long line=\n that goes on\n"
    ),
    "hex digests": chat(
        "sha256 "
        + RANDOM.randbytes(32).hex()
        + " md5 "
        + RANDOM.randbytes(16).hex()
        + " "
        + RANDOM.randbytes(64).hex().upper()
    ),
    "hex text": json.dumps({"hex": b"the weather is nice and warm today ok".hex()}),
    "byte list": json.dumps(
        {
            "bytes": list(b"the weather is nice and warm"),
            "embedding": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18],
        }
    ),
    "base32": chat(
        base64.b32encode(b"the weather is nice and warm today").decode()
        + " "
        + base64.b32encode(RANDOM.randbytes(40)).decode()
    ),
    "logprobs": json.dumps(
        {
            "choices": [
                {
                    "logprobs": {
                        "content": [
                            {"token": t, "logprob": -0.1, "bytes": list(t.encode())}
                            for t in ["The", " API", " key", " is", " secret"]
                        ]
                    }
                }
            ]
        }
    ),
    "cookie prose": chat(
        "Cookie: a small baked good. Set-Cookie: is a header; Path=/ and SameSite=Lax are attributes. cookie: theme=dark; lang=en-US"
    ),
    "auth prose": chat(
        "Authorization: required. Authorization: Bearer <token>. Authorization: Bearer YOUR_TOKEN_HERE. Authorization: Bearer ${TOKEN}"
    ),
    "header names": json.dumps(
        [
            "Accept",
            "application/json",
            "X-Request-Id",
            "req_011CQz7Lk9Wm3PvXt5Rb2Ny8",
            "Idempotency-Key",
            "stainless-python-retry-9f86d081-884c",
        ]
    ),
    "paired": json.dumps(
        [
            {"name": "password", "type": "string", "value": "required"},
            {"name": "api_key", "description": "The content of the key", "in": "header"},
            {"key": "token", "value": 512},
        ]
    ),
    "paired schema": json.dumps(
        {
            "parameters": {
                "properties": {
                    "name": {"type": "string"},
                    "token": {"type": "string", "description": "value: the content"},
                }
            }
        }
    ),
    "env example": chat(
        "OPENAI_API_KEY=your-api-key\nPASSWORD=changeme\nDB_PASSWORD=${DB_PASSWORD}\nTOKEN=$TOKEN\nSECRET_KEY=\n"
    ),
    "yaml prose": chat(
        "password:\n  required: true\n  description: The password of the user\ntokens:\n  - hello\n  - world\nsecret:\n  name: my-app-secrets\n"
    ),
    "k8s ref": chat(
        "env:\n- name: API_KEY\n  valueFrom:\n    secretKeyRef:\n      name: my-app-secrets\n      key: api-key-production\n"
    ),
    "python": chat(
        "def login(password: str, token=None):\n    if token:\n        return authenticate_with_token_v2(token)\n    self.password = hash_password(password)\n    api_key = config['api_key']\n    secret_key = get_secret_key_from_vault2()\n"
    ),
    "ts": chat(
        "interface Login { password: string; apiKey?: string; token: Promise<string> }\nconst password = useState('');\nlabel: { password: 'Password', confirmPassword: 'Confirm your password' }"
    ),
    "xml": chat(
        '<password/><token type="x">number</token><key>name</key><string>Hello there</string><secret>rook</secret>'
    ),
    "html form": chat(
        '<label for="password">Password</label><input type="password" name="password" value=""><meta name="description" content="All about tokens and secrets">'
    ),
    "html table": chat(
        "<table><tr><th>Option</th><th>Password</th></tr><tr><td>required</td><td>yes</td></tr></table>"
    ),
    "urls": chat(
        "https://x.org/docs/api-key?tab=token#access_token and https://user@host/path https://docs.example/v1?page_token=Qz7Lk9Wm3PvXt5&cursor=abc123def456ghi789"
    ),
    "addresses in parentheses": chat(
        "(see http://localhost:8080)mail@x.org, [x](http://host:80),b2c4@d https://a.example:443?to=a:b@c.example"
    ),
    "urls2": chat(
        "http://localhost:8080/a:b@c https://medium.com/@user/post-1234567890ab git@github.com:org/repo.git ssh://git@host:22/x"
    ),
    "pem public": chat(
        "-----BEGIN PUBLIC KEY-----\n"
        + base64.encodebytes(RANDOM.randbytes(100)).decode()
        + "-----END PUBLIC KEY-----\n-----BEGIN CERTIFICATE-----\n"
        + base64.encodebytes(RANDOM.randbytes(100)).decode()
        + "-----END CERTIFICATE-----"
    ),
    "ids": chat(
        " ".join(
            p + "".join(RANDOM.choices("abcdefABCDEF0123456789", k=24))
            for p in (
                "chatcmpl-",
                "msg_",
                "toolu_",
                "call_",
                "resp_",
                "task-proj-",
                "run_",
                "batch_",
                "file-",
                "asst_",
                "thread_",
            )
        )
    ),
    "hexid task": chat(
        "task-proj-9f86d081884c7d659a2feaa0 desk-or-table risk-admin-console-2024 ask-proj-management-questions-2024"
    ),
    "signature": json.dumps(
        {
            "signature": in_base64(400),
            "encrypted_content": "gAAAAA" + in_base64(300),
            "thoughtSignature": in_base64(200),
            "data": in_base64(900),
        }
    ),
    "invalid token": chat(
        "Unexpected token 'const', invalid token '<', Invalid API key provided: sk-***abcd. token: expected_an_identifier_here"
    ),
    "said": chat("The API key is required -> see docs. API key: `OPENAI_API_KEY`. **Token**: `next_page_token_value`"),
    "options": chat(
        "docker run -p 8080:80 -u 1000:1000 --password-stdin; mysql -p mydatabase_v2; ssh -p 2222 host; tar -a file; docker login -u bob --password-stdin"
    ),
    "git diff": chat(
        "-    token = None\n+    token = request.headers.get('X-Auth-Token')\n--- a/key.py\n+++ b/key.py\n@@ -1,3 +1,3 @@"
    ),
    "sse multi": 'event: x\ndata: {"text": "hello",\ndata: "more": "my api key is secret"}\n\n',
    "otp prose": chat("otp: one-time password; Erlang/OTP 26, OTP=26"),
    "fingerprint": json.dumps(
        {
            "system_fingerprint": "fp_44709d6fcb",
            "prompt_cache_key": "user-1234",
            "safety_identifier": "a" * 64,
            "seed": 12345678,
        }
    ),
    "nested tokens": json.dumps(
        {"usage": {"tokens": {"input": 5, "output": 7, "cached": "0"}}, "tokens": {"billed_units": {"a": "12"}}}
    ),
    "eth": json.dumps(
        {"tokens": [{"symbol": "USDC", "address": "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"}], "token": "0xA0b86991"}
    ),
    "vocab": json.dumps({"tokens": ["Ġthe", "##ing", "<|endoftext|>", "▁hello"]}),
    "arguments one a line": chat(
        'client = connect(\n    api_key=API_KEY,\n    project_name="travel-desk-integration",\n)'
    ),
    "arguments one a line, said in JSON": json.dumps(
        {"code": 'open(\n token=SERVICE_TOKEN,\n endpoint="https://eu.example.com/v1",\n)'}
    ),
    "names of a CI": chat(
        "OPENAI_API_KEY: ${{ secrets.OPENAI_API_KEY }}\nDEPLOY_TOKEN=$(cat /run/token)\nid-token: write"
    ),
    "headers ratelimit": json.dumps({"x-ratelimit-remaining-tokens": "149984", "x-ratelimit-reset-tokens": "6ms"}),
}


@pytest.mark.parametrize("name", INNOCENT)
def test_no_secret(name):
    body = INNOCENT[name].encode()
    headers = (("content-type", "text/event-stream" if body.startswith(b"event") else "application/json"),)
    asked = Request("POST", "https://a.example/v1", headers, body)
    stored = Redactor(environ={}).interaction(Interaction(asked, Response(200, headers, (Chunk(body),))))
    assert (stored.outcome.body, stored.request.body) == (body, body)
