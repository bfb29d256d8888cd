/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- why they are dead: by code and message. The figure of a group is what its list has, and what is replayed from there --- */

const GROUPS_MAX = 12, COUNT_REQUESTS_MAX = 3, BEGINNING_MAX = 500;

/* A filter is a beginning, of one line, and of characters that come back as they were sent: a byte that is none is shown as U+FFFD. */
const beginningOf = message => [...message.split(/[\u0000-\u001f\ufffd]/)[0]].slice(0, BEGINNING_MAX).join("").trimEnd();
const keyOf = group => JSON.stringify([group.code, group.message]);

/* Of the rows loaded, the largest first. A message that begins with another one's whole text belongs to that one: it is in its list. */
function groupsLoaded() {
  const groups = new Map();
  for (const {application} of rowsOpen()) {
    const {code = "", message = "", class: kind = ""} = errorOf(application), group = {code, message: beginningOf(message), kind, number: 0};
    const known = groups.get(keyOf(group)) || group;
    known.number++;
    groups.set(keyOf(known), known);
  }
  const merged = [];
  for (const group of [...groups.values()].sort((a, b) => a.message.length - b.message.length)) {
    const wider = merged.find(one => one.code === group.code && group.message.startsWith(one.message));
    if (wider) wider.number += group.number;
    else merged.push(group);
  }
  return merged;
}
/* Codes that the service has met among the latest, though none of the rows loaded has them. */
function groupsElsewhere(loaded) {
  if (!shown.cursor || isFiltered(shown.filter) || !features.filters) return [];
  const codes = new Set(lastStatus.signals.deadBy.map(one => one.code).filter(Boolean));
  return [...codes].filter(code => !loaded.some(one => one.code === code)).map(code => ({code, message: "", kind: "", number: 0}));
}
function groupsNow() {
  const loaded = groupsLoaded(), groups = [...loaded, ...groupsElsewhere(loaded)];
  for (const group of groups) {
    const counted = shown.cursor ? shown.counts.get(keyOf(group)) : {number: group.number, isAll: true};
    group.isAll = !!counted && counted.isAll;
    if (counted) group.number = Math.max(group.number, counted.number);
  }
  return groups.sort((a, b) => b.number - a.number);
}
/* Changes nothing, and a key that may only look may not ask. null: not known. */
async function countMatching(filter) {
  let number = 0, cursor = null;
  for (let requests = 0; requests === 0 || cursor && requests < COUNT_REQUESTS_MAX; requests++) {
    const answer = await call("POST", "/v1/forget", {...bodyOf(filter), dryRun: true, cursor});
    number += answer.matched;
    cursor = answer.cursor;
  }
  return {number, isAll: !cursor};
}
/* How many there are of each beyond the rows loaded. */
async function countAgain() {
  const now = shown, isCountable = now.cursor && now.filter.state === "dead" && !isReadOnly && features.filters;
  if (!isCountable) return;
  try {
    if (isFiltered(now.filter)) {
      const counted = await countMatching(now.filter);
      now.total = counted.isAll ? counted.number : null;
      if (now === shown) showCaption();
    }
    for (const group of groupsNow().slice(0, GROUPS_MAX)) {
      if (now !== shown) return;
      if (now.counts.has(keyOf(group))) continue;
      now.counts.set(keyOf(group), await countMatching(filterOf(group, now.filter)));
    }
  } catch { /* what is not counted is told as what is there at least */ }
  if (now === shown) showGroups();
}

const filterOf = (group, filter) => ({...filter, code: group.code || filter.code, message: group.message || filter.message});
/* The advice is about the code: the first group of each has it. */
function groupItem(group, i, groups) {
  const isFirst = groups.findIndex(one => one.code === group.code) === i;
  const li = make("li"), name = group.code || "no code", text = (group.isAll ? "" : "at least ") + count(group.number) + " × " + name;
  const filter = filterOf(group, shown.filter);
  const head = isSameList(filter, shown.filter) ? make("b", text)
    : button(text, "Show only " + text + " " + group.message, () => openList(filter), {class: "link", "data-key": keyOf(group)});
  li.append(head, " ", make("span", messageOf(group)));
  if (isFirst) li.append(adviceBox([group.code, group.kind]));
  return li;
}
function showGroups() {
  const groups = groupsNow(), shownGroups = groups.slice(0, GROUPS_MAX), sum = shownGroups.reduce((total, one) => total + one.number, 0);
  const items = shownGroups.map(groupItem), total = totalNow(), rest = total === null ? 0 : total - sum;
  if (rest > 0 && shownGroups.every(one => one.isAll)) items.push(make("li", count(rest) + " × other causes"));
  else if (groups.length > shownGroups.length) items.push(make("li", "and other causes"));
  const key = at("groups").contains(document.activeElement) ? document.activeElement.dataset.key : null;
  putItems(at("groups"), items);
  if (key && !at("groups").contains(document.activeElement))
    ([...at("groups").querySelectorAll("button")].find(one => one.dataset.key === key) || at("work")).focus({preventScroll: true});
  at("groups-box").hidden = shown.filter.state !== "dead" || items.length === 0;
}
