// Light or dark, as the computer is set. Read before the page is drawn, so that nothing flashes.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const dress = () => {
  document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light";
};
dress();
dark.addEventListener("change", dress);
