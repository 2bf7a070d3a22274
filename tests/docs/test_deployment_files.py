"""What people copy from `examples/deploy/` is safe to copy. The files are parsed; no engine runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from squads.adapters.redis_bus.border import REASONS
from squads.cli.app import app
from squads.contracts.messages import MESSAGE_BYTES_MAX

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "examples" / "deploy"
PAGE = ROOT / "docs" / "how-to" / "run-roles-on-many-machines.md"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OBJECTS: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text("utf-8")))
UNITS = sorted(path.name for path in DEPLOY.glob("*.service"))

PINNED = re.compile(r"[a-z0-9./-]+:\d+\.\d+\.\d+(-[a-z0-9.]+)?")
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL", re.IGNORECASE)
DROPPED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
UNIT_KEYS = {
    "Unit": {"Description", "Wants", "After", "StartLimitIntervalSec"},
    "Install": {"WantedBy"},
    "Service": {
        *("Type", "User", "Group", "WorkingDirectory", "Environment", "EnvironmentFile", "ExecStart", "KillMode"),
        *("KillSignal", "TimeoutStartSec", "TimeoutStopSec", "Restart", "RestartSec", "LimitNOFILE", "TasksMax"),
        *("MemoryMax", "OOMScoreAdjust", "StateDirectory", "StateDirectoryMode", "ConfigurationDirectory"),
        *("ConfigurationDirectoryMode", "UMask", "NoNewPrivileges", "CapabilityBoundingSet", "AmbientCapabilities"),
        *("ProtectSystem", "ProtectHome", "ProtectClock", "ProtectControlGroups", "ProtectHostname"),
        *("ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectProc", "PrivateDevices"),
        *("PrivateTmp", "RemoveIPC", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictRealtime"),
        *("RestrictSUIDSGID", "LockPersonality", "MemoryDenyWriteExecute", "SystemCallArchitectures"),
        *("SystemCallFilter", "SystemCallErrorNumber"),
    },
}
"""Keys that systemd 247 and later know; it passes over a misspelt one with a warning that nobody reads."""


def options(words: list[str]) -> dict[str, str]:
    """The `--name=value` options of a command."""
    return dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--") and "=" in word)


def seconds(text: str) -> int:
    """A duration of Compose or systemd in seconds."""
    number, unit = re.fullmatch(r"(\d+)\s*(s|min|)", text).groups()  # type: ignore[union-attr]
    return int(number) * (60 if unit == "min" else 1)


def of_kind(kind: str) -> list[dict[str, Any]]:
    """The objects of one kind."""
    return [found for found in OBJECTS if found["kind"] == kind]


def pods() -> dict[str, dict[str, Any]]:
    """What every workload's pods are made after, by the workload's name."""
    return {
        found["metadata"]["name"]: found["spec"]["template"] for kind in ("StatefulSet", "Deployment")
        for found in of_kind(kind)
    }  # fmt: skip


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """Every container of a pod, those that prepare it first."""
    return [*pod["spec"].get("initContainers", ()), *pod["spec"]["containers"]]


def workers() -> Iterator[tuple[str, dict[str, str], int]]:
    """Every worker of every file: its name, its options, and after how many seconds it is killed."""
    for name, service in SERVICES.items():
        if service["command"][0] == "worker":
            yield f"compose {name}", options(service["command"]), seconds(service["stop_grace_period"])
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        if container["args"][0] == "worker":
            yield f"kubernetes {name}", options(container["args"]), pod["spec"]["terminationGracePeriodSeconds"]
    service = unit("squads-worker@.service")["Service"]
    yield "systemd", options(service["ExecStart"][0].split()), seconds(service["TimeoutStopSec"][0])


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """A unit file: sections, keys, and the values each was given, in order."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    text = (DEPLOY / name).read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line.strip() and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, f"{name}: {line!r} is no setting"
            section.setdefault(key, []).append(value)
    return found


def valkey_settings() -> dict[str, dict[str, str]]:
    """The server's settings, by the file they stand in."""
    (kept,) = (found for found in of_kind("ConfigMap") if "valkey.conf" in found["data"])
    texts = {"valkey.conf": (DEPLOY / "valkey.conf").read_text("utf-8"), "kubernetes": kept["data"]["valkey.conf"]}
    return {
        name: dict(line.split(" ", 1) for line in text.splitlines() if line.strip() and not line.startswith("#"))
        for name, text in texts.items()
    }


