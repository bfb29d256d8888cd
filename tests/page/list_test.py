# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""The list: it shows what was asked for, stays still under the hand, and what is shown is what is acted upon."""
import csv
import io
import uuid

import pytest
from selenium.webdriver.common.keys import Keys

from browser import refuse, refuse_many
from stand import eventually, event

LONG = "Your organisation is not authorised to send signals for this hirer: no relationship of the kind posting or apply is configured; see the docs at seek.example"


def it_shows_uuids_and_long_errors_at_every_width(page, service, sandbox):
    assert len(LONG) >= 150
    ids = [str(uuid.UUID(int=0x7d1f0c5a4b6e4f2a9b3c000000000000 + i * 0x11111111111)) for i in range(7)]
    for number, one in enumerate(ids):
        sandbox.fault(kind="graphql-error", code="FORBIDDEN", message=LONG if number % 2 else "Not authorized", count=1)
        service.must_post(event(one, f"t-{number}"))
        service.must_become(one, "dead")
    page.open(f"http://{service.address}/")
    page.must_list(*reversed(ids))
    page.must_fit_everywhere()
    page.find("#list a").click()
    page.must_say("#one", "Request id")
    page.must_fit_everywhere()
    page.must_have_no_complaint()


def it_counts_the_total_and_loads_page_by_page(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, pause_after_refusals=0).start()
    refuse_many(service, sandbox, 5000)
    page.open(f"http://{service.address}/")
    page.must_say("#list-caption", "100 of 5,000 dead, the newest first")
    page.must_be_accessible()
    newest = max(service.get(f"/v1/applications?state=dead&order=desc&limit={limit}").json["applications"][0]["diedAt"] for limit in (1, 5))
    assert service.application(page.rows()[0])["diedAt"] == newest
    page.click("#more")
    page.must_say("#list-caption", "200 of 5,000 dead")
    assert len(set(page.rows())) == 200
    times = page.run("return [...document.querySelectorAll('#list time')].map(one => one.dateTime)")
    assert times == sorted(times, reverse=True)
    for width in (380, 800, 1400):  # its rows are examined elsewhere in both schemes: with so many that takes a while
        page.look(width)
        page.must_fit(width)
    page.must_have_no_complaint()
    service.must_stop()


def it_does_not_move_under_the_hand(page, service, sandbox):
    refuse(service, sandbox, 3)
    page.open(f"http://{service.address}/")
    page.must_list("A-1003", "A-1002", "A-1001")
    page.choose("A-1002")
    page.write("#code", "BAD_USER")  # half typed, not submitted
    refuse(service, sandbox, 2, first=4)
    page.must_say("#fresh", "Show 2 new")
    assert page.rows() == ["A-1003", "A-1002", "A-1001"]
    assert page.find("input[aria-label='Select A-1002']").is_selected()
    page.must_be_accessible()
    page.click("#fresh")
    page.must_list("A-1005", "A-1004", "A-1003", "A-1002", "A-1001")  # by the filter that was submitted
    page.must_show("#fresh", False)
    assert page.find("#code").get_attribute("value") == "BAD_USER"


def it_acts_on_the_submitted_filter_only(page, service, sandbox):
    refuse(service, sandbox, 3)
    refuse(service, sandbox, 2, kind="bad-user-input", prefix="B-20")
    page.open(f"http://{service.address}/")
    page.must_list("B-2002", "B-2001", "A-1003", "A-1002", "A-1001")
    page.write("#code", "BAD_USER_INPUT")
    page.find("#code").send_keys(Keys.ENTER)
    page.must_list("B-2002", "B-2001")
    page.write("#code", "FORBIDDEN")  # not submitted
    page.click("#replay-all")
    page.must_say("#question-text", "2 dead applications with BAD_USER_INPUT")
    page.write("#rate", "100")
    page.click("#yes")
    page.must_say("#news", "2 of 2 queued. 2 delivered.")
    for number in (1, 2):
        service.must_become(f"B-200{number}", "delivered")
    assert service.application("A-1001")["state"] == "dead"
    assert page.cell("B-2001", 6) == "Delivered"
    page.must_say("#dead", "3")
    page.must_have_no_complaint()


