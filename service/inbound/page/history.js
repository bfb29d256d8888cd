/* SPDX-FileCopyrightText: seek-signal contributors
 * SPDX-License-Identifier: MIT */

/* --- the last day, of all processes on this Redis --- */

const HISTORY_POLL_MS = 60000, HISTORY_SOON_MS = 2000;

const dayPlots = [
  {member: "accepted", name: "Accepted"}, {member: "delivered", name: "Delivered"}, {member: "retried", name: "Retried"},
  {member: "dead", name: "Died"},
];
for (const plot of dayPlots) {
  addPlot(plot, at("day-plots"));
  plot.svg.setAttribute("class", plot.member === "dead" ? "bars bad" : "bars");
}

const clockTime = date => date.toLocaleTimeString([], {hour: "2-digit", minute: "2-digit"});

function bar(x, value, most, words) {
  const height = Math.max(2, value / most * 56), rect = document.createElementNS(SVG, "rect"), title = document.createElementNS(SVG, "title");
  for (const [name, number] of Object.entries({x: x + 0.05, y: 60 - height, width: 0.9, height})) rect.setAttribute(name, number.toFixed(2));
  title.textContent = words;
  rect.append(title);
  return rect;
}
function drawDay(history) {
  const ms = history.bucketSeconds * 1000;
  for (const plot of dayPlots) {
    const values = history.buckets.map(bucket => bucket[plot.member]), most = Math.max(1, ...values);
    plot.svg.setAttribute("viewBox", "0 0 " + values.length + " 60");
    plot.svg.replaceChildren(...values.map((value, i) => {
      const from = new Date(history.buckets[i].from);
      return value ? bar(i, value, most, clockTime(from) + " to " + clockTime(new Date(from.getTime() + ms)) + ": " + count(value)) : "";
    }));
    const text = count(values.reduce((sum, value) => sum + value, 0));
    plot.output.textContent = text;
    plot.svg.setAttribute("aria-label", plot.name + " in the last 24 hours: " + text + ", at most " + count(Math.max(...values)) + " in ten minutes");
  }
}
function forgetDay() {
  for (const plot of dayPlots) {
    plot.output.textContent = "unknown";
    plot.svg.setAttribute("aria-label", plot.name + ": unknown");
    plot.svg.replaceChildren();
  }
}

/* Asks only when the status has been answered, so that a missing key or a silent service is said once, by that. */
async function pollHistory() {
  const mayAsk = answeredAt !== null && !isKeyRefused && !document.hidden;
  if (mayAsk) {
    try { drawDay(await call("GET", "/v1/history")); } catch { forgetDay(); }
  }
  setTimeout(pollHistory, mayAsk ? HISTORY_POLL_MS : HISTORY_SOON_MS);
}

function showPlots(isDay) {
  at("day").hidden = !isDay;
  at("live").hidden = isDay;
  at("show-day").setAttribute("aria-pressed", isDay);
  at("show-live").setAttribute("aria-pressed", !isDay);
}
at("show-day").onclick = () => showPlots(true);
at("show-live").onclick = () => showPlots(false);
