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
    link = page.find("#one a[href^='troubleshooting.md']").get_attribute("href")
    assert link.startswith(f"http://{service.address}/troubleshooting.md#:~:text=the%20access%20token%20is%20valid")
    for key, (_, words) in page.run("return Object.entries(advice)"):
        assert words in manual, f"{key}: the manual does not say “{words}”"
