import glob, os, statistics, subprocess, time
import numpy as np
from PIL import Image

tool, work = os.environ["TOOL"], os.environ["WORK"]
rng = np.random.default_rng(5)
def texture(step):
    noise = rng.random((400 // step + 2, 800 // step + 2))
    return np.asarray(Image.fromarray((noise * 255).astype("uint8")).resize((800, 400), Image.BICUBIC)).astype(float) / 255 - 0.5
layers = [(w, texture(s)) for w, s in ((80, 64), (60, 24), (40, 8), (24, 3))]
y, x = np.mgrid[0:360, 0:640]
def textured(f):
    t, s = f / 60, int(f * 1.5)
    noise = sum(w * layer[20:380, s:s + 640] for w, layer in layers)
    return np.stack([128 + 90 * np.sin(x / 160 + t * 6.28) + 40 * np.cos(y / 70) + noise,
                     120 + 80 * np.cos(y / 110 - t * 6.28) + 30 * np.sin(x / 90) + noise * 0.9,
                     130 + 90 * np.sin((x + y) / 190 + t * 3.14) + noise * 0.7], -1)
def smooth(f):
    picture = np.stack([x * 255 / 640, y * 255 / 360, 255 - x * 120 / 640 - y * 100 / 360], -1)
    cx, cy = 100 + f * 7, 180 + 90 * np.sin(f / 8)
    near = (x - cx) ** 2 + (y - cy) ** 2
    ball = np.stack([240 - near / 40, 90 + near / 90, 60 + near / 120], -1)
    return np.where((near < 3600)[..., None], ball, picture)

def psnr(path, sources):
    image = Image.open(path)
    assert image.n_frames == len(sources), (path, image.n_frames)
    total = 0.0
    for index, name in enumerate(sources):
        image.seek(index)
        a = np.asarray(image.convert("RGB")).astype(float)
        total += ((a - np.asarray(Image.open(name)).astype(float)) ** 2).mean()
    return 10 * np.log10(255 ** 2 / (total / len(sources)))

for content, make in (("textured", textured), ("smooth", smooth)):
    folder = f"{work}/{content}"
    os.makedirs(folder)
    for f in range(60):
        Image.fromarray(make(f).clip(0, 255).astype("uint8")).save(f"{folder}/f{f:03}.png")
    sources = sorted(glob.glob(f"{folder}/*.png"))
    runs = {
        "gif_generator": [tool, f"{folder}/f*.png", "-o", f"{work}/ours.gif", "--rate", "20", "--json"],
        "ffmpeg": ["ffmpeg", "-v", "error", "-y", "-framerate", "20", "-i", f"{folder}/f%03d.png", "-vf",
                   "split[a][b];[a]palettegen[p];[b][p]paletteuse", f"{work}/ffmpeg.gif"],
    }
    times = {name: [] for name in runs}
    for round in range(3):
        for name, command in runs.items():
            start = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - start)
    ours = statistics.median(times["gif_generator"])
    for name, path in (("gif_generator", "ours.gif"), ("ffmpeg", "ffmpeg.gif")):
        value = statistics.median(times[name])
        size = os.path.getsize(f"{work}/{path}")
        print(f"gif  {content:9} {name:14} {value:7.2f} s  {value / ours:6.2f} x ours  {size / 1000:9.1f} kB  {psnr(f'{work}/{path}', sources):6.2f} dB")
