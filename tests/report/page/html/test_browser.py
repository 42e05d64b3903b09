"""The page in a browser: filter, keys, links, scripts off, hostile words, a phone, two thousand tests."""

from __future__ import annotations

import gc
import shutil
import threading
import traceback
import warnings
from concurrent.futures import Future
from queue import SimpleQueue

import pytest

from replay_agent.report.page.html.rendering import render
from replay_agent.report.page.report import Entry, Report
from tests.report.page.hostile import PAYLOADS
from tests.report.page.samples import everything, suite

BROWSERS = "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"


def browser_path():
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


class Browser:
    """A browser in a thread of its own: playwright's loop is none of the tests' business, nor theirs of it."""

    def __init__(self, sync_playwright, path):
        self._tasks = SimpleQueue()
        self._ready = Future()
        self._thread = threading.Thread(target=self._serve, args=(sync_playwright, path), daemon=True)
        self._thread.start()
        self._ready.result(60)

    def _serve(self, sync_playwright, path):
        try:
            with sync_playwright() as playwright:
                chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
                self._ready.set_result(None)
                while (task := self._tasks.get()) is not None:
                    future, function = task
                    try:
                        future.set_result(function(chromium))
                    except BaseException as error:
                        future.set_exception(error)
                chromium.close()
        except BaseException as error:
            if self._ready.done():
                traceback.print_exc()
            else:
                self._ready.set_exception(error)

    def do(self, function):
        future = Future()
        self._tasks.put((future, function))
        return future.result(120)

    def close(self):
        self._tasks.put(None)
        self._thread.join(30)
        with warnings.catch_warnings():  # a browser that ends badly leaves playwright's loop open
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()

    def open(self, path, see, *, anchor="", **context):
        """Open a file and have ``see`` look at it; return what it saw, and the requests that were made for anything else."""

        def visit(chromium):
            place = chromium.new_context(**context)
            asked = []
            place.route(
                "**/*",
                lambda route: (
                    route.continue_()
                    if route.request.url.split("#")[0] == path.as_uri()
                    else (asked.append(route.request.url), route.abort())
                ),
            )
            page = place.new_page()
            page.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; }")
            errors = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("dialog", lambda dialog: (errors.append("a dialog"), dialog.dismiss()))
            try:
                page.goto(f"{path.as_uri()}{anchor}", wait_until="load")
                seen = see(page)
                asked += [each.url for each in place.pages if each is not page]
            finally:
                place.close()
            assert errors == []
            return seen, [url for url in asked if not url.startswith("data:image/png")]

        return self.do(visit)


@pytest.fixture(scope="module")
def browser():
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = browser_path()
    if path is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is installed")
    started = Browser(sync_api.sync_playwright, path)
    yield started
    started.close()


@pytest.fixture
def page(tmp_path):
    """Write a report as a page."""

    def write(report):
        path = tmp_path / "page.html"
        path.write_text(render(report), "utf-8")
        return path

    return write


def named(page):
    return [each.strip() for each in page.locator("details.test:visible > summary b").all_inner_texts()]


def opened(page):
    return page.locator("details.test[open] > summary b").all_inner_texts()


def test_filter(browser, page):
    def see(tab):
        words, found = tab.locator("[data-part=words]"), tab.locator("[data-part=found]")
        words.fill("many[3] museum")
        found.get_by_text("1 of 9").wait_for()
        yield named(tab)
        words.fill("nobody said this")
        found.get_by_text("0 of 9").wait_for()
        yield tab.locator("[data-part=none]").is_visible()
        words.fill("")
        tab.locator("[data-filter=failed]").click()
        found.get_by_text("3 of 9").wait_for()
        yield named(tab)

    seen, asked = browser.open(page(suite(9)), lambda tab: [*see(tab)])
    assert seen == [["test_many[3]"], True, ["test_many[0]", "test_many[4]", "test_many[8]"]]
    assert asked == []


def test_keys(browser, page):
    def see(tab):
        press = tab.keyboard.press
        for key in ("j", "j", "k", "j", "Enter"):
            press(key)
        yield opened(tab)
        press("/")
        tab.keyboard.type("jk?")
        yield tab.locator("[data-part=words]").input_value()
        press("Escape")
        yield tab.locator("[data-part=words]").input_value()
        press("?")
        yield tab.locator("[data-part=help]").is_visible()
        press("Escape")
        yield tab.locator("[data-part=help]").is_visible()

    seen, _ = browser.open(page(suite(3)), lambda tab: [*see(tab)])
    assert seen == [["test_many[1]"], "jk?", "", True, False]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_link_opens_its_test(browser, page, scripts):
    def see(tab):
        text = tab.get_by_text("Answer 2 of turn 3.").first
        text.wait_for()
        return opened(tab), text.is_visible(), tab.locator("details.test[open] > summary").is_visible()

    anchor = "#tests/test_0.py::test_many[2]"
    seen, asked = browser.open(page(suite(6)), see, anchor=anchor, java_script_enabled=scripts)
    assert seen == (["test_many[2]"], True, True)
    assert asked == []


