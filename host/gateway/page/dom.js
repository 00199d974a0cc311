// Renders descriptions of elements into the page, and changes only what differs from the
// last rendering: focus, selection and scroll positions are kept.

const SVG = 'http://www.w3.org/2000/svg';
const DRAWN = Symbol('rendered children');
const GONE = Symbol('callback for removal');
const PROPERTIES = new Set(['value', 'checked', 'disabled', 'open', 'onclick', 'oninput', 'onchange', 'onsubmit',
  'onkeydown', 'onpointermove', 'onpointerleave', 'onpointerenter', 'onfocus', 'onblur', 'onfocusin', 'onfocusout',
  'ontoggle', 'tabIndex']);

/** An element: `h('p', { class: 'note', key: 1 }, 'text', child)`. `mount(element)` is
 * called when the element is created, and may return a function for its removal. */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, key: props?.key, children: flat(children) };
}

/** Replaces the content of an element. */
export function render(host, ...children) {
  const next = flat(children);
  patchChildren(host, host[DRAWN] ?? [], next);
  host[DRAWN] = next;
}

function flat(children) {
  const list = [];
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === '') continue;
    const isNode = typeof child === 'object';
    list.push(isNode ? child : { tag: null, text: String(child), children: [] });
  }
  return list;
}

function create(node, inSvg) {
  if (node.tag === null) return (node.element = document.createTextNode(node.text));
  const svg = inSvg || node.tag === 'svg';
  const element = svg ? document.createElementNS(SVG, node.tag) : document.createElement(node.tag);
  node.element = element;
  // A select element takes its value only if the option exists.
  for (const child of node.children) element.append(create(child, svg));
  for (const [name, value] of Object.entries(node.props)) set(element, name, value);
  if (node.props.mount) element[GONE] = node.props.mount(element);
  return element;
}

function set(element, name, value, before) {
  if (name === 'key' || name === 'mount') return;
  if (name === 'style') return setStyle(element, value ?? {}, before ?? {});
  if (PROPERTIES.has(name)) {
    element[name] = value ?? (name.startsWith('on') ? null : false);
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value === true ? '' : value);
  }
}

function setStyle(element, style, before) {
  for (const name of Object.keys(before)) if (!(name in style)) element.style.removeProperty(name);
  for (const [name, value] of Object.entries(style)) {
    if (before[name] !== value) element.style.setProperty(name, value);
  }
}

function patch(old, next) {
  const element = (next.element = old.element);
  if (next.tag === null) {
    if (old.text !== next.text) element.data = next.text;
    return;
  }
  for (const name of Object.keys(old.props)) {
    if (!(name in next.props)) set(element, name, undefined, old.props[name]);
  }
  for (const [name, value] of Object.entries(next.props)) {
    if (old.props[name] !== value) set(element, name, value, old.props[name]);
  }
  patchChildren(element, old.children, next.children);
}

/** An element with a `mount` callback is never reused for a node without one. */
const sameKind = (a, b) => a.tag === b.tag && a.key === b.key && Boolean(a.props?.mount) === Boolean(b.props?.mount);

function patchChildren(host, old, next) {
  const keyed = new Map();
  for (const node of old) if (node.key !== undefined) keyed.set(`${node.tag} ${node.key}`, node);
  const plain = old.filter((node) => node.key === undefined);
  const pairs = next.map((node) => {
    if (node.key !== undefined) {
      const id = `${node.tag} ${node.key}`;
      const found = keyed.get(id);
      keyed.delete(id);
      return [found, node];
    }
    const at = plain.findIndex((candidate) => sameKind(candidate, node));
    return [at < 0 ? undefined : plain.splice(at, 1)[0], node];
  });
  for (const node of [...keyed.values(), ...plain]) remove(node);
  const inSvg = host.namespaceURI === SVG;
  let cursor = host.firstChild;
  for (const [before, node] of pairs) {
    if (before) patch(before, node); else create(node, inSvg);
    if (node.element === cursor) cursor = cursor.nextSibling;
    else host.insertBefore(node.element, cursor);
  }
}

function remove(node) {
  leave(node);
  node.element.remove();
}

function leave(node) {
  node.element[GONE]?.();
  for (const child of node.children) leave(child);
}
