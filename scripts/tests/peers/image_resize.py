import os, statistics, subprocess, sys, time
import numpy as np
from PIL import Image

tool, magick, work = os.environ["TOOL"], os.environ["MAGICK"], os.environ["WORK"]
rng = np.random.default_rng(1)
y, x = np.mgrid[0:2225, 0:2725]
def texture(step):
    noise = rng.random((2225 // step + 2, 2725 // step + 2))
    return np.asarray(Image.fromarray((noise * 255).astype("uint8")).resize((2725, 2225), Image.BICUBIC)).astype(float) - 127
base = sum(w * texture(s) for w, s in ((0.5, 200), (0.35, 40), (0.2, 9), (0.1, 2)))
photo = np.stack([128 + 60 * np.sin(x / 400) + base, 120 + 50 * np.cos(y / 300) + base * 0.9, 110 + 50 * np.sin((x + y) / 500) + base * 0.8], -1)
source = f"{work}/in.jpg"
Image.fromarray(photo.clip(0, 255).astype("uint8")).save(source, quality=90)

pillow = f"from PIL import Image; im = Image.open({source!r}); im.resize((720, 588), Image.LANCZOS).save('{work}/pillow.jpg', quality=85)"
runs = {
    "image_manipulation": [tool, "resize", source, "-o", f"{work}/ours.jpg", "--width", "720", "--height", "588", "--mode", "stretch", "--quality", "85", "--json"],
    "imagemagick": [magick, source, "-filter", "Lanczos", "-resize", "720x588!", "-quality", "85", f"{work}/magick.jpg"],
    "pillow": [sys.executable, "-c", pillow],
}
times = {name: [] for name in runs}
for round in range(11):
    for name, command in runs.items():
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if round:  # the first round warms the caches
            times[name].append(time.perf_counter() - start)
# Pillow without the start of the interpreter, to be fair to it.
inside = []
for round in range(6):
    start = time.perf_counter()
    exec(pillow)
    inside.append(time.perf_counter() - start)
times["pillow (no start-up)"] = inside[1:]
ours = statistics.median(times["image_manipulation"])
for name, values in times.items():
    value = statistics.median(values)
    print(f"image_resize  {name:22} {value * 1000:8.1f} ms   {value / ours:5.2f} x ours")
# Pictures are compared without JPEG losses of their own.
subprocess.run([tool, "resize", source, "-o", f"{work}/ours.png", "--width", "720", "--height", "588", "--mode", "stretch"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([magick, source, "-filter", "Lanczos", "-resize", "720x588!", f"{work}/magick.png"], check=True)
a, b = (np.asarray(Image.open(f"{work}/{n}.png").convert("RGB")).astype(float) for n in ("ours", "magick"))
assert a.shape == b.shape == (588, 720, 3), (a.shape, b.shape)
print(f"image_resize  PSNR to ImageMagick's result: {10 * np.log10(255 ** 2 / max(((a - b) ** 2).mean(), 1e-9)):.1f} dB (wanted: above 35)")
