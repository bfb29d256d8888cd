# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""One application has an address of its own."""
from selenium.webdriver.common.keys import Keys

from browser import refuse
from stand import eventually, event

TABLE = "return [...document.querySelectorAll('#one tbody tr')].map(tr => [...tr.cells].slice(0, 4).map(c => c.innerText))"


def it_shows_one_application_with_its_attempts(page, service, sandbox):
    sandbox.fault(kind="status", status=503, count=2)
    service.must_post(event("A/1 <b>ü</b>"))
    attempts = service.must_become("A%2F1%20%3Cb%3E%C3%BC%3C%2Fb%3E", "delivered")["requestIds"]
    page.open(f"http://{service.address}/")
    page.find("#id").send_keys("A/1 <b>ü</b>", Keys.ENTER)
    page.must_say("#one", "delivered")
    assert page.text("#detail-title") == "Application A/1 <b>ü</b>"
    assert page.browser.current_url.endswith("/#/applications/A%2F1%20%3Cb%3E%C3%BC%3C%2Fb%3E")
    assert [(number, outcome, request_id) for number, _, outcome, request_id in page.run(TABLE)] == [
        ("3", "delivered", attempts[0]), ("2", "transient, HTTP_503", attempts[1]), ("1", "transient, HTTP_503", attempts[2])]
    page.must_be_accessible()
    page.browser.refresh()
    page.must_say("#one", attempts[0])  # the address alone leads here
    page.browser.get(f"http://{service.address}/#/applications/unknown")
    page.must_say("#one", "Nothing was posted for it")
    page.browser.get(f"http://{service.address}/#/applications/%E0%A4%A")  # no UTF-8: the list
    page.must_show("#overview")
    page.must_have_no_complaint(404)


def it_opens_drafts_too(page, service):
    assert service.call("PUT", "/v1/applications/D-1/token", {"token": "t-1"}).status == 204
    page.open(f"http://{service.address}/#/applications/D-1")
    page.must_say("#one", "draft")
    page.must_say("#one", "There was no attempt yet")
    page.must_show("#detail-actions button[aria-label='Forget D-1']")


def it_goes_back_to_the_same_place_in_the_list(page, service, sandbox):
    refuse(service, sandbox, 3)
    page.open(f"http://{service.address}/")
    page.must_list("A-1003", "A-1002", "A-1001")
    page.choose("A-1001")
    page.find("#list tr:nth-child(2) a").send_keys(Keys.ENTER)
    page.must_say("#one", "FORBIDDEN")
    page.must_say("#one", "Ask SEEK to set up the relationship")
    assert page.browser.switch_to.active_element.get_attribute("id") == "detail-title"
    assert page.browser.title == "(3 dead) A-1002 · seek-signal"
    page.browser.back()
    page.must_show("#overview")
    eventually(lambda: page.browser.switch_to.active_element.text == "A-1002", "the focus is where it was")
    assert page.find("input[aria-label='Select A-1001']").is_selected()


def it_copies_ids(page, service, sandbox):
    refuse(service, sandbox, 1)
    one = service.application("A-1001")
    page.browser.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    page.open(f"http://{service.address}/#/applications/A-1001")
    page.must_say("#one", one["requestIds"][0])
    page.click("button[aria-label='Copy the request id of attempt 1']")
    page.must_say("#news", "Copied: " + one["requestIds"][0])
    # Where there is no clipboard of the new kind, as by http from another machine.
    page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.run("document.addEventListener('copy', () => { window.copied = getSelection().toString() || document.activeElement.value; })")
    page.click("button[aria-label='Copy the event id']")
    page.must_say("#news", "Copied: " + one["eventId"])
    assert page.run("return window.copied") == one["eventId"]
    assert page.browser.switch_to.active_element.get_attribute("aria-label") == "Copy the event id"


