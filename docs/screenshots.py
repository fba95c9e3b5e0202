"""Take the pictures of the app in this folder: `python -m docs.screenshots`.

The page shows a sample of scikit-image. Needs what requirements-test.txt lists and a Chromium.
"""

from pathlib import Path

from docs import app

FOLDER = Path(__file__).parent
PAGES = {"compress": "?sample=Coffee&left=JPEG"}
SEARCHED = 60_000  # milliseconds in which the other codecs are searched


def main() -> None:
    with app.server() as (address, _), app.browser() as chromium:
        for name, query in PAGES.items():
            for scheme in "light", "dark":
                page = app.visit(chromium, f"{address}/{query}", color_scheme=scheme)
                page.locator(".compare[data-shown]").wait_for()
                page.wait_for_timeout(SEARCHED)
                page.screenshot(path=FOLDER / f"{name}-{scheme}.png")
                page.context.close()


if __name__ == "__main__":
    main()
