/// Compresses what a folder holds, beside it: the hub sends the `.br` to browsers that take it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

const folder = process.argv[2] ?? 'dist/assets'
const worthwhile = 1024

for (const name of readdirSync(folder).filter((name) => /\.(js|css|svg)$/.test(name))) {
  const file = readFileSync(join(folder, name))
  if (file.length < worthwhile) continue
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: file.length }
  writeFileSync(join(folder, `${name}.br`), brotliCompressSync(file, { params }))
}
