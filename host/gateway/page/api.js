// Calls the admin API. The token lives in this tab only.

const TOKEN = 'pointsman-token';
const OPERATOR = 'pointsman-operator';

/** A response with an error status. */
export class ApiError extends Error {
  constructor(status, message, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (value) => sessionStorage.setItem(TOKEN, value),
  clear: () => sessionStorage.removeItem(TOKEN),
};

export const operator = {
  get: () => localStorage.getItem(OPERATOR) ?? '',
  set: (name) => localStorage.setItem(OPERATOR, name),
};

function headers(more) {
  const held = token.get();
  return { ...(held ? { authorization: `Bearer ${held}` } : {}), ...more };
}

/** Gets a resource as JSON. */
export async function get(path, signal) {
  const response = await fetch(path, { headers: headers(), signal, cache: 'no-store' });
  return read(response);
}

/** Makes a change in the name of the operator. */
export async function change(method, path, body) {
  const name = operator.get();
  const more = { 'content-type': 'application/json', ...(name ? { 'x-pointsman-operator': name } : {}) };
  const response = await fetch(path, { method, headers: headers(more), body: JSON.stringify(body ?? {}) });
  return read(response);
}

/** Opens the stream of events; resolves when its head has arrived. */
export async function open(path, signal) {
  const response = await fetch(path, { headers: headers({ accept: 'text/event-stream' }), signal, cache: 'no-store' });
  if (!response.ok) await read(response);
  return response.body;
}

async function read(response) {
  const text = await response.text();
  let body = null;
  try {
    body = JSON.parse(text);
  } catch {
    // The error below has the status.
  }
  if (response.ok && body !== null) return body;
  const message = body?.error?.message ?? `the gateway answered ${response.status} ${response.statusText}`.trim();
  throw new ApiError(response.status, message, body);
}