def commands() -> Iterator[tuple[str, list[str]]]:
    """Every `squads` command that a file starts, checks with or tells to type: where it stands, and its words."""
    for name, service in SERVICES.items():
        if service["image"].startswith("my-squad:"):
            yield f"compose {name}", service["command"]
    for name, pod in pods().items():
        for container in pod["spec"]["containers"]:
            if container["image"].startswith(("my-squad:", "registry.example/")):
                yield f"kubernetes {name}", container["args"]
    for name in UNITS:
        for line in unit(name)["Service"]["ExecStart"]:
            program, *words = line.split()
            if program.endswith("/squads"):
                yield name, words
    for path in sorted(DEPLOY.iterdir()):
        for text in re.findall(r"(?<!-n )\bsquads ((?:[a-z]+ )(?:--?[^`;>\"]*)?)", path.read_text("utf-8")):
            yield path.name, text.split()


# Compose. ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_container_is_nobody_and_can_change_nothing(name: str) -> None:
    """Not root, no way to become it, no capability, and nothing to write to but what is mounted for that."""
    service = SERVICES[name]

    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", service["user"])
    assert service["read_only"] is True
    assert ["ALL"] == service["cap_drop"]
    assert ["no-new-privileges:true"] == service["security_opt"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "ipc", "ports"} & set(service)
    assert all("docker.sock" not in volume for volume in service["volumes"])
    assert {"pids_limit", "mem_limit", "restart"} <= set(service)
    assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert PINNED.fullmatch(service["image"])


def test_every_volume_network_and_secret_of_the_compose_file_is_declared_and_used() -> None:
    """A misspelt name would be a new, empty volume."""
    volumes = {v.split(":")[0] for s in SERVICES.values() for v in s["volumes"] if not v.startswith("./")}

    assert set(COMPOSE["volumes"]) == volumes
    assert set(COMPOSE["networks"]) == {n for s in SERVICES.values() for n in s["networks"]}
    assert set(COMPOSE["secrets"]) == {n for s in SERVICES.values() for n in s.get("secrets", ())}
    for name, service in SERVICES.items():
        file = service.get("environment", {}).get("SQUADS_BUS_PASSWORD_FILE")
        assert file is None or file.removeprefix("/run/secrets/") in service["secrets"], name
    assert COMPOSE["networks"]["bus"] == {"internal": True}


def test_no_two_workers_of_the_compose_file_share_keys_or_a_password() -> None:
    """Whoever can read another's key can speak as it."""
    keys = [v.split(":")[0] for s in SERVICES.values() for v in s["volumes"] if v.split(":")[0].endswith("-keys")]
    users = [s["environment"]["SQUADS_BUS_USER"] for s in SERVICES.values() if "environment" in s]

    assert len(keys) == len(set(keys)) == len(users) == len(set(users)) >= 3