def it_follows_a_replay(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/#/applications/A-1001")
    page.must_say("#one", "dead")
    page.click("#detail-actions button[aria-label='Replay A-1001']")
    page.click("#yes")
    page.must_say("#one", "delivered")
    assert len(page.run(TABLE)) == 2


def it_leaves_what_was_forgotten(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/#/applications/A-1001")
    page.click("#detail-actions button[aria-label='Forget A-1001']")
    page.click("#yes")
    page.must_show("#overview")
    page.must_say("#news", "A-1001 is forgotten")
    assert service.application("A-1001") is None


def it_leads_to_the_row_of_the_manual(page, service, sandbox):
    refuse(service, sandbox, 1)
    manual = service.get("/troubleshooting.md").body.decode()
    page.open(f"http://{service.address}/#/applications/A-1001")
    page.must_say("#one", "What to do")
    page.click("#one button[aria-label='More about FORBIDDEN']")
    page.must_show("#help")
    row = next(line for line in manual.splitlines() if "the access token is valid, the operation is not allowed" in line)
    for part in ("What to do", row.split(" | ")[1][:30].replace("`", ""), row.split(" | ")[2][:20].replace("`", "")):
        assert part in page.text("#help"), part
    assert "|" not in page.text("#help-text") and "`" not in page.text("#help-text") and "](" not in page.text("#help-text")
    page.must_fit_everywhere()
    assert page.find("#help-all").get_attribute("href").startswith(f"http://{service.address}/troubleshooting.md#:~:text=the%20access%20token%20is%20valid")
    page.browser.switch_to.active_element.send_keys(Keys.ESCAPE)
    page.must_show("#help", False)
    assert page.focused() == "More about FORBIDDEN"
    for key, (_, words) in page.run("return Object.entries(advice)"):
        assert words in manual, f"{key}: the manual does not say “{words}”"
        texts = page.run("return helpOf(arguments[0]).map(one => one.textContent)", words)
        assert len(texts) >= 2 and all(texts) and not any("](" in text or "`" in text for text in texts), f"{key}: {texts}"


def it_says_each_thing_of_an_error_once(page, service, sandbox, redis):
    service.post("/v1/pause", {})
    service.must_post([event("E-1"), event("E-2")])
    for one, code, message in (("E-1", "HTTP_503", "SEEK or a proxy answered HTTP 503 with text/html, not GraphQL"), ("E-2", "HTTP_502", "")):
        redis.cli("HSET", f"seek-signal:{{0}}:app:{one}", "class", "transient", "code", code, "message", message, "http", code[-3:])
        if not message:
            redis.cli("HDEL", f"seek-signal:{{0}}:app:{one}", "message")
    page.open(f"http://{service.address}/#/applications/E-1")
    page.must_say("#one", "HTTP_503 — SEEK or a proxy answered HTTP 503 with text/html, not GraphQL\n")
    page.open(f"http://{service.address}/#/applications/E-2")
    page.must_say("#one", "HTTP_502")
    assert page.text("#one dl").count("502") == 1
    sandbox.fault(kind="forbidden", count=1)
    service.post("/v1/resume", {})


def it_finds_an_id_that_was_copied_with_a_blank(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/")
    page.find("#id").send_keys(" A-1001 ", Keys.ENTER)
    page.must_say("#one", "FORBIDDEN")
    assert page.text("#detail-title") == "Application A-1001"


def it_skips_to_what_is_shown(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/#/applications/A-1001")
    page.must_say("#one", "FORBIDDEN")
    page.run("document.getElementById('skip').focus()")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.focused() == "detail-title" and page.find("#detail").is_displayed()
    assert page.browser.current_url.endswith("#/applications/A-1001")
    page.browser.get(f"http://{service.address}/#/")
    page.must_list("A-1001")
    page.run("document.getElementById('skip').focus()")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.focused() == "work"
    page.must_be_in_view("#pick-all")
    for tabs in range(1, 8):
        page.browser.switch_to.active_element.send_keys(Keys.TAB)
        if page.focused() == "pick-all":
            break
    assert tabs <= 6
