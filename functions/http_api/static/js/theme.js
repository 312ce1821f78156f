// Runs before the first paint: which theme, and that there is script at all.
(() => {
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = root.dataset.theme;
    root.dataset.bsTheme = chosen === "auto" ? (dark.matches ? "dark" : "light") : chosen;
  };
  root.dataset.script = "";
  apply();
  dark.addEventListener("change", apply);
})();
