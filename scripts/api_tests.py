"""Prepares a server for schemathesis: records entries, and prints its OpenAPI document for the run."""

import json
import sys
import urllib.request

TRACE = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\nValueError: bad'


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main(api):
    entries = [
        {
            "message": f"message {i}",
            "level": ["DEBUG", "INFO", "WARNING", "ERROR"][i % 4],
            "logger": "backend.engine",
            "module": "game",
            "function": "play",
            "line": i,
            "thread": 7,
            "thread_name": "MainThread",
            "process": 1,
            "service": "cards",
            "trace_id": "aa",
            "span_id": "bb",
            "file": "/app/a.py",
            "room": f"r{i % 3}",
            "deep": {"a": [1, None, True]},
            **({"exception": TRACE} if i % 5 == 0 else {}),
        }
        for i in range(200)
    ]
    call(f"{api}/logs", entries)
    call(f"{api}/marks", {"name": "start", "note": "of the tests"})
    document = call(f"{api}/openapi.json")
    some = call(f"{api}/logs?limit=5&level=ERROR")
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation["parameters"]:
                if parameter["name"] == "wait":
                    parameter["schema"]["maximum"] = 0.05
                    parameter["example"] = 0.05
                if parameter["name"] == "id":
                    ids = [entry["id"] for entry in some["data"]]
                    parameter["schema"] = {"enum": [*ids, "12-34"]}
                    parameter["example"] = ids[0]
                if parameter["name"] in ("after", "before") and parameter["example"] == "CURSOR":
                    parameter["example"] = some["prev_cursor"]
    # What is recorded must stay until it was asked for, and an answer must end.
    del document["paths"]["/logs"]["delete"]
    del document["paths"]["/logs/stream"]
    json.dump(document, sys.stdout)


main(sys.argv[1])
