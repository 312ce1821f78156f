// `data-copy="text"` on a button. Three ways, because the first needs a secure page and the second a kind browser.
const SHOWN = 800;

async function withClipboard(text) {
  await navigator.clipboard.writeText(text);
}

function withSelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  (document.querySelector("dialog[open]") || document.body).append(area);
  area.select();
  try {
    if (!document.execCommand("copy")) throw new Error("refused");
  } finally {
    area.remove();
  }
}

async function copy(text) {
  try {
    await withClipboard(text);
  } catch {
    try {
      withSelection(text);
    } catch {
      window.prompt("Copy with Ctrl+C", text);
    }
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  event.preventDefault();
  event.stopPropagation();
  await copy(button.dataset.copy);
  button.classList.add("is-copied");
  setTimeout(() => button.classList.remove("is-copied"), SHOWN);
});
