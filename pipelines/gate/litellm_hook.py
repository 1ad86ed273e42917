"""A LiteLLM proxy that asks the gate before each call: its custom logger, and the only module that imports litellm.

What is answered, and why, belongs in `deciding`. It runs in the proxy's environment, without Jevons' other packages.

`callbacks: jevons_gate.handler` in the proxy's `litellm_settings`, with a file `jevons_gate.py` beside it that says
`from pipelines.gate.litellm_hook import handler`; see docs/gate.md.
"""

import asyncio
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from litellm import get_llm_provider
from litellm.exceptions import BadRequestError
from litellm.integrations.custom_logger import CustomLogger

from pipelines.gate.deciding import Decision, Gate

WORD = "workflow_id"
NOBODY = "unattributed"


class GateLogger(CustomLogger):
    """Lets a call through, holds it back, moves it to a smaller model, or refuses it with status 429."""

    def __init__(self, gate: Gate):
        super().__init__()
        self._gate = gate

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: dict, call_type: str) -> dict:
        """Asks for the workflow that the key names, else the request."""
        from litellm.proxy.proxy_server import llm_router  # the proxy makes it after it has loaded its callbacks

        provider = provider_of(data.get("model"), llm_router)
        decision = self._gate.decide(workflow_of(user_api_key_dict, data), datetime.now(UTC), provider=provider)
        if decision.verdict == "deny":
            raise HTTPException(status_code=429, detail={"error": "denied by the ceiling", **decision.as_dict()})
        if decision.verdict == "slow":
            await self._slow(decision, data)
        return data

    async def _slow(self, decision: Decision, data: dict) -> None:
        settings = self._gate.settings
        smaller = (settings.smaller_models or {}).get(str(data.get("model")))
        if decision.action == "smaller_model" and smaller:
            data["model"] = smaller
        else:
            await asyncio.sleep(settings.slow_seconds)


def workflow_of(user_api_key_dict: Any, data: Mapping[str, Any]) -> str:
    """What the administrator wrote into the key's metadata wins over what the caller says of itself."""
    of_key = getattr(user_api_key_dict, "metadata", None) or {}
    of_call = data.get("metadata") or {}
    named = of_key.get(WORD) or (of_call.get(WORD) if isinstance(of_call, Mapping) else None)
    return named if isinstance(named, str) and named else NOBODY


def provider_of(model: object, router: Any) -> str | None:
    """Who runs a model of the proxy: `provider` in its `model_info`, as the ledger names it, else LiteLLM's own name.

    None where that is not known, or where the model's deployments are of several: the proxy chooses after the gate.
    """
    deployments = router.get_model_list(model_name=model) if router and isinstance(model, str) else None
    found = {_provider(deployment) for deployment in deployments or ()}
    return found.pop() if len(found) == 1 else None


def _provider(deployment: Mapping[str, Any]) -> str | None:
    params, named = deployment["litellm_params"], (deployment.get("model_info") or {}).get("provider")
    try:
        return named or get_llm_provider(params["model"], params.get("custom_llm_provider"), params.get("api_base"))[1]
    except BadRequestError:
        return None


# LiteLLM looks its callbacks up by name; like Jevons' own commands it is told where everything lies by the environment
handler = GateLogger(Gate(
    Path(os.environ.get("JEVONS_HOME") or "data").resolve(), os.environ.get("JEVONS_GATE_KEY") or None,
))
