"""Kinds of files by their paths: what judges the work, what is never written by hand, what goes beside the work."""

from __future__ import annotations

import re

from squads.gates.changes.dependencies import FILES
from squads.gates.changes.suite import TEST_FILE

JUDGES = re.compile(
    r"(?:^|/)\.github/(?:workflows|actions)/|(?:^|/)(?:\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|\.travis\.yml|\.pre-commit-config\.ya?ml"
    r"|CODEOWNERS|squads\.toml|\.bandit|bandit\.ya?ml|ruff\.toml|\.ruff\.toml|mypy\.ini|\.flake8|\.pylintrc|\.coveragerc|codecov\.ya?ml"
    r"|\.semgrepignore|\.squawk\.toml|\.sqlfluff|sonar-project\.properties)$|(?:^|/)\.circleci/|(?:^|/)[\w.-]*baseline[\w.-]*\.(?:json|sarif|ya?ml|txt|toml)$|(?:^|/)gates/[\w-]+\.md$"
    r"|(?:^|/)\.semgrep/"
)
JUDGED = re.compile(
    r"(?i)\bci\b|pipelines?|workflows?|\bgates?\b|\bcards?\b|baselines?|\blint(?:er|ers|ing)?\b|pre-commit"
    r"|coverage|codeowners|\bruff\b|\bmypy\b|\bbandit\b|semgrep|github actions"
)
WASTE = re.compile(
    r"(?:^|/)(?:__pycache__|node_modules|vendor|third_party|\.venv|venv|site-packages|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.idea|\.tox"
    r"|[\w.-]+\.egg-info)/|\.(?:pyc|pyo|so|dll|dylib|class|orig|rej|swp|o|a)$|(?:^|/)(?:\.DS_Store|\.coverage|Thumbs\.db)$|^(?:dist|build)/"
)
BESIDE = re.compile(
    r"(?i)(?:^|/)(?:changelog|changes|history|news|readme|release[-_ ]?notes)[\w.-]*$|(?:^|/)docs?/|\.(?:md|rst)$"
    r"|(?:^|/)(?:changelog\.d|newsfragments)/"
)
KINDS: dict[str, re.Pattern[str]] = {
    "tests": TEST_FILE,
    "schema": re.compile(r"\.sql$|(?:^|/)migrations?/|(?:^|/)alembic/"),
    "settings": re.compile(
        r"(?:^|/)(?:settings|config|configuration|conf)(?:/|[\w.-]*\.(?:py|toml|ya?ml|ini|cfg|json|env)$)|\.(?:toml|ini|cfg|env)$|(?:^|/)\.env"
    ),
    "docs": BESIDE,
    "dependencies": FILES,
    "permissions": re.compile(
        r"(?i)(?:^|/)[\w-]*(?:permissions?|authz|acl|policy|policies|access|roles?)[\w-]*\.\w+$|(?:^|[/_-])auth(?:entication|orization)?\.\w+$"
    ),
    "ci": JUDGES,
}
PERMITS = re.compile(r"(?i)permission|require|role|auth|allow|login|access|admin|staff|grant|policy|^can_|^may_|acl")
