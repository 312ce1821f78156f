// Looks every minute what waits now. Marks what changed and says what is new; moves nothing under the pointer.
import { allItems, cleanForm, markChanged, markDone, pairsOf, sayFigures } from "./run-checks-rows.js";
import { figures, saySignedOut } from "./run-checks-shell.js";

const EVERY = 60 * 1000;

const isCause = (key) => key.startsWith("c");
const byPair = (rows) => new Map(rows.flatMap(([key, pairs]) => pairs.split(",").map((pair) => [pair, key])));

function compare(state) {
  const list = document.getElementById("rc-list");
  const clean = new Set(cleanForm()?.elements.runs.value.split(",") || []);
  const open = allItems().filter((item) => !item.classList.contains("is-done"));
  const [before, after] = [byPair(open.map((item) => [item.dataset.item, pairsOf(item)])), byPair(Object.entries(state.rows))];
  // Jobs join and leave a cause with all that waits of them: it is on screen still.
  const isRegrouped = (pair) => before.has(pair) && after.has(pair) && (isCause(before.get(pair)) || isCause(after.get(pair)));
  const gone = [];
  for (const item of open) {
    const [pairs, now] = [pairsOf(item).split(","), state.rows[item.dataset.item]];
    if (now === undefined && !pairs.some((pair) => after.has(pair))) gone.push(item);
    else if (now !== pairsOf(item) && !(now === undefined && pairs.every(isRegrouped))) markChanged(item);
  }
  if (!state.cut) markDone(gone, "Reviewed by somebody else meanwhile");
  const shown = new Set(open.map((item) => item.dataset.item));
  const done = new Set(allItems().filter((item) => item.classList.contains("is-done")).map((item) => item.dataset.item));
  const isOld = ([key, pairs]) => shown.has(key) || pairs.split(",").every((pair) => clean.has(pair) || isRegrouped(pair));
  const isNews = (row) => done.has(row[0]) || !isOld(row);
  sayNews(Object.entries(state.rows).filter(isNews).length);
  list.dataset.jobs = state.jobs;
  list.dataset.runs = state.runs;
  sayFigures();
}

function sayNews(count) {
  const news = document.getElementById("rc-news");
  news.hidden = count === 0;
  if (count) news.querySelector("span").textContent = `${count} new`;
}

let watch = null;

async function look() {
  if (document.hidden || watch === null) return;
  const state = await figures(document.getElementById("rc-list").dataset.state);
  if (state?.signedOut) stopWatching();
  else if (state) compare(state);
}

// Nothing on the page works any more, whoever signs in elsewhere: its token belongs to the session that is over.
function stopWatching() {
  if (watch === null) return;
  clearInterval(watch);
  watch = null;
  saySignedOut();
}

export function watchForNews() {
  watch = setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
