"""The page of a report in a real browser: sizes, colours, print, keyboard, filters, accessibility.

Needs the extra `browser` and a chromium of the system; without either these tests are skipped.
"""

import dataclasses
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_report import HOSTILE, OWN, case, growth, record, sweep, table

from fpstudy.report.claims import told
from fpstudy.report.drawing import Data
from fpstudy.report.figures import figures
from fpstudy.report.formats import formats_of
from fpstudy.report.page import contents, html

sync_api = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
if CHROMIUM is None:
    pytest.skip("no chromium on the PATH", allow_module_level=True)

SIZES = {"phone": (390, 844), "laptop": (1280, 800), "4K": (3840, 2160)}
CLAIM = {
    "says": f"1 is 2 {HOSTILE}", "verdict": "refuted", "evidence": "it is 1", "source": HOSTILE,
    "reproduce": "fpstudy exact logsumexp --logits 0,-40",
    "table": {"columns": ["x"], "rows": [["1"]]},
}  # fmt: skip


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it: two kinds of verdicts, claims, figures with their numbers."""
    summary = table(
        *sweep(1.0), *sweep(100.0, problem="logsumexp", formulas=("naive", "log1p")),
        *growth(("kahan:float32",), magnitude=1.0), *sweep(1.0, problem=HOSTILE),
        case(distribution="explicit[1]", magnitude=float("nan"), n=2, samples=1),
        case("skipped", dtype="float8_e4m3fn", reason=HOSTILE),
    )  # fmt: skip
    rows, formats = record(summary), formats_of(OWN, summary)
    data = Data(("dtype", "computed by", "line", "error"), (
        ("float16", "numpy, native accumulation", "naive", "1e-3"),
        ("float32", "numpy, native accumulation", "shifted", "0.5"),
    ))  # fmt: skip
    drawings = [
        dataclasses.replace(d, data=d.data or data) for d in figures(summary, rows, formats)
    ]
    content = contents(rows, summary, OWN, formats, told([CLAIM]), drawings)
    path = tmp_path_factory.mktemp("browser") / "index.html"
    path.write_text(html(content), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


class Opened:
    """A page that is open, and all that its console said: no test leaves that unread."""

    def __init__(self, browser: Any, path: Path, fragment: str = "", **context: Any) -> None:
        self.said: list[str] = []
        self.context = browser.new_context(**{"viewport": size("laptop"), **context})
        self.page = self.context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", self._asked)
        self.page.goto(f"{path.as_uri()}{fragment}")

    def _asked(self, request: Any) -> None:
        if not request.url.split("#")[0].endswith("index.html"):
            self.said.append(f"asked for {request.url}")

    def __enter__(self) -> Any:
        return self.page

    def __exit__(self, *error: object) -> None:
        self.context.close()
        assert error[0] is not None or self.said == []


def size(name: str) -> dict[str, int]:
    width, height = SIZES[name]
    return {"width": width, "height": height}


BEYOND = """() => {
  const inside = (element) => element.closest(".scroll, pre, .skip");
  const wide = [...document.querySelectorAll("body *")].filter((element) =>
    !inside(element) && element.getBoundingClientRect().right > innerWidth + 1);
  const root = document.documentElement;
  return [root.scrollWidth - innerWidth, wide.map((element) => element.tagName)];
}"""


def open_all(page: Any) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("name", SIZES)
def test_nothing_reaches_beyond_the_window(
    browser: Any, page_file: Path, name: str, colours: str
) -> None:
    with Opened(browser, page_file, viewport=size(name), color_scheme=colours) as page:
        assert page.evaluate(BEYOND) == [0, []]
        open_all(page)
        assert page.evaluate(BEYOND) == [0, []]
        paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, re.findall(r"\d+", paper)[:3])) > 384) is (colours == "light")


@pytest.mark.parametrize("name", SIZES)
def test_lines_can_be_read(browser: Any, page_file: Path, name: str) -> None:
    with Opened(browser, page_file, viewport=size(name)) as page:
        ems = page.evaluate("""() => [...document.querySelectorAll("p, dd, li, figcaption")]
          .filter((element) => element.checkVisibility() && !element.closest("figure"))
          .map((element) => [
            element.clientWidth / parseFloat(getComputedStyle(element).fontSize),
            element.textContent.slice(0, 40),
          ])""")
        assert ems and max(ems)[0] <= 60, max(ems)
        smallest = page.evaluate("""() => Math.min(...[...document.querySelectorAll("p, td, small")]
          .map((element) => parseFloat(getComputedStyle(element).fontSize)))""")
        assert smallest >= 11


def test_the_page_is_whole_without_a_script(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file, java_script_enabled=False) as page:
        assert not page.locator("#filters").is_visible()
        assert page.locator("thead button").count() == 0
        for row in page.locator("tr[id]").all():
            assert row.is_visible()
        summaries = page.locator("summary")
        assert summaries.count() > 5
        summaries.first.click()
        assert page.locator("details[open]").count() == 1


def test_every_details_opens_by_the_keyboard(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        every = page.locator("details")
        for k in range(every.count()):
            every.nth(k).locator("> summary").focus()
            page.keyboard.press("Enter")
        assert page.locator("details:not([open])").count() == 0
        numbers = page.locator("figure details table")
        assert numbers.count() == page.locator("#figures figure").count() > 0
        assert all(table.is_visible() for table in numbers.all())


def test_the_first_tab_leads_past_the_head(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.inner_text() == "Skip to the answer"
        box = focused.bounding_box()
        assert box is not None and box["x"] >= 0
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.locator(":focus").evaluate("(element) => !!element.closest('main')")


def until(page: Any, condition: str) -> None:
    """Wait for it; playwright's own way to wait evaluates text, which the page's policy refuses."""
    for _ in range(200):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(25)
    pytest.fail(f"still not so: {condition}")


def choice(page: Any, name: str) -> Any:
    return page.get_by_role("combobox", name=name)


def rows(page: Any) -> list[str]:
    """The visible rows of the tables of verdicts, by dtype."""
    shown = page.locator(".verdicts tr[id]:visible th").all_inner_texts()
    return [text.split()[0] for text in shown]


def test_filters_act_on_rows_figures_and_inputs(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        whole, figures_of_all = rows(page), page.locator("#figures figure:visible").count()
        assert {"float16", "float32", "tf32"} == set(whole)
        choice(page, "dtype").select_option("float32")
        assert set(rows(page)) == {"float32"}
        choice(page, "problem").select_option("logsumexp")
        assert rows(page) == ["float32"]
        heads = page.locator("#figures h3:visible").all_inner_texts()
        assert heads == ["logsumexp"]
        assert page.locator("#figures figure:visible").count() < figures_of_all
        open_all(page)
        counts = page.locator("#failures tbody tr:visible")
        assert all("logsumexp" in row and "float32" in row for row in counts.all_inner_texts())
        cards = page.locator("#worst article:visible h4").all_inner_texts()
        assert cards and all("float32" in card for card in cards)
        said = page.locator("#shown")
        assert said.inner_text().startswith(f"Shown: 1 of {len(whole)} verdicts, ")
        assert said.get_attribute("aria-live") == "polite"
        assert page.url.endswith("#problem=logsumexp&dtype=float32")
        page.reload()
        assert rows(page) == ["float32"]
        page.get_by_role("button", name="Clear").click()
        until(page, "!location.hash")
        assert rows(page) == whole


def test_a_formula_shows_the_rows_that_judged_it(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        choice(page, "formula").select_option("log1p")
        problems = page.locator(".verdicts tr.group:visible").all_inner_texts()
        assert problems == ["logsumexp"]


def test_filters_work_by_the_keyboard(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        choice(page, "dtype").focus()
        page.keyboard.press("ArrowDown")
        assert set(rows(page)) == {"float16"}
        for _ in range(10):
            page.keyboard.press("Tab")
            if page.locator(":focus").inner_text() == "Clear":
                break
        page.keyboard.press("Enter")
        until(page, "!document.body.classList.contains('filtered')")
        assert len(set(rows(page))) == 3


def test_a_link_to_a_verdict_shows_it_whatever_is_filtered(browser: Any, page_file: Path) -> None:
    anchor = "verdict-logsumexp-float32-numpy-native-magnitudes"
    with Opened(browser, page_file, f"#{anchor}", viewport=size("phone")) as page:
        row = page.locator(f"#{anchor}")
        assert in_sight(page, row)
        other = page.locator("tr[id]").first
        colour = "(element) => getComputedStyle(element).backgroundColor"
        assert row.evaluate(colour) != other.evaluate(colour)
        choice(page, "dtype").select_option("float16")
        assert not row.is_visible()
        page.evaluate(f"location.hash = '{anchor}'")
        until(page, "!document.body.classList.contains('filtered')")
        assert in_sight(page, row)


def in_sight(page: Any, element: Any) -> bool:
    box, window = element.bounding_box(), page.viewport_size
    return box is not None and 0 <= box["y"] < window["height"]


def test_a_column_sorts_within_its_problem(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file) as page:
        head = page.locator("#verdicts thead th").nth(3)
        body = page.locator("#verdicts tbody").first
        for direction, keys in (("ascending", 1), ("descending", -1)):
            head.locator("button").click()
            assert head.get_attribute("aria-sort") == direction
            found = body.locator("td:nth-child(4)").evaluate_all(
                "(cells) => cells.map((cell) => parseFloat(cell.dataset.v))"
            )
            assert len(found) > 1 and found == sorted(found, key=lambda x: keys * x)
        assert body.locator("tr").first.get_attribute("class") == "group"


def test_colours_can_be_chosen(browser: Any, page_file: Path) -> None:
    paper = "getComputedStyle(document.documentElement).getPropertyValue('--paper')"
    with Opened(browser, page_file, color_scheme="light") as page:
        light = page.evaluate(paper)
        choice(page, "colours").select_option("dark")
        dark = page.evaluate(paper)
        assert dark != light
    with Opened(browser, page_file, color_scheme="dark") as page:
        assert page.evaluate(paper) == dark
        choice(page, "colours").select_option("light")
        assert page.evaluate(paper) == light


def test_a_command_is_copied_as_it_stands(browser: Any, page_file: Path) -> None:
    with Opened(browser, page_file, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.locator("#claims pre button").click()
        until(page, "document.querySelector('#claims .copy').textContent === 'Copied'")
        assert page.evaluate("navigator.clipboard.readText()") == CLAIM["reproduce"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_print_shows_all_and_cuts_nothing(browser: Any, page_file: Path, script: bool) -> None:
    paper = {"width": 689, "height": 1000}  # A4 between its margins
    with Opened(browser, page_file, viewport=paper, java_script_enabled=script) as page:
        page.emulate_media(media="print")
        tables = page.locator("table")
        assert tables.count() > 5
        assert all(table.is_visible() for table in tables.all())
        for hidden in ("nav", "#filters", ".skip"):
            assert not page.locator(hidden).is_visible()
        for box in page.locator("table, figure svg").all():
            at = box.bounding_box()
            assert at is not None and at["x"] + at["width"] <= 690
        assert len(page.pdf(format="A4")) > 10_000


@pytest.mark.parametrize(("name", "colours"), [("phone", "light"), ("laptop", "dark")])
def test_axe_finds_nothing_serious(browser: Any, page_file: Path, name: str, colours: str) -> None:
    reason = "the extra `browser` is not installed"
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe()
    with Opened(browser, page_file, viewport=size(name), color_scheme=colours) as page:
        open_all(page)
        found = axe.run(page).response
        grave = [
            (one["id"], [node["html"][:200] for node in one["nodes"]][:3])
            for one in found["violations"] if one["impact"] in ("serious", "critical")
        ]  # fmt: skip
        assert len(found["passes"]) > 15
        assert grave == []
