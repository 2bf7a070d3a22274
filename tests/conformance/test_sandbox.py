"""Every sandbox, held to the one suite."""

from __future__ import annotations

from squads.adapters.process_sandbox import ProcessSandbox
from squads.kernel.model_ports import Sandbox
from squads.testing import SandboxConformance


class TestProcessSandbox(SandboxConformance):
    def sandbox(self) -> Sandbox:
        return ProcessSandbox()
