# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""What the page says when something is wrong: the service, Redis, SEEK, the key."""
import signal

from selenium.webdriver.common.keys import Keys

from browser import refuse
from stand import eventually, event
from webhook_receiver import SECRET, WebhookReceiver

KEY, READ_KEY = "api-key-9Jd2-Rt64", "read-key-5Hw8-Lc31"


def it_says_that_nothing_is_dead(page, service):
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Working")
    page.must_say("#list-caption", "No application is dead.")
    assert page.browser.title == "seek-signal"
    for selector in ("#table", "#pick-all", "#actions", "#actions button"):  # there is nothing to do anything with
        page.must_show(selector, False)
    page.must_fit_everywhere()
    page.must_have_no_complaint()


def it_says_that_seek_is_down(page, service, sandbox):
    sandbox.fault(kind="status", status=503, count=0)
    page.open(f"http://{service.address}/")
    for number in range(20):
        service.must_post(event(f"S-{number}", f"t-{number}"))
    page.must_say("#state", "SEEK is down; sending is on hold", 60)
    page.must_say("#trouble", "HTTP_503")
    page.must_say("#trouble", "Then everything waiting is sent")
    page.must_fit_everywhere()
    sandbox.clear_faults()
    page.must_say("#state", "Working", 60)
    page.must_show("#trouble", False)


def it_says_that_sending_is_paused(page, service):
    service.post("/v1/pause", {})
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Paused since")
    page.must_say("#trouble", "Resume when the reason for the pause is over")
    page.must_fit_everywhere()


def it_says_where_all_was_moved_to(page, stand, service, redis):
    target = stand.redis(name="target")
    assert service.run("move", "--from", redis.url, "--to", target.url).returncode == 0
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Moved to another Redis")
    page.must_say("#trouble", f"Moved to redis://127.0.0.1:{target.port}.")
    page.must_say("#trouble", "do not resume here")
    assert service.post("/v1/resume", {}).status == 204
    page.must_say("#trouble", f"Moved to redis://127.0.0.1:{target.port}, but sending here was resumed.")
    page.must_fit_everywhere()


def it_says_that_nobody_takes_notifications(page, stand, redis, sandbox):
    receiver = WebhookReceiver(status=503)
    service = stand.service(sandbox, redis_url=redis.url, notify_url=receiver.url, notify_secret=SECRET).start()
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/")
    page.must_say("#trouble", "Notifications: the receiver answers HTTP 503")
    page.must_say("#trouble", "They are kept and repeated")
    page.must_say("#state", "Working")
    page.must_fit_everywhere()
    receiver.status = 204
    page.must_show("#trouble", False)
    receiver.must_take("application.dead")
    page.must_have_no_complaint()
    service.must_stop()
    receiver.close()


def it_keeps_what_it_knows_while_redis_is_away(page, service, sandbox, redis):
    refuse(service, sandbox, 2)
    page.open(f"http://{service.address}/")
    page.must_list("A-1002", "A-1001")
    redis.kill()
    page.must_say("#state", "Not accepting events", 60)
    page.must_say("#trouble", "Redis is away")
    page.must_say("#dead", "unknown")
    assert page.rows() == ["A-1002", "A-1001"]
    page.must_say("#list-old", "This list is from ")
    page.must_say("#list-old", "Redis is away")
    page.click("#trouble button[aria-label='More about store']")
    page.must_say("#help-text", "check that Redis runs")  # the row of this message
    page.click("#help-close")
    page.must_show("#stale", False)  # the service answers, and what stands above the list is of now
    assert page.run("return getComputedStyle(document.getElementById('due')).fontStyle") == "normal"
    page.click("button[aria-label='Replay A-1001']")
    page.click("#yes")
    page.must_say("#news", "Redis is away")
    page.must_fit_everywhere()
    redis.start()
    page.must_say("#state", "Working", 60)
    page.must_say("#dead", "2")
    page.must_show("#list-old", False)
    eventually(lambda: page.text("#news") == "", "the message goes with its cause")


