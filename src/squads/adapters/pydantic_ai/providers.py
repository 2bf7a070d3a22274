"""What each provider of a model string needs before it can be asked: variables, and the package that speaks to it.

A table and nothing else, so that a name can be judged without importing a vendor.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provider:
    """What stands between a provider's prefix and the first request."""

    needs: tuple[tuple[str, ...], ...] = ()
    """Environment variables: one of each group. Empty where credentials may stand elsewhere, in a cloud's profile."""
    module: str = "openai"
    """The module that must be importable."""
    install: str = ""
    """What `pip install` is told when it is not; empty for what comes with squads."""
    base_url: str = ""
    """The variable that moves the provider to another address. One on this machine needs no key."""


def _key(*names: str, install: str = "", module: str = "openai", base_url: str = "") -> Provider:
    return Provider(needs=(names,), module=module, install=install, base_url=base_url)


def _extra(name: str) -> str:
    return f'"pydantic-ai-slim[{name}]"'


_OPENAI = _key("OPENAI_API_KEY", base_url="OPENAI_BASE_URL")
_GOOGLE = _key("GOOGLE_API_KEY", "GEMINI_API_KEY", install=_extra("google"), module="google.genai")
_AZURE = Provider(needs=(("AZURE_OPENAI_API_KEY",), ("AZURE_OPENAI_ENDPOINT",)))

PROVIDERS: dict[str, Provider] = {
    "anthropic": _key("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", module="anthropic", base_url="ANTHROPIC_BASE_URL"),
    "openai": _OPENAI,
    "openai-chat": _OPENAI,
    "openai-responses": _OPENAI,
    "litellm": Provider(module="litellm", install='"squads[litellm]"'),
    "alibaba": _key("ALIBABA_API_KEY", "DASHSCOPE_API_KEY"),
    "azure": _AZURE,
    "azure-responses": _AZURE,
    "bedrock": Provider(module="boto3", install=_extra("bedrock")),
    "bedrock-mantle": Provider(module="botocore", install=_extra("bedrock-mantle")),
    "cerebras": _key("CEREBRAS_API_KEY"),
    "cohere": _key("CO_API_KEY", install=_extra("cohere"), module="cohere"),
    "crusoe": _key("CRUSOE_API_KEY"),
    "deepseek": _key("DEEPSEEK_API_KEY"),
    "fireworks": _key("FIREWORKS_API_KEY"),
    "github": _key("GITHUB_API_KEY"),
    "github-copilot": _key("GITHUB_COPILOT_API_KEY", "GITHUB_COPILOT_API_TOKEN", "COPILOT_GITHUB_TOKEN"),
    "google": _GOOGLE,
    "google-cloud": Provider(module="google.genai", install=_extra("google")),
    "groq": _key("GROQ_API_KEY", install=_extra("groq"), module="groq"),
    "heroku": _key("HEROKU_INFERENCE_KEY"),
    "huggingface": _key("HF_TOKEN", install=_extra("huggingface"), module="huggingface_hub"),
    "meta": _key("META_API_KEY"),
    "mistral": _key("MISTRAL_API_KEY", install=_extra("mistral"), module="mistralai"),
    "moonshotai": _key("MOONSHOTAI_API_KEY"),
    "nebius": _key("NEBIUS_API_KEY"),
    "ollama": _key("OLLAMA_BASE_URL"),
    "openai-codex": Provider(),
    "openrouter": _key("OPENROUTER_API_KEY"),
    "ovhcloud": _key("OVHCLOUD_API_KEY"),
    "sambanova": _key("SAMBANOVA_API_KEY"),
    "snowflake": Provider(needs=(("SNOWFLAKE_TOKEN",), ("SNOWFLAKE_ACCOUNT",))),
    "together": _key("TOGETHER_API_KEY"),
    "vercel": _key("VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
    "vllm": _key("VLLM_BASE_URL"),
    "xai": _key("XAI_API_KEY", install=_extra("xai"), module="xai_sdk"),
    "zai": _key("ZAI_API_KEY"),
}
"""Every prefix that a model string may have, apart from those of plugins."""

NOT_FOR_ROLES = frozenset(
    {
        "elevenlabs",
        "google-decisions",
        "openai-chatgpt",
        "openai-decisions",
        "sentence-transformers",
        "system-one",
        "typesafe",
        "voyageai",
    }
)
"""Providers of pydantic-ai that cannot fill in a form from a model string: speech, vectors, bare decisions, sign-in."""

GATEWAY = "gateway/"
"""What stands before a provider that is reached through pydantic-ai's gateway."""

GATEWAY_NEEDS = (("PYDANTIC_AI_GATEWAY_API_KEY", "PAIG_API_KEY"),)

LITELLM_NEEDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "anthropic": (("ANTHROPIC_API_KEY",),),
    "azure": (("AZURE_API_KEY",), ("AZURE_API_BASE",)),
    "bedrock": (),
    "cerebras": (("CEREBRAS_API_KEY",),),
    "cohere": (("COHERE_API_KEY", "CO_API_KEY"),),
    "deepseek": (("DEEPSEEK_API_KEY",),),
    "fireworks_ai": (("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),),
    "gemini": (("GEMINI_API_KEY", "GOOGLE_API_KEY"),),
    "groq": (("GROQ_API_KEY",),),
    "huggingface": (),
    "mistral": (("MISTRAL_API_KEY",),),
    "ollama": (),
    "openai": (("OPENAI_API_KEY",),),
    "openrouter": (("OPENROUTER_API_KEY", "OR_API_KEY"),),
    "perplexity": (("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),),
    "together_ai": (("TOGETHERAI_API_KEY", "TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHER_AI_TOKEN"),),
    "vertex_ai": (),
    "xai": (("XAI_API_KEY",),),
}
"""What litellm's own providers need, the best known of them; of the others litellm itself says what is missing."""

LITELLM_BASE_URLS = {"openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"), "anthropic": ("ANTHROPIC_BASE_URL",)}
"""The variables that move a provider of litellm to another address."""
