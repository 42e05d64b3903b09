"""The name of a column tells of all values below it."""

from __future__ import annotations

import pytest

from replay_agent.recording.redaction.finders.tables import find_in_tables


def values(find, text):
    data = text.encode()
    return [data[span.start : span.end].decode() for span in find(data)]


S = "s3cretPW99abcQ7xLm"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"user,password,age\nbob,{S},3\nann,hunter2xyz,4\n", [S, "hunter2xyz"]),
        (f"name\tsecret_key\nacme\t{S}", [S]),
        (f"name;client secret\nacme;{S}\n", [S]),
        (f'"name","api key"\r\n"acme, inc","{S}"\r\n', [S]),
        (f"\ufeffUser name,Password,Secret access key\nbob,,{S}\n", [S]),
        (f"Here:\n\n| env | API key |\n|:---|---|\n| prod | `{S}` |\n", [S]),
        (f" id | api_key \n----+---------\n  1 | {S}\n(1 row)\n", [S]),
        (f'{{"text": "name,api_key,plan\nacme,{S},pro"}}', [S]),
        (f'{{"text": "name,api_key\nacme,{S}"}}', [S]),
        (f"a=1&note=api_key,id\n{S},7\n", [S]),
        (f"<table><tr><th>name</th><th>password</th></tr><tr><td>bob</td><td>{S}</td></tr></table>", [S]),
        (f"<tr><td>name</td><td>api key</td></tr>\n<tr><td>bob</td><td><code>{S}</code></td></tr>", [S]),
        (f'{{"columns":["id","api_key"],"rows":[[1,"{S}"],[2,null]]}}', [S]),
        (f'{{"columns": ["id", "password"], "index": [0], "data": [[1, "{S}"]]}}', [S]),
        (f'{{"values": [["name", "token"], ["bob", "{S}"]]}}', [S]),
    ],
)
def test_columns_of_credentials(text, found):
    assert values(find_in_tables, text) == found


@pytest.mark.parametrize(
    "text",
    [
        "name,age\nbob,3\n",
        "key,value\nalpha,1\n",
        "id,key,size\n1,uploads/2024/a.png,3\n",
        "model,prompt_tokens,total_tokens\ngpt-4o,512,99999999\n",
        "giver,secret santa\nbob,ann\n",
        "Enter name, password, and age.\nThe model, however, failed and asked.\nThen, later, it went on.\n",
        "| name | type | description |\n|---|---|---|\n| api_key | string | The key to use |\n",
        "| field | password |\n|---|---|\n| required | yes |\n| type | string |\n",
        "<table><tr><th>Option</th><th>Password</th></tr><tr><td>required</td><td>yes</td></tr></table>",
        '{"columns":["id","token_count"],"rows":[[1,512]]}',
        '{"required":["name","password","api_key"],"enum":["token","secret"]}',
        f"api_key\n{S}\n",
        f"name,api_key\n\n{S},{S}\n",
    ],
)
def test_tables_without_credentials(text):
    assert values(find_in_tables, text) == []
