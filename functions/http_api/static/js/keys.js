// Keys for lists. A row has `data-row`, its link `data-open` (or is the first link), its checkbox `data-select`.
// A page adds keys of its own with `data-key="r"` on a button or link. A script that wants another row to be the
// current one sends `bc:make-current` from that row.
const CURRENT = "is-current";

function rows() {
  return [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
}

function current() {
  const focused = document.activeElement?.closest("[data-row]");
  return focused || document.querySelector(`[data-row].${CURRENT}`);
}

function makeCurrent(row) {
  for (const other of document.querySelectorAll(`.${CURRENT}`)) {
    other.classList.remove(CURRENT);
  }
  row.classList.add(CURRENT);
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const index = all.indexOf(current());
  const next = index < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(index + step, 0), all.length - 1);
  makeCurrent(all[next]);
}

function toggle() {
  const box = current()?.querySelector("[data-select]");
  box?.click();
}

function open(event) {
  // On a link or button Enter already does what it should.
  if (event.target.closest("a, button, summary, select")) return false;
  const row = current();
  const link = row?.querySelector("[data-open]") || row?.querySelector("a[href]");
  link?.click();
  return Boolean(link);
}

function search() {
  const field = document.querySelector("[data-search]");
  field?.focus();
  field?.select();
}

function own(key) {
  const button = [...document.querySelectorAll("[data-key]")].find(
    (each) => each.dataset.key === key && each.offsetParent !== null && !each.disabled,
  );
  button?.click();
  return Boolean(button);
}

function isTyping(target) {
  if (target.isContentEditable || target.closest("textarea, select")) return true;
  const field = target.closest("input");
  return Boolean(field) && !["checkbox", "radio", "button", "submit"].includes(field.type);
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  x: toggle,
  "/": search,
  "?": () => document.getElementById("help")?.showModal(),
};

document.addEventListener("bc:make-current", (event) => makeCurrent(event.target));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    if (isTyping(event.target)) event.target.blur();
    else if (!document.querySelector("dialog[open]")) own("Escape");
    return;
  }
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter") {
    if (open(event)) event.preventDefault();
    return;
  }
  const act = KEYS[event.key];
  if (own(event.key)) event.preventDefault();
  else if (act) {
    event.preventDefault();
    act();
  }
});
