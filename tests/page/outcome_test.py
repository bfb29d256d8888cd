# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What became of what was replayed or forgotten: it is said where somebody looks, and nothing that failed looks like a success."""
from selenium.webdriver.common.keys import Keys

from browser import refuse, refuse_many
from stand import eventually

SEVEN = [f"A-10{number:02}" for number in range(7, 0, -1)]


def start(page, button):
    page.click(button)
    page.must_show("#question")
    page.write("#rate", "100")
    page.click("#yes")


def it_says_how_many_of_those_selected_are_dead_again(page, service, sandbox):
    refuse(service, sandbox, 7)
    page.open(f"http://{service.address}/")
    page.must_list(*SEVEN)
    sandbox.fault(kind="forbidden", count=5)
    page.click("#pick-all")
    start(page, "#replay-selected")
    page.must_say("#news", "7 of 7 queued. 2 delivered, 5 dead again.", 30)
    assert page.find("#news").get_attribute("class") == "bad"
    outcomes = [page.cell(one, 6) for one in SEVEN]
    assert outcomes.count("Delivered") == 2 and sum("Dead again" in one and "Replay" in one for one in outcomes) == 5, outcomes
    page.must_list(*SEVEN)
    page.must_fit_everywhere()
    page.click("#pick-all")  # those that are dead again can be chosen again
    page.must_say("#replay-selected", "Replay 5 selected")
    start(page, "#replay-selected")
    page.must_say("#news", "5 of 5 queued. 5 delivered.", 30)
    page.must_say("#list-caption", "All 7 rows shown are done.")
    assert page.find("#news").get_attribute("class") == "good"
    page.must_have_no_complaint()


def it_says_how_many_of_all_are_dead_again(page, service, sandbox):
    refuse(service, sandbox, 7)
    page.open(f"http://{service.address}/")
    page.must_list(*SEVEN)
    sandbox.fault(kind="forbidden", count=5)
    start(page, "#replay-all")
    page.must_say("#news", "7 of 7 queued. 2 delivered, 5 dead again.", 30)
    assert page.find("#news").get_attribute("class") == "bad"
    assert sum("Dead again" in page.cell(one, 6) for one in SEVEN) == 5
    page.must_have_no_complaint()


def it_claims_no_sending_while_sending_is_paused(page, service, sandbox):
    refuse(service, sandbox, 2)
    service.post("/v1/pause", {})
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Paused since")
    page.must_list("A-1002", "A-1001")
    page.click("button[aria-label='Replay A-1001']")
    page.click("#yes")
    page.must_say("#news", "A-1001 waits to be sent. Sending is paused")
    assert page.cell("A-1001", 6) == "Waiting"
    start(page, "#replay-all")
    page.must_say("#news", "1 of 1 queued. 1 waiting. Sending is paused", 30)
    assert page.find("#news").get_attribute("class") == "warn"
    service.post("/v1/resume", {})


def it_says_in_the_row_what_failed_there(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, pause_after_refusals=0).start()
    refuse_many(service, sandbox, 90)
    page.open(f"http://{service.address}/")
    page.must_say("#list-caption", "90 dead")
    last = page.rows()[-1]
    assert service.call("DELETE", f"/v1/applications/{last}").status == 204
    button = page.find(f"button[aria-label='Replay {last}']")
    page.run("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()
    page.click("#yes")
    page.must_say("#news", "That did not work")
    page.must_be_in_view("#news")
    assert "was deleted" in page.cell(last, 6) and "Replay" in page.cell(last, 6)
    page.must_fit_everywhere()
    page.click("#news-close")
    assert page.text("#news") == "" and page.focused() == "work"
    page.must_have_no_complaint(404)
    service.must_stop()


def it_keeps_progress_and_stop_in_view(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, pause_after_refusals=0).start()
    refuse_many(service, sandbox, 120)
    page.look(380, 800)
    page.open(f"http://{service.address}/")
    page.must_say("#list-caption", "100 of 120 dead")
    page.click("#replay-all")
    page.must_show("#question")
    page.write("#rate", "1")
    page.must_say("#rate-time", "This takes about 2 min.")
    page.click("#yes")
    page.must_say("#job-text", "5 of 120 queued.")
    page.must_say("#job-text", "About 2 min left.")
    page.must_say("#job-text", "delivered")
    page.run("scrollTo(0, document.documentElement.scrollHeight)")
    page.must_be_in_view("#job-progress")
    page.must_be_in_view("#job-stop")
    page.must_fit(380)
    page.must_be_accessible()
    page.run("document.getElementById('more').scrollIntoView({block: 'end'})")
    page.must_be_in_view("#more")
    bottom, top = page.run("return [document.getElementById('more').getBoundingClientRect().bottom, document.getElementById('dock').getBoundingClientRect().top]")
    assert bottom <= top, "what is at the bottom hides nothing that somebody has scrolled to"
    page.click("#job-stop")
    page.must_say("#news", "Stopped. ", 60)
    page.must_say("#news", "The rest is as it was.")
    page.must_have_no_complaint()
    service.must_stop()


def it_keeps_the_focus_over_a_replay_by_keyboard(page, service, sandbox):
    refuse(service, sandbox, 2)
    page.open(f"http://{service.address}/")
    page.must_list("A-1002", "A-1001")
    page.find("#replay-selected").send_keys(Keys.ENTER)
    page.must_say("#news", "Select rows first")
    assert page.focused() == "replay-selected"
    page.choose("A-1002", "A-1001")
    page.find("#replay-selected").send_keys(Keys.ENTER)
    page.find("#yes").send_keys(Keys.ENTER)
    page.must_say("#news", "2 delivered", 30)
    assert page.focused() == "replay-selected"
    eventually(lambda: page.find("#replay-selected").get_attribute("aria-disabled") == "true", "nothing is selected")
