// What this page needs of the shell, and requests to the server.

export const makeCurrent = (row) => row.dispatchEvent(new Event("bc:make-current", { bubbles: true }));
const toast = (text, stay = false, link = null) => document.dispatchEvent(new CustomEvent("bc:toast", { detail: { text, stay, link } }));

const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRF-Token"];
const UNDO = "run-checks-undo";
const UNDO_FOR = 10 * 60 * 1000;

export async function ask(address, options) {
  const headers = { "HX-Request": "true", ...(options?.method === "POST" && { "X-CSRF-Token": token() }) };
  try {
    const response = await fetch(address, { ...options, headers });
    if (response.headers.has("HX-Redirect")) location.assign(response.headers.get("HX-Redirect"));
    return response;
  } catch (error) {
    if (error.name !== "AbortError") toast("No connection. Nothing was changed; try again.", true);
    return null;
  }
}

// A refusal is a message that the server has written.
export async function showRefusal(response) {
  document.getElementById("toasts").insertAdjacentHTML("beforeend", await response.text());
}

export async function post(address, fields) {
  const response = await ask(address, { method: "POST", body: new URLSearchParams(Object.entries(fields)) });
  if (!response) return null;
  if (response.headers.get("content-type")?.startsWith("application/json")) return response.json();
  await showRefusal(response);
  return null;
}

export async function part(address, signal) {
  const response = await ask(address, { signal });
  if (!response) return null;
  // Given up while it came in: something else is being asked for.
  if (response.ok) return response.text().catch(() => null);
  await showRefusal(response);
  return null;
}

// Asked in the background, which keeps no session alive: no answer is no news, but that the session is over is said.
export async function figures(address) {
  const response = await fetch(address, { headers: { "HX-Request": "true", "X-Poll": "1" } }).catch(() => null);
  if (response?.status === 401) return { signedOut: true };
  return response?.ok ? response.json() : null;
}

export function saySignedOut() {
  const next = new URLSearchParams({ next: location.pathname + location.search });
  toast("You are signed out. What is shown here may be old.", true, { text: "Sign in", href: `/login?${next}` });
}

export const say = (words) => {
  document.getElementById("rc-says").textContent = words;
};

function undoForm(path) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = path;
  const field = document.createElement("input");
  Object.assign(field, { type: "hidden", name: "csrf_token", value: token() });
  form.append(field);
  return form;
}

export function sayDone(text, undo) {
  toast(text);
  if (!undo) return;
  const form = undoForm(undo);
  const button = document.createElement("button");
  button.className = "btn btn-link";
  button.textContent = "Undo";
  form.append(button);
  document.querySelector("#toasts > :last-child > .btn-close").before(form);
  sessionStorage.setItem(UNDO, JSON.stringify({ undo, at: Date.now() }));
}

// The last review that can still be undone, as a form to send.
export function remembered() {
  const { undo, at } = JSON.parse(sessionStorage.getItem(UNDO) || "{}");
  sessionStorage.removeItem(UNDO);
  if (!undo || Date.now() - at > UNDO_FOR) {
    say("There is nothing to undo.");
    return null;
  }
  const form = undoForm(undo);
  document.body.append(form);
  return form;
}
