// Asks why bad runs are all right: a click, a digit, or own words.
const dialog = document.getElementById("reason-dialog");
const words = document.getElementById("reason-words");

// Gives the reason, or null when the review is given up.
export function askReason() {
  words.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  dialog.querySelector("[data-reason]").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue || null), { once: true });
  });
}

dialog.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-reason]");
  if (chosen) dialog.close(chosen.dataset.reason);
});

dialog.addEventListener("keydown", (event) => {
  if (event.target === words || event.ctrlKey || event.metaKey || event.altKey) return;
  const chosen = dialog.querySelectorAll("[data-reason]")[Number(event.key) - 1];
  if (chosen) {
    event.preventDefault();
    dialog.close(chosen.dataset.reason);
  }
});

dialog.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  if (words.value.trim()) dialog.close(words.value.trim());
  else words.focus();
});