# Kubernetes. ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(pods()))
def test_a_pod_meets_the_restricted_profile(name: str) -> None:
    """As the cluster's own admission would demand, and no token of the cluster in it."""
    spec = pods()[name]["spec"]
    context = spec["securityContext"]

    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert {"type": "RuntimeDefault"} == context["seccompProfile"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert {"hostPath"}.isdisjoint(key for volume in spec["volumes"] for key in volume)
    for container in containers(pods()[name]):
        assert DROPPED == container["securityContext"]
        assert {"requests", "limits"} <= set(container["resources"])
        assert "memory" in container["resources"]["limits"]
        assert PINNED.fullmatch(container["image"])


@pytest.mark.parametrize("name", sorted(pods()))
def test_every_mount_of_a_pod_is_a_volume_of_it(name: str) -> None:
    """And every volume is mounted somewhere; secrets can be read by their group at most, and written by nobody."""
    spec = pods()[name]["spec"]
    (workload,) = (w for kind in ("StatefulSet", "Deployment") for w in of_kind(kind) if w["metadata"]["name"] == name)
    claimed = [claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", ())]
    mounts = [mount for container in containers(pods()[name]) for mount in container["volumeMounts"]]

    assert {mount["name"] for mount in mounts} == {*claimed, *(volume["name"] for volume in spec["volumes"])}
    secret = {volume["name"] for volume in spec["volumes"] if "secret" in volume}
    assert all(volume["secret"]["defaultMode"] == 0o440 for volume in spec["volumes"] if "secret" in volume)
    assert all(mount.get("readOnly") for mount in mounts if mount["name"] in secret)


def test_workers_are_probed_where_they_answer() -> None:
    """`/ready` and `/live` on the port that `--health` opens, on all addresses: the kubelet comes from outside."""
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        if container["args"][0] != "worker":
            continue
        (port,) = container["ports"]
        assert f"0.0.0.0:{port['containerPort']}" == options(container["args"])["health"], name
        paths = {kind: container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("readiness", "liveness", "startup")}
        assert {"readiness": "/ready", "liveness": "/live", "startup": "/live"} == paths
        assert all(container[f"{kind}Probe"]["httpGet"]["port"] == port["name"] for kind in paths)


def test_workers_of_the_compose_file_are_probed_where_they_answer() -> None:
    """A worker there listens to itself alone."""
    for service in SERVICES.values():
        if service["command"][0] == "worker":
            place = options(service["command"])["health"]
            assert place.startswith("127.0.0.1:")
            assert f"http://{place}/live" in service["healthcheck"]["test"][-1]


def test_every_selector_finds_pods() -> None:
    """A disruption budget or a policy for nobody protects nobody."""
    labels = [pod["metadata"]["labels"] for pod in pods().values()]

    def found(selector: dict[str, str]) -> bool:
        return any(selector.items() <= label.items() for label in labels)

    for workload in (*of_kind("StatefulSet"), *of_kind("Deployment")):
        assert workload["spec"]["selector"]["matchLabels"].items() <= (
            workload["spec"]["template"]["metadata"]["labels"].items()
        )
    for budget in of_kind("PodDisruptionBudget"):
        assert found(budget["spec"]["selector"]["matchLabels"]), budget["metadata"]
    for policy in of_kind("NetworkPolicy"):
        assert found(policy["spec"]["podSelector"].get("matchLabels", {})), policy["metadata"]
    for service in of_kind("Service"):
        assert found(service["spec"]["selector"])


def test_every_workload_that_can_spare_a_pod_says_how_many() -> None:
    """Nodes are drained without stopping a role."""
    budgets = {b["metadata"]["name"]: b["spec"] for b in of_kind("PodDisruptionBudget")}

    for deployment in of_kind("Deployment"):
        assert deployment["spec"]["replicas"] > budgets[deployment["metadata"]["name"]]["minAvailable"] > 0
        assert 0 == deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"]


def test_the_network_is_closed_but_for_what_is_named() -> None:
    """Pods reach the bus; only the server is reached; only who asks a model reaches the world."""
    policies = {p["metadata"]["name"]: p["spec"] for p in of_kind("NetworkPolicy")}

    assert {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]} == policies["nothing"]
    ingress = [name for name, spec in policies.items() if "ingress" in spec]
    assert ["bus-from-squads"] == ingress
    anywhere = [name for name, spec in policies.items() for rule in spec.get("egress", ()) if "to" not in rule]
    assert ["models"] == anywhere
    asking = [name for name, pod in pods().items() if pod["metadata"]["labels"].get("model") == "asked"]
    assert ["worker-carpenter"] == asking


def test_what_crosses_the_cluster_is_encrypted() -> None:
    """The server offers nothing but TLS, and everybody who connects checks its certificate."""
    settings = valkey_settings()["kubernetes"]

    assert ("0", "6379") == (settings["port"], settings["tls-port"])
    for name, pod in pods().items():
        (container,) = pod["spec"]["containers"]
        bus = options(container["args"]).get("bus")
        assert bus is None or bus.startswith("rediss://valkey:6379?ca="), name


# All of them. --------------------------------------------------------------------------------------------------------


def test_no_secret_stands_in_an_environment_value() -> None:
    """What is in the environment is in every listing of it: a variable names a file."""
    values: list[tuple[str, str, Any]] = []
    for name, service in SERVICES.items():
        assert "env_file" not in service
        values += [(name, variable, value) for variable, value in service.get("environment", {}).items()]
    for name, pod in pods().items():
        for container in containers(pod):
            assert "envFrom" not in container
            values += [(name, entry["name"], entry["value"]) for entry in container.get("env", ())]
    for name in UNITS:
        lines = unit(name)["Service"].get("Environment", [])
        values += [(name, *line.split("=", 1)) for line in lines]  # type: ignore[misc]

    assert values
    for name, variable, value in values:
        assert variable.endswith("_FILE") or not SECRET_NAME.search(variable), (name, variable)
        assert "://" not in str(value), (name, variable)


def test_no_password_stands_in_an_address() -> None:
    """Command lines are for everybody to read."""
    for path in sorted(DEPLOY.iterdir()):
        for address in re.findall(r"rediss?://\S+", path.read_text("utf-8")):
            assert "@" not in address, (path.name, address)


def test_every_command_and_option_of_the_files_exists() -> None:
    """A misspelt option would be found out by whoever starts it."""
    known: Any = typer.main.get_command(app)
    found = list(commands())

    assert {"serve", "worker", "acl", "enroll", "status"} <= {words[0] for _, words in found}
    assert len(found) >= 12
    for place, (name, *words) in found:
        assert name in known.commands, (place, name)
        there = {option for param in known.commands[name].params for option in param.opts}
        given = {word.split("=", 1)[0] for word in words if word.startswith("--")}
        assert given <= there, (place, name, given - there)


def test_a_runner_whose_roles_are_workers_serves_none_itself() -> None:
    """It has no way to a model and no user on the server that could; and it speaks for none of the workers' roles."""
    runners = {place: words for place, words in commands() if words[:1] == ["serve"] and len(words) > 1}

    assert 2 == len(runners)
    for place, words in runners.items():
        assert "--elsewhere" in words, place


def test_every_worker_is_given_more_time_than_it_takes_to_drain() -> None:
    """Killed during its grace, it would leave what it has to be found by others a while later."""
    found = {name: (given, killed) for name, given, killed in workers()}

    assert len(found) >= 6
    for name, (given, killed) in found.items():
        assert killed >= int(given["grace"]) + 15, name
        assert int(given["slots"]) > 0
        assert ("own", "json") == (given["signing"], given["log"]), name


@pytest.mark.parametrize("name", sorted(valkey_settings()))
def test_the_server_loses_nothing_that_it_accepted(name: str) -> None:
    """What `squads doctor` would refuse is not in these files."""
    settings = valkey_settings()[name]

    assert ("yes", "always", '""') == tuple(settings[key] for key in ("appendonly", "appendfsync", "save"))
    assert "noeviction" == settings["maxmemory-policy"]
    assert settings["aclfile"].endswith("/users.acl")
    assert "protected-mode" not in settings
    assert "1gb" == settings["maxmemory"]


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_has_only_keys_that_systemd_knows(name: str) -> None:
    """Each once, except where more of them add up."""
    sections = unit(name)

    assert {"Unit", "Service", "Install"} == set(sections)
    for section, settings in sections.items():
        assert set(settings) <= UNIT_KEYS[section], (name, set(settings) - UNIT_KEYS[section])
        assert [key for key, values in settings.items() if len(values) > 1 and key != "Environment"] == []


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_runs_as_nobody_in_particular_and_can_change_nothing(name: str) -> None:
    """A user of its own, no capability, no new rights, and a file system to read."""
    service = {key: values[-1] for key, values in unit(name)["Service"].items()}

    assert service["User"] not in ("root", "0", "nobody")
    assert ("", "") == (service["CapabilityBoundingSet"], service["AmbientCapabilities"])
    assert "strict" == service["ProtectSystem"]
    assert ("0077", "0700") == (service["UMask"], service["StateDirectoryMode"])
    for key in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"):
        assert "yes" == service[key], key
    for key in (key for key in service if key.startswith(("ProtectKernel", "ProtectC", "ProtectHost"))):
        assert "yes" == service[key], key
    assert "always" == service["Restart"]


def test_the_image_is_pinned_and_runs_as_nobody() -> None:
    """Its user is the one that the other files name, and its folders belong to it."""
    lines = (DEPLOY / "Dockerfile").read_text("utf-8").splitlines()
    (base,) = (line.split()[1] for line in lines if line.startswith("FROM "))

    assert PINNED.fullmatch(base)
    assert any(re.search(r"pip install .*squads==\d+\.\d+\.\d+", line) for line in lines)
    assert [line for line in lines if line.startswith("USER ")] == ["USER 10001:10001"]
    assert not any(line.startswith("ADD ") for line in lines)


# The page that speaks of them. ---------------------------------------------------------------------------------------


def test_the_page_links_to_files_that_are_there() -> None:
    """Every file to copy, and every other page."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE.read_text("utf-8"))

    assert all((PAGE.parent / link).is_file() for link in links), links
    named = {Path(link).name for link in links}
    assert {path.name for path in DEPLOY.iterdir()} - {"Dockerfile"} <= named


def test_every_reason_of_the_border_is_explained_on_the_page() -> None:
    """Whoever reads a dead letter finds what it means and what to do."""
    table = PAGE.read_text("utf-8").split("| reason | what it means | what to do |")[1].split("\n\n")[0]
    named = {word for row in table.splitlines() for word in re.findall(r"`([a-z-]+)`", row.partition(" | ")[0])}

    assert set(REASONS) == named


def test_the_page_and_the_files_name_the_same_defaults() -> None:
    """What the page says of the bus is what the code does."""
    page = PAGE.read_text("utf-8")

    assert f"| {MESSAGE_BYTES_MAX // 1024} KiB |" in page
