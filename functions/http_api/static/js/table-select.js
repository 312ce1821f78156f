// Selecting rows: the head's checkbox, ranges with shift, and the bar that shows what is selected.
// One list a scope: the nearest `data-select-scope`, or the page.
let last = null;

const scopeOf = (element) => element.closest("[data-select-scope]") || document;
const boxesIn = (scope) => [...scope.querySelectorAll("[data-select]:not(:disabled)")];

function show(scope) {
  const boxes = boxesIn(scope);
  const chosen = boxes.filter((box) => box.checked);
  for (const box of boxes) box.closest("[data-row], tr")?.classList.toggle("is-selected", box.checked);
  for (const bar of scope.querySelectorAll("[data-bulk-bar]")) bar.classList.toggle("is-shown", chosen.length > 0);
  for (const count of scope.querySelectorAll("[data-bulk-count]")) count.textContent = String(chosen.length);
  for (const head of scope.querySelectorAll("[data-select-all]")) {
    head.checked = boxes.length > 0 && chosen.length === boxes.length;
    head.indeterminate = chosen.length > 0 && chosen.length < boxes.length;
  }
}

function selectRange(scope, from, to) {
  const boxes = boxesIn(scope);
  const [first, end] = [boxes.indexOf(from), boxes.indexOf(to)].sort((a, b) => a - b);
  if (first < 0) return;
  for (const box of boxes.slice(first, end + 1)) box.checked = to.checked;
}

document.addEventListener("click", (event) => {
  const box = event.target.closest("[data-select]");
  if (box) {
    if (event.shiftKey && last) selectRange(scopeOf(box), last, box);
    last = box;
  }
  const clear = event.target.closest("[data-bulk-clear]");
  if (clear) {
    const scope = scopeOf(clear);
    for (const each of boxesIn(scope)) each.checked = false;
    show(scope);
  }
});

document.addEventListener("change", (event) => {
  const head = event.target.closest("[data-select-all]");
  if (head) for (const box of boxesIn(scopeOf(head))) box.checked = head.checked;
  if (head || event.target.closest("[data-select]")) show(scopeOf(event.target));
});

// New rows: count again. A page restored by the browser starts with nothing selected.
document.addEventListener("htmx:afterSettle", (event) => {
  last = null;
  show(scopeOf(event.target));
});
window.addEventListener("pageshow", () => {
  for (const box of document.querySelectorAll("[data-select], [data-select-all]")) box.checked = false;
  show(document);
});
