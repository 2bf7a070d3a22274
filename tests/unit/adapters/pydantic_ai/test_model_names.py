"""A model string that cannot be asked is refused before any work, in one sentence that says what to do."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys

import pytest

from squads.adapters.pydantic_ai.names import Plugins, check_name, keyless, litellm_keyless, split_name
from squads.adapters.pydantic_ai.providers import NOT_FOR_ROLES, PROVIDERS
from squads.contracts.errors import InvalidModel

KEY = {"ANTHROPIC_API_KEY": "sk-ant-secret", "OPENAI_API_KEY": "sk-secret"}


def refusal(name: str, environment: dict[str, str] | None = None, **options: Plugins) -> str:
    with pytest.raises(InvalidModel) as caught:
        check_name(name, environment=environment or {}, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", ["anthropic:claude-sonnet-5-5", "openai:gpt-6-luna", "openai-chat:gpt-6-luna", "litellm:openai/gpt-6-luna"]
)
def test_a_known_provider_with_its_key_passes(name):
    """Nothing else is asked of a model string."""
    check_name(name, environment=KEY)


def test_a_new_model_of_a_known_provider_is_never_blocked():
    """Providers bring out models faster than lists are written, so a model's own name is not judged."""
    check_name("anthropic:claude-of-the-year-3000", environment=KEY)


@pytest.mark.parametrize(
    ("wrong", "nearest"),
    [
        ("claude-sonnet-5-5", "anthropic:claude-sonnet-5-5"),
        ("claude-sonet-5.5", "anthropic:claude-sonnet-5-5"),
        ("gpt-6-luna", "openai:gpt-6-luna"),
        ("antropic:claude-sonnet-5-5", "anthropic:claude-sonnet-5-5"),
        ("Anthropic:claude-sonnet-5-5", "anthropic:claude-sonnet-5-5"),
        (" anthropic:claude-sonnet-5-5", "anthropic:claude-sonnet-5-5"),
        ("openai/gpt-6-luna", "openai:gpt-6-luna"),
        ("anthropic:", "anthropic:claude-"),
        ("anthropic:two words", "anthropic:claude-"),
        ("litellm:gpt-6-luna", "litellm:openai/gpt-6-luna"),
        ("litellm:opnai/gpt-6-luna", "litellm:openai/gpt-6-luna"),
        ("", "anthropic:claude-"),
    ],
)
def test_an_unknown_string_is_refused_with_the_nearest_known_one(wrong, nearest):
    """Whoever misspells a model reads what they meant."""
    assert f"'{nearest}" in refusal(wrong, KEY)


def test_a_provider_that_cannot_fill_in_a_form_is_refused():
    """Speech and vectors are no reply of a role."""
    assert "cannot fill in a form" in refusal("elevenlabs:eleven_v3", KEY)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("anthropic:claude-sonnet-5-5", "ANTHROPIC_API_KEY"),
        ("openai:gpt-6-luna", "OPENAI_API_KEY"),
        ("litellm:openai/gpt-6-luna", "OPENAI_API_KEY"),
        ("deepseek:deepseek-chat", "DEEPSEEK_API_KEY"),
        ("azure:mine", "AZURE_OPENAI_API_KEY and AZURE_OPENAI_ENDPOINT"),
        ("gateway/openai:gpt-6-luna", "PYDANTIC_AI_GATEWAY_API_KEY"),
    ],
)
def test_a_missing_key_names_the_variable_and_the_way_without_a_key(name, variable):
    """One sentence: what to set, and what works without it."""
    said = refusal(name)

    assert f"set {variable}" in said
    assert "`squads run --replay DIR`" in said
    assert "`squads demo`" in said
    assert "\n" not in said


def test_an_empty_key_is_no_key():
    """A variable that is set to nothing, or to blanks, has been forgotten."""
    assert "set OPENAI_API_KEY" in refusal("openai:gpt-6-luna", {"OPENAI_API_KEY": "  "})


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost:8000/v1", "http://[::1]:8000"])
def test_a_server_on_this_machine_needs_no_key(url):
    """Local servers ask for none."""
    check_name("openai:gpt-6-luna", environment={"OPENAI_BASE_URL": url})
    check_name("litellm:openai/gpt-6-luna", environment={"OPENAI_BASE_URL": url})
    check_name("anthropic:claude-sonnet-5-5", environment={"ANTHROPIC_BASE_URL": url})


