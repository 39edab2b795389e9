// Requests to this site, with the token that proves they come from it.

export const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

export class HttpError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export async function getJSON(address) {
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new HttpError(answer.error ?? response.statusText, response.status);
  return answer;
}

export async function post(address, data = {}) {
  const response = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": token() },
    body: JSON.stringify(data),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new HttpError(answer.error ?? response.statusText, response.status);
  return answer;
}

export async function getFragment(address) {
  const response = await fetch(address);
  if (!response.ok) throw new HttpError(response.statusText, response.status);
  const template = document.createElement("template");
  template.innerHTML = (await response.text()).trim();
  return template.content.firstElementChild;
}
