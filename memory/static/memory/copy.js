// A secret that is shown once: one button copies it. Without a clipboard the text stays selected, to be copied by hand.
for (const row of document.querySelectorAll("[data-copies]")) {
  const field = document.getElementById(row.dataset.copies);
  const said = row.querySelector("[data-done]");
  field.select();
  row.hidden = !navigator.clipboard;
  row.querySelector("button").addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    said.textContent = said.dataset.done;
  });
}