def it_finds_by_the_beginning_of_an_id(page, service, sandbox):
    refuse(service, sandbox, 2)
    refuse(service, sandbox, 2, prefix="B-20")
    page.open(f"http://{service.address}/")
    page.must_list("B-2002", "B-2001", "A-1002", "A-1001")
    page.find("#prefix").send_keys("A-", Keys.ENTER)
    page.must_list("A-1002", "A-1001")
    page.must_say("#list-caption", "id beginning with A-")
    page.click("#replay-all")
    page.must_say("#question-text", "2 dead applications, id beginning with A-")
    page.click("#yes")
    page.must_say("#news", "2 delivered")
    assert service.application("B-2001")["state"] == "dead"
    page.write("#prefix", "B-")
    page.find("#prefix").send_keys(Keys.ENTER)
    page.must_list("B-2002", "B-2001")
    page.click("#forget-all")
    page.click("#yes")
    page.must_say("#news", "2 of 2 forgotten")
    page.write("#prefix", "nobody")
    page.find("#prefix").send_keys(Keys.ENTER)
    page.must_list()
    page.must_say("#list-caption", "No dead application matches the filter: id beginning with nobody.")
    page.must_fit_everywhere()


def it_groups_by_code_and_message(page, service, sandbox):
    for number, (code, message) in enumerate([("FORBIDDEN", "Not authorized"), ("FORBIDDEN", LONG), ("FORBIDDEN", "Not authorized"),
                                              ("BAD_USER_INPUT", "/input/token: Is not valid")]):
        sandbox.fault(kind="graphql-error", code=code, message=message, count=1)
        service.must_post(event(f"G-{number}", f"t-{number}"))
        service.must_become(f"G-{number}", "dead")
    page.open(f"http://{service.address}/")
    page.must_list("G-3", "G-2", "G-1", "G-0")
    groups = page.text("#groups")
    assert groups.startswith("2 × FORBIDDEN Not authorized\n"), groups
    assert "Ask SEEK to set up the relationship" in groups and "1 × BAD_USER_INPUT" in groups
    page.must_be_accessible()
    page.click("#groups button")
    page.must_list("G-2", "G-0")
    page.must_say("#list-caption", "with FORBIDDEN and “Not authorized”")
    assert [page.find(one).get_attribute("value") for one in ("#code", "#message")] == ["FORBIDDEN", "Not authorized"]
    assert "2 × FORBIDDEN" in page.text("#groups") and page.all("#groups button.link[data-key^='[']") == []
    page.click("#filter [type=submit]")  # keeps all of the filter
    page.must_list("G-2", "G-0")
    keep_files(page)
    page.click("#download")
    eventually(lambda: len(files(page)) == 1, "the file is there")
    [[_, text]] = files(page)
    assert [row["applicationId"] for row in csv.DictReader(io.StringIO(text, newline=""))] == ["G-2", "G-0"]
    page.click("#replay-all")
    page.must_say("#question-text", "2 dead applications with FORBIDDEN and “Not authorized”")
    page.must_fit_everywhere()
    page.click("#yes")
    page.must_say("#news", "2 of 2 queued. 2 delivered.")
    service.must_become("G-0", "delivered")
    service.must_become("G-2", "delivered")
    assert service.application("G-1")["state"] == "dead"
    page.must_have_no_complaint()


def it_counts_each_cause_as_a_whole(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, pause_after_refusals=0).start()
    refuse(service, sandbox, 3, kind="bad-user-input", prefix="B-20")
    refuse_many(service, sandbox, 250)
    sandbox.fault(kind="graphql-error", code="FORBIDDEN", message="Not for this hirer", count=1)
    service.must_post(event("N-1"))
    service.must_become("N-1", "dead")
    page.open(f"http://{service.address}/")
    page.must_say("#list-caption", "100 of 254 dead")
    page.must_say("#groups", "250 × FORBIDDEN")
    page.must_say("#groups", "1 × FORBIDDEN Not for this hirer")
    page.must_say("#groups", "3 × BAD_USER_INPUT")  # though none of the rows loaded has it
    assert page.text("#groups").count(" × ") == 3 and page.text("#groups-title") == "Why they are dead"
    page.click("#groups button")
    page.must_say("#list-caption", "100 of 250 dead with FORBIDDEN and “")
    page.click("#replay-all")
    page.must_say("#question-text", "250 dead applications with FORBIDDEN")
    page.click("#no")
    page.must_have_no_complaint()
    service.must_stop()


