import { defineConfig } from 'vite'

/** The server that `npm run dev` forwards the API to. */
const server = process.env.CATALOG_URL ?? 'http://127.0.0.1:8080'

export default defineConfig({
  base: './', // a proxy may serve the page below a path
  esbuild: undefined,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    target: 'es2022',
    modulePreload: { polyfill: false }, // it is an inline script, which the policy of the page forbids
    assetsInlineLimit: 0,
  },
  server: { proxy: { '^/(v1|login|schema|health)': server } },
})
