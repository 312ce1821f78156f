// `data-copy="text"` on a button. Three ways, because the first needs a secure page and the second a kind browser; the
// last leaves the copying to the person, so it shows no check mark.
const SHOWN = 800;
const timers = new WeakMap();

async function withClipboard(text) {
  await navigator.clipboard.writeText(text);
}

function withSelection(text) {
  const before = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true; // no keyboard pops up on a telephone
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") || document.body).append(area);
  area.select();
  try {
    if (!document.execCommand("copy")) throw new Error("refused");
  } finally {
    area.remove();
    before?.focus({ preventScroll: true });
  }
}

async function copy(text) {
  for (const way of [withClipboard, withSelection]) {
    try {
      await way(text);
      return true;
    } catch {
      // The next way.
    }
  }
  window.prompt("Copy with Ctrl+C", text);
  return false;
}

function showDone(button) {
  button.classList.add("is-copied");
  button.dataset.label ||= button.getAttribute("aria-label") || "";
  button.setAttribute("aria-label", "Copied");
  clearTimeout(timers.get(button));
  const back = () => {
    button.classList.remove("is-copied");
    button.setAttribute("aria-label", button.dataset.label);
  };
  timers.set(button, setTimeout(back, SHOWN));
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  if (await copy(button.dataset.copy)) showDone(button);
});