def it_has_an_address_for_each_filter(page, service, sandbox):
    refuse(service, sandbox, 2)
    refuse(service, sandbox, 1, kind="bad-user-input", prefix="B-20")
    page.open(f"http://{service.address}/")
    page.must_list("B-2001", "A-1002", "A-1001")
    page.write("#code", "FORBIDDEN")
    page.run("document.getElementById('times').open = true; document.getElementById('since').value = '2001-02-03T04:05:06'")
    page.find("#prefix").send_keys("A-1", Keys.ENTER)
    page.must_list("A-1002", "A-1001")
    address = page.browser.current_url
    assert "#/?code=FORBIDDEN&prefix=A-1&since=2001-02-" in address, address
    page.browser.refresh()
    page.must_list("A-1002", "A-1001")
    page.must_say("#list-caption", "with FORBIDDEN, id beginning with A-1, died since ")
    assert [page.find(one).get_attribute("value") for one in ("#code", "#prefix", "#since")] == ["FORBIDDEN", "A-1", "2001-02-03T04:05:06"]
    assert page.find("#since").is_displayed()
    page.find("#list a").click()
    page.must_say("#one", "FORBIDDEN")
    page.click("#back")
    page.must_list("A-1002", "A-1001")
    assert page.browser.current_url == address
    page.click("#clear")
    page.must_list("B-2001", "A-1002", "A-1001")
    assert page.focused() == "code" and page.find("#code").get_attribute("value") == ""
    page.browser.back()
    page.must_list("A-1002", "A-1001")
    page.open(f"http://{service.address}/#/?state=nonsense&since=nonsense&code=bad_user_input")
    page.must_list("B-2001")
    page.must_have_no_complaint()


def it_fills_its_rows_at_every_width(page, service, sandbox):
    refuse(service, sandbox, 7)
    page.open(f"http://{service.address}/")
    page.must_list(*[f"A-10{number:02}" for number in range(7, 0, -1)])
    rows_of = """return [...document.querySelectorAll(arguments[0])].filter(one => one.checkVisibility()).map(box => {
        const tops = {};
        for (const one of box.children) { const top = Math.round(one.getBoundingClientRect().top); tops[top] = (tops[top] || 0) + 1; }
        return Object.values(tops); })"""
    for width, why_at_most, list_at_most in ((380, 1150, 1250), (800, 900, 560), (1400, 640, 420)):
        page.look(width)
        for selector in (".tiles", ".plots"):  # none stands alone in its row
            for rows in page.run(rows_of, selector):
                assert len(set(rows)) == 1, (width, selector, rows)
        gap = page.run("return document.querySelector('main section').getBoundingClientRect().top - document.querySelector('header').getBoundingClientRect().bottom")
        assert gap <= 20, (width, gap)
        why = page.run("return document.getElementById('groups-title').getBoundingClientRect().top + scrollY")
        assert why <= why_at_most, (width, why)
        high = page.run("return document.getElementById('table').offsetHeight")
        assert high <= list_at_most, (width, high)


def it_forgets_one_and_many_after_a_question(page, service, sandbox):
    refuse(service, sandbox, 4)
    page.open(f"http://{service.address}/")
    page.must_list("A-1004", "A-1003", "A-1002", "A-1001")
    page.click("button[aria-label='Forget A-1004']")
    page.must_say("#question-text", "cannot be undone")
    assert page.browser.switch_to.active_element.get_attribute("id") == "no"
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    assert service.application("A-1004")["state"] == "dead"
    page.click("button[aria-label='Forget A-1004']")
    page.click("#yes")
    page.must_say("#news", "A-1004 is forgotten")
    assert service.application("A-1004") is None and page.cell("A-1004", 6) == "Forgotten"
    page.choose("A-1003", "A-1001")
    page.click("#forget-selected")
    page.must_say("#question-text", "2 selected applications")
    page.must_fit_everywhere()
    page.click("#yes")
    page.must_say("#news", "2 of 2 forgotten")
    assert service.application("A-1003") is None and service.application("A-1001") is None
    assert service.application("A-1002")["state"] == "dead"
    page.must_say("#dead", "1")


def it_shows_and_stops_a_running_replay(page, service, sandbox):
    refuse_many(service, sandbox, 60)
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "60")
    page.click("#replay-all")
    page.must_say("#question-text", "60 dead")
    page.write("#rate", "1")
    page.click("#yes")
    page.must_say("#job-text", "5 of 60 queued")
    page.must_be_accessible()
    page.click("#job-stop")
    page.must_say("#news", "Stopped. ")
    page.must_say("#news", "The rest is as it was.")
    page.must_show("#job", False)
    assert service.get("/v1/status").json["signals"]["dead"] >= 60 - 10
    page.must_have_no_complaint()


