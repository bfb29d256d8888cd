# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The operators' page, as a person with a browser uses it: as a whole, by keyboard, and against other sites."""
import http.server
import json
import threading
import time

from selenium.webdriver.common.keys import Keys

from browser import refuse
from stand import eventually, event

KEY = "api-key-9Jd2-Rt64"


def it_replays_a_dead_one_and_sees_it_delivered(page, service, sandbox):
    refuse(service, sandbox, 3)
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "3")
    page.must_list("A-1003", "A-1002", "A-1001")  # the newest first
    assert page.cell("A-1002", 4) == "FORBIDDEN" and page.cell("A-1002", 5) != "–"
    page.click("button[aria-label='Replay A-1002']")
    page.must_say("#question-text", "A-1002")
    assert not sandbox.signals("token-A-102")
    page.click("#no")
    page.must_list("A-1003", "A-1002", "A-1001")
    page.click("button[aria-label='Replay A-1002']")
    page.click("#yes")
    page.must_say("#news", "A-1002 was delivered")
    eventually(lambda: page.cell("A-1002", 6) == "Delivered", "the row says what became of it")
    page.must_list("A-1003", "A-1002", "A-1001")  # and stays where it is
    page.must_say("#dead", "2")
    sandbox.must_receive("token-A-102")
    assert page.browser.title == "(2 dead) seek-signal"
    page.must_have_no_complaint()


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


def it_names_every_control_and_is_driven_by_the_keyboard_alone(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/")
    page.must_list("A-1001")
    for control in page.all("button, input, select"):
        if page.run("return arguments[0].checkVisibility()", control):
            assert control.accessible_name, control.get_attribute("outerHTML")
    for image in page.all("svg"):
        assert image.accessible_name or not image.is_displayed()
    for _ in range(60):
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


def it_shows_the_last_day_of_all_processes(page, service, redis):
    present = int(time.time()) // 600
    for ago, counts in ((0, "40 30 5 2"), (3, "1200 1100 0 1"), (142, "7 7 0 0")):
        bucket = present - ago
        redis.cli("HSET", "seek-signal:{0}:history", bucket % 144, f"{bucket} {counts}")
    page.open(f"http://{service.address}/")
    page.must_say("#day-plots", "1,247")
    page.must_say("#day-plots", "1,137")
    names = [image.accessible_name for image in page.all("#day-plots svg")]
    assert names[0] == "Accepted in the last 24 hours: 1,247, at most 1,200 in ten minutes"
    assert [name.split()[0] for name in names] == ["Accepted", "Delivered", "Retried", "Died"]
    assert [len(image.find_elements("css selector", "rect")) for image in page.all("#day-plots svg")] == [3, 3, 1, 2]
    assert not page.find("#live").is_displayed()
    page.click("#show-live")
    assert page.find("#live").is_displayed() and not page.find("#day").is_displayed()
    assert page.find("#show-live").get_attribute("aria-pressed") == "true"
    page.must_have_no_complaint()


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
