"""Many people at once: browser sessions that move the quality slider of a running app together.

    python tests/load.py --sessions 10 --moves 5

Starts the app, opens the sessions in a headless Chromium, and gives each a picture of its own.
After each move of all sliders every session must show its own picture, and the restored one must
be the picture of its own file. Prints the app's resident memory, and what went wrong: exit code 1.
"""

import argparse
import io
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
FLAGS = "--no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run".split()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--moves", type=int, default=5)
    parser.add_argument("--size", type=int, nargs=2, default=(768, 512), metavar=("W", "H"))
    parser.add_argument("--port", type=int, default=0, help="default: any free one")
    parser.add_argument(
        "--store",
        action="store_true",
        help="keep the figures with the results of the shipped weights",
    )
    parser.add_argument("--patience", type=int, default=600, help="seconds for one answer")
    args = parser.parse_args()
    port = args.port or free_port()
    app, faults, seconds = start(port), [], []
    try:
        began = time.monotonic()
        wait_until_healthy(port)
        print(f"{time.monotonic() - began:.1f} s to a healthy server, {memory(app, 'VmRSS')} MB")
        with sync_playwright() as driver:
            browser = launch(driver)
            sessions = []
            for number in range(args.sessions):
                sessions.append(Session(browser, port, number, args))
                if not number:
                    sessions[0].settle()
                    first = memory(app, "VmRSS")
                    print(
                        f"{time.monotonic() - began:.1f} s to the first compressed picture, "
                        f"{first} MB",
                        flush=True,
                    )
            for session in sessions:
                session.settle()
            for move in range(args.moves):
                begun = time.monotonic()
                for session in sessions:
                    session.move()
                for session in sessions:
                    session.settle()
                    faults += session.faults()
                seconds.append(time.monotonic() - begun)
                print(
                    f"move {move + 1}: {seconds[-1]:.1f} s until all "
                    f"{args.sessions} were answered, {memory(app, 'VmRSS')} MB",
                    flush=True,
                )
            browser.close()
        most = memory(app, "VmHWM")
        print(f"peak memory of the app {most} MB, {len(faults)} faults")
        if args.store:
            store(
                "visitors",
                {
                    f"{args.sessions} sessions": {
                        "size": args.size,
                        "first_picture_mb": first,
                        "most_seconds": round(max(seconds), 1),
                        "peak_mb": most,
                        "faults": len(faults),
                    }
                },
            )
    finally:
        app.terminate()
        log = app.communicate(timeout=30)[1]
    faults += [line for line in log.splitlines() if "Traceback" in line or "Error" in line]
    print("\n".join(faults))
    return 1 if faults else 0


class Session:
    """One browser session with a picture of its own."""

    def __init__(self, browser, port, number, args):
        self.number, self.quality = number, 75
        self.rgb = picture(number, *args.size)
        self.page = browser.new_context(accept_downloads=True).new_page()
        self.page.set_default_timeout(1000 * args.patience)
        self.page.goto(f"http://127.0.0.1:{port}/?left=Original&quality=75")
        file = io.BytesIO()
        Image.fromarray(self.rgb).save(file, "PNG")
        self.page.locator("input[type=file]").first.set_input_files(
            {"name": f"{number}.png", "mimeType": "image/png", "buffer": file.getvalue()}
        )

    def move(self):
        """Move the slider a few steps, without waiting for what comes of it."""
        slider = self.page.get_by_role("slider", name="Quality", exact=True).first
        slider.focus()
        for _ in range(3 + self.number % 3):
            slider.press("ArrowLeft")
            self.quality -= 1

    def settle(self):
        """Wait for the answer to the last move."""
        page, (height, width) = self.page, self.rgb.shape[:2]
        page.locator(".compare .scale", has_text=f"{width} × {height}").wait_for()
        page.locator(f".compare[data-counted='{self.quality}']").wait_for()
        size = page.locator(".compare [data-bytes]").inner_text()
        page.locator(".chip-right span", has_text=re.compile(f"^{size} bytes")).wait_for()

    def faults(self) -> list[str]:
        """Whatever this session sees that is not its own, or is an error."""
        found = []
        if not np.array_equal(self._pixels("left"), self.rgb):
            found.append("shows another picture")
        error = self._pixels("right").astype(float) - self.rgb
        if np.square(error).mean() > 255**2 / 10**2.2:
            found.append("restored another picture")
        alarms = "[data-testid=stAlertContentError], [data-testid=stException]"
        if self.page.locator(alarms).count():
            found.append("shows an error")
        return [f"session {self.number} at quality {self.quality} {fault}" for fault in found]

    def _pixels(self, side) -> np.ndarray:
        width, height, text = self.page.locator(f".compare img.{side}").evaluate(
            """async picture => {
                await picture.decode();
                const {naturalWidth: width, naturalHeight: height} = picture;
                const sheet = Object.assign(document.createElement('canvas'), {width, height});
                const context = sheet.getContext('2d');
                context.drawImage(picture, 0, 0);
                const {data} = context.getImageData(0, 0, width, height);
                let text = '';
                for (let i = 0; i < data.length; i += 4096)
                    text += String.fromCharCode(...data.subarray(i, i + 4096));
                return [width, height, text];
            }"""
        )
        values = np.frombuffer(text.encode("latin-1"), "uint8").reshape(height, width, 4)[..., :3]
        if values.shape != self.rgb.shape:
            # The labels change at once, a picture when the browser has decoded it.
            self.page.wait_for_timeout(200)
            return self._pixels(side)
        return values


def store(bench: str, figures: dict) -> None:
    """Keep figures with the results of the shipped weights, from where the documents take them."""
    sys.path.append(str(ROOT))
    from sdae import weights
    from sdae.measuring.results import Results

    Results.of(weights.folder()).store_bench(bench, figures)


def picture(number, width, height) -> np.ndarray:
    """Waves and some grain, other ones for each number: uint8 (height, width, 3)."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / a + y / b + c) for a, b, c in rng.uniform(10, 60, (3, 3))]
    noise = rng.normal(0, 4, (height, width, 3))
    return np.uint8(np.clip(128 + 80 * np.stack(waves, -1) + noise, 0, 255))


def start(port) -> subprocess.Popen:
    """The app on this port of the machine itself; what it complains of is kept."""
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            "streamlit_app.py",
            "--server.headless=true",
            "--server.address=127.0.0.1",
            f"--server.port={port}",
            "--server.fileWatcherType=none",
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def launch(driver):
    """A headless Chromium of the system."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))))
    return driver.chromium.launch(executable_path=found, args=FLAGS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_healthy(port):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The app did not start.")


def memory(app, field) -> int:
    """VmRSS or VmHWM of the app in MB; Linux."""
    status = Path(f"/proc/{app.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1]) // 1024


if __name__ == "__main__":
    sys.exit(main())
