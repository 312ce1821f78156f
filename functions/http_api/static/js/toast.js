// Messages go by themselves, but not under the pointer, and not those that say something went wrong.
const SHOWN = 8000;

function watch(note) {
  if (note.dataset.toast === "stay" || note.dataset.watched) return;
  note.dataset.watched = "yes";
  let timer = setTimeout(() => note.remove(), SHOWN);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => note.remove(), SHOWN / 2);
  };
  note.addEventListener("mouseenter", hold);
  note.addEventListener("focusin", hold);
  note.addEventListener("mouseleave", release);
  note.addEventListener("focusout", release);
}

const place = document.getElementById("toasts");

function linkTo({ text, href }) {
  const link = document.createElement("a");
  Object.assign(link, { className: "btn btn-link", textContent: text, href });
  return link;
}

function toast(text, { stay = false, link = null } = {}) {
  const note = document.createElement("div");
  note.className = stay ? "toast-note toast-error" : "toast-note";
  note.dataset.toast = stay ? "stay" : "";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.className = "btn-close";
  close.type = "button";
  close.dataset.dismissToast = "";
  close.setAttribute("aria-label", "Close");
  note.append(words, ...(link ? [linkTo(link)] : []), close);
  place.append(note);
}

if (place) {
  for (const note of place.querySelectorAll("[data-toast]")) watch(note);
  new MutationObserver(() => {
    for (const note of place.querySelectorAll("[data-toast]")) watch(note);
  }).observe(place, { childList: true });
  place.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss-toast]")) event.target.closest("[data-toast]").remove();
  });
  // Other scripts send `bc:toast` with { text, stay, link }.
  document.addEventListener("bc:toast", (event) => toast(event.detail.text, event.detail));
  // The server could not be asked at all.
  document.addEventListener("htmx:sendError", () => toast("No connection. Nothing was changed; try again.", { stay: true }));
}