def it_fills_the_list_when_redis_is_back(page, service, sandbox, redis):
    refuse(service, sandbox, 1)
    redis.kill()
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Not accepting events", 60)
    page.must_say("#list-caption", "The list cannot be shown. Redis is away", 60)
    redis.start()
    eventually(lambda: page.rows() == ["A-1001"], "the list is filled", 60)


def it_marks_what_is_old(page, service, sandbox):
    refuse(service, sandbox, 1)
    page.open(f"http://{service.address}/")
    page.must_list("A-1001")
    service.send(signal.SIGSTOP)
    page.run("fetch('/v1/status').catch(() => 0)")
    page.must_say("#stale", "The service does not answer. What is shown is from", 60)
    assert page.run("return getComputedStyle(document.getElementById('due')).fontStyle") == "italic"
    page.must_fit_everywhere()
    service.send(signal.SIGCONT)
    page.must_show("#stale", False)
    page.must_say("#state", "Working")


def it_asks_for_the_api_key_and_keeps_it_in_memory_only(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key=KEY).start()
    page.open(f"http://{service.address}/")
    page.must_show("#key-dialog")
    page.must_be_accessible()
    page.find("#key").send_keys("wrong", Keys.ENTER)
    page.must_say("#key-wrong", "The service does not accept this key")
    page.must_fit_everywhere()
    assert page.find("#key").get_attribute("value") == ""
    page.find("#key").send_keys(KEY, Keys.ENTER)
    page.must_say("#state", "Working")
    page.write("#code", "FORBIDDEN")
    page.find("#code").send_keys(Keys.ENTER)
    page.must_say("#list-caption", "No dead application matches the filter: FORBIDDEN.")
    kept = "return [document.cookie, Object.keys(localStorage).length, Object.keys(sessionStorage).length, location.href]"
    assert page.run(kept) == ["", 0, 0, f"http://{service.address}/#/?code=FORBIDDEN"]
    page.browser.refresh()
    page.must_show("#key-dialog")
    service.must_stop()


def it_is_not_left_hanging_by_escape(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key=KEY).start()
    page.open(f"http://{service.address}/")
    page.must_show("#key-dialog")
    page.find("#key").send_keys(Keys.ESCAPE)
    page.must_show("#key-dialog", False)
    page.must_say("#state", "The API key is missing")
    page.must_say("#list-caption", "The list needs the API key.")
    page.must_show("#actions button", False)  # there is nothing to act on
    page.must_fit_everywhere()
    page.click("#filter [type=submit]")
    page.must_show("#key-dialog")
    page.find("#key").send_keys(Keys.ESCAPE)
    page.must_show("#key-dialog", False)
    assert "Cannot read" not in page.text("#news")
    page.click("#enter-key")
    page.find("#key").send_keys(KEY, Keys.ENTER)
    page.must_say("#state", "Working")
    page.must_say("#list-caption", "No application is dead.")
    page.must_show("#enter-key", False)
    service.must_stop()


def it_hides_the_actions_from_who_may_only_look(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, api_key=KEY, api_read_key=READ_KEY).start()
    with_key = {"Authorization": f"Bearer {KEY}"}
    sandbox.fault(kind="forbidden", count=1)
    service.must_post(event("A-1001"), headers=with_key)
    page.open(f"http://{service.address}/")
    page.must_show("#key-dialog")
    page.find("#key").send_keys(READ_KEY, Keys.ENTER)
    page.must_show("#read-only")
    eventually(lambda: page.rows() == ["A-1001"], "what is dead is listed")
    for selector in ("#pause", "#replay-all", "#forget-selected", "button[aria-label='Replay A-1001']"):
        page.must_show(selector, False)
    for part in ("#list input", "#pick-all", "#list td.acts"):
        page.must_show(part, False)
    assert "Actions" not in page.text("#table")
    page.must_fit_everywhere()
    page.find("#list a").click()
    page.must_say("#one", "FORBIDDEN")
    page.must_show("#detail-actions button", False)
    page.click("#other-key")
    page.find("#key").send_keys(KEY, Keys.ENTER)
    page.must_show("#read-only", False)
    page.must_show("#detail-actions button[aria-label='Replay A-1001']")
    service.must_stop()
