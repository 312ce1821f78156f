// Run Checks while somebody works in it: reviews without a new page, the panel beside the list, keys.
// Everything here also works by plain links and forms.
import { closePanel, isOpen, isTooFresh, openPanel, showPlace, step } from "./run-checks-panel.js";
import { askReason } from "./run-checks-reason.js";
import { watchForNews } from "./run-checks-refresh.js";
import { allDone, markDone, openRows, refreshRow, rowOf, sayFigures, waitingIn } from "./run-checks-rows.js";
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

// What was reviewed fades where it stands; a row of which something stays open shows what that is.
async function settle({ pairs, rows, clean, job }, answer) {
  const sent = new Set(pairs.split(","));
  const open = new Set(answer.stays_open.map(String));
  const stays = ({ waiting }) => waiting.some((pair) => !sent.has(pair) || open.has(pair.split(":")[0]));
  const changed = rows.filter((row) => answer.arrived || stays(row));
  markDone(rows.filter((row) => !changed.includes(row)).map((row) => row.element));
  for (const { element } of changed) await refreshRow(element);
  clean?.classList.add("is-done");
  const done = rows.filter(({ element }) => element.classList.contains("is-done")).length;
  sayFigures(open.size - sent.size, -(rows.length ? done : Number(clean?.dataset.jobs || 0)));
  moveOn(rows.at(-1)?.element.dataset.job || job);
}

function moveOn(job) {
  if (allDone()) {
    if (isOpen()) closePanel();
    reloadList();
    return;
  }
  const row = job && rowOf(job);
  const next = row ? nextOpen(row) : null;
  if (next) makeCurrent(next);
  if (!isOpen()) return;
  if (row && !next) closePanel();
  else openPanel(next ? next.dataset.job : job);
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

function reviewRows(elements) {
  const rows = elements.map(waitingIn);
  return review({
    pairs: rows.flatMap((row) => row.waiting).join(","),
    needsReason: elements.some((row) => "needsReason" in row.dataset),
    rows,
  });
}

function reviewPanel(form, submitter) {
  const only = submitter?.name === "only" ? submitter.value : "";
  const row = rowOf(form.dataset.reviewPanel);
  return review({
    pairs: only || form.elements.runs.value,
    onScreen: form.elements.runs.value,
    reason: submitter?.name === "reason" ? submitter.value : "",
    needsReason: only ? "needsReason" in submitter.dataset : "needsReason" in form.dataset,
    rows: row ? [waitingIn(row)] : [],
    job: form.dataset.reviewPanel,
  });
}

function reviewClean(form) {
  const clean = form.closest(".rc-clean");
  const rows = [...clean.querySelectorAll("tr[data-job]:not(.is-done)")].map(waitingIn);
  return review({ pairs: form.elements.runs.value, rows, clean });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const { submitter } = event;
  if (form.id === "review") {
    event.preventDefault();
    const chosen = [...document.querySelectorAll("#rc-list [data-select]:checked")].map((box) => box.closest("tr"));
    reviewRows(submitter?.name === "only" ? [submitter.closest("tr")] : chosen);
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
  const row = event.target.closest("#rc-list tr[data-job]");
  if (!row || String(getSelection()) || (event.target.closest("a, button, input, label") && !event.target.closest("[data-open]"))) return;
  event.preventDefault();
  if (event.target.closest("td.check")) row.querySelector("[data-select]").click();
  else {
    makeCurrent(row);
    openPanel(row.dataset.job);
  }
});

const isTyping = (target) => target.closest("textarea, select, input:not([type=checkbox])");

window.addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (steps && isOpen()) step(steps);
    else if (event.key === "r" && !isOpen() && !document.querySelector(".bulk-bar.is-shown")) {
      const row = document.querySelector("tr.is-current[data-job]:not(.is-done)");
      if (!row) return;
      reviewRows([row]);
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
