/// Builds the console into `dist/`, from where the hub embeds it.
import vue from '@vitejs/plugin-vue'
import { fileURLToPath } from 'node:url'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import components from 'unplugin-vue-components/vite'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [
    vue(),
    // Element Plus by need: a component brings its own style and nothing else.
    components({ dirs: [], dts: 'src/components.d.ts', resolvers: [ElementPlusResolver()] }),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    // `data:` addresses are not allowed by the page's policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
  },
  // `npm run dev` against a running hub: HUB=https://127.0.0.1:8443 npm run dev
  server: { proxy: { '/api': { target: process.env['HUB'] ?? 'https://127.0.0.1:8443', secure: false } } },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
})
