/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- the list: it changes when somebody asks for it, never by itself --- */

const PAGE_SIZE = 100, PAGES_PER_CLICK = 10, NEW_MAX = 200;
const LABELS = ["Select", "Application", "Died", "Attempts", "Code", "Last error", "Actions"];
const CELLS = ["pick", "app", "time", "tries", "code", "error", "acts"];
const timeTitles = {dead: "Died", pending: "Next attempt", sending: "Attempt began"};
const timeOf = {dead: a => a.diedAt, pending: a => a.nextAttemptAt, sending: a => a.lastAttemptAt};
const errorOf = application => application.lastError || {};
/* The code says it already. */
const messageOf = error => (error.message || "").replace(/^HTTP status \d+(; |$)/, matched => /^HTTP_/.test(error.code) ? "" : matched);

/* `filter` is the submitted one, whatever stands in the form. `newest`: of the dead shown, when the last one died. `total`: how many
 * match, null: not known. */
let shown = null, lists = 0;

/* --- filter: of the form, and of the address, #/?code=FORBIDDEN, which can be kept and given to others --- */

const FILTERS = ["code", "message", "prefix", "since", "until"];
const NO_FILTER = {state: "dead", code: "", message: "", prefix: "", since: "", until: ""};
const isFiltered = filter => FILTERS.some(name => filter[name]);

const isoOf = input => input.value ? new Date(input.value).toISOString() : "";
const readForm = () => ({state: at("listing").value, code: at("code").value.trim(), message: at("message").value.trimEnd(),
  prefix: at("prefix").value.trim(), since: isoOf(at("since")), until: isoOf(at("until"))});
