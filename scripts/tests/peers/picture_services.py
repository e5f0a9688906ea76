"""The vendors' own Python clients against the services that the tests of image_generation ask.

Usage: picture_services.py SERVICES TOOL
SERVICES prints its address and serves until its input ends; TOOL is image_generation. A fake that the vendors' clients
could not use would prove nothing, and pictures that only our reader can decode would be none.
"""

import base64
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import openai
from google import genai
from google.genai import errors, types
from PIL import Image

checks = 0


def check(good, what):
    global checks
    checks += 1
    if not good:
        sys.exit(f"picture_services: {what}")


def size_of(data):
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return picture.size


def png(width, height):
    out = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 90, 30, 128)).save(out, "PNG")
    return out.getvalue()


def with_openai(url):
    client = openai.OpenAI(api_key="key", base_url=url + "/v1", max_retries=0)
    made = client.images.generate(model="gpt-image-2", prompt="A teapot", size="1536x1024", quality="high", n=1)
    check(size_of(base64.b64decode(made.data[0].b64_json)) == (1536, 1024), "openai: size of a generation")
    check(made.usage.input_tokens_details.text_tokens == 20, "openai: usage is read by its types")
    edited = client.images.edit(
        model="gpt-image-2",
        image=[("a.png", png(64, 48), "image/png"), ("b.png", png(10, 10), "image/png")],
        mask=("m.png", png(64, 48), "image/png"),
        prompt="Add a cup",
    )
    check(edited.usage.input_tokens_details.image_tokens == 600, "openai: both references arrive")
    for name, kind, call in [
        ("response_format", openai.BadRequestError, dict(model="gpt-image-2", prompt="x", response_format="b64_json")),
        ("a retired model", openai.NotFoundError, dict(model="dall-e-3", prompt="x")),
        ("a size in odd pixels", openai.BadRequestError, dict(model="gpt-image-2", prompt="x", size="1000x1001")),
    ]:
        try:
            client.images.generate(**call)
            check(False, f"openai: {name} is not refused")
        except kind as error:
            check(bool(error.code), f"openai: {name} is refused without a code")
    big = png(64, 48) + bytes(4 << 20)
    for mask, what in [(big, "an oversize mask"), (png(8, 8), "a mask of another size")]:
        try:
            client.images.edit(model="gpt-image-2", image=("a.png", png(64, 48), "image/png"), mask=("m.png", mask, "image/png"), prompt="x")
            check(False, f"openai: {what} is not refused")
        except openai.BadRequestError:
            check(True, "")
    try:
        openai.OpenAI(api_key="wrong", base_url=url + "/v1", max_retries=0).images.generate(model="gpt-image-2", prompt="x")
        check(False, "openai: a wrong key is taken")
    except openai.AuthenticationError:
        check(True, "")


def with_gemini(url):
    client = genai.Client(api_key="key", vertexai=False, http_options=types.HttpOptions(base_url=url))
    config = types.GenerateContentConfig(
        response_modalities=["TEXT", "IMAGE"], image_config=types.ImageConfig(aspect_ratio="16:9"), seed=7
    )
    part = types.Part.from_bytes(data=png(20, 20), mime_type="image/png")
    made = client.models.generate_content(model="gemini-3.1-flash-image", contents=[part, "A teapot"], config=config)
    data = [part.inline_data.data for part in made.candidates[0].content.parts if part.inline_data]
    check(size_of(data[0]) == (1344, 768), "gemini: size by ratio")
    check(made.usage_metadata.thoughts_token_count == 100, "gemini: usage is read by its types")
    for model, settings in [
        ("gemini-3-pro-image-preview", config),
        ("gemini-3.1-flash-image", types.GenerateContentConfig(response_modalities=["IMAGE"])),
    ]:
        try:
            client.models.generate_content(model=model, contents="x", config=settings)
            check(False, f"gemini: {model} with {settings.response_modalities} is not refused")
        except errors.ClientError:
            check(True, "")


def post(url, body, headers):
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def with_stability(url):
    address = url + "/v2beta/stable-image/generate/core"
    key = {"authorization": "Bearer key"}
    form = b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nA teapot\r\n--b--\r\n'
    kind = {"content-type": "multipart/form-data; boundary=b"}
    status, headers, body = post(address, form, key | kind | {"accept": "image/*"})
    check((status, headers.get("finish-reason")) == (200, "SUCCESS") and size_of(body) == (1024, 1024), "stability")
    status, _, body = post(address, form, key | kind | {"accept": "text/html"})
    check(status == 400 and b"accept" in body, "stability: a wrong accept is taken")
    status, _, body = post(address, b'{"prompt": "x"}', key | {"content-type": "application/json", "accept": "image/*"})
    check(status == 400 and b"multipart" in body, "stability: JSON is taken")


def with_tool(url, tool):
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        (place / "config").mkdir()
        sections = ["openai", "gemini", "stability", "automatic1111"]
        (place / "config/onejob.toml").write_text("".join(f'[images.{name}]\nbase_url = "{url}"\n' for name in sections))
        env = dict(os.environ, ONEJOB_CONFIG_DIR=str(place / "config"), ONEJOB_STATE_DIR=str(place / "state"), DAILY_BUDGET_USD="5")
        for name in ["OPENAI_API_KEY", "GEMINI_API_KEY", "STABILITY_API_KEY"]:
            env[name] = "key"
        for name in sections:
            for ending, form in [("png", "PNG"), ("jpg", "JPEG"), ("webp", "WEBP")]:
                out = place / f"{name}.{ending}"
                line = [tool, "generate", "A teapot", "-p", name, "--size", "1536x864", "-o", str(out), "--json", "-q"]
                run = subprocess.run(line, env=env, cwd=folder, capture_output=True, text=True)
                check(run.returncode == 0, f"{name}.{ending}: {run.stderr}")
                told = json.loads(run.stdout)["images"][0]
                with Image.open(out) as picture:
                    picture.load()
                    check(picture.format == form, f"{name}.{ending} is {picture.format}")
                    check(picture.size == (told["width"], told["height"]), f"{name}.{ending}: {picture.size}, told {told}")


services, tool = sys.argv[1:3]
server = subprocess.Popen([services], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
try:
    address = server.stdout.readline().strip()
    with_openai(address)
    with_gemini(address)
    with_stability(address)
    with_tool(address, tool)
finally:
    server.stdin.close()
    server.wait()
print(f"picture_services: {checks} checks")
