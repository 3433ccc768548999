// Log in, or give an API key; shown where the gateway asks for it.

import { make, say } from "../base/elements.js";

/** Keep the button of the account, and ask when the session wants to know who it is. */
export function startAccount(button, session) {
  const dialog = accountDialog(session);
  document.body.append(dialog);
  const show = () => {
    button.hidden = false;
    say(button, session.known ? "Log out" : "Log in");
    if (session.known) dialog.close();
  };
  session.addEventListener("wanted", () => {
    const first = button.hidden;
    show();
    if (first && !session.known) dialog.showModal(); // once by itself, then by the button
  });
  session.addEventListener("known", show);
  session.addEventListener("change", show);
  button.addEventListener("click", () => (session.known ? session.logOut() : dialog.showModal()));
}

function accountDialog(session) {
  const wrong = make("p", { class: "down", tabindex: -1 });
  const username = field("username", "User name", "text", "username", { autofocus: true });
  const password = field("password", "Password", "password", "current-password");
  const key = field("key", "API key", "password", "off");

  const logIn = make(
    "form",
    { onsubmit: send(async () => session.logIn(username.input.value, password.input.value)) },
    ...username.parts,
    ...password.parts,
    make("button", {}, "Log in"),
  );
  const useKey = make(
    "form",
    { onsubmit: send(async () => session.useKey(key.input.value.trim())) },
    ...key.parts,
    make("button", {}, "Use the key"),
  );

  function send(act) {
    return async (event) => {
      event.preventDefault();
      say(wrong, "");
      try {
        await act();
        event.target.reset();
      } catch (error) {
        say(wrong, error.message);
        wrong.focus(); // it is read aloud
      }
    };
  }

  return make(
    "dialog",
    { "aria-labelledby": "account-title" },
    make("h2", { id: "account-title" }, "Log in"),
    make("p", { class: "faint" }, "This gateway asks who you are. A key stays in this page alone, until you leave it."),
    wrong,
    logIn,
    useKey,
    make(
      "form",
      {
        method: "dialog",
        onsubmit: (event) => {
          event.preventDefault();
          event.target.closest("dialog").close();
        },
      },
      make("button", {}, "Not now"),
    ),
  );
}

function field(id, label, type, autocomplete, further = {}) {
  const input = make("input", { id: `account-${id}`, type, autocomplete, required: true, ...further });
  return { input, parts: [make("label", { for: input.id }, label), input] };
}
