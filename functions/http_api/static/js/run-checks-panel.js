// The panel beside the list: opens, steps through the jobs, closes; the address follows.
import { itemOf, jobRows, rowOf } from "./run-checks-rows.js";
import { makeCurrent, part, say } from "./run-checks-shell.js";

const aside = document.getElementById("rc-panel");
const narrow = window.matchMedia("(max-width: 991.98px)");
const GLANCE = 400;
let loading = null;
let shownAt = -GLANCE;

export const isOpen = () => document.body.classList.contains("has-panel");
// A second click or a held key means the job before: nobody has seen this one yet.
export const isTooFresh = () => performance.now() - shownAt < GLANCE;
export const shownJob = () => aside.querySelector("[data-panel]")?.dataset.panel;

export const shownRun = () => aside.querySelector(".run-chip[aria-current][data-run]")?.dataset.run || "";

function address(job, run) {
  const parts = new URL(location).searchParams;
  parts.delete("panel");
  parts.delete("run");
  if (job) parts.set("panel", job);
  if (job && run) parts.set("run", run);
  return parts.size ? `/run-checks?${parts}` : "/run-checks";
}

export async function openPanel(job, run = "", { remember = true } = {}) {
  loading?.abort();
  loading = new AbortController();
  const wasOpen = isOpen();
  aside.classList.add("is-busy");
  const parts = new URLSearchParams(address(job, run).split("?")[1]);
  const html = await part(`/run-checks/jobs/${job}?${parts}`, loading.signal);
  if (html === null) return;
  aside.classList.remove("is-busy");
  aside.innerHTML = html;
  shownAt = performance.now();
  aside.hidden = false;
  aside.scrollTop = 0;
  document.body.classList.add("has-panel");
  if (remember) history[wasOpen ? "replaceState" : "pushState"](null, "", address(job, run));
  showPlace();
  if (narrow.matches) {
    window.scrollTo(0, 0);
    aside.focus({ preventScroll: true });
  } else rowOf(job)?.scrollIntoView({ block: "nearest" });
  say(`${aside.querySelector("h2").innerText}, ${aside.querySelector(".run-status").innerText}`);
}

export function closePanel({ remember = true } = {}) {
  loading?.abort();
  const row = rowOf(shownJob() || "");
  document.body.classList.remove("has-panel");
  aside.classList.remove("is-busy");
  aside.hidden = true;
  aside.replaceChildren();
  if (remember) history.pushState(null, "", address());
  if (row) makeCurrent(row.hidden ? itemOf(row) : row);
}

export function step(by) {
  const rows = jobRows();
  const at = rows.indexOf(rowOf(shownJob() || ""));
  const next = rows[at < 0 ? 0 : at + by];
  if (!next) return;
  makeCurrent(next);
  openPanel(next.dataset.job);
}

function point(link, row) {
  link.classList.toggle("disabled", !row);
  if (row) link.href = address(row.dataset.job);
  else link.removeAttribute("href");
}

// Where the job stands among the rows on screen; reviewed ones keep their place.
export function showPlace() {
  const place = aside.querySelector("[data-panel-place]");
  if (!place) return;
  const rows = jobRows();
  const at = rows.indexOf(rowOf(shownJob()));
  place.textContent = at < 0 ? "" : `${at + 1} of ${rows.length}`;
  point(aside.querySelector("[data-panel-previous]"), at < 0 ? null : rows[at - 1]);
  point(aside.querySelector("[data-panel-next]"), at < 0 ? rows[0] : rows[at + 1]);
}

aside.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  const link = event.target.closest("[data-panel-close], [data-panel-previous], [data-panel-next], [data-run]");
  if (!link) return;
  event.preventDefault();
  if ("panelClose" in link.dataset) closePanel();
  else if ("run" in link.dataset) openPanel(shownJob(), link.dataset.run);
  else step("panelNext" in link.dataset ? 1 : -1);
});

window.addEventListener("popstate", () => {
  const parts = new URL(location).searchParams;
  if (parts.get("panel")) openPanel(parts.get("panel"), parts.get("run") || "", { remember: false });
  else if (isOpen()) closePanel({ remember: false });
});
