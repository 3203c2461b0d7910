"""`idleclaw-tui consume`: one prompt, one answer; the answer on stdout, all talk on stderr."""

from contextlib import aclosing
from typing import TextIO

from idleclaw_protocol.chat import ChatBody, ChatMessage
from idleclaw_tui.errors import NoNode
from idleclaw_tui.exit_codes import ExitCode
from idleclaw_tui.headless.answer_output import AnswerWriter, CollectedAnswer, PrintedAnswer, Talk
from idleclaw_tui.network.model_choice import commonest_model, fastest_model
from idleclaw_tui.router.client import RouterClient
from idleclaw_tui.user_input import check_model_name, check_prompt


async def consume(
    server: str,
    *,
    model: str | None,
    prompt: str,
    think: bool,
    json_object: bool,
    stdout: TextIO,
    talk: Talk,
) -> ExitCode:
    """Print the answer to `prompt`; return OK, or CUT where it ended in an error.

    Without `model` the one that would answer soonest is taken. `json_object` prints one object at
    the end instead of tokens as they come: model, text, thinking (if any), finish_reason, usage,
    timings (seconds) and error (if any). Raises an `IdleClawError` where no answer began, and
    `BrokenPipeError` where the reader of `stdout` left.
    """
    check_prompt(prompt)
    if model is not None:
        check_model_name(model)
    async with RouterClient(server) as router:
        if model is None:
            model = await choose_model(router)
            talk.say(f"Using {model}.")
        body = ChatBody(
            model=model, messages=(ChatMessage(role="user", content=prompt),), think=think
        )
        output = CollectedAnswer(stdout, model) if json_object else PrintedAnswer(stdout)
        answer = AnswerWriter(output, talk)
        async with aclosing(router.chat(body)) as updates:
            async for update in updates:
                answer.show(update)
    return answer.exit_code


async def choose_model(router: RouterClient) -> str:
    """Return the model that would answer soonest, as far as the router tells.

    Raises `NoNode` where none is online.
    """
    network = await router.network()
    if network is not None:
        model = fastest_model(network)
    else:
        model = commonest_model(await router.models(), await router.metrics())
    if model is None:
        raise NoNode("a model")
    return model
