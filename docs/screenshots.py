"""Take the pictures of the app in this folder: start it with `make app`, then

    python docs/screenshots.py http://127.0.0.1:8501

The page shows a sample of scikit-image. Needs what requirements-test.txt lists and a Chromium.
"""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent
PAGES = {"compress": "?sample=Coffee"}


def main(address: str) -> None:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("google-chrome"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, query in PAGES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(
                    viewport={"width": 1280, "height": 800}, color_scheme=scheme
                )
                page.set_default_timeout(120_000)
                page.goto(f"{address}/{query}")
                page.locator(".compare[data-shown]").wait_for()
                page.locator(".sdae-rivals .best").first.wait_for()
                page.locator(".sdae-rivals .wait").first.wait_for(state="detached")
                page.get_by_test_id("stStatusWidget").wait_for(state="detached")
                page.wait_for_timeout(2000)  # fading in
                page.screenshot(path=FOLDER / f"{name}-{scheme}.png")
                page.close()


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
