// Asks for the page again and again, and puts it in the place of the old one where it has changed.
"use strict";
const seconds = Number(document.body.dataset.seconds);
let tag = "";

async function look() {
  const state = document.getElementById("state");
  try {
    const answer = await fetch("run", { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      const text = await answer.text();
      tag = answer.headers.get("ETag") || "";
      document.getElementById("run").innerHTML = text;
    }
    state.textContent = answer.ok || answer.status === 304 ? "" : `The server answered ${answer.status}.`;
  } catch {
    state.textContent = "The server no longer answers: hebbarium watch has ended.";
  }
  setTimeout(look, 1000 * seconds);
}

look();