/* As the field wants it: the time of this place, without a zone. */
function localOf(iso) {
  if (!iso) return "";
  const date = new Date(iso);
  return new Date(date - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}
function fillForm(filter) {
  at("listing").value = filter.state;
  for (const name of ["code", "message", "prefix"]) at(name).value = filter[name];
  for (const name of ["since", "until"]) at(name).value = localOf(filter[name]);
  if (filter.since || filter.until) at("times").open = true;
}
function addressOfList(filter) {
  const query = new URLSearchParams(filter.state === "dead" ? {} : {state: filter.state});
  for (const name of FILTERS)
    if (filter[name]) query.set(name, filter[name]);
  return "#/" + (query.size ? "?" + query : "");
}
function filterOfAddress() {
  const query = new URLSearchParams((/^#\/\?(.*)$/.exec(location.hash) || [])[1] || ""), filter = {...NO_FILTER};
  if (Object.hasOwn(timeTitles, query.get("state") || "")) filter.state = query.get("state");
  for (const name of FILTERS) filter[name] = query.get(name) || "";
  for (const name of ["since", "until"])
    filter[name] = isNaN(Date.parse(filter[name])) ? "" : new Date(filter[name]).toISOString();
  return filter;
}
const isSameList = (one, other) => addressOfList(one) === addressOfList(other);

function queryOf(filter, more) {
  const query = new URLSearchParams({state: filter.state, order: filter.state === "dead" ? "desc" : "asc", ...more});
  for (const name of FILTERS)
    if (filter[name]) query.set(name, filter[name]);
  return query;
}
function filterWords(filter) {
  const local = text => new Date(text).toLocaleString(), verb = filter.state === "dead" ? "died" : "accepted";
  const what = [filter.code, filter.message && "“" + filter.message + "”"].filter(Boolean).join(" and ");
  return [what && " with " + what, filter.prefix && ", id beginning with " + filter.prefix, filter.since && ", " + verb + " since " + local(filter.since),
    filter.until && ", " + verb + " before " + local(filter.until)].filter(Boolean).join("");
}
const stateName = state => [...at("listing").options].find(option => option.value === state).textContent;

/* --- rows --- */

function actionButtons(id) {
  const box = make("span", undefined, {class: "buttons"});
  box.append(button("Replay", "Replay " + id, () => replayOne(id), {"data-changes": ""}),
    button("Forget", "Forget " + id, () => forgetOne(id), {"data-changes": ""}));
  return box;
}
function makeRow(application, state) {
  const id = application.applicationId, error = errorOf(application), tr = make("tr", undefined, {role: "row"});
  const box = make("input", undefined, {type: "checkbox", "aria-label": "Select " + visible(id)});
  box.onchange = showSelection;
  const link = make("a", id, {href: addressOf(id), class: "id"});
  const canAct = state !== "sending";
  const cells = [canAct ? box : make("span", "–"), link, moment(timeOf[state](application)), make("span", application.attempts),
    make("span", error.code || "–"), make("span", messageOf(error) || "–"), canAct ? actionButtons(id) : make("span", "–")];
  cells.forEach((cell, i) => {
    const td = make("td", undefined, {role: "cell", class: CELLS[i], "data-label": i === 2 ? timeTitles[state] : LABELS[i]});
    if (i === 0 || i === 6) td.dataset.changes = "";
    td.append(cell);
    tr.append(td);
  });
  return {id, application, tr, box: canAct ? box : null, link};
}
/* What became of a row: said in it, and it stays where it is. `isOver`: nothing more is to be done with it here. */
function markRow(id, text, kind, isOver = true) {
  const row = shown && shown.rows.get(id);
  if (!row) return;
  const hadFocus = row.tr.contains(document.activeElement), cell = row.tr.lastChild, said = make("span", text, {class: "outcome " + kind});
  if (isOver) cell.replaceChildren(said);
  else cell.replaceChildren(...cell.querySelectorAll(".buttons"), said);
  if (row.box && isOver) { row.box.checked = false; row.box.disabled = true; }
  row.isOver = isOver;
  showCountsSoon();
  if (hadFocus && !row.tr.contains(document.activeElement)) row.link.focus({preventScroll: true});
  showSelection();
}
/* As it is now, at its place, with what became of it: it can be chosen again. */
function renewRow(application, text, kind) {
  const row = shown && shown.rows.get(application.applicationId);
  if (!row) return;
  const fresh = makeRow(application, shown.filter.state), hadFocus = row.tr.contains(document.activeElement);
  row.tr.replaceWith(fresh.tr);
  shown.rows.set(row.id, fresh);
  if (hadFocus) fresh.link.focus({preventScroll: true});
  markRow(row.id, text, kind, false);
}
const rowsOpen = () => [...shown.rows.values()].filter(row => !row.isOver);
/* Once for all rows that change together. */
let counting = null;
function showCountsSoon() {
  clearTimeout(counting);
  counting = setTimeout(() => { showCaption(); showGroups(); }, 50);
}
const selectedIds = () => shown ? [...shown.rows.values()].filter(row => row.box && row.box.checked).map(row => row.id) : [];
function showSelection() {
  const number = selectedIds().length;
  const boxes = shown ? [...shown.rows.values()].map(row => row.box).filter(box => box && !box.disabled) : [];
  for (const [id, word] of [["replay-selected", "Replay"], ["forget-selected", "Forget"]]) {
    at(id).textContent = word + " " + (number ? count(number) + " " : "") + "selected…";
    at(id).setAttribute("aria-disabled", number === 0); /* `disabled` would lose the focus */
  }
  at("pick-all").checked = boxes.length > 0 && number === boxes.length;
  at("pick-all").indeterminate = number > 0 && number < boxes.length;
}
at("pick-all").onchange = () => {
  for (const row of shown ? shown.rows.values() : [])
    if (row.box && !row.box.disabled) row.box.checked = at("pick-all").checked;
  showSelection();
};

/* --- fetching --- */

/* A filter may leave a page short or empty though there are more: those are fetched at once, some. Ends by itself when
 * somebody asks for another list meanwhile. */
async function fetchRows(filter, cursor, isWanted) {
  const found = [];
  for (let pages = 0; pages < PAGES_PER_CLICK && found.length < PAGE_SIZE && isWanted(); pages++) {
    const query = queryOf(filter, {limit: PAGE_SIZE - found.length});
    if (cursor) query.set("cursor", cursor);
    const page = await call("GET", "/v1/applications?" + query);
    found.push(...page.applications);
    cursor = page.cursor;
    if (!cursor) break;
  }
  return {found, cursor};
}
async function list(filter) {
  const turn = ++lists, page = await fetchRows(filter, null, () => turn === lists);
  if (turn !== lists) return;
  const hadFocus = [at("list"), at("groups"), at("actions"), at("listed")].some(box => box.contains(document.activeElement));
  shown = {filter, cursor: null, rows: new Map(), newest: "", total: null, counts: new Map(), dead: deadNow(), died: diedHere(), at: new Date()};
  at("list").replaceChildren();
  at("fresh").hidden = true;
  showListOld(null);
  addRows(page);
  if (hadFocus && (document.activeElement === document.body || !document.activeElement.checkVisibility())) focusWork(); /* what had it is gone */
  countAgain();
}
/* By the form, a group or a link: the address follows, and so does the form. */
async function openList(filter) {
  await list(filter);
  if (!shown || shown.filter !== filter) return; /* somebody has asked for another one meanwhile */
  fillForm(filter);
  if (!isSameList(filter, filterOfAddress())) history.pushState(null, "", addressOfList(filter));
  at("back").href = addressOfList(filter);
}
async function more() {
  const turn = ++lists, now = shown, page = await fetchRows(now.filter, now.cursor, () => turn === lists);
  if (turn !== lists) return;
  addRows(page);
  if (at("more").hidden) focusWork();
  countAgain();
}
function addRows(page) {
  const state = shown.filter.state;
  shown.cursor = page.cursor;
  for (const application of page.found) {
    if (shown.rows.has(application.applicationId)) continue; /* it was scheduled anew meanwhile */
    const row = makeRow(application, state);
    shown.rows.set(row.id, row);
    if ((application.diedAt || "") > shown.newest) shown.newest = application.diedAt;
    offerCode(application);
    at("list").append(row.tr);
  }
  at("time-title").textContent = timeTitles[state];
  at("more").hidden = !shown.cursor;
  showCaption();
  showGroups();
  showSelection();
  showBulk();
}
/* Of all the dead the status tells it. */
const totalNow = () => !shown.cursor ? rowsOpen().length : shown.filter.state === "dead" && !isFiltered(shown.filter) ? deadNow() : shown.total;
function captionText() {
  const {filter, rows, cursor} = shown, total = totalNow(), state = stateName(filter.state);
  const number = rowsOpen().length, over = rows.size - number;
  if (rows.size === 0 && cursor) return "Nothing found so far, and there is more to look through.";
  if (rows.size === 0 && isFiltered(filter)) return "No " + state + " application matches the filter" + filterWords(filter).replace(/^( with|,)/, ":") + ".";
  if (rows.size === 0) return "No application is " + state + ".";
  if (number === 0) return (over === 1 ? "The row shown is done" : "All " + count(over) + " rows shown are done") +
    (cursor && total ? ", and " + count(total) + " more " + (total === 1 ? "is " : "are ") + state : "") + ".";
  const order = filter.state === "dead" ? "the newest first" : "the earliest first";
  return count(number) + (cursor ? total === null ? " and more" : " of " + count(Math.max(total, number)) : "") + " " + state + filterWords(filter) + ", " + order + (over ? ", beside " + many(over, "row") + " that " + (over === 1 ? "is" : "are") + " done" : "");
}
function showCaption() {
  const text = visible(captionText());
  if (at("list-caption").textContent !== text) at("list-caption").textContent = text;
}
function showBulk() {
  const isThere = shown.rows.size > 0, is = isThere && shown.filter.state === "dead";
  at("actions").hidden = !isThere;
  at("table").hidden = !isThere;
  at("replay-all").hidden = !is;
  at("forget-all").hidden = !is || !features.filters;
  at("download").hidden = !features.filters || !isThere;
  at("clear").hidden = !isFiltered(shown.filter);
}
/* null: it is as new as somebody has asked for it. */
function showListOld(why) {
  if (shown) shown.isOld = why !== null;
  at("list-old").hidden = why === null;
  if (why !== null && shown) put("list-old", "This list is from " + shown.at.toLocaleTimeString() + ". " + why, "note warn");
  else if (why !== null) {
    at("list-old").hidden = true;
    put("list-caption", "The list cannot be shown. " + why);
  }
}
function offerCode(application) {
  const code = errorOf(application).code;
  if (code && ![...at("codes").options].some(option => option.value === code))
    at("codes").append(make("option", undefined, {value: code}));
}

/* --- what is new --- */

const diedHere = () => lastStatus && lastStatus.workers ? lastStatus.workers.died : null;
/* Only says how many: the rows under the hand stay. Asks only when the counts have moved. */
async function lookForNew() {
  if (!shown) return begin();
  const hasMoved = shown.dead !== deadNow() || shown.died !== diedHere();
  if (!shown.isOld && (shown.filter.state !== "dead" || !hasMoved)) return;
  const now = shown, seen = [deadNow(), diedHere()];
  const page = await call("GET", "/v1/applications?" + queryOf(now.filter, {limit: NEW_MAX}));
  if (now !== shown) return;
  [shown.dead, shown.died] = seen;
  showListOld(null);
  if (now.filter.state !== "dead") return;
  const fresh = page.applications.filter(one => one.diedAt > shown.newest).length;
  const text = "Show " + (fresh === NEW_MAX ? NEW_MAX + " or more" : count(fresh)) + " new";
  if (at("fresh").textContent !== text) at("fresh").textContent = text;
  at("fresh").hidden = fresh === 0;
  showCaption();
}
at("fresh").onclick = () => during(at("fresh"), async () => {
  await list(shown.filter);
  focusWork();
});

/* --- the whole list as a file --- */

const DOWNLOAD_PAGES_MAX = 500; /* of 200: more is for the command line */
async function download() {
  const parts = [];
  let next = "/v1/applications?" + queryOf(shown.filter, {limit: 200, format: "csv"});
  for (let pages = 0; next && pages < DOWNLOAD_PAGES_MAX; pages++) {
    const answer = await fetchWithKey("GET", next);
    if (!answer.ok) throw new Error("HTTP status " + answer.status);
    parts.push(await answer.text());
    next = (/<([^>]+)>; *rel="?next/.exec(answer.headers.get("Link") || "") || [])[1];
    say("", "Downloading: " + many(pages + 1, "page") + " so far…");
  }
  const address = URL.createObjectURL(new Blob(parts, {type: "text/csv"}));
  make("a", undefined, {href: address, download: "seek-signal-" + shown.filter.state + ".csv"}).click();
  setTimeout(() => URL.revokeObjectURL(address), 60000); /* the browser may still be reading */
  if (next) say("warn", "The file ends early: there are more. Use `seek-signal dead list`.");
  else sayBriefly("good", "Downloaded.");
}
at("download").onclick = () => during(at("download"), download);

at("filter").onsubmit = event => { event.preventDefault(); during(at("filter").querySelector("[type=submit]"), () => openList(readForm())); };
at("listing").onchange = () => during(at("listing"), () => openList(readForm()));
at("clear").onclick = () => during(at("clear"), async () => {
  await openList({...NO_FILTER, state: shown.filter.state});
  at("code").focus(); /* the button is gone */
});
at("more").onclick = () => during(at("more"), more);
