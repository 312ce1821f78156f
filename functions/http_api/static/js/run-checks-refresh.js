// Looks every minute what waits now. Marks what changed and says what is new; moves nothing under the pointer.
import { allItems, cleanForm, markChanged, markDone, pairsOf, sayFigures } from "./run-checks-rows.js";
import { figures, saySignedOut } from "./run-checks-shell.js";

const EVERY = 60 * 1000;

function compare(state) {
  const list = document.getElementById("rc-list");
  const clean = new Set(cleanForm()?.elements.runs.value.split(",") || []);
  const waiting = new Set(Object.values(state.rows).flatMap((pairs) => pairs.split(",")));
  const shown = new Set(allItems().map((item) => item.dataset.item));
  const gone = [];
  for (const item of allItems().filter((each) => !each.classList.contains("is-done"))) {
    const now = state.rows[item.dataset.item];
    const moved = now === undefined && pairsOf(item).split(",").some((pair) => waiting.has(pair));
    if (now === undefined && !moved && !state.cut) gone.push(item);
    else if (moved || (now !== undefined && now !== pairsOf(item))) markChanged(item);
  }
  markDone(gone, "Reviewed by somebody else meanwhile");
  const done = new Set(allItems().filter((item) => item.classList.contains("is-done")).map((item) => item.dataset.item));
  const isNews = ([key, pairs]) => done.has(key) || (!shown.has(key) && !pairs.split(",").every((pair) => clean.has(pair)));
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
