"""What a model string names: the model without its route, and the family of its weights.

A gate that reads with its author's weights overlooks what the author overlooked, whoever serves them: the same model is
`anthropic:claude-sonnet-4-5`, `bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0` and
`openrouter:anthropic/claude-sonnet-4.5`. So names are compared without route, owner, date and what only says how the
model is served. Everything here errs to one side: two names that may be one model count as one, and a family that is
not certain is None. A model too many counted as the same is a squad that says so when it is made; one too few would
be a gate that agrees with its author in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FAMILIES: Mapping[str, str] = {
    r"claude": "claude",
    r"(?:chat)?gpt-(?:\d|oss)": "gpt",
    r"codex-mini": "gpt",
    r"o[1-9](?:-|$)": "gpt",
    r"gemini": "gemini",
    r"gemma": "gemini",  # made from the same research, smaller ones by distillation from the larger
    r"(?:mistral|mixtral|ministral|magistral|codestral|devstral|pixtral|voxtral)": "mistral",
    r"(?:code-?)?llama": "llama",
    r"(?:qwen|qwq|qvq)": "qwen",
    r"deepseek": "deepseek",
    r"grok": "grok",
    r"(?:command-(?:[ar]|light|nightly)|c4ai-|aya-)": "command",
    r"(?:kimi|moonshot)": "kimi",
    r"(?:chat)?glm-": "glm",
    r"nova-(?:\d|micro|lite|pro|premier)": "nova",
    r"phi-\d": "phi",
    r"minimax": "minimax",
    r"granite": "granite",
    r"jamba": "jamba",
}
"""How a model's name begins, and the family of its weights."""

OWNERS = _words(
    "anthropic openai google meta meta-llama mistral mistralai amazon cohere coherelabs cohereforai deepseek "
    "deepseek-ai xai x-ai qwen alibaba moonshot moonshotai zai z-ai zai-org thudm microsoft ai21 minimax "
    "minimaxai nvidia ibm ibm-granite writer fireworks library"
)
"""Who publishes models under their own names; what stands under another name may be a fine-tune."""

_ROUTES = _words(
    "azure azure_ai bedrock converse vertex_ai gemini groq together_ai fireworks_ai openrouter ollama "
    "ollama_chat perplexity databricks cerebras nebius deepinfra hosted_vllm vllm huggingface sambanova "
    "snowflake heroku vercel_ai_gateway litellm_proxy moonshotai replicate watsonx github github_copilot "
    "nvidia_nim invoke us eu responses chat anyscale sagemaker oci novita hyperbolic lambda_ai lm_studio "
    "openai_like custom_openai"
)
"""Segments of a path that say where a model is served."""

_FILLERS = frozenset({"accounts", "models", "publishers", "foundation-model", "inference-profile", "workers-ai"})
_RETAUGHT = re.compile(
    r"(?:^|[-_])(?:distill(?:ed)?|nemotron|hermes|dolphin|tulu|wizard\w*|vicuna|alpaca|orca|openchat|zephyr|sonar|"
    r"finetuned?|ft|lora|uncensored|abliterated|merged?)(?=$|[-_])"
)
"""Words of models that were taught further by somebody else than the maker of the weights."""

_BEDROCK = re.compile(r"^(?:(?:[a-z]{2,6}(?:-gov)?)\.)?([a-z0-9]+)\.(?=[a-z])(.+)$")
_SIZE = re.compile(r"^e?\d+(?:\.\d+)?(?:x\d+(?:\.\d+)?)?[bm](?=$|-)")
_TAIL = re.compile(
    r"(?:@.*"
    r"|-v?\d+:\d+\S*"  # how Bedrock counts: `-v1:0`
    r"|-(?:latest|preview|exp|experimental|beta|stable|snapshot)"
    r"|-20\d{6}(?:-v\d+)?|-20\d\d-\d\d(?:-\d\d)?|-\d\d-20\d\d|-\d\d-\d\d|-\d{4}|-0\d\d"  # dates, and `-0613`, `-002`
    r"|-(?:instruct|chat|it|hf|maas|highspeed|thinking|non-reasoning|reasoning|fp8|fp4|bf16|int4|int8|awq|gptq|gguf)"
    r"|-q\d\w*|-0)$"
)
"""What only says when a model was made or how it is served. Taken away until nothing of it is left."""
_SERVED = re.compile(r"(?<=\d[bm])-(?:(?:instruct|chat|it)-)?(?:instant|versatile|turbo|lite|fast|free|reference)$")
"""The same, where a size before it says that these are open weights: `gpt-4-turbo` is a model of its own."""


