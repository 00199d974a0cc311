// Addresses of views: `#/section/argument?name=value`.

/** Reads an address.
 * @param {string} hash
 * @returns {{ section: string, about: string | null, query: URLSearchParams }} */
export function parse(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?', 2);
  const [, section = '', argument] = path.split('/');
  let about = null;
  try {
    about = argument ? decodeURIComponent(argument) : null;
  } catch {
    // A truncated address has no argument.
  }
  return { section, about, query: new URLSearchParams(query) };
}

/** The address of a view. Members of the query without a value are left out.
 * @param {string} section
 * @param {string | null} [about]
 * @param {Record<string, string | number | null | undefined>} [query] */
export function address(section, about = null, query = {}) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `#/${section}${about === null ? '' : `/${encodeURIComponent(about)}`}${text && `?${text}`}`;
}

export const modelAddress = (id) => address('models', id);
export const routeAddress = (name) => address('routes', name);
export const policyAddress = (name) => address('policies', name);
export const keyAddress = (name, query = {}) => address('keys', name, query);
export const decisionsAddress = (query) => address('decisions', null, query);
