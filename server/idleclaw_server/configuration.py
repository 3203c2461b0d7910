"""From what the operator set to the values that the parts of the router take."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

from idleclaw_server.address_limits import UNLIMITED, Allowance
from idleclaw_server.answer_filter import AnswerFilter
from idleclaw_server.chat_rules import ChatRules
from idleclaw_server.client_address import ClientAddresses
from idleclaw_server.connection_gate import ConnectionGate
from idleclaw_server.content_patterns import ScreenedAnswer, compiled
from idleclaw_server.inference import AnswerText
from idleclaw_server.offered_tools import tool_set
from idleclaw_server.policy import Policy
from idleclaw_server.prompt import PromptPolicy
from idleclaw_server.settings import Settings

POLICY_FIELDS: Final = {
    "answer_chars": "max_content_chars",
    "thinking_chars": "max_thinking_chars",
    "answer_seconds": "total_seconds",
    "tool_calls_per_minute": "tool_calls_per_minute",
}
"""Settings whose defaults are those of the policy, so that a base may have others."""


def allowance(settings: Settings) -> Allowance:
    """Return what one address may ask for."""
    if not settings.address_limits:
        return UNLIMITED
    return Allowance(
        chats_per_minute=settings.chats_per_minute,
        registrations_per_minute=settings.registrations_per_minute,
        others_per_minute=settings.others_per_minute,
        running_chats=settings.chats_per_address,
    )


def policy(settings: Settings, base: Policy) -> Policy:
    """Return `base` with what the operator decides."""
    nodes = settings.nodes_per_address if settings.address_limits else 0
    chosen = {
        field: getattr(settings, name)
        for name, field in POLICY_FIELDS.items()
        if name in settings.model_fields_set
    }
    return replace(base, max_nodes_per_address=nodes, **chosen)


def connection_gate(settings: Settings, open_files: int) -> ConnectionGate:
    """Return the bounds on connections; `open_files` is how many the system has room for."""
    per_address = settings.connections_per_address if settings.address_limits else 0
    return ConnectionGate(per_address, min(settings.max_connections, open_files))


def client_addresses(settings: Settings) -> ClientAddresses:
    """Return who is believed about the addresses of others."""
    return ClientAddresses(settings.trusted_proxies)


def answer_text(settings: Settings) -> Callable[[], AnswerText]:
    """Return what cleans each text of an answer."""
    pattern = compiled(settings.outbound_patterns)
    return AnswerFilter if pattern is None else partial(ScreenedAnswer, pattern)


def chat_rules(settings: Settings) -> ChatRules:
    """Return what a chat has to pass, and what is added to it."""
    return ChatRules(
        prompt=prompt_policy(settings),
        refused=compiled(settings.inbound_patterns),
        tools=tool_set(settings),
    )


def prompt_policy(settings: Settings) -> PromptPolicy:
    """Return what models are told before the conversation."""
    return PromptPolicy(
        safety=settings.prompt_safety,
        identity=settings.prompt_identity,
        date=settings.prompt_date,
        brief_thinking=settings.prompt_brief_thinking,
        history=settings.prompt_history,
    )
