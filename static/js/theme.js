// Before the page is painted: the colours that were chosen here, else those of the system. A classic script, so that it runs at once.
(() => {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");
    document.documentElement.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("theme"));
  };
  apply();
  system.addEventListener("change", apply);
  window.setTheme = (theme) => {
    localStorage.setItem("theme", theme);
    apply();
  };
})();
