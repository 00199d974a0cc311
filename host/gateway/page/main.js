// The page: navigation, the open view and what surrounds it.

import { parse } from './address.js';
import { token } from './api.js';
import { gatewayState } from './attention.js';
import { decision } from './decision.js';
import { decisions } from './decisions.js';
import { h, render } from './dom.js';
import { moment } from './format.js';
import { gateway } from './gateway.js';
import { keyDetail, keys } from './keys.js';
import { modelDetail } from './model.js';
import { models } from './models.js';
import { overview } from './overview.js';
import { failed, heading, loading, nothing } from './parts.js';
import { plan, plans } from './plans.js';
import { playground } from './playground.js';
import { policies } from './policies.js';
import { routes } from './routes.js';
import { mayOperate, reconnect, retry, start, state } from './store.js';
import { tradeOff } from './trade-off.js';

const MENU = [['', 'Overview'], ['models', 'Models'], ['routes', 'Routes'], ['policies', 'Policies'], ['keys', 'Keys'], ['decisions', 'Decisions'], ['plans', 'Plans'], ['trade-off', 'Trade-off'], ['playground', 'Playground']];
const LINKS = { loading: 'Connecting', live: 'Live', lost: 'Disconnected', refused: 'No access' };

const views = {
  '': overview(redraw), models: models(redraw), model: modelDetail(redraw), routes: routes(redraw), policies: policies(redraw),
  keys: keys(redraw), key: keyDetail(redraw), gateway: gateway(),
  decisions: decisions(redraw), decision: decision(redraw), plans: plans(redraw), plan: plan(redraw), 'trade-off': tradeOff(redraw), playground: playground(redraw),
};
let scheduled = false;
let open = where();

/** The view that the address names, with its argument. */
function where() {
  const { section, about, query } = parse(location.hash);
  const single = { decisions: 'decision', plans: 'plan', models: 'model', keys: 'key' };
  return { section, view: views[(about && single[section]) || section], about, query };
}

/** Draws once before the next frame; a hidden tab has no frames. */
function redraw() {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    draw();
  });
}

function draw() {
  const title = open.about ?? open.view?.title ?? 'Not found';
  document.title = `${title} · Pointsman`;
  render(document.getElementById('top'), top());
  render(document.getElementById('banner'), banner());
  render(document.getElementById('main'), h('div', { key: `${open.section} ${open.about ?? ''}`, class: 'view' }, content()));
}

function top() {
  const items = MENU.map(([section, name]) => h('li', { key: section },
    h('a', { href: `#/${section}`, 'aria-current': section === open.section ? 'page' : undefined }, name)));
  return [
    h('a', { class: 'brand', href: '#/' }, h('img', { src: '/page/icon.svg', alt: '', width: '24', height: '24' }), 'Pointsman'),
    h('nav', { 'aria-label': 'Main' }, h('ul', null, items)),
    h('p', { class: `link-state ${state.link}` }, gatewayOrLink(),
      state.now && h('span', { class: 'muted version-of' }, h('a', { class: 'muted', href: '#/gateway' }, state.now.version))),
  ];
}

/** The state of the gateway; that of the connection while there is none. */
function gatewayOrLink() {
  const [style, words] = state.link === 'live' && state.now ? gatewayState(state.now) : ['', LINKS[state.link]];
  return [h('span', { class: `dot ${style}`, 'aria-hidden': 'true' }), h('a', { class: 'state', href: '#/' }, words)];
}

function banner() {
  if (state.link === 'live' && !mayOperate()) return readOnly();
  if (state.link !== 'lost' || !state.now) return null;
  return h('p', null, h('span', null, h('strong', null, `Disconnected since ${moment(state.lostAt)}.`), ' The data is from that time. Retrying …'),
    h('button', { type: 'button', onclick: retry }, 'Retry now'));
}

/** The reason why operations are disabled, to which their buttons refer. */
function readOnly() {
  const other = () => {
    token.clear();
    reconnect();
  };
  return h('p', { key: 'read-only' }, h('span', { id: 'read-only-note' }, h('strong', null, 'Read-only access.'), ' Operations and the playground need the operators’ token.'),
    h('button', { type: 'button', onclick: other }, 'Use another token'));
}

function content() {
  if (state.link === 'refused') return state.error.status === 401 ? askForToken() : [heading('No access'), failed('The gateway does not allow this page', state.error)];
  if (!state.now && state.link === 'lost') {
    return h('div', { class: 'nothing', role: 'alert' }, h('h1', null, 'The gateway does not respond'),
      h('p', null, `${state.error.message}. Retrying since ${moment(state.lostAt)} …`), h('p', null, h('button', { type: 'button', onclick: retry }, 'Retry now')));
  }
  if (!state.now) return loading('the status');
  if (!open.view) return [heading('Not found'), nothing('There is no page at this address', h('p', null, h('a', { href: '#/' }, 'Go to the overview')))];
  return open.view.draw(open.about, open.query);
}

function askForToken() {
  const wasWrong = token.get() !== null;
  const submit = (event) => {
    event.preventDefault();
    token.set(String(new FormData(event.target).get('token')).trim());
    event.target.reset();
    retry();
  };
  return h('form', { class: 'token', onsubmit: submit }, h('h1', { id: 'title', tabindex: '-1' }, 'This gateway requires its admin token'),
    wasWrong && h('p', { class: 'objection', role: 'alert' }, 'The gateway rejected that token.'),
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Admin token'),
      h('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'off', required: true, mount: (input) => queueMicrotask(() => input.focus()), 'aria-describedby': 'token-note' }),
      h('p', { class: 'muted small', id: 'token-note' }, 'The token that ', h('code', null, 'token_env'), ' or ', h('code', null, 'token_file'), ' below ', h('code', null, '[admin]'), ' names. It is stored in this tab only, until the tab is closed.')),
    h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Continue')));
}

function go() {
  const before = open;
  open = where();
  draw();
  if (state.now) open.view?.enter?.(open.about, open.query);
  // Another filter of the same view leaves the focus where it is.
  if (before.view === open.view && before.about === open.about) return;
  window.scrollTo(0, 0);
  document.getElementById('title')?.focus({ preventScroll: true });
}

window.addEventListener('hashchange', go);
document.querySelector('.skip').addEventListener('click', (event) => {
  // The address names the view, so it must not change.
  event.preventDefault();
  document.getElementById('main').focus();
});
draw();
let entered = false;
start((what) => {
  if (what === 'link' && state.link === 'live' && !entered) {
    entered = true;
    open.view?.enter?.(open.about, open.query);
  }
  redraw();
});
