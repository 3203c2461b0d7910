"""Asking a router through the client, in tests."""

from contextlib import aclosing

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_tui.router.chat_updates import ChatUpdate
from idleclaw_tui.router.client import RouterClient

BODY = ChatBody(model="tiny:1b", messages=(ChatMessage(role="user", content="hi ✨"),))


async def answer(client: RouterClient, body: ChatBody = BODY) -> list[ChatUpdate]:
    """Return all updates of a chat."""
    async with aclosing(client.chat(body)) as updates:
        return [update async for update in updates]
