// The rows of the list: what of them waits, and how they show what became of that.
import { part } from "./run-checks-shell.js";

export const rowOf = (job) => document.querySelector(`#rc-list tr[data-job="${CSS.escape(job)}"]`);
export const allRows = () => [...document.querySelectorAll("#rc-list tr[data-job]")];
export const openRows = () => allRows().filter((row) => !row.classList.contains("is-done"));
export const pairsOf = (row) => row.querySelector("[data-select]").value;
export const cleanForm = () => document.querySelector("[data-review-clean]");

// A row with the pairs that waited in it when the review began.
export const waitingIn = (element) => ({ element, waiting: pairsOf(element).split(",").filter(Boolean) });

// What is selected is counted anew when a box of the list changes.
const recount = () => document.querySelector("#rc-list [data-select]")?.dispatchEvent(new Event("change", { bubbles: true }));

export function markDone(rows, title = "") {
  for (const row of rows) {
    Object.assign(row.querySelector("[data-select]"), { checked: false, disabled: true });
    row.classList.remove("is-changed", "is-selected");
    row.classList.add("is-done");
    row.querySelector(".rc-changed")?.remove();
    if (title) row.title = title;
  }
  if (rows.length) recount();
}

export function markChanged(row) {
  if (row.classList.contains("is-changed")) return;
  row.classList.add("is-changed");
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "rc-changed", textContent: "changed", title: "Changed since you saw it. Show what it is now." });
  button.addEventListener("click", () => refreshRow(row));
  row.querySelector("td.rc-job").prepend(button);
}

// Put what the row is now in its place; it does not move.
export async function refreshRow(row) {
  const query = new URLSearchParams(new URL(document.getElementById("rc-list").dataset.here, location).search);
  const html = await part(`/run-checks/jobs/${row.dataset.job}/row?${query}`);
  if (html === null) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  const fresh = template.content.querySelector("tr");
  if (!fresh) {
    markDone([row]);
    return;
  }
  fresh.classList.toggle("is-current", row.classList.contains("is-current"));
  row.replaceWith(fresh);
  recount();
}

// The clean ones wait as rows, or as the one line that stands for them.
export function allDone() {
  const line = cleanForm()?.closest(".rc-clean:not(.is-done)");
  return openRows().length === 0 && (!line || line.querySelector("tr[data-job]") !== null);
}

const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;

export function sayFigures(runs = 0, jobs = 0) {
  const list = document.getElementById("rc-list");
  list.dataset.runs = Math.max(0, Number(list.dataset.runs) + runs);
  list.dataset.jobs = Math.max(0, Number(list.dataset.jobs) + jobs);
  const { jobs: left, runs: waiting } = list.dataset;
  const words = Number(left) ? `${plural(Number(left), "job")} · ${plural(Number(waiting), "run")} to review` : "";
  document.getElementById("rc-figures").textContent = words;
  const badge = document.querySelector('.navbar .nav-link[href="/run-checks"] .nav-count');
  if (badge?.firstChild && jobs) {
    const count = Math.max(0, Number(badge.firstChild.textContent.replaceAll(",", "")) + jobs);
    badge.firstChild.textContent = count.toLocaleString("en");
  }
}
