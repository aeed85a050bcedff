// Light or dark: as the system has it, or as chosen.

const THEMES = ['', 'light', 'dark'];

function showTheme() {
  const theme = THEMES.includes(state.theme) ? state.theme : '';
  document.documentElement.dataset.theme = theme;
  const name = theme || 'auto';
  $('theme').textContent = `${{ '': '\u25d0', light: '\u25cb', dark: '\u25cf' }[theme]} ${name}`;
  $('theme').setAttribute('aria-label', `Theme: ${name}`);
}

function nextTheme() {
  go({ theme: THEMES[(THEMES.indexOf(state.theme) + 1) % THEMES.length] });
}
