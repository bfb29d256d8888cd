/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- the list: it changes when somebody asks for it, never by itself --- */

const PAGE_SIZE = 100, PAGES_PER_CLICK = 10, NEW_MAX = 200, GROUPS_MAX = 12;
const LABELS = ["Select", "Application", "Died", "Attempts", "Code", "Last error", "Actions"];
const timeTitles = {dead: "Died", pending: "Next attempt", sending: "Attempt began"};
const timeOf = {dead: a => a.diedAt, pending: a => a.nextAttemptAt, sending: a => a.lastAttemptAt};
const errorOf = application => application.lastError || {};

/* `filter` is the submitted one, whatever stands in the form. `newest`: of the dead shown, when the last one died. */
let shown = null, lists = 0;

/* --- filter --- */

const isoOf = input => input.value && !input.closest("label").hidden ? new Date(input.value).toISOString() : "";
const readForm = () => ({state: at("listing").value, code: at("code").value.trim(), prefix: at("prefix").value,
  since: isoOf(at("since")), until: isoOf(at("until")), class: "", message: null});
function queryOf(filter, more) {
  const query = new URLSearchParams({state: filter.state, order: filter.state === "dead" ? "desc" : "asc", ...more});
  for (const name of ["code", "class", "prefix", "since", "until"])
    if (filter[name]) query.set(name, filter[name]);
  return query;
}
function filterWords(filter) {
  const local = text => new Date(text).toLocaleString();
  return [filter.code && " with " + filter.code, filter.class && ", class " + filter.class, filter.message !== null && " and “" + filter.message + "”",
    filter.prefix && ", id beginning with " + filter.prefix, filter.since && ", from " + local(filter.since),
    filter.until && ", to " + local(filter.until)].filter(Boolean).join("");
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
    make("span", error.code || "–"), make("span", error.message || "–"), canAct ? actionButtons(id) : make("span", "–")];
  cells.forEach((cell, i) => {
    const td = make("td", undefined, {role: "cell", "data-label": i === 2 ? timeTitles[state] : LABELS[i]});
    if (i === 0) td.className = "pick";
    if (i === 4) td.className = "code";
    td.append(cell);
    tr.append(td);
  });
  return {id, application, tr, box: canAct ? box : null, link};
}
/* What became of a row: said in it, and it stays where it is. */
function markRow(id, text, kind) {
  const row = shown && shown.rows.get(id);
  if (!row) return;
  const hadFocus = row.tr.contains(document.activeElement);
  row.tr.lastChild.replaceChildren(make("span", text, {class: kind}));
  if (row.box) { row.box.checked = false; row.box.disabled = true; }
  if (hadFocus && !row.tr.contains(document.activeElement)) row.link.focus({preventScroll: true});
  showSelection();
}
const selectedIds = () => shown ? [...shown.rows.values()].filter(row => row.box && row.box.checked).map(row => row.id) : [];
function showSelection() {
  const number = selectedIds().length;
  const boxes = shown ? [...shown.rows.values()].map(row => row.box).filter(box => box && !box.disabled) : [];
  for (const [id, word] of [["replay-selected", "Replay"], ["forget-selected", "Forget"]]) {
    at(id).textContent = word + " " + (number ? count(number) + " " : "") + "selected…";
    at(id).disabled = number === 0;
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
    const query = queryOf(filter, {limit: filter.message === null ? PAGE_SIZE - found.length : PAGE_SIZE});
    if (cursor) query.set("cursor", cursor);
    const page = await call("GET", "/v1/applications?" + query);
    found.push(...page.applications.filter(one => filter.message === null || errorOf(one).message === filter.message));
    cursor = page.cursor;
    if (!cursor) break;
  }
  return {found, cursor};
}
async function list(filter = readForm()) {
  const turn = ++lists, page = await fetchRows(filter, null, () => turn === lists);
  if (turn !== lists) return;
  const hadFocus = at("list").contains(document.activeElement);
  shown = {filter, cursor: null, rows: new Map(), newest: "", groups: new Map(), dead: deadNow(), died: diedHere()};
  at("list").replaceChildren();
  addRows(page);
  at("fresh").hidden = true;
  if (hadFocus) at("work").focus({preventScroll: true}); /* the row that had it is gone */
}
async function more() {
  const turn = ++lists, page = await fetchRows(shown.filter, shown.cursor, () => turn === lists);
  if (turn === lists) addRows(page);
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
    countGroup(application);
    at("list").append(row.tr);
  }
  at("time-title").textContent = timeTitles[state];
  at("more").hidden = !shown.cursor;
  showCaption();
  showGroups();
  showSelection();
  showBulk();
}
/* null: unknown. The service counts all the dead, and not what a filter leaves of them. */
function totalOf(filter) {
  const isAll = !["code", "class", "prefix", "since", "until"].some(name => filter[name]) && filter.message === null;
  return isAll && filter.state === "dead" ? deadNow() : null;
}
function showCaption() {
  const {filter, rows, cursor} = shown, number = rows.size, total = cursor ? totalOf(filter) : number;
  const words = stateName(filter.state) + filterWords(filter);
  const order = filter.state === "dead" ? "the newest first" : "the earliest first";
  const name = number === 0 ? "No application is " + words + (cursor ? " so far." : ".")
    : count(number) + (cursor ? total === null ? " and more" : " of " + count(total) : "") + " " + words + ", " + order;
  at("list-caption").textContent = visible(name);
}
/* What the service can do to all that match at once. A message or an id's beginning is no filter of a replay. */
const canBulk = filter => filter.state === "dead" && filter.message === null && !filter.prefix;
function showBulk() {
  const is = canBulk(shown.filter) && shown.rows.size > 0;
  at("replay-all").hidden = !is;
  at("forget-all").hidden = !is || !features.filters;
  at("download").hidden = !features.filters || shown.filter.message !== null || shown.rows.size === 0;
}
function offerCode(application) {
  const code = errorOf(application).code;
  if (code && ![...at("codes").options].some(option => option.value === code))
    at("codes").append(make("option", undefined, {value: code}));
}

