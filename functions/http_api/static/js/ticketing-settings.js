// A choice that depends on another one offers only what belongs to it.
function narrow(select) {
  const parent = document.getElementById(select.dataset.dependsOn).value;
  for (const group of select.querySelectorAll("optgroup")) group.hidden = group.disabled = group.dataset.parent !== parent;
  const chosen = select.selectedOptions[0]?.closest("optgroup");
  if (chosen?.disabled) select.value = "";
}

const narrowAll = () => document.querySelectorAll("[data-depends-on]").forEach(narrow);

document.addEventListener("change", (event) => {
  for (const select of document.querySelectorAll(`[data-depends-on="${event.target.id}"]`)) narrow(select);
});
document.addEventListener("htmx:afterSettle", narrowAll);
narrowAll();
