// Files that go ahead of their form: each becomes a chip that names it, refused ones say why.
//
//   const files = attach({ form, chips, upload, changed })   `form.dataset` holds the words and the limits
//   files.sending                                             how many are on their way

export function attach({ form, chips, upload, changed = () => {} }) {
  const words = form.dataset;
  const state = { sending: 0 };

  function note(file, why) {
    const chip = document.createElement("li");
    chip.className = "badge";
    const name = document.createElement("bdi");
    name.textContent = file.name;
    chip.append(name, ` ${why}`);
    chips.append(chip);
    return chip;
  }

  function refuse(chip, file, why) {
    chip.dataset.state = "failed";
    const gone = document.createElement("button");
    gone.type = "button";
    gone.textContent = "×";
    gone.setAttribute("aria-label", `${words.remove} ${file.name}`);
    gone.onclick = () => chip.remove();
    chip.replaceChildren(chip.firstChild, ` ${why} `, gone);
  }

  async function send(file) {
    const chip = note(file, words.sending);
    if (file.size > Number(words.largest)) return refuse(chip, file, words.tooLarge);
    if (form.querySelectorAll('[name="files"]').length + state.sending >= Number(words.most)) return refuse(chip, file, words.tooMany);
    state.sending++;
    const data = new FormData();
    data.append("file", file);
    data.append("workspace", form.elements.workspace.value);
    data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    try {
      const headers = { Accept: "text/html;q=0.5, application/json", "HX-Request": "true" };
      const answer = await fetch(words.files, { method: "POST", body: data, headers });
      if (answer.ok) chip.outerHTML = await answer.text();
      else refuse(chip, file, (await answer.json()).message);
    } catch {
      refuse(chip, file, words.notTaken);
    }
    state.sending--;
    changed({ isRefused: chip.isConnected });
  }

  function take(files, event) {
    if (!files?.length) return;
    event.preventDefault();
    for (const file of files) send(file);
  }

  upload?.addEventListener("change", (event) => {
    take([...upload.files], event);
    upload.value = "";
  });
  form.addEventListener("paste", (event) => upload && take([...event.clipboardData.files], event));
  for (const name of ["dragenter", "dragover"])
    form.addEventListener(name, (event) => {
      if (!upload || !event.dataTransfer.types.includes("Files")) return;
      event.preventDefault();
      form.classList.add("over");
    });
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => upload && take([...event.dataTransfer.files], event));
  chips.addEventListener("click", (event) => {
    const gone = event.target.closest('[name="drop"]');
    if (!gone) return;
    event.preventDefault();
    gone.closest("li").remove();
    changed({});
    upload?.focus();
  });
  return state;
}
