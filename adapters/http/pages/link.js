"use strict";
// The token is in the fragment, which is never sent to a server. Nothing happens before the button is pressed: mail
// scanners follow links, and some run scripts.
(() => {
  const form = document.querySelector("form");
  if (!form) return;
  const token = location.hash.slice(1);
  const ask = document.querySelector("#ask");
  const button = form.querySelector("button");
  const message = document.querySelector("[role=status]");
  const errors = JSON.parse(form.dataset.errors);
  history.replaceState(null, "", location.pathname + location.search);

  const say = (text, wrong) => {
    message.textContent = text;
    message.className = wrong ? "wrong" : "";
  };
  if (form.dataset.token === "yes" && !token) {
    ask.hidden = true;
    say(errors.invalid_token, true);
    return;
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    const body = form.dataset.token === "yes" ? { token } : {};
    for (const input of form.querySelectorAll("input")) if (input.value) body[input.name] = input.value;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
        credentials: "same-origin",
        referrerPolicy: "no-referrer",
      });
      if (answer.ok) {
        ask.hidden = true;
        say(form.dataset.done, false);
        return;
      }
      const problem = await answer.json();
      const details = (problem.errors || []).map((one) => errors[one.code] || one.detail);
      say(errors[problem.code] || details.join(" ") || errors.other, true);
    } catch {
      say(errors.other, true);
    }
    button.disabled = false;
    (form.querySelector("input") || button).focus();
  });
})();
