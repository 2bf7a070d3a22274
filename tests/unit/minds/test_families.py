"""Model strings: which of them name one model, and which weights they are."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_ai.models import KnownModelName

from squads.contracts.resolved import ModelName
from squads.minds.families import family_of, model_of, models_in

KNOWN: tuple[str, ...] = get_args(KnownModelName.__value__)
SONNET = (
    "anthropic:claude-sonnet-4-5",
    "anthropic:claude-sonnet-4-5-20250929",
    "bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock:anthropic.claude-sonnet-4-5-20250929-v1:0",
    "bedrock:arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "openrouter:anthropic/claude-sonnet-4.5",
    "openrouter:anthropic/claude-sonnet-4.5:beta",
    "litellm:anthropic/claude-sonnet-4-5",
    "litellm:vertex_ai/claude-sonnet-4-5@20250929",
    "google-cloud:claude-sonnet-4-5@20250929",
    "heroku:claude-4-5-sonnet",
    "gateway/bedrock:global.anthropic.claude-sonnet-4-5-20250929-v1:0",
)
LLAMA = (
    "groq:llama-3.1-8b-instant",
    "ollama:llama3.1:8b",
    "ollama:llama3.1:8b-instruct-q4_K_M",
    "litellm:ollama/llama3.1:8b",
    "bedrock:meta.llama3-1-8b-instruct-v1:0",
    "together:meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo",
    "fireworks:accounts/fireworks/models/llama-v3p1-8b-instruct",
    "huggingface:meta-llama/Llama-3.1-8B-Instruct:cerebras",
)


@pytest.mark.parametrize("names", [SONNET, LLAMA], ids=["claude", "llama"])
def test_one_model_is_one_whoever_serves_it(names: tuple[str, ...]) -> None:
    """Route, owner, region, date, version and quantisation are not the model."""
    assert 1 == len({model_of(name) for name in names}), [model_of(name) for name in names]
    assert 1 == len({family_of(name) for name in names})


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("openai:gpt-4o", "azure:gpt-4o-2024-08-06"),
        ("openai:gpt-4", "openai:gpt-4-0613"),
        ("openai:o3-mini", "openai:o3-mini-2025-01-31"),
        ("openai:gpt-4o", "openai:ft:gpt-4o-2024-08-06:acme::id"),
        ("anthropic:claude-sonnet-4-0", "anthropic:claude-sonnet-4-20250514"),
        ("anthropic:claude-3-5-sonnet-latest", "google-cloud:claude-3-5-sonnet-v2@20241022"),
        ("google:gemini-1.5-pro", "google:gemini-1.5-pro-002"),
        ("google:gemini-2.5-pro", "google-gla:gemini-2.5-pro-preview-05-06"),
        ("mistral:mistral-small-latest", "mistral:mistral-small-2503"),
        ("deepseek:deepseek-r1", "bedrock:us.deepseek.r1-v1:0"),
        ("openrouter:deepseek/deepseek-r1:free", "openrouter:deepseek/deepseek-r1-0528"),
        ("cohere:command-r-08-2024", "bedrock:cohere.command-r-v1:0"),
        ("xai:grok-2-1212", "openrouter:x-ai/grok-2"),
        ("openai:gpt-oss-120b", "bedrock:openai.gpt-oss-120b-1:0"),
        ("bedrock:us.amazon.nova-pro-v1:0", "heroku:nova-pro"),
        ("azure:prod", "litellm:azure/prod"),
    ],
)
def test_what_may_be_one_model_counts_as_one(one: str, other: str) -> None:
    """Snapshots, previews, fine-tunes and deployments of one name are not told apart."""
    assert model_of(one) == model_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("openai:gpt-4", "openai:gpt-4-turbo"),
        ("openai:gpt-4o", "openai:gpt-4o-mini"),
        ("anthropic:claude-sonnet-4-5", "anthropic:claude-opus-4-5"),
        ("anthropic:claude-sonnet-4-5", "anthropic:claude-sonnet-4-6"),
        ("ollama:llama3.1:8b", "ollama:llama3.1:70b"),
        ("google:gemini-2.5-flash", "google:gemini-2.5-flash-lite"),
        ("deepseek:deepseek-v3", "deepseek:deepseek-r1"),
        ("bedrock:us.amazon.nova-lite-v1:0", "bedrock:us.amazon.nova-pro-v1:0"),
    ],
)
def test_models_of_different_names_stay_apart(one: str, other: str) -> None:
    """Sizes, versions and kinds of one maker are several models."""
    assert model_of(one) != model_of(other)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        *((name, "claude") for name in SONNET),
        *((name, "llama") for name in LLAMA),
        ("litellm:openai/gpt-4o", "gpt"),
        ("litellm:gpt-4o", "gpt"),
        ("azure:o3-mini", "gpt"),
        ("openai:o1", "gpt"),
        ("openai:chatgpt-4o-latest", "gpt"),
        ("groq:openai/gpt-oss-120b", "gpt"),
        ("google-vertex:gemini-2.5-pro", "gemini"),
        ("huggingface:google/gemma-3-27b-it", "gemini"),
        ("mistral:magistral-medium-latest", "mistral"),
        ("mistral:codestral-latest", "mistral"),
        ("mistral:open-mixtral-8x7b", "mistral"),
        ("bedrock:us.mistral.pixtral-large-2502-v1:0", "mistral"),
        ("mistral:ministral-8b-latest", "mistral"),
        ("bedrock:mistral.devstral-2-123b", "mistral"),
        ("huggingface:Qwen/QwQ-32B", "qwen"),
        ("huggingface:Qwen/Qwen3-235B-A22B:together", "qwen"),
        ("bedrock:deepseek.v3.2", "deepseek"),
        ("openrouter:x-ai/grok-4", "grok"),
        ("cohere:command-a-03-2025", "command"),
        ("moonshotai:kimi-k2.6", "kimi"),
        ("zai:glm-4.7", "glm"),
        ("bedrock:us.amazon.nova-lite-v1:0", "nova"),
        ("azure:phi-4", "phi"),
    ],
)
def test_the_family_is_what_the_weights_are(model: str, family: str) -> None:
    """Whoever serves them."""
    assert family == family_of(model)


@pytest.mark.parametrize(
    "model",
    [
        "openai:ft:gpt-4o-2024-08-06:acme::id",
        "groq:deepseek-r1-distill-llama-70b",
        "openrouter:deepseek/deepseek-r1-0528-qwen3-8b",
        "openrouter:nousresearch/hermes-3-llama-3.1-405b",
        "nvidia:nvidia/llama-3.1-nemotron-70b-instruct",
        "huggingface:someone/Llama-3-mine",
        "ollama:dolphin-mixtral",
        "openai:gpt-j-6b",
        "ollama:marco-o1",
        "azure:prod",
        "bedrock:arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123",
        "typesafe:jev-latest",
        "test",
        "sonnet",
        "",
        ":",
    ],
)
def test_a_family_that_is_not_certain_is_none(model: str) -> None:
    """Fine-tunes, distillations, names of deployments, and names that nobody knows."""
    assert family_of(model) is None


@pytest.mark.parametrize("model", KNOWN)
def test_every_known_model_string_can_be_recorded(model: str) -> None:
    """As it is called, and as what it is."""
    name = TypeAdapter(ModelName)

    assert model == name.validate_python(model)
    assert model_of(model) == name.validate_python(model_of(model))


def test_most_known_models_have_a_family() -> None:
    """A provider whose names the table does not read shows here."""
    unknown = {model_of(m).split("-")[0] for m in KNOWN if family_of(m) is None}

    assert {"jev", "muse", "nemotron", "palmyra", "test"} >= unknown


@given(st.text(alphabet="abcdeglmnoptv0123456789.:/@-_+", min_size=1, max_size=60))
@example("aa000")  # spelled `aa-000`, whose ending is a version's
@example("open-meta-llama")  # an owner in front of an owner
@example("-latest")  # nothing but an ending
@example("open-")  # nothing but an owner
@example(":")  # nothing but a tag
def test_reading_a_name_twice_changes_nothing(model: str) -> None:
    """Any text has a name, which names itself, and never raises."""
    name = model_of(f"x:{model}")

    assert name
    assert family_of(model) is None or isinstance(family_of(model), str)
    assert name == model_of(f"x:{name}")


@pytest.mark.parametrize(
    ("given", "models"), [(None, ()), ("a:b", ("a:b",)), (["a:b", "c:d"], ("a:b", "c:d")), (("a:b",), ("a:b",))]
)
def test_a_role_names_no_model_or_one_or_several(given: object, models: tuple[str, ...]) -> None:
    """The first choice first."""
    assert models == models_in(given)  # type: ignore[arg-type]