def models_in(model: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return the model strings that a role names, the first choice first: none, one, or a list with fallbacks."""
    if model is None:
        return ()
    return (model,) if isinstance(model, str) else tuple(model)


def model_of(model: str) -> str:
    """Return what a model string names without saying who serves it, for comparing: equal means one model.

    Route, owner, dates, versions such as `-v1:0`, `:free` and `-latest` are left out; two snapshots of one model, and a
    fine-tune and what it was made from, count as one. Sizes stay apart, so a name that leaves its size out
    (`llama4-maverick`) is not known again under one that gives it. The name that is returned names itself.
    """
    name = _named(model)[1]
    before = ""
    while name != before:  # what one step spells anew (`aa000`: `aa-000`) may be an ending for another, or a route
        before = name
        name = _named(f":{_spelled(name) or name}")[1]
    return name or model.lower()


def family_of(model: str) -> str | None:
    """Return the family of a model's weights, or None where the name does not make it certain.

    A fine-tune has none, nor has anything under a name that publishes no models of its own. A distillation is named
    after two families, the one that taught and the one whose weights it has; being near to both, it has none either.
    Whoever knows better says `family:` in the card.
    """
    owner, name = _named(model)
    if model.partition(":")[2].lower().startswith("ft:") or _RETAUGHT.search(name):
        return None
    if owner and owner not in OWNERS and owner not in _ROUTES:
        return None
    spelled = re.sub(r"(?<=[a-z]{2})(?=\d)", "-", name)
    own = next((family for start, family in FAMILIES.items() if re.match(start, spelled)), None)
    if own is None:
        return None
    rest = spelled.split("-", 1)[1] if "-" in spelled else ""
    words = (rest[m.start() :] for m in re.finditer(r"(?:^|(?<=[-_.]))[a-z]", rest))
    others = {family for word in words for start, family in FAMILIES.items() if re.match(start, word)}
    return own if others <= {own} else None


def _named(model: str) -> tuple[str, str]:
    """Return (owner, name) in lower case: who publishes it, where that is said, and what it is called there."""
    head, colon, rest = model.strip().lower().partition(":")
    path = (rest if colon else head).strip()
    if path.startswith("ft:"):  # a fine-tune: what it was made from stands first, then whose it is
        path = path.removeprefix("ft:").partition(":")[0] or path
    if path.startswith("arn:"):
        path = (path.partition("/")[2] if "/" in path else path.rpartition(":")[2]) or path
    segments = [s for s in path.split("/") if s and s not in _FILLERS]
    name = segments[-1] if segments else path
    owner = segments[-2] if len(segments) > 1 else ""
    dotted = _BEDROCK.match(name)
    if dotted and dotted[1] in OWNERS:
        owner, name = dotted[1], dotted[2]
    name = _untagged(name)
    for prefix in ("meta-", "openai-", "anthropic-", "amazon-", "open-"):
        name = name.removeprefix(prefix) or name
    if owner in ("deepseek", "deepseek-ai") and re.match(r"[rv]\d", name):  # `deepseek.r1-v1:0`
        name = f"deepseek-{name}"
    return owner, name


def _spelled(name: str) -> str:
    """Return a name without what only says when it was made or how it is served, its numbers spelled one way."""
    name = _SERVED.sub("", _TAIL.sub("", name))
    name = re.sub(r"(?<=\d)[.p](?=\d)", "-", name)  # `4.5` and `v3p1` are `4-5` and `v3-1`
    name = re.sub(r"(?<=[a-z]{2})(?=\d)", "-", name)  # `llama3` is `llama-3`; `k2` and `r1` stay as they are
    name = re.sub(r"(?<=llama-)v(?=\d)", "", name)
    name = name.removesuffix("-0")
    if name.startswith("claude-"):  # `claude-3-5-sonnet`, `claude-sonnet-3-5`
        parts = re.sub(r"-v\d+$", "", name).split("-")[1:]
        name = "-".join(["claude", *(p for p in parts if not p.isdigit()), *(p for p in parts if p.isdigit())])
    return name


def _untagged(name: str) -> str:
    """Return a name without what follows its colon; a size is part of the name: `llama3.1:8b`."""
    stem, colon, tag = name.partition(":")
    if not colon or (re.search(r"-v?\d+$", stem) and re.match(r"\d+(?:$|:)", tag)):
        return name
    size = _SIZE.match(tag)
    return f"{stem}-{size[0]}" if size else stem or name
