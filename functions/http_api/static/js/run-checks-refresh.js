// Looks every minute what waits now. Marks what changed and says what is new; moves nothing under the pointer.
import { allRows, cleanForm, markChanged, markDone, pairsOf, sayFigures } from "./run-checks-rows.js";
import { figures, saySignedOut } from "./run-checks-shell.js";

const EVERY = 60 * 1000;

function compare(state) {
  const list = document.getElementById("rc-list");
  const clean = new Set(cleanForm()?.elements.runs.value.split(",") || []);
  const shown = new Set();
  const gone = [];
  for (const row of allRows()) {
    shown.add(row.dataset.job);
    if (row.classList.contains("is-done")) continue;
    const now = state.rows[row.dataset.job];
    if (now === undefined && !state.cut) gone.push(row);
    else if (now !== undefined && now !== pairsOf(row)) markChanged(row);
  }
  markDone(gone, "Reviewed by somebody else meanwhile");
  const done = new Set(allRows().filter((row) => row.classList.contains("is-done")).map((row) => row.dataset.job));
  const isNews = ([job, pairs]) => done.has(job) || (!shown.has(job) && !pairs.split(",").every((pair) => clean.has(pair)));
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
