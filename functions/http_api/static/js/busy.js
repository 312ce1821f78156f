// A form whose answer may take a while says so, and is sent once: `data-busy` names the sign.
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-busy]");
  if (!form || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
  document.getElementById(form.dataset.busy)?.classList.add("htmx-request");
});

// The browser may show this page once more, as it was left.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-busy]")) {
    delete form.dataset.sent;
    document.getElementById(form.dataset.busy)?.classList.remove("htmx-request");
  }
});
