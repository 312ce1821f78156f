// Asks for tickets and remarks in a dialog: the server's form, about exactly the runs that are on screen.
import { isOpen, openPanel, shownJob, shownRun } from "./run-checks-panel.js";
import { itemOf, refreshItem, rowsOf } from "./run-checks-rows.js";
import { ask, sayDone, showRefusal } from "./run-checks-shell.js";

const dialog = document.getElementById("asked");

function show(html) {
  dialog.innerHTML = html;
  window.htmx.process(dialog);
  if (!dialog.open) dialog.showModal();
  const wrong = dialog.querySelector("[aria-invalid]");
  const first = dialog.querySelector("input[type=radio]:checked, textarea, input[type=text], input:not([type])");
  (wrong || visible("input[id^=code-], input[id^=title-], textarea") || first)?.focus();
}

const visible = (selector) => [...dialog.querySelectorAll(selector)].find((each) => each.offsetParent !== null);

async function send(address, fields) {
  const response = await ask(address, { method: "POST", body: fields });
  if (!response) return;
  if (response.headers.get("content-type")?.startsWith("application/json")) await done(await response.json());
  else if (response.headers.has("HX-Retarget")) await showRefusal(response);
  else if (response.status !== 401) show(await response.text());
}

// Rows and panel show at once what was made.
async function done({ text, jobs }) {
  dialog.close();
  dialog.replaceChildren();
  sayDone(text);
  const items = new Set(jobs.flatMap((job) => rowsOf(String(job))).map(itemOf));
  for (const item of items) if (!item.classList.contains("is-done")) await refreshItem(item);
  if (isOpen() && jobs.map(String).includes(shownJob())) await openPanel(shownJob(), shownRun(), { remember: false });
}

export function askFor(address, pairs, how = "") {
  if (!pairs) return null;
  return send(address, new URLSearchParams({ runs: pairs, how, back: location.pathname + location.search }));
}

dialog.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-asked]")) return;
  event.preventDefault();
  event.stopPropagation();
  send(event.target.action, new URLSearchParams(new FormData(event.target, event.submitter)));
});
