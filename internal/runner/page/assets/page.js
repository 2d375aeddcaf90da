// Keeps the page up to date: fetches its URL again and updates the elements that
// changed. Without this script, every link and button still works.
'use strict';
(() => {
  const policy = window.trustedTypes?.createPolicy('page', { createHTML: (text) => text }) ?? { createHTML: (text) => text };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  // The server writes times in UTC; show them in the browser's time zone.
  const format = (options) => new Intl.DateTimeFormat('en-GB', options);
  const full = format({ dateStyle: 'medium', timeStyle: 'long' });
  const clock = format({ timeStyle: 'medium' });
  const minute = format({ hour: '2-digit', minute: '2-digit' });
  const weekday = format({ weekday: 'short', hour: '2-digit', minute: '2-digit' });
  const day = format({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  const date = format({ day: 'numeric', month: 'short', year: 'numeric' });

  function ago(at, now) {
    const seconds = Math.abs(now - at) / 1000;
    const say = (n, unit) => (at <= now ? `${n} ${unit} ago` : `in ${n} ${unit}`);
    if (seconds < 5) return 'now';
    if (seconds < 60) return at <= now ? 'just now' : 'in under 1 min';
    if (seconds < 3600) return say(Math.floor(seconds / 60), 'min');
    if (seconds < 86400) return say(Math.floor(seconds / 3600), 'h');
    if (seconds < 14 * 86400) return say(Math.floor(seconds / 86400), seconds < 2 * 86400 ? 'day' : 'days');
    return date.format(at);
  }

  function moment(at, now) {
    const days = (new Date(at).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86400000;
    if (days === 0) return minute.format(at);
    if (Math.abs(days) < 6.5) return weekday.format(at);
    return new Date(at).getFullYear() === new Date(now).getFullYear() ? day.format(at) : date.format(at);
  }

  function localise(root) {
    const now = Date.now();
    for (const el of root.querySelectorAll('time[datetime]')) {
      const at = new Date(el.dateTime).getTime();
      if (Number.isNaN(at)) continue;
      const show = el.dataset.show;
      const text = show === 'ago' ? ago(at, now) : show === 'moment' ? moment(at, now) : show === 'clock' ? clock.format(at) : full.format(at);
      if (el.textContent !== text) el.textContent = text;
      const title = show === 'full' ? `${ago(at, now)} · ${el.dateTime}` : `${full.format(at)} · ${el.dateTime}`;
      if (el.title !== title) el.title = title;
    }
    for (const el of root.querySelectorAll('title[data-at]')) {
      const says = el.textContent.slice(el.textContent.indexOf(' UTC: ') + 6);
      if (el.textContent.includes(' UTC: ')) el.textContent = `${full.format(new Date(el.dataset.at))}: ${says}`;
    }
    const at = root.querySelector('#zone');
    if (at) at.textContent = `Times are in ${zone} (${format({ timeZoneName: 'short' }).formatToParts(now).find((p) => p.type === 'timeZoneName').value}).`;
  }

  // One request at a time. A request of the user aborts a periodic one.
  let busy = null;
  let etag = null;
  let timer = 0;
  let misses = 0;

  const main = () => document.getElementById('main');

  function wait() {
    clearTimeout(timer);
    const every = Number(main().dataset.refresh);
    if (every > 0) timer = setTimeout(poll, Math.min(every * 2 ** misses, 15000));
  }

  function lost(is) {
    const el = document.getElementById('lost');
    const text = is ? 'The runner does not answer. This page shows the last known state; retrying.' : '';
    if (el.textContent !== text) el.textContent = text;
    document.documentElement.classList.toggle('is-lost', is);
  }

  // load fetches a URL and shows it. user is set for an action of the user.
  async function load(address, init, user) {
    busy?.abort();
    const mine = (busy = new AbortController());
    clearTimeout(timer);
    let response;
    let text = null;
    try {
      const headers = user || !etag ? {} : { 'If-None-Match': etag };
      response = await fetch(address, { ...init, headers, cache: 'no-store', signal: mine.signal });
      if (response.redirected && new URL(response.url).pathname === '/sign-in') {
        const here = location.pathname + location.search;
        location.assign(here === '/' ? '/sign-in' : '/sign-in?next=' + encodeURIComponent(here));
        return null;
      }
      if (response.status !== 304) {
        if (!response.headers.get('Content-Type')?.startsWith('text/html')) throw new Error('not a page');
        text = await response.text();
      }
    } catch (e) {
      if (mine.signal.aborted) return null;
      misses++;
      lost(true);
      busy = null;
      wait();
      return null;
    }
    if (mine.signal.aborted) return null;
    if (text !== null) {
      etag = response.headers.get('ETag');
      show(new DOMParser().parseFromString(policy.createHTML(text), 'text/html'), !user || init.method === 'POST');
    }
    misses = 0;
    lost(false);
    busy = null;
    wait();
    return response;
  }

  // The list that somebody uses, and the row in it: under the pointer, or with the
  // focus of a keyboard. The focus that a click left does not count. A finger leaves no
  // pointer behind, so its row counts for a few seconds. An open dialog covers the page:
  // what was used before it opened still counts.
  let hand = null;
  let covered = null;
  document.addEventListener('pointermove', (event) => (hand = event));
  document.addEventListener('pointerdown', (event) => (hand = event));
  document.documentElement.addEventListener('pointerleave', (event) => event.pointerType === 'mouse' && (hand = null));
  function inUse() {
    if (document.querySelector('dialog[open]')) return covered;
    const fresh = hand && (hand.pointerType === 'mouse' || performance.now() - hand.timeStamp < 5000);
    const under = fresh ? document.elementFromPoint(hand.clientX, hand.clientY) : null;
    const at = under?.closest('.list') ? under : document.querySelector('.list :focus-visible');
    return at ? { list: at.closest('.list'), row: at.closest('tr[id]') } : null;
  }

  // keepOrder gives the rows of a new page the order that they have in the list now; new
  // rows come last. It reports whether that changed their order.
  function keepOrder(list, fresh) {
    const old = [...list.querySelectorAll('tr[id]')];
    const same = old.map((row) => fresh.querySelector('#' + CSS.escape(row.id))).find((row) => row);
    if (!same) return false;
    const body = same.parentElement;
    const rows = new Map([...body.children].map((row) => [row.id, row]));
    const before = [...rows.keys()].join();
    for (const row of old) {
      if (!rows.has(row.id)) continue;
      body.append(rows.get(row.id));
      rows.delete(row.id);
    }
    body.append(...rows.values());
    return [...body.children].map((row) => row.id).join() !== before;
  }

  // keepPlace puts a row back to where it was on the screen. A page that is too short to
  // scroll moves its list instead. It reports whether it did that.
  function keepPlace({ list, row }, top) {
    if (!row?.isConnected) return false;
    scrollBy(0, row.getBoundingClientRect().top - top);
    const rest = row.getBoundingClientRect().top - top;
    if (Math.abs(rest) < 1) return false;
    list.style.position = 'relative';
    list.style.top = `${-rest}px`;
    return true;
  }

  // show shows a page. same is set for a newer state of the page that is shown: then
  // nothing moves under a pointer.
  function show(page, same) {
    localise(page);
    const old = main();
    const fresh = page.getElementById('main');
    if (!fresh) return;
    const used = same ? inUse() : null;
    const top = used?.row?.getBoundingClientRect().top;
    if (used && keepOrder(used.list, fresh)) etag = null; // the next poll may sort them
    const keep = document.activeElement?.closest('[data-keep]')?.dataset.keep;
    const tails = [...old.querySelectorAll('.log')].filter((l) => l.scrollTop + l.clientHeight >= l.scrollHeight - 4);
    Idiomorph.morph(old, fresh, {
      // Only the value of a field. Of any other focused element this option would
      // keep the children, and a click beside the buttons focuses main.
      ignoreActiveValue: Boolean(document.activeElement?.matches('input, textarea')),
      // Elements that the user opened stay open, and boxes stay as they are.
      callbacks: { beforeAttributeUpdated: (name, el) => !(name === 'open' && el.matches('details')) && !(name === 'checked' && el.matches('.c-pick input')) },
    });
    for (const l of tails) l.scrollTop = l.scrollHeight;
    countPicked();
    if (used && keepPlace(used, top)) etag = null;
    // If a button was replaced, the focus stays in its group.
    if (keep && (document.activeElement === document.body || !document.activeElement)) {
      document.querySelector(`[data-keep="${CSS.escape(keep)}"] button`)?.focus();
    }
    document.title = page.title;
    const icon = page.querySelector('link[rel=icon]')?.getAttribute('href');
    const now = document.querySelector('link[rel=icon]');
    if (icon && now.getAttribute('href') !== icon) now.setAttribute('href', icon);
  }

  function poll() {
    if (document.hidden || !(Number(main().dataset.refresh) > 0)) return; // visibilitychange starts it again
    load(location.pathname + location.search, {}, false);
  }

  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && !busy) poll();
  });

  // countPicked says how many runs are selected.
  function countPicked() {
    const boxes = [...document.querySelectorAll('.pick')];
    const all = document.querySelector('.pick-all');
    const says = document.getElementById('picked');
    if (!all || !says) return;
    const n = boxes.filter((box) => box.checked).length;
    all.checked = n > 0 && n === boxes.length;
    all.indeterminate = n > 0 && n < boxes.length;
    says.textContent = n === 0 ? 'Select runs to act on them.' : `${n} ${n === 1 ? 'run' : 'runs'} selected.`;
  }
  document.addEventListener('change', (event) => {
    if (event.target.matches('.pick-all')) for (const box of document.querySelectorAll('.pick')) box.checked = event.target.checked;
    if (event.target.matches('.c-pick input')) countPicked();
  });

  // ask asks, in the dialog, about an action that cannot be undone. The answer is true
  // to go on.
  function ask(form) {
    const dialog = document.getElementById('confirm');
    covered = inUse();
    for (const part of ['question', 'effect', 'yes', 'no']) document.getElementById('confirm-' + part).textContent = form.dataset[part];
    dialog.returnValue = 'no';
    dialog.showModal();
    return new Promise((resolve) => dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true }));
  }

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    if (!form.matches('[data-live]')) return;
    event.preventDefault();
    if (form.method === 'get') {
      search(form);
      return;
    }
    const button = event.submitter;
    if (button?.getAttribute('aria-disabled')) return; // the second click of a double click
    const address = button?.getAttribute('formaction') || form.action;
    const body = new URLSearchParams(new FormData(form, button));
    const asking = button?.dataset.question ? button : form;
    if (asking.dataset.question) {
      if (!(await ask(asking))) return;
      body.set('confirmed', 'yes');
    }
    button?.setAttribute('aria-disabled', 'true');
    const answered = await load(address, { method: 'POST', body }, true);
    button?.removeAttribute('aria-disabled');
    if (answered && form.id === 'act') {
      for (const box of document.querySelectorAll('.pick')) box.checked = false;
      countPicked();
    }
  });

  document.addEventListener('click', async (event) => {
    const link = event.target.closest?.('a[data-live]');
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const { href, rel } = link; // the update may replace the link
    if (await load(href, {}, true)) {
      history.pushState(null, '', href);
      if (rel) scrollTo(0, 0);
    }
  });

  window.addEventListener('popstate', () => load(location.pathname + location.search, {}, true));

  let typing = 0;
  async function search(form) {
    clearTimeout(typing);
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const address = form.getAttribute('action') + (query.size ? '?' + query : '');
    if (await load(address, {}, true)) history.replaceState(null, '', address);
  }
  document.addEventListener('input', (event) => {
    const form = event.target.closest('form[role=search]');
    if (!form) return;
    clearTimeout(typing);
    typing = setTimeout(() => search(form), 150);
  });
  // "/" moves the focus to the search. The default action of the key press is
  // prevented, and the focus moves when the key is released, so that the search
  // does not receive the character.
  function shortcut(event) {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.('input, textarea')) return null;
    return document.getElementById('q');
  }
  document.addEventListener('keydown', (event) => {
    if (shortcut(event)) event.preventDefault();
  });
  document.addEventListener('keyup', (event) => {
    const box = shortcut(event);
    box?.focus();
    box?.select();
  });

  localise(document);
  for (const l of document.querySelectorAll('.log')) l.scrollTop = l.scrollHeight;
  setInterval(() => localise(document), 10000);
  wait();
})();
