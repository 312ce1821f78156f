// A field with offers from the server (htmx fills the list): arrows and Enter choose, Esc closes, a click fills.
// Where a name is unknown, the form's button offers to create it; the server decides again.
const listOf = (input) => document.getElementById(input.getAttribute("aria-controls"));
const optionsOf = (input) => [...listOf(input).querySelectorAll('[role="option"]')];
const fields = "[data-typeahead] input[role=combobox]";

function open(input, isOpen) {
  listOf(input).hidden = !isOpen;
  input.setAttribute("aria-expanded", String(isOpen));
  if (!isOpen) mark(input, null);
}

function mark(input, option) {
  for (const each of optionsOf(input)) each.setAttribute("aria-selected", String(each === option));
  if (option) {
    option.id ||= `${input.id}-${optionsOf(input).indexOf(option)}`;
    input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else input.removeAttribute("aria-activedescendant");
}

const marked = (input) => optionsOf(input).find((option) => option.getAttribute("aria-selected") === "true");

function fill(input, value) {
  input.value = value;
  input.dataset.known = value;
  open(input, false);
  offerToCreate(input, false);
  input.focus();
}

const folded = (text) => text.trim().split(/\s+/).join(" ").toLowerCase();

function offerToCreate(input, isNew) {
  const buttons = document.querySelector(`[data-approve="${input.id}"]`);
  if (!buttons) return;
  buttons.querySelector("[data-create]").hidden = !isNew;
  buttons.querySelector("[data-plain]").hidden = isNew;
  buttons.querySelector("[data-new-name]").textContent = input.value.trim();
}

function isKnown(input) {
  const typed = folded(input.value);
  return typed === "" || typed === folded(input.dataset.known || "") || optionsOf(input).some((each) => folded(each.dataset.value) === typed);
}

document.addEventListener("htmx:afterSwap", (event) => {
  const input = document.querySelector(`${fields}[aria-controls="${event.target.id}"]`);
  if (!input) return;
  // Without an offer the list would only cover the button that creates the customer.
  open(input, document.activeElement === input && optionsOf(input).length > 0);
  offerToCreate(input, !isKnown(input));
});

document.addEventListener("focusin", (event) => {
  const input = event.target.closest(fields);
  if (input && !input.value) window.htmx?.trigger(input, "bc:offer");
});

document.addEventListener("focusout", (event) => {
  const input = event.target.closest(fields);
  if (input && !event.relatedTarget?.closest("[data-typeahead]")) open(input, false);
});

// Before the field loses the focus and the list goes.
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".typeahead-option");
  if (!option) return;
  event.preventDefault();
  fill(option.closest("[data-typeahead]").querySelector("input"), option.dataset.value);
});

document.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-fills]");
  const input = chip && document.getElementById(chip.dataset.fills);
  if (!input) return;
  event.preventDefault();
  fill(input, chip.dataset.value);
});

document.addEventListener("keydown", (event) => {
  const input = event.target.closest?.(fields);
  if (!input || event.isComposing) return;
  const options = optionsOf(input);
  const index = options.indexOf(marked(input));
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (listOf(input).hidden && options.length) open(input, true);
    const step = event.key === "ArrowDown" ? 1 : -1;
    mark(input, options[(index + step + options.length + (index < 0 && step < 0 ? 1 : 0)) % options.length] || null);
  } else if (event.key === "Enter" && index >= 0) {
    event.preventDefault();
    fill(input, options[index].dataset.value);
  } else if (event.key === "Escape" && !listOf(input).hidden) {
    event.preventDefault();
    event.stopPropagation();
    open(input, false);
  }
}, true);
