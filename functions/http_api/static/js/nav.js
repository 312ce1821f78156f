// The bar wraps and grows with the font: pages begin below its real height.
const bar = document.querySelector(".navbar.fixed-top");

function measure() {
  const menu = bar.querySelector(".navbar-collapse");
  // The open hamburger menu lies over the page and does not push it down.
  if (menu && menu.classList.contains("show") && window.innerWidth < 992) return;
  if (menu && menu.classList.contains("collapsing")) return;
  document.documentElement.style.setProperty("--nav-height", `${bar.offsetHeight}px`);
}

if (bar) {
  measure();
  new ResizeObserver(measure).observe(bar);
}

// Dialogs: `data-opens="id"` and `data-closes="id"` on buttons, `data-help` for the list of keys.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens], [data-help]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens || "help");
    if (dialog) event.preventDefault(); // a link leads to the same question on a page of its own
    if (dialog && !dialog.open) dialog.showModal();
    return;
  }
  const closer = event.target.closest("[data-closes]");
  if (closer) {
    const dialog = document.getElementById(closer.dataset.closes);
    if (dialog?.open) event.preventDefault(); // a link is for the same form on a page of its own
    dialog?.close();
  } else if (event.target instanceof HTMLDialogElement && !("stays" in event.target.dataset)) event.target.close(); // on the backdrop
});
