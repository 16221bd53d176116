"use strict";
const find = document.getElementById("find");
find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(" ").filter(Boolean);
  for (const section of document.querySelectorAll("section")) {
    let shown = 0;
    for (const entry of section.querySelectorAll("details")) {
      const text = entry.firstElementChild.textContent.toLowerCase();
      entry.hidden = !words.every((word) => text.includes(word));
      shown += entry.hidden ? 0 : 1;
    }
    section.hidden = shown === 0;
  }
});
const openTheOneAskedFor = () => {
  const entry = document.getElementById(location.hash.slice(1));
  if (entry && entry.tagName === "DETAILS") entry.open = true;
};
addEventListener("hashchange", openTheOneAskedFor);
openTheOneAskedFor();
