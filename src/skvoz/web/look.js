// Runs before the first paint, so that a chosen theme or text size does not flash. A classic script: it must
// not wait for anything. `core/look.js` changes what is chosen.
(() => {
  const root = document.documentElement;
  const theme = localStorage.getItem("skvoz.theme");
  if (theme === "light" || theme === "dark") root.dataset["theme"] = theme;
  const size = localStorage.getItem("skvoz.text-size");
  if (size) root.dataset["textSize"] = size;
})();
