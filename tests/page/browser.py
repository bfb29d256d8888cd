# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A browser, and the operators' page in it. Plugin of pytest: its fixtures are those of all tests here."""
import os
import pathlib
import tempfile

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By

from stand import ROOT, eventually, event

PICTURES = os.environ.get("PICTURES")
AXE = os.environ.get("AXE")  # axe.min.js; without it nothing is examined
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--lang=en-AU", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
EXAMINE = """const done = arguments[0];
axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}).then(
  found => done(found.violations.map(one => [one.id, one.help, one.nodes.map(node => node.html)])), error => done(String(error)));"""


@pytest.fixture(scope="session")
def chromium():
    with tempfile.TemporaryDirectory(prefix="seek-signal-page-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS + [f"--user-data-dir={profile}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)
        driver.set_script_timeout(300)  # axe looks at each of thousands of elements
        yield driver
        driver.quit()


@pytest.fixture
def page(chromium):
    page = Page(chromium)
    page.look(1100)
    yield page
    chromium.execute_script("onbeforeunload = null; job = null")
    chromium.get("about:blank")


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get_log("browser")
        self.browser.get("about:blank")
        self.browser.get(url)
        return self

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0]).innerText", selector)

    def must_say(self, selector, part, patience=20):
        eventually(lambda: part in self.text(selector), f"{selector} says {part}", patience)

    def must_show(self, selector, is_shown=True):
        eventually(lambda: any(one.is_displayed() for one in self.all(selector)) == is_shown, f"{selector} is shown: {is_shown}")

    def click(self, selector):
        eventually(lambda: any(one.is_displayed() and one.is_enabled() for one in self.all(selector)), f"{selector} can be clicked")
        self.find(selector).click()

    def choose(self, *ids):
        """Checks the boxes of these rows."""
        for one in ids:
            self.click(f"input[aria-label='Select {one}']")

    def write(self, selector, text):
        self.find(selector).clear()
        self.find(selector).send_keys(text)

    def rows(self):
        return self.run("return [...document.querySelectorAll('#list tr')].map(tr => tr.cells[1].innerText)")

    def cell(self, application_id, column):
        return self.run("return [...document.querySelectorAll('#list tr')].find(tr => tr.cells[1].innerText === arguments[0])"
                        ".cells[arguments[1]].innerText", application_id, column)

    def must_list(self, *ids):
        eventually(lambda: self.rows() == list(ids), f"the list shows {ids}; now {self.rows()}")

    def look(self, width, height=900, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def must_be_in_view(self, selector):
        """Wherever somebody has scrolled to."""
        top, bottom, height = self.run("const {top, bottom} = document.querySelector(arguments[0]).getBoundingClientRect(); return [top, bottom, innerHeight]",
                                       selector)
        assert 0 <= top < bottom <= height, f"{selector} is from {top} to {bottom} in a window of {height}"

    def focused(self):
        """The id of what has the focus, or else its name."""
        return self.run("const one = document.activeElement; return one.id || one.ariaLabel || one.innerText.slice(0, 40)")

    def picture(self, name):
        if PICTURES:
            self.run("scrollTo(0, 0)")
            (pathlib.Path(ROOT) / PICTURES / f"{name}.png").write_bytes(self.browser.get_screenshot_as_png())

    def must_fit(self, width):
        """Nothing is wider than the window, and no button breaks its word."""
        inner, room, whole = self.run("const {clientWidth, scrollWidth} = document.documentElement; return [innerWidth, clientWidth, scrollWidth]")
        assert inner == width and whole <= room, f"{whole} pixels wide in a window of {room}"
        broken = self.run("""return [...document.querySelectorAll("button:not(.link)")].filter(one => one.offsetParent
            && one.getClientRects()[0].height > 48).map(one => one.innerText)""")
        assert not broken, broken

    def must_fit_everywhere(self):
        for width in (380, 800, 1400):
            for scheme in ("light", "dark"):
                self.look(width, 900, scheme)
                self.must_fit(width)
                self.must_be_accessible()
        self.look(1100)

    def must_be_accessible(self):
        if AXE:
            self.run(pathlib.Path(AXE).read_text())
            found = self.browser.execute_async_script(EXAMINE)
            assert found == [], found

    def must_have_no_complaint(self, *allowed):
        """The browser reports here what the policy forbids, and each error of the script. Answers that are expected name their
        status."""
        complaints = [line for line in self.browser.get_log("browser") if line["level"] == "SEVERE"
                      and not any(f"status of {status} " in line["message"] for status in allowed)]
        assert not complaints, complaints


def refuse_many(service, sandbox, number, prefix="M-"):
    sandbox.fault(kind="forbidden", count=number)
    for first in range(0, number, 1000):
        service.must_post([event(f"{prefix}{i:05}", f"t-{prefix}{i}") for i in range(first, min(first + 1000, number))])
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] >= number, "all are dead", patience=120)


def refuse(service, sandbox, count, kind="forbidden", prefix="A-10", first=1):
    """A real dead set, one after the other."""
    sandbox.fault(kind=kind, count=count)
    for number in range(first, first + count):
        service.must_post(event(f"{prefix}{number:02}", f"token-{prefix}{number}"))
        service.must_become(f"{prefix}{number:02}", "dead")
