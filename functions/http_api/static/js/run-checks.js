// Run Checks while somebody works in it: reviews without a new page, the panel beside the list, keys.
// Everything here also works by plain links and forms.
import { askFor } from "./run-checks-ask.js";
import { closePanel, isOpen, isTooFresh, openPanel, showPlace, step } from "./run-checks-panel.js";
import { askReason } from "./run-checks-reason.js";
import { watchForNews } from "./run-checks-refresh.js";
import { again, allDone, itemOf, markDone, openJobs, openRows, pairsOf, refreshItem, rowOf, rowsOf, sayFigures, unfold, waitingIn } from "./run-checks-rows.js";
import { makeCurrent, post, remembered, sayDone } from "./run-checks-shell.js";

async function review(asked) {
  const { pairs, onScreen = pairs, reason = "", needsReason = false } = asked;
  if (!pairs) return;
  const why = reason || (needsReason ? await askReason() : "");
  if (why === null) return;
  const answer = await post("/run-checks/review", { runs: onScreen, only: pairs, reason: why, back: location.pathname + location.search });
  if (!answer) return;
  if (answer.needs_reason) {
    await review({ ...asked, needsReason: true });
    return;
  }
  sayDone(answer.text, answer.undo);
  await settle(asked, answer);
}

// What was reviewed fades where it stands; an item of which something stays open shows what that is.
async function settle({ pairs, items, clean, from, job }, answer) {
  const sent = new Set(pairs.split(","));
  const open = new Set(answer.stays_open.map(String));
  const stays = ({ waiting }) => waiting.some((pair) => !sent.has(pair) || open.has(pair.split(":")[0]));
  const changed = items.filter((item) => answer.arrived || stays(item));
  const before = openJobs();
  markDone(items.filter((item) => !changed.includes(item)).map((item) => item.element));
  for (const { element } of changed) await refreshItem(element);
  clean?.classList.add("is-done");
  sayFigures(open.size - sent.size, items.length ? openJobs() - before : -Number(clean?.dataset.jobs || 0));
  moveOn(from && again(from), job);
}

// In the panel a review goes on to the next job; a silence or a cause has none, so there it goes on in the list.
function moveOn(row, job) {
  if (allDone()) {
    if (isOpen()) closePanel();
    reloadList();
    return;
  }
  const next = row ? nextOpen(row) : null;
  if (isOpen() && row && !next?.dataset.job) closePanel();
  if (next) makeCurrent(next);
  const shown = next ? next.dataset.job : job;
  if (isOpen() && shown) openPanel(shown);
}

function nextOpen(row) {
  const open = openRows();
  if (open.includes(row)) return row;
  return open.find((each) => row.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING) || open[0];
}

function reloadList() {
  const list = document.getElementById("rc-list");
  window.htmx.ajax("GET", list.dataset.here, { target: "#rc-list", select: "#rc-list", swap: "outerHTML" });
}

const itemsWith = (rows) => [...new Set(rows.map(itemOf))].map(waitingIn);

function reviewRows(rows) {
  return review({
    pairs: rows.map(pairsOf).join(","),
    needsReason: rows.some((row) => "needsReason" in row.dataset),
    items: itemsWith(rows),
    from: rows.at(-1),
  });
}

function reviewPanel(form, submitter) {
  const only = submitter?.name === "only" ? submitter.value : "";
  const job = form.dataset.reviewPanel;
  return review({
    pairs: only || form.elements.runs.value,
    onScreen: form.elements.runs.value,
    reason: submitter?.name === "reason" ? submitter.value : "",
    needsReason: only ? "needsReason" in submitter.dataset : "needsReason" in form.dataset,
    items: itemsWith(rowsOf(job)),
    from: rowOf(job),
    job,
  });
}

function reviewClean(form) {
  const clean = form.closest(".rc-clean");
  const items = itemsWith([...clean.querySelectorAll("tr[data-job]:not(.is-done)")]);
  return review({ pairs: form.elements.runs.value, items, clean, from: items.at(-1)?.element });
}

const chosenRows = () => [...document.querySelectorAll("#rc-list [data-select]:checked")].map((box) => box.closest("tr"));

// A button that asks for a ticket or a remark means the runs that its form is about, or fewer.
function askAbout(form, submitter) {
  const pairs = form.id === "review" ? chosenRows().map(pairsOf).join(",") : form.elements.runs.value;
  const { name, value } = submitter;
  return askFor(submitter.formAction, name === "only" ? value : pairs, name === "how" ? value : "");
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const { submitter } = event;
  if (submitter && "asks" in submitter.dataset) {
    event.preventDefault();
    askAbout(form, submitter);
  } else if (form.id === "review") {
    event.preventDefault();
    reviewRows(submitter?.name === "only" ? [submitter.closest("tr")] : chosenRows());
  } else if (form.matches("[data-review-panel]")) {
    event.preventDefault();
    if (!isTooFresh()) reviewPanel(form, submitter);
  } else if (form.matches("[data-review-clean]")) {
    event.preventDefault();
    reviewClean(form);
  }
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const row = event.target.closest("#rc-list tr[data-row]");
  if (!row || String(getSelection()) || (event.target.closest("a, button, input, label") && !event.target.closest("[data-open]"))) return;
  event.preventDefault();
  if (event.target.closest("td.check")) row.querySelector("[data-select]")?.click();
  else {
    makeCurrent(row);
    if (row.dataset.job) openPanel(row.dataset.job);
    else unfold(row);
  }
});

const isTyping = (target) => target.closest("textarea, select, input:not([type=checkbox])");

window.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (steps && isOpen()) step(steps);
    else if (["r", "t"].includes(event.key) && !isOpen() && !document.querySelector(".bulk-bar.is-shown")) {
      const row = document.querySelector("tr.is-current[data-row]:not(.is-done)");
      if (!row) return;
      if (event.key === "r") reviewRows([row]);
      else askFor("/tickets/new", pairsOf(row));
    } else if (event.key === "u") remembered()?.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  },
  true,
);

document.addEventListener("htmx:afterSettle", () => {
  sayFigures();
  showPlace();
});
watchForNews();
showPlace();
