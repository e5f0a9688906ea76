"""The vendors' own Python clients against the fake of model servers: what it answers must be an answer to them, and what
it refuses a refusal of the right kind. Usage: llm_clients.py FAKE_MODEL
"""

import subprocess
import sys

import anthropic
import ollama
import openai
from google import genai
from google.genai import errors as genai_errors, types

TEXT = "Привет 🎄, hello"
SCHEMA = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}


class Fake:
    def __init__(self, program, piece):
        self.process = subprocess.Popen(
            [program, "127.0.0.1:0", "echo", str(piece)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self.process.stdout.readline().strip()

    def fail(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline().strip()
        assert told == "ok", told

    def end(self):
        self.process.stdin.close()
        self.process.wait(10)


def same(what, seen, expected):
    assert seen == expected, f"{what}: {seen!r}, not {expected!r}"


def refused(what, kind, call, **attributes):
    try:
        call()
    except kind as error:
        for name, value in attributes.items():
            same(f"{what}.{name}", getattr(error, name), value)
        return
    raise AssertionError(f"{what}: nothing was refused")


def of_openai(fake):
    client = openai.OpenAI(base_url=fake.url + "/v1", api_key="k", max_retries=0)
    ask = lambda **more: client.chat.completions.create(
        model="m", max_tokens=50, messages=[{"role": "user", "content": TEXT}], **more
    )
    whole = ask()
    same("openai", (whole.choices[0].message.content, whole.choices[0].finish_reason), (TEXT, "stop"))
    assert whole.usage.prompt_tokens > 0
    chunks = list(ask(stream=True, stream_options={"include_usage": True}))
    same("openai stream", "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), TEXT)
    assert chunks[-1].usage.completion_tokens > 0 and not chunks[-1].choices
    ask(response_format={"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": SCHEMA}})
    loose = {**SCHEMA, "required": []}
    refused(
        "openai schema",
        openai.BadRequestError,
        lambda: ask(response_format={"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": loose}}),
    )
    for line, kind in [
        ("429", openai.RateLimitError),
        ("status 401", openai.AuthenticationError),
        ("status 404", openai.NotFoundError),
        ("status 500", openai.InternalServerError),
        ("hang_up", openai.APIConnectionError),
    ]:
        fake.fail(line)
        refused(f"openai {line}", kind, ask)
    fake.fail("quota")
    refused("openai quota", openai.RateLimitError, ask, code="insufficient_quota")
    fake.fail("error_event")
    refused("openai error event", openai.APIError, lambda: list(ask(stream=True)))
    fake.fail("length")
    same("openai length", ask().choices[0].finish_reason, "length")
    fake.fail("refusal")
    assert ask().choices[0].message.refusal


def of_anthropic(fake):
    client = anthropic.Anthropic(base_url=fake.url, api_key="k", max_retries=0)
    said = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": TEXT}]}
    whole = client.messages.create(**said)
    same("anthropic", (whole.content[0].text, whole.stop_reason), (TEXT, "end_turn"))
    with client.messages.stream(**said) as stream:
        same("anthropic stream", "".join(stream.text_stream), TEXT)
        last = stream.get_final_message()
    same("anthropic stop", last.stop_reason, "end_turn")
    assert last.usage.input_tokens > 0 and last.usage.output_tokens > 0
    bounded = {**SCHEMA, "properties": {"n": {"type": "integer", "minimum": 1}}}
    output = lambda schema: {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    client.messages.create(**said, extra_body=output(SCHEMA))
    refused(
        "anthropic schema",
        anthropic.BadRequestError,
        lambda: client.messages.create(**said, extra_body=output(bounded)),
    )
    for line, kind, status in [
        ("429 3", anthropic.RateLimitError, 429),
        ("status 401", anthropic.AuthenticationError, 401),
        ("status 529", anthropic.APIStatusError, 529),
        ("status 500", anthropic.InternalServerError, 500),
    ]:
        fake.fail(line)
        refused(f"anthropic {line}", kind, lambda: client.messages.create(**said), status_code=status)

    def streamed():
        with client.messages.stream(**said) as stream:
            stream.get_final_message()

    fake.fail("error_event")
    refused("anthropic error event", anthropic.APIStatusError, streamed)
    fake.fail("length")
    same("anthropic length", client.messages.create(**said).stop_reason, "max_tokens")
    fake.fail("refusal")
    same("anthropic refusal", client.messages.create(**said).stop_reason, "refusal")


def of_gemini(fake):
    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=fake.url, api_version="v1beta"))
    said = {"model": "m", "contents": TEXT}
    whole = client.models.generate_content(**said)
    same("gemini", whole.text, TEXT)
    assert whole.usage_metadata.prompt_token_count > 0
    chunks = list(client.models.generate_content_stream(**said))
    same("gemini stream", "".join(c.text or "" for c in chunks), TEXT)
    same("gemini stop", chunks[-1].candidates[0].finish_reason, types.FinishReason.STOP)
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=SCHEMA)
    client.models.generate_content(**said, config=config)
    for line, kind, code in [
        ("429 30", genai_errors.ClientError, 429),
        ("quota", genai_errors.ClientError, 429),
        ("status 401", genai_errors.ClientError, 401),
        ("status 503", genai_errors.ServerError, 503),
    ]:
        fake.fail(line)
        refused(f"gemini {line}", kind, lambda: client.models.generate_content(**said), code=code)
    fake.fail("length")
    reason = client.models.generate_content(**said).candidates[0].finish_reason
    same("gemini length", reason, types.FinishReason.MAX_TOKENS)


def of_ollama(fake):
    client = ollama.Client(host=fake.url)
    said = {"model": "m", "messages": [{"role": "user", "content": TEXT}], "options": {"num_ctx": 4096}}
    whole = client.chat(**said)
    same("ollama", (whole.message.content, whole.done_reason), (TEXT, "stop"))
    lines = list(client.chat(**said, stream=True))
    same("ollama stream", "".join(line.message.content for line in lines), TEXT)
    assert lines[-1].done and lines[-1].prompt_eval_count > 0
    client.chat(**said, format=SCHEMA)
    fake.fail("status 404")
    refused("ollama 404", ollama.ResponseError, lambda: client.chat(**said), status_code=404)
    fake.fail("error_event")
    refused("ollama error", ollama.ResponseError, lambda: list(client.chat(**said, stream=True)))
    long = [{"role": "user", "content": "a" * 40_000}]
    cut = client.chat(model="m", messages=long, options={"num_ctx": 2048})
    same("ollama cut", cut.prompt_eval_count, 1024)


for piece in (0, 1, 13):
    for scenario in (of_openai, of_anthropic, of_gemini, of_ollama):
        fake = Fake(sys.argv[1], piece)
        scenario(fake)
        fake.end()
print("the clients of four vendors take the fake for a server: openai", openai.__version__, "anthropic",
      anthropic.__version__, "google-genai", genai.__version__)
