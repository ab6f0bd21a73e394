// A static page: `nuxt generate` writes .output/public, and any server can hand it out.
export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  ssr: false,
  telemetry: false,
  devtools: { enabled: false },
  css: ['~/assets/style.css'],
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
