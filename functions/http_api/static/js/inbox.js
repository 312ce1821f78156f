// Files can be dropped on the upload form, and a long reading-again goes on by itself.
function show(form) {
  const files = [...form.querySelector("input[type=file]").files];
  const size = files.reduce((sum, file) => sum + file.size, 0);
  const words = files.length === 1 ? files[0].name : `${files.length} files`;
  form.querySelector(".drop-chosen").textContent = files.length ? `${words}, ${(size / 1e6).toFixed(1)} MB` : "";
  form.classList.toggle("has-files", files.length > 0);
}

for (const form of document.querySelectorAll("[data-drop]")) {
  const area = form.querySelector(".drop-area");
  const input = form.querySelector("input[type=file]");
  for (const kind of ["dragenter", "dragover"]) {
    area.addEventListener(kind, (event) => {
      event.preventDefault();
      area.classList.add("is-over");
    });
  }
  for (const kind of ["dragleave", "drop"]) area.addEventListener(kind, () => area.classList.remove("is-over"));
  area.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    show(form);
  });
  input.addEventListener("change", () => show(form));
  show(form);
}

// Mails dropped anywhere on the list open the form instead of leaving the page.
const dialog = document.getElementById("upload");
if (dialog) {
  document.addEventListener("dragenter", (event) => {
    if (event.dataTransfer?.types.includes("Files") && !dialog.open) dialog.showModal();
  });
}

document.querySelector("[data-goes-on]")?.requestSubmit();