/* --- why they are dead --- */

function countGroup(application) {
  const {code = "", message = "", class: kind = ""} = errorOf(application), key = JSON.stringify([code, message]);
  const group = shown.groups.get(key) || {code, message, kind, number: 0};
  group.number++;
  shown.groups.set(key, group);
}
function groupItem(group) {
  const li = make("li"), text = count(group.number) + " × " + (group.code || "no code");
  li.append(button(text, "Show only " + text + " " + group.message, async () => {
    at("code").value = group.code;
    await list({...shown.filter, code: group.code, message: group.message});
  }, {class: "link"}), " ", make("span", group.message), adviceBox(group.code, group.kind));
  return li;
}
function causeNode(cause) {
  const name = cause.code || cause.class, text = count(cause.count) + " × " + name;
  if (!name) return make("span", many(cause.count, "other"));
  return button(text, "Show only " + text, async () => {
    at("code").value = cause.code || "";
    await list({...readForm(), state: "dead", class: cause.class || ""});
  }, {class: "link"});
}
/* Of the rows shown; beside it, when the service counts them, how many of each code there are in all. */
function showGroups() {
  const groups = [...shown.groups.values()].sort((a, b) => b.number - a.number), rest = groups.splice(GROUPS_MAX);
  const items = groups.map(groupItem);
  if (rest.length) items.push(make("li", "and " + many(rest.reduce((sum, one) => sum + one.number, 0), "other")));
  const byCode = features.filters && shown.cursor ? lastStatus.signals.deadBy : [];
  if (byCode.length) {
    const li = make("li", "Of the latest " + count(lastStatus.signals.deadByOf) + " dead: ");
    byCode.forEach((one, i) => li.append(i ? ", " : "", causeNode(one)));
    items.push(li);
  }
  at("groups").replaceChildren(...items);
  at("groups-title").textContent = shown.cursor ? "Why those shown are dead" : "Why they are dead";
  at("groups-box").hidden = shown.filter.state !== "dead" || groups.length === 0;
}

/* --- what is new --- */

const diedHere = () => lastStatus && lastStatus.workers ? lastStatus.workers.died : null;
/* Only says how many: the rows under the hand stay. Asks only when the counts have moved. */
async function lookForNew() {
  if (!shown) return begin();
  if (shown.filter.state !== "dead" || (shown.dead === deadNow() && shown.died === diedHere())) return;
  const now = shown, seen = [deadNow(), diedHere()];
  const page = await call("GET", "/v1/applications?" + queryOf(now.filter, {limit: NEW_MAX}));
  if (now !== shown) return;
  [shown.dead, shown.died] = seen;
  const fresh = page.applications.filter(one => one.diedAt > shown.newest
    && (shown.filter.message === null || errorOf(one).message === shown.filter.message)).length;
  const text = (fresh === NEW_MAX ? NEW_MAX + " or more" : count(fresh)) + " new: show";
  if (at("fresh").textContent !== text) at("fresh").textContent = text;
  at("fresh").hidden = fresh === 0;
  showCaption();
}
at("fresh").onclick = () => during(at("fresh"), async () => {
  await list(shown.filter);
  at("work").focus({preventScroll: true});
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
  say(next ? "warn" : "good", next ? "The file ends early: there are more. Use `seek-signal dead list`." : "Downloaded.");
}
at("download").onclick = () => during(at("download"), download);

at("filter").onsubmit = event => { event.preventDefault(); during(at("filter").querySelector("button"), () => list()); };
at("listing").onchange = () => during(at("listing"), () => list());
at("more").onclick = () => during(at("more"), more);