def it_goes_on_past_what_is_refused(page, service, sandbox):
    refuse(service, sandbox, 3)
    page.open(f"http://{service.address}/")
    page.must_list("A-1003", "A-1002", "A-1001")
    page.choose("A-1001", "A-1002", "A-1003")
    assert service.call("DELETE", "/v1/applications/A-1002").status == 204
    page.click("#replay-selected")
    page.write("#rate", "1000")
    page.click("#yes")
    page.must_say("#news", "2 of 3 queued, 1 refused. 2 delivered.")
    assert "was deleted" in page.cell("A-1002", 6)
    service.must_become("A-1001", "delivered")
    page.must_have_no_complaint(404)


def files(page):
    """What was downloaded since `keep_files`: the names and texts."""
    return page.run("return files.filter(one => one.text !== null).map(one => [one.name, one.text])")


def keep_files(page):
    page.run("""window.files = [];
        const address = URL.createObjectURL, click = HTMLAnchorElement.prototype.click;
        URL.createObjectURL = blob => {
          const file = {name: null, text: null};
          files.push(file);
          blob.text().then(text => { file.text = text; });
          return address.call(URL, blob);
        };
        HTMLAnchorElement.prototype.click = function() { if (this.download) files.at(-1).name = this.download; else click.call(this); };""")


def it_downloads_all_that_the_list_is_about(page, stand, redis, sandbox):
    service = stand.service(sandbox, redis_url=redis.url, pause_after_refusals=0).start()
    refuse_many(service, sandbox, 450)
    refuse(service, sandbox, 1, prefix="N-")
    page.open(f"http://{service.address}/")
    page.must_say("#list-caption", "100 of 451 dead, the newest first")
    keep_files(page)
    for prefix, expected in [("", {"N-01"} | {f"M-{i:05}" for i in range(450)}), ("M-", {f"M-{i:05}" for i in range(450)})]:
        page.write("#prefix", prefix)
        page.find("#prefix").send_keys(Keys.ENTER)
        page.must_say("#list-caption", f"id beginning with {prefix}" if prefix else "of 451 dead, the newest first")
        page.run("files.length = 0")
        page.click("#download")
        page.must_say("#news", "Downloaded.")
        eventually(lambda: len(files(page)) == 1, "the file is there")
        [[name, text]] = files(page)
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        assert name == "seek-signal-dead.csv" and len(rows) == len(expected)
        assert {row["applicationId"] for row in rows} == expected
        assert [row["diedAt"] for row in rows] == sorted((row["diedAt"] for row in rows), reverse=True)
    page.must_have_no_complaint()
    service.must_stop()


def it_lists_what_waits_and_what_is_being_sent(page, service, sandbox):
    service.post("/v1/pause", {})
    service.must_post([event("W-1", "t-1"), event("W-2", "t-2")])
    page.open(f"http://{service.address}/")
    page.must_say("#state", "Paused")
    page.run("document.getElementById('listing').value = 'pending'; document.getElementById('listing').onchange()")
    eventually(lambda: sorted(page.rows()) == ["W-1", "W-2"], "both wait")
    page.must_show("#groups-box", False)
    page.must_show("#replay-all", False)
    page.must_be_accessible()


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "‮txet\u0007‏", "a​b\u2028c"])
def it_shows_outside_text_as_text(page, service, sandbox, text):
    sandbox.fault(kind="graphql-error", code="FORBIDDEN", message=text, count=1)
    one = text.replace("\u0007", "")
    service.must_post(event(one, "t-1"))
    eventually(lambda: service.get("/v1/status").json["signals"]["dead"] == 1, "it is dead")
    page.open(f"http://{service.address}/")
    page.must_say("#dead", "1")
    eventually(lambda: len(page.rows()) == 1, "it is listed")
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
    seen = page.text("main") + page.run("return [...document.querySelectorAll('[aria-label]')].map(one => one.ariaLabel).join()")
    for hidden in "‮‏\u0007​\u2028":
        assert hidden not in seen
        if hidden in one:
            assert f"⟨U+{ord(hidden):04X}⟩" in seen
    page.find("#list a").click()
    page.must_say("#one", "dead")
    assert page.run("return document.querySelectorAll('main img, main script').length") == 0
