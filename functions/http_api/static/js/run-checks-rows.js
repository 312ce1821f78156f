// The rows of the list: what of them waits, and how they show what became of that.
// An item is what is reviewed as one: a job, or a silence or a cause that many jobs share, with a row for each of them.
import { part } from "./run-checks-shell.js";

const found = (selector) => [...document.querySelectorAll(`#rc-list ${selector}`)];
const isDone = (row) => row.classList.contains("is-done");

export const allItems = () => found("tr[data-item]");
export const openItems = () => allItems().filter((item) => !isDone(item));
export const openRows = () => found("tr[data-row]:not([hidden], .is-done)");
export const jobRows = () => found("tr[data-job]:not([hidden])");
export const openJobs = () => new Set(found("tr[data-job]:not(.is-done)").map((row) => row.dataset.job)).size;
export const membersOf = (item) => (placeOf(item) ? found(`tr[data-member="${CSS.escape(item.dataset.item)}"]`) : []);
// Where the server tells of an item that has rows under it.
const placeOf = ({ dataset: { silence, cause } }) => (silence && `silences/${silence}`) || (cause && `causes/${cause}`);
export const itemOf = (row) => (row.dataset.member ? found(`tr[data-item="${CSS.escape(row.dataset.member)}"]`)[0] : row);
export const pairsOf = (row) => row.querySelector("[data-select], .rc-review")?.value || "";
export const cleanForm = () => document.querySelector("[data-review-clean]");

// A job stands in a row of its own, or in a cause that it shares, and once more in a silence.
export const rowsOf = (job) => found(`tr[data-job="${CSS.escape(job)}"]`);
export const rowOf = (job) => rowsOf(job).find((row) => row.dataset.item) || rowsOf(job)[0];

// The row that stands for this one after it was drawn anew.
export const again = (row) => {
  if (row.isConnected) return row;
  const { item, member, job } = row.dataset;
  return item ? found(`tr[data-item="${CSS.escape(item)}"]`)[0] : rowsOf(job).find((each) => each.dataset.member === member);
};

// An item with the pairs that waited in it when the review began.
export const waitingIn = (element) => ({ element, waiting: pairsOf(element).split(",").filter(Boolean) });

// What is selected is counted anew when a box of the list changes.
const recount = () => document.querySelector("#rc-list [data-select]")?.dispatchEvent(new Event("change", { bubbles: true }));

export function markDone(rows, title = "") {
  for (const row of rows) {
    const box = row.querySelector("[data-select]");
    if (box) Object.assign(box, { checked: false, disabled: true });
    row.classList.remove("is-changed", "is-selected");
    row.classList.add("is-done");
    row.querySelector(".rc-changed")?.remove();
    if (title) row.title = title;
    markDone(membersOf(row), title);
  }
  if (rows.length) recount();
}

export function markChanged(row) {
  if (row.classList.contains("is-changed")) return;
  row.classList.add("is-changed");
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "rc-changed", textContent: "changed", title: "Changed since you saw it. Show what it is now." });
  button.addEventListener("click", () => refreshItem(row));
  (row.querySelector(".rc-name") || row.querySelector("td.rc-job")).prepend(button);
}

// Put what the item is now in its place; it does not move.
export async function refreshItem(item) {
  const query = new URLSearchParams(new URL(document.getElementById("rc-list").dataset.here, location).search);
  const place = placeOf(item);
  const html = await part(`/run-checks/${place || `jobs/${item.dataset.job}`}/row?${query}`);
  if (html === null) return;
  const template = document.createElement("template");
  template.innerHTML = html;
  const [fresh, ...members] = template.content.querySelectorAll("tr");
  if (!fresh) {
    markDone([item]);
    return;
  }
  if (place) replaceMembers(item, fresh, members);
  replace(item, fresh);
  recount();
}

function replace(row, fresh) {
  fresh.classList.toggle("is-current", row.classList.contains("is-current"));
  row.replaceWith(fresh);
}

// Jobs of which nothing waits any more fade where they stand; new ones come last.
function replaceMembers(item, fresh, members) {
  const before = membersOf(item);
  const unfolded = item.querySelector("[data-unfold]").getAttribute("aria-expanded");
  fresh.querySelector("[data-unfold]").setAttribute("aria-expanded", unfolded);
  const now = new Map(members.map((member) => [member.dataset.job, member]));
  const added = members.filter((member) => !before.some((row) => row.dataset.job === member.dataset.job));
  // What joins a cause does so with all that waits of it.
  if (item.dataset.cause) for (const { dataset } of added) for (const own of found(`tr[data-item="${dataset.job}"]`)) own.remove();
  (before.at(-1) || item).after(...added);
  for (const row of before) {
    if (now.has(row.dataset.job)) replace(row, now.get(row.dataset.job));
    else markDone([row]);
  }
  for (const member of members) member.hidden = unfolded !== "true";
}

export function unfold(item) {
  const link = item.querySelector("[data-unfold]");
  const open = link.getAttribute("aria-expanded") !== "true";
  link.setAttribute("aria-expanded", String(open));
  for (const member of membersOf(item)) member.hidden = !open;
}

// The clean ones wait as rows, or as the one line that stands for them.
export function allDone() {
  const line = cleanForm()?.closest(".rc-clean:not(.is-done)");
  return openItems().length === 0 && (!line || line.querySelector("tr[data-job]") !== null);
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
