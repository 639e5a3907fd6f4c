/** What a flame graph does in a browser: a click on a box makes it the whole, and what is searched for is marked. */
export const BEHAVIOUR = `'use strict';
const flames = document.getElementById('flames');
const whole = Number(flames.dataset.width), letter = Number(flames.dataset.letter);
const boxes = [...flames.querySelectorAll('g[data-x]')].map((g) => ({
  g, x: Number(g.dataset.x), w: Number(g.dataset.w), d: Number(g.dataset.d), name: g.dataset.n,
  rect: g.querySelector('rect'), text: g.querySelector('text'),
}));
function show(focus) {
  const scale = whole / focus.w;
  for (const box of boxes) {
    const holds = box.d < focus.d && box.x <= focus.x + 0.01 && box.x + box.w >= focus.x + focus.w - 0.01;
    const isIn = box.d >= focus.d && box.x >= focus.x - 0.01 && box.x + box.w <= focus.x + focus.w + 0.01;
    box.g.style.display = holds || isIn ? '' : 'none';
    box.g.classList.toggle('above', holds);
    const x = holds ? 0 : (box.x - focus.x) * scale, w = holds ? whole : box.w * scale;
    box.rect.setAttribute('x', x);
    box.rect.setAttribute('width', Math.max(0, w));
    box.text.setAttribute('x', x + 3);
    const letters = Math.floor((w - 6) / letter);
    box.text.textContent = letters < 3 ? '' : box.name.length <= letters ? box.name : box.name.slice(0, letters - 1) + '…';
  }
}
for (const box of boxes) box.g.addEventListener('click', () => show(box));
const found = document.getElementById('found');
document.getElementById('search').addEventListener('input', ({ target }) => {
  const words = target.value.toLowerCase();
  let count = 0;
  for (const box of boxes) {
    const hit = words !== '' && box.name.toLowerCase().includes(words);
    box.g.classList.toggle('hit', hit);
    count += hit ? 1 : 0;
  }
  found.textContent = words ? count + ' found' : '';
});
`;
