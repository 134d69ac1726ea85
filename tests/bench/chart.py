"""From a million losses to a picture: this app's chart beside uPlot and matplotlib, on the same values.

The app draws in Rust and its window shows the drawing, so its figure is both: the time to the SVG, and the time until
headless Chromium has taken it in. uPlot draws in the same Chromium, from arrays in its memory. matplotlib draws with
Agg and writes a PNG. Smoothing is part of every picture, because the raw line alone is not what people look at. Two
frames of the browser's clock are in each of its figures; what they take with nothing to draw is told beside them.
"""

import argparse
import functools
import http.server
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy

ROOT = Path(__file__).parents[2]
UPLOT = "uplot@1.6.32"
WIDTH, HEIGHT = 1100, 420


def say(text):
    print(text, file=sys.stderr, flush=True)


def losses(count):
    """A run that falls, scatters, and has a few spikes; the same every time."""
    chance = numpy.random.default_rng(7)
    steps = numpy.arange(count)
    values = 0.4 + 3.2 * numpy.exp(-steps / (count / 6)) + chance.normal(0, 0.12, count)
    values[chance.integers(0, count, 40)] += chance.uniform(2, 6, 40)
    return values.astype("<f8")


def ours(folder, program, times):
    runs = []
    for _ in range(times):
        command = [program, folder / "values.f64", str(WIDTH), str(HEIGHT), folder / "chart.svg"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        runs.append(json.loads(said.splitlines()[-1]))
    return {
        "svg_bytes": runs[0]["svg_bytes"],
        "first_ms": min(run["first_ms"] for run in runs),
        "smoothing_ms": [min(of) for of in zip(*(run["smoothing_ms"] for run in runs))],
        "zoom_ms": [min(of) for of in zip(*(run["zoom_ms"] for run in runs))],
    }


def matplotlib_ms(values, times):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    def average(weight):
        smoothed, mean, missing = numpy.empty_like(values), 0.0, 1.0
        for at, value in enumerate(values):
            mean = mean * weight + (1 - weight) * value
            missing *= weight
            smoothed[at] = mean / (1 - missing)
        return smoothed

    # The average in plain Python would be most of the time; it is made before the clock starts.
    smoothed = average(0.6)
    found = []
    for _ in range(times):
        began = time.monotonic()
        figure, axes = pyplot.subplots(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
        axes.plot(values, color="#9fcdd0", linewidth=1)
        axes.plot(smoothed, color="#0b6770", linewidth=1.6)
        with tempfile.TemporaryFile() as out:
            figure.savefig(out, format="png")
        pyplot.close(figure)
        found.append((time.monotonic() - began) * 1000)
    return found


def uplot_files(target, folder):
    place = target / "bench-npm"
    package = place / "node_modules" / "uplot" / "dist"
    if not package.exists():
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--prefix", place, UPLOT], check=True, stdout=sys.stderr)
    for name in ("uPlot.iife.min.js", "uPlot.min.css"):
        shutil.copy(package / name, folder / name)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def in_browser(folder, times):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"):
        options.add_argument(argument)
    browser = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        browser.set_script_timeout(300)
        browser.get(f"http://127.0.0.1:{server.server_port}/page.html")

        def run(call):
            script = f"const done = arguments[0]; {call}.then(done, (error) => done({{ error: String(error) }}))"
            answer = browser.execute_async_script(script)
            if isinstance(answer, dict) and "error" in answer:
                sys.exit(f"{call}: {answer['error']}")
            return answer

        loaded = run("load()")
        say(f"{loaded} values in the browser, {browser.capabilities['browserVersion']}")
        uplot = [run("uplot()") for _ in range(times)]
        return {
            "nothing_ms": min(run("nothing()")),
            "drawing_ms": min(run("drawing()")),
            "uplot_first_ms": min(one["first"] for one in uplot),
            "uplot_smoothing_ms": [min(of) for of in zip(*(one["smoothing"] for one in uplot))],
            "uplot_zoom_ms": [min(of) for of in zip(*(one["zoom"] for one in uplot))],
        }
    finally:
        browser.quit()
        server.shutdown()


def rounded(figures):
    def one(value):
        return round(value, 1) if isinstance(value, float) else value

    return {key: [one(v) for v in value] if isinstance(value, list) else one(value) for key, value in figures.items()}


def aim(value, wanted, met):
    return {"value": round(value, 2), "aim": wanted, "met": bool(met)}


def main():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    built = Path(os.environ.get("WHETSTONE_EXAMPLES", target / "release" / "examples"))
    parser = argparse.ArgumentParser(prog="scripts/bench chart", description=__doc__)
    parser.add_argument("--values", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=5, help="runs of each; of several the quickest counts")
    options = parser.parse_args()

    values = losses(options.values)
    with tempfile.TemporaryDirectory(prefix="whetstone-bench-") as name:
        folder = Path(name)
        (folder / "values.f64").write_bytes(values.tobytes())
        shutil.copy(Path(__file__).parent / "chart_parts" / "page.html", folder / "page.html")
        uplot_files(target, folder)
        drawn = ours(folder, built / "chart", options.times)
        browser = in_browser(folder, options.times)
    agg = matplotlib_ms(values, options.times)

    # Of the app: the drawing in Rust, then the window takes it in.
    whole = drawn["first_ms"] + browser["drawing_ms"]
    smoothing = max(drawn["smoothing_ms"]) + browser["drawing_ms"]
    zoom = max(drawn["zoom_ms"]) + browser["drawing_ms"]
    figures = rounded(drawn | browser | {
        "values": options.values,
        "whole_ms": whole,
        "matplotlib_first_ms": min(agg),
        "smoothing_median_ms": statistics.median(drawn["smoothing_ms"]),
        "zoom_median_ms": statistics.median(drawn["zoom_ms"]),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    })
    ratios = {
        "uplot_to_whetstone": round(browser["uplot_first_ms"] / whole, 2),
        "matplotlib_to_whetstone": round(min(agg) / whole, 2),
        "uplot_zoom_to_whetstone": round(max(browser["uplot_zoom_ms"]) / zoom, 2),
        "uplot_smoothing_to_whetstone": round(max(browser["uplot_smoothing_ms"]) / smoothing, 2),
    }
    aims = {
        "slowest_zoom_ms": aim(zoom, "<= 50, until it is shown", zoom <= 50),
        "slowest_smoothing_ms": aim(smoothing, "<= 50, until it is shown", smoothing <= 50),
        "faster_than_uplot": aim(ratios["uplot_to_whetstone"], "> 1", ratios["uplot_to_whetstone"] > 1),
        "faster_than_matplotlib": aim(ratios["matplotlib_to_whetstone"], "> 1", ratios["matplotlib_to_whetstone"] > 1),
    }
    print(json.dumps({"bench": "chart", "figures": figures, "ratios": ratios, "aims": aims}))


main()