def test_a_server_elsewhere_needs_a_key():
    """An address of one's own is no reason to send requests without a key."""
    assert "set OPENAI_API_KEY" in refusal("openai:gpt-6-luna", {"OPENAI_BASE_URL": "http://10.0.0.7:8000/v1"})


def test_a_key_that_is_set_is_used_on_this_machine_too():
    """Only who has set no key goes without one."""
    here = {"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}

    assert keyless("openai", here)
    assert litellm_keyless("openai/gpt-6-luna", here)
    assert not keyless("openai", {**here, **KEY})
    assert not litellm_keyless("openai/gpt-6-luna", {**here, **KEY})


def test_a_package_that_is_missing_says_what_to_install():
    """Checked before the key, since a key would not help."""
    assert 'pip install "pydantic-ai-slim[groq]"' in refusal("groq:llama-3.3-70b-versatile", {"GROQ_API_KEY": "x"})


def test_litellm_says_its_own_extra_when_it_is_missing(monkeypatch):
    """The extra of squads, with the version that fits."""
    monkeypatch.setattr("squads.adapters.pydantic_ai.names.find_spec", lambda _: None)

    assert 'pip install "squads[litellm]"' in refusal("litellm:openai/gpt-6-luna", KEY)


def test_a_plugin_brings_a_provider():
    """Its prefix is known, and its keys are its own affair."""
    mine = Plugins(names=frozenset({"acme"}))

    check_name("acme:large", environment={}, plugins=mine)

    assert ("acme", "large") == split_name("acme:large", plugins=mine)
    assert "'acme:large'" in refusal("acmee:large", plugins=mine)


def test_every_provider_of_pydantic_ai_has_a_line():
    """A new version's new provider must be looked at: it is either in the table or not for roles."""
    from pydantic_ai.providers import infer_provider_class

    source = inspect.getsource(infer_provider_class)
    theirs = {name for line in re.findall(r"case (.+):", source) for name in re.findall(r"'([^']+)'", line)}

    assert theirs == PROVIDERS.keys() | NOT_FOR_ROLES


def test_every_line_names_the_variables_that_pydantic_ai_reads():
    """The sentence must not send anybody after a variable that nobody reads."""
    import importlib
    import pkgutil

    import pydantic_ai.providers as package

    text = ""
    for found in pkgutil.iter_modules(package.__path__):
        spec = importlib.util.find_spec(f"pydantic_ai.providers.{found.name}")
        assert spec is not None
        assert spec.loader is not None
        text += spec.loader.get_source(spec.name)  # type: ignore[attr-defined]
    named = {variable for line in PROVIDERS.values() for group in line.needs for variable in group}

    # the SDK itself reads the one for tokens
    assert set() == {variable for variable in named if variable not in text} - {"ANTHROPIC_AUTH_TOKEN"}


def test_checking_a_good_name_and_a_misspelt_provider_imports_no_vendor():
    """A check that takes seconds would be switched off."""
    program = (
        "import sys\n"
        "from squads.adapters.pydantic_ai.names import check_name\n"
        "check_name('anthropic:x', environment={'ANTHROPIC_API_KEY': 'k'})\n"
        "check_name('litellm:openai/x', environment={'OPENAI_API_KEY': 'k'})\n"
        "for wrong in ('antropic:x', 'openai:x', 'litellm:opnai/x'):\n"
        "    try: check_name(wrong, environment={})\n"
        "    except ValueError: pass\n"
        "print([each for each in ('pydantic_ai', 'openai', 'anthropic', 'litellm') if each in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.strip()


def test_a_key_is_never_shown():
    """Not even where another one is missing."""
    assert "secret" not in refusal("azure:x", {"AZURE_OPENAI_API_KEY": "secret"})
