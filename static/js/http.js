// Requests to this site, with the token that proves they come from it.

const token = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

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

// fetch() cannot tell how much of a body has been sent; XMLHttpRequest can.
export function sendFile(address, file, onProgress) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    request.addEventListener("error", () => reject(new HttpError("", 0)));
    request.addEventListener("abort", () => reject(new HttpError("", -1)));
    request.addEventListener("load", () => {
      const answer = request.response ?? {};
      if (request.status < 300) resolve(answer);
      else reject(new HttpError(answer.error ?? request.statusText, request.status));
    });
  });
  request.open("POST", address);
  request.responseType = "json";
  request.setRequestHeader("X-CSRFToken", token());
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.send(file);
  return { done, cancel: () => request.abort() };
}
