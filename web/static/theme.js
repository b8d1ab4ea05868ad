// Before the first paint: the theme that was chosen, else the system's.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("ringeliste.theme");
    document.documentElement.dataset.theme = chosen || (system.matches ? "dark" : "light");
  };
  window.ringelisteTheme = () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("ringeliste.theme", next);
    apply();
  };
  system.addEventListener("change", apply);
  apply();
})();
