"""The model server in a process of its own: its address, its script, its counts and its switches."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import openai
import pytest
from sdk_scene import FILLED, PLAIN, STREAMED

from squads.testing import Call, Fault, ServerProcess, ServerReply, Tokens
from squads.testing.served_process import main
from squads.testing.served_script import reply_from_json, script_from_json

FORM = {"call": {"name": "plan", "arguments": FILLED}}


async def test_another_process_counts_what_was_asked() -> None:
    """Asked, answered, paid twice, left, unexpected, and the bodies."""
    script = {"models": {"gpt-x": [FORM, {"fault": "rate_limited", "retry_after": 0}, FORM, FORM]}}
    with ServerProcess(script) as server:
        for _ in range(2):
            assert ("plan", FILLED) == await PLAIN["chat"](server, max_retries=1)
        with pytest.raises(openai.InternalServerError):
            await STREAMED["chat"](server, model="gpt-y")
        report = server.report()

        assert {"gpt-x": 3, "gpt-y": 1} == report["asked"]
        assert ({"gpt-x": 2}, 1, {"gpt-x": 1}) == (report["answered"], report["repeated"], report["left"])
        assert ["gpt-x"] * 3 + ["gpt-y"] == [body["model"] for body in report["bodies"]]
        assert "no script names it" in report["failures"][0]
        assert [] == server.report(bodies=False)["bodies"]


async def test_its_faults_are_switched_from_outside() -> None:
    """For the next requests, for all, and off again; an unknown switch is refused."""
    from urllib.error import HTTPError

    with ServerProcess({"forms": {"plan": FILLED}}) as server:
        server.switch(next=[{"fault": "failed", "status": 503}], fault={"fault": "unauthorized"}, latency_ms=1)
        with pytest.raises(openai.AuthenticationError):
            await PLAIN["chat"](server)
        server.switch(fault=None)
        with pytest.raises(openai.InternalServerError):
            await PLAIN["chat"](server)
        assert ("plan", FILLED) == await PLAIN["chat"](server)

        with pytest.raises(HTTPError, match="400") as raised:
            server.switch(latency=1)
        assert "unknown switch 'latency'" in raised.value.read().decode()
        raised.value.close()


async def test_a_function_can_be_imported_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For what no list can say."""
    (tmp_path / "kit.py").write_text("def answer(request):\n    return 'to ' + request.model\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[3] / 'src'}")
    with ServerProcess(reply="kit:answer", latency_ms=1) as server:
        async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="none") as client:
            assert "to gpt-x" == (await client.responses.create(model="gpt-x", input="x")).output_text


def test_the_module_serves_until_it_is_told_to_end(tmp_path: Path) -> None:
    """It prints its address as one line of JSON; the script comes from a file."""
    (tmp_path / "script.json").write_text(json.dumps({"models": {"gpt-x": [FORM]}}), "utf-8")
    command = [sys.executable, "-m", "squads.testing.model_server", "--port", "0", "--script", "script.json"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    ) as process:
        said = json.loads(process.stdout.readline())
        server = ServerProcess()
        server.url = said["url"]
        assert ("plan", FILLED) == asyncio.run(PLAIN["messages"](server, model="gpt-x"))
        assert said["openai_url"] == server.openai_url
        process.terminate()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("[]", 'an object with "models" and "forms"'),
        ('{"models": {"m": ["x"]}}', r"models\.m\[0\]: a reply is an object, not 'x'"),
        ('{"models": {"m": [{"cal": 1}]}}', r"models\.m\[0\]: unknown key 'cal'; known: call, calls"),
        ('{"models": {"m": [{"call": {"nam": 1}}]}}', r"models\.m\[0\]: .*nam"),
        ('{"models": {"m": [{"fault": "__init__"}]}}', r"models\.m\[0\]: unknown fault '__init__'; known: context"),
        ('{"models": {"m": [{"fault": "failed", "when": 1}]}}', r"models\.m\[0\]: .*when"),
        ("{", "Expecting property name"),
    ],
)
def test_a_script_that_cannot_be_read_names_the_place(
    script: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is served, with exit code 2."""
    (tmp_path / "s.json").write_text(script, "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--script", str(tmp_path / "s.json")])

    assert 2 == ended.value.code
    assert re.search(sentence, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("data", "reply"),
    [
        ({"text": "x", "wait_ms": 5}, ServerReply(text="x", wait_ms=5)),
        ({"call": {"name": "a"}, "tokens": {"input": 1, "output": 2}},
         ServerReply(calls=(Call("a"),), tokens=Tokens(input=1, output=2))),
        ({"calls": [{"name": "a", "arguments": "{"}], "cut_off": True},
         ServerReply(calls=(Call("a", "{"),), cut_off=True)),
        ({"fault": "truncated", "reply": {"text": "x"}}, Fault.truncated("x")),
        ({"fault": "reset", "after_headers": True}, Fault.reset(after_headers=True)),
        ({"text": "x", "inject": {"text": "y"}}, ServerReply(text="y\nx", text_after="y")),
    ],
)  # fmt: skip
def test_a_reply_in_json_says_all_that_one_in_python_says(data: dict[str, Any], reply: Any) -> None:
    """Calls, text, tokens, waiting, faults and injected text."""
    assert reply == reply_from_json(data)
    assert {"m": 1} == script_from_json({"models": {"m": [data]}}).left()
