# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The operators' page, as a person with a browser uses it."""
import http.server
import json
import os
import pathlib
import tempfile
import threading

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service as Driver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from stand import ROOT, eventually, event

PICTURES = os.environ.get("PICTURES")
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--lang=en-AU", "--host-resolver-rules=MAP evil.example 127.0.0.1"]
KEY = "api-key-9Jd2"


@pytest.fixture(scope="module")
def chromium():
    with tempfile.TemporaryDirectory(prefix="seek-signal-page-") as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS + [f"--user-data-dir={profile}"]:
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        driver = webdriver.Chrome(service=Driver("/usr/bin/chromedriver"), options=options)
        yield driver
        driver.quit()


class Page:
    def __init__(self, browser):
        self.browser = browser

    def open(self, url):
        self.browser.get_log("browser")
        self.browser.get(url)
        return self

    def find(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.browser.execute_script("return document.querySelector(arguments[0]).innerText", selector)

    def must_say(self, selector, part):
        eventually(lambda: part in self.text(selector), f"{selector} says {part}")

    def click(self, selector):
        eventually(lambda: self.find(selector).is_enabled(), f"{selector} can be clicked")
        self.find(selector).click()

    def rows(self):
        return self.browser.execute_script("return [...document.querySelectorAll('#list tr')].map(tr => tr.cells[0].innerText)")

    def must_list(self, *ids):
        eventually(lambda: self.rows() == list(ids), f"the list shows {ids}; now {self.rows()}")

    def look(self, width, height=900, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def picture(self, name, width, height, scheme):
        self.look(width, height, scheme)
        self.browser.execute_script("scrollTo(0, 0)")
        if PICTURES:
            (pathlib.Path(ROOT) / PICTURES / f"{name}.png").write_bytes(self.browser.get_screenshot_as_png())

    def must_have_no_complaint(self):
        """The browser reports here what the policy forbids, and each error of the script."""
        complaints = [line for line in self.browser.get_log("browser") if line["level"] == "SEVERE"]
        assert not complaints, complaints


@pytest.fixture
def page(chromium):
    page = Page(chromium)
    page.look(1100)
    yield page
    chromium.get("about:blank")


def refuse(service, sandbox, count, kind="forbidden", prefix="A-10", first=1):
    """A real dead set."""
    sandbox.fault(kind=kind, count=count)
    for number in range(first, first + count):
        service.must_post(event(f"{prefix}{number:02}", f"token-{prefix}{number}"))
        service.must_become(f"{prefix}{number:02}", "dead")


def it_replays_a_dead_one_and_sees_it_delivered(page, service, sandbox):
    refuse(service, sandbox, 3)
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "3")
    page.must_list("A-1001", "A-1002", "A-1003")
    assert "FORBIDDEN" in page.text("#list") and page.text("#list tr td:nth-child(5)").strip() != "–"
    page.click("button[aria-label='Replay A-1002']")
    page.must_say("#question-text", "A-1002")
    assert not sandbox.signals("token-A-102")
    page.click("#no")
    page.must_list("A-1001", "A-1002", "A-1003")
    page.click("button[aria-label='Replay A-1002']")
    page.click("#yes")
    page.must_say("#news", "A-1002 was delivered")
    page.must_list("A-1001", "A-1003")
    page.must_say("#dead", "2")
    sandbox.must_receive("token-A-102")
    page.must_have_no_complaint()


def it_replays_by_filter_after_a_question(page, service, sandbox):
    refuse(service, sandbox, 3)
    refuse(service, sandbox, 2, kind="bad-user-input", prefix="B-20")
    page.open(f"http://{service.address}/")
    page.must_list("A-1001", "A-1002", "A-1003", "B-2001", "B-2002")
    page.find("#code").send_keys("BAD_USER_INPUT", Keys.ENTER)
    page.must_list("B-2001", "B-2002")
    page.click("#replay-all")
    page.must_say("#question-text", "2 dead with BAD_USER_INPUT")
    page.find("#rate").clear()
    page.find("#rate").send_keys("100")
    page.click("#yes")
    page.must_say("#news", "2 are sent again")
    page.must_list()
    for number in (1, 2):
        service.must_become(f"B-200{number}", "delivered")
    page.must_say("#dead", "3")
    page.must_have_no_complaint()


def it_shows_one_application_with_its_attempts(page, service, sandbox):
    sandbox.fault(kind="status", status=503, count=2)
    service.must_post(event("A/1 <b>ü</b>"))
    attempts = service.must_become("A%2F1%20%3Cb%3E%C3%BC%3C%2Fb%3E", "delivered")["requestIds"]
    page.open(f"http://{service.address}/")
    page.find("#id").send_keys("A/1 <b>ü</b>", Keys.ENTER)
    page.must_say("#one", "delivered")
    assert page.text("#one h3") == "A/1 <b>ü</b>"
    table = page.browser.execute_script("return [...document.querySelectorAll('#one tbody tr')].map(tr => [...tr.cells].map(c => c.innerText))")
    assert [(number, outcome, request_id) for number, _, outcome, request_id in table] == [
        ("3", "delivered", attempts[0]), ("2", "transient, HTTP_503", attempts[1]), ("1", "transient, HTTP_503", attempts[2])]
    page.find("#id").clear()
    page.find("#id").send_keys("unknown", Keys.ENTER)
    page.must_say("#one", "Nothing was posted for it")


def it_pauses_and_resumes(page, service, sandbox, redis):
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Working")
    page.click("#pause")
    page.click("#yes")
    page.must_say("#state", "Paused since")
    assert redis.cli("EXISTS", "seek-signal:{0}:paused") == "1"
    service.must_post(event("A-1"))
    page.must_say("#due", "1")
    page.must_say("#pause", "Resume sending")
    page.click("#pause")
    service.must_become("A-1", "delivered")
    page.must_say("#state", "Working")
    page.must_have_no_complaint()


def it_asks_for_the_api_key_and_keeps_it_in_memory_only(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key=KEY).start()
    page.open(f"http://{service.address}/")
    eventually(lambda: page.find("#key-dialog").is_displayed(), "the page asks for the key")
    page.find("#key").send_keys("wrong", Keys.ENTER)
    eventually(lambda: page.find("#key-dialog").is_displayed() and page.find("#key").get_attribute("value") == "",
               "the page asks again")
    page.find("#key").send_keys(KEY, Keys.ENTER)
    page.must_say("#state", "Working")
    kept = "return [document.cookie, Object.keys(localStorage).length, Object.keys(sessionStorage).length, location.href]"
    assert page.browser.execute_script(kept) == ["", 0, 0, f"http://{service.address}/"]
    page.browser.refresh()
    eventually(lambda: page.find("#key-dialog").is_displayed(), "a new page asks again")
    service.must_stop()


def post_while_polled(page, service, polls):
    """Until the plots have so many points."""
    points = "return document.querySelector('polyline').points.length"
    number = 0
    while page.browser.execute_script(points) < polls:
        number += 1
        service.must_post([event(f"D-{number}-{i}", f"d-{number}-{i}") for i in range(1 + number // 10 % 5)])


def it_fits_narrow_windows_and_both_colour_schemes(page, service, sandbox):
    refuse(service, sandbox, 4)
    refuse(service, sandbox, 3, kind="bad-user-input", prefix="B-20")
    for number in range(40):
        service.must_post(event(f"C-{number}", f"t-{number}"))
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "7")
    post_while_polled(page, service, 25 if PICTURES else 2)
    page.find("#id").send_keys("A-1001", Keys.ENTER)
    page.must_say("#one", "FORBIDDEN")
    backs = []
    for name, width, height, scheme in (("page-light", 1100, 1600, "light"), ("page-dark", 1100, 1600, "dark"),
                                        ("page-narrow", 360, 1500, "dark")):
        page.picture(name, width, height, scheme)
        backs.append(page.browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        inner, whole = page.browser.execute_script("return [innerWidth, document.documentElement.scrollWidth]")
        assert inner == width and whole <= width, f"{whole} pixels wide in a window of {inner}"
    assert backs[0] != backs[1] == backs[2]
    page.must_have_no_complaint()


def it_names_every_control_and_is_driven_by_the_keyboard_alone(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/")
    page.must_list("A-1001")
    for control in page.all("button, input, select"):
        if control.is_displayed():
            assert control.accessible_name, control.get_attribute("outerHTML")
    for image in page.all("svg"):
        assert image.accessible_name
    for _ in range(40):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        if page.browser.switch_to.active_element.get_attribute("aria-label") == "Replay A-1001":
            break
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.must_say("#question-text", "A-1001")
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    eventually(lambda: not page.find("#question").is_displayed(), "Escape closes the question")
    assert page.browser.switch_to.active_element.get_attribute("aria-label") == "Replay A-1001"
    assert service.application("A-1001")["state"] == "dead"
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    service.must_become("A-1001", "delivered")


def it_talks_to_nobody_else(page, service):
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Working")
    names = page.browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert names and all(name.startswith(f"http://{service.address}/v1/") for name in names), names
    blocked = page.browser.execute_async_script("""
        const done = arguments[0], script = document.createElement('script');
        script.textContent = 'window.injected = true';
        document.body.append(script);
        fetch('http://localhost:1/').then(() => done(['fetched', window.injected]), () => done([null, window.injected]));""")
    assert blocked == [None, None]


ATTACK = """<!doctype html><form method="post" action="http://%(address)s/v1/applications/A-1001/replay"></form><script>
const all = [["/v1/pause", "POST", null], ["/v1/pause", "POST", "text/plain"], ["/v1/pause", "POST", "application/json"],
  ["/v1/applications/A-1001/replay", "POST", null], ["/v1/replay", "POST", "text/plain"], ["/v1/applications/A-1001", "DELETE", null]];
const body = '{"state":"dead"}';
Promise.allSettled(all.flatMap(([path, method, type]) => ["no-cors", "cors"].map(mode => fetch("http://%(address)s" + path,
  {method, mode, body: type && body, headers: type ? {"Content-Type": type} : {}})))).then(() => {
    document.title = "tried"; if (location.hash) document.forms[0].submit(); });
</script>"""


def it_cannot_be_driven_by_another_site(page, service, sandbox, redis):
    refuse(service, sandbox, 1)

    class Evil(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write((ATTACK % {"address": service.address}).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Evil)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for host in ("evil.example", "127.0.0.1", "localhost"):  # the last two are the same site, on another port
            page.open(f"http://{host}:{server.server_port}/")
            eventually(lambda: page.browser.title == "tried", "everything was tried")
        page.open(f"http://evil.example:{server.server_port}/#form")
        eventually(lambda: "forbidden_origin" in page.browser.page_source, "the form is refused")
    finally:
        server.shutdown()
    assert service.application("A-1001")["state"] == "dead"
    assert redis.cli("EXISTS", "seek-signal:{0}:paused") == "0"
    # The name of another site that leads here.
    page.open(f"http://evil.example:{service.address.split(':')[1]}/v1/status")
    assert json.loads(page.text("body"))["code"] == "forbidden_origin"
