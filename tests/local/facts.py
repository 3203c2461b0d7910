"""The facts of a model that needs no engine."""

from idleclaw_tui.local.ollama_shapes import ModelFacts

FACTS = ModelFacts(
    name="smollm2:135m",
    size=98_362_432,
    loaded_size=96_576_768,
    digest="ab" * 32,
    modified_ns=1_795_363_253_000_000_000,
    parameters=134_515_008,
    quantization="Q4_1",
    context_length=4096,
    header={
        "general.architecture": "llama",
        "general.license": "apache-2.0",
        "llama.context_length": 8192,
        "tokenizer.chat_template": "{{ messages }}",
    },
)