def test_shared_texts_are_put_in_place(browser, page):
    def see(tab):
        tab.locator("details.test > summary").first.click()
        fold = tab.locator("details.test[open] details.long").first
        fold.locator("summary").click()
        return fold.locator(".prose", has_text="museum").inner_text()

    seen, _ = browser.open(page(suite(3)), see)
    assert seen.strip() == ("You are the travel desk of a small museum. " * 100).strip()


def test_without_scripts_everything_can_be_read(browser, page):
    def see(tab):
        controls = tab.locator("[data-part=filter], [data-part=theme], [data-copy]")
        yield any(each.is_visible() for each in controls.all())
        tab.locator("details.test > summary").first.click()
        tab.get_by_text("Answer 0 of turn 3.").first.wait_for()
        yield opened(tab) == ["test_many[0]"]
        tab.locator("details.test[open] a.same").first.click()
        yield tab.locator("[id='text:1']").is_visible()

    seen, _ = browser.open(page(suite(3)), lambda tab: [*see(tab)], java_script_enabled=False)
    assert seen == [False, True, True]


def test_light_and_dark(browser, page):
    def ground(tab):
        return tab.evaluate("getComputedStyle(document.body).backgroundColor")

    def see(tab):
        yield ground(tab)
        tab.locator("[data-part=theme]").click()
        yield ground(tab)

    path = page(suite(1))
    (light, switched), _ = browser.open(path, lambda tab: [*see(tab)], color_scheme="light")
    (dark, back), _ = browser.open(path, lambda tab: [*see(tab)], color_scheme="dark")
    assert (light, dark) == (back, switched)
    assert light != dark


def test_the_command_is_copied(browser, page):
    def see(tab):
        tab.locator(".cause [data-copy]").first.click()
        tab.get_by_text("Copied").first.wait_for()
        return tab.evaluate("navigator.clipboard.readText()")

    path = page(everything("a 'quoted' word"))
    seen, _ = browser.open(path, see, permissions=["clipboard-read", "clipboard-write"])
    assert seen == "a 'quoted' word"


def test_a_phone_needs_no_sideways_scrolling(browser, page):
    def see(tab):
        tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        return tab.evaluate("document.documentElement.scrollWidth")

    seen, _ = browser.open(page(everything("W" * 3_000)), see, viewport={"width": 360, "height": 700})
    assert seen <= 360


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_hostile_words_run_and_fetch_nothing(browser, page, scripts):
    entries = [everything(payload, test=payload).entries[0] for payload in PAYLOADS.values()]
    path = page(Report("</title><script>hit()</script>", notes=list(PAYLOADS.values()), entries=entries))

    def see(tab):
        if not scripts:
            return tab.title(), 0
        tab.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        for key in ("j", "Enter", "?", "Escape"):
            tab.keyboard.press(key)
        for each in tab.locator("img").all()[:3]:
            each.scroll_into_view_if_needed()
        tab.mouse.move(300, 300)
        return tab.title(), tab.evaluate("window.hits")

    (title, hits), asked = browser.open(path, see, java_script_enabled=scripts)
    assert "<script>hit()</script>" in title
    assert (hits, asked) == (0, [])


def test_the_policy_holds_where_escaping_would_not(browser, tmp_path):
    path = tmp_path / "page.html"
    bad = "<script>hit()</script><img src='https://a.example/x.png' onerror='hit()'><b style='color:red'>x</b>"
    path.write_text(render(Report("a", entries=[Entry("t", "passed")])).replace("<main>", f"<main>{bad}"), "utf-8")
    seen, asked = browser.open(
        path, lambda tab: tab.evaluate("[window.hits, getComputedStyle(document.querySelector('main > b')).color]")
    )
    assert seen[0] == 0
    assert seen[1] != "rgb(255, 0, 0)"
    assert asked == []


def test_two_thousand_tests(browser, page):
    path = page(suite(2_000))
    assert path.stat().st_size < 12_000_000

    def see(tab):
        # What the browser's thread worked, not what the machine did meanwhile.
        session = tab.context.new_cdp_session(tab)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        tab.reload(wait_until="load")
        found = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        tab.locator("[data-part=words]").fill("many[1999]")
        tab.locator("[data-part=found]").get_by_text("1 of 2000").wait_for()
        return found["TaskDuration"], named(tab)

    (worked, left), asked = browser.open(path, see)
    assert left == ["test_many[1999]"]
    assert asked == []
    assert 0 < worked < 2
