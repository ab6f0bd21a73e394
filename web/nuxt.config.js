import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Nuxt writes its settings into the page as a script; as a file they do not need a Content-Security-Policy that allows that. */
async function moveScriptsToFiles(route, nitro) {
  for (const [element, script] of (route.contents ?? '').matchAll(/<script>(.*?)<\/script>/gs)) {
    const name = `_nuxt/settings.${createHash('sha256').update(script).digest('hex').slice(0, 8)}.js`;
    const file = path.join(nitro.options.output.publicDir, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, script);
    route.contents = route.contents.replace(element, `<script src="/${name}"></script>`);
  }
}

// A static page: `nuxt generate` writes .output/public, and any server can hand it out.
export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  ssr: false,
  telemetry: false,
  devtools: { enabled: false },
  css: ['~/assets/style.css'],
  nitro: { hooks: { 'prerender:generate': moveScriptsToFiles } },
  app: {
    head: {
      title: 'Palimpsest',
      htmlAttrs: { lang: 'en' },
      meta: [
        { name: 'description', content: 'Realtime chat you can edit, driven by your own Postgres.' },
        { name: 'viewport', content: 'width=device-width, initial-scale=1, interactive-widget=resizes-content' },
        { name: 'color-scheme', content: 'light dark' },
        { name: 'theme-color', content: '#f6f1e7', media: '(prefers-color-scheme: light)' },
        { name: 'theme-color', content: '#17140f', media: '(prefers-color-scheme: dark)' },
      ],
      link: [{ rel: 'icon', type: 'image/svg+xml', href: '/favicon.svg' }],
    },
  },
  runtimeConfig: {
    // Only for a page served from somewhere else than its server, e.g. NUXT_PUBLIC_PALIMPSEST_ENDPOINT=chat.example.org
    public: { palimpsest: { endpoint: '', port: '', tls: '', authUrl: '' } },
  },
});
